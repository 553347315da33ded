"""The model's card in words: what it was made of, how good it is, and what it must not be taken for."""

# ruff: noqa: E501 (tables of words, read line by line; a Chinese character counts as two)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from risk.terms import Input

LIMITS = {
    "out_of_time": [
        ("只在一个较晚的时段检验过；经济形势一变，违约水平可能随之改变，需看监测表。",
         "Tested on one later stretch only; when the economy turns, the level of default may turn with it: watch the drift table."),
        ("训练样本是已放款的贷款，未获贷款的企业不在其中（样本选择）。",
         "Trained on loans that were made; firms that got none are not among them (sample selection)."),
        ("训练时段的贷款在检验时段开始时未必都已满观察期。",
         "Not every training loan had finished its observation window when the test stretch began."),
    ],
    "cross_validated": [
        ("没有标签日期或违约太少，未做跨时间检验；数字来自重复嵌套交叉验证。",
         "No label dates or too few defaults: nothing is claimed out of time; figures come from repeated nested cross-validation."),
        ("样本少，区间宽；不宜据此比较相近的模型。",
         "Few rows, wide intervals; too little to tell close models apart."),
        ("违约日期未知，近期指标可能含有违约之后的信息。",
         "The dates of default are unknown; recency features may hold what followed a default."),
    ],
}  # fmt: skip

SHOWN = {"auc": "AUC", "ks": "KS", "average_precision": "AP", "brier": "Brier", "brier_skill": "Brier skill",
         "log_loss": "Log-loss", "predicted": "Mean predicted", "observed": "Observed", "ece": "ECE (10 bins)",
         "slope": "Calibration slope"}  # fmt: skip


def as_markdown(card: Mapping[str, Any], inputs: Sequence[Input]) -> str:
    """The card as Markdown, Chinese and English side by side."""
    parts = [
        "# 模型卡片 / Model card", "",
        f"- 模型 / model: {_chosen(card['chosen'])}; 校准 / calibration: {card['calibration']}; 种子 / seed: {card['seed']}",
        f"- 样本 / rows: {card['n']}, 违约 / defaults: {card['events']}; 方案 / protocol: {card['protocol']}",
        *(f"- {name}: {_slice(one)}" for name, one in card["slices"].items()),
        *(f"- {name}: {value}" for name, value in card["about"].items()), "",
        *_measures(card), *_calibration(card), *_segments(card), *_tried(card), *_scale(card), *_drivers(card),
        *_inputs(inputs), "## 局限 / Limits", "",
        *(f"- {zh} {en}" for zh, en in LIMITS[card["protocol"]]), "",
    ]  # fmt: skip
    return "\n".join(parts)


def _chosen(one: Mapping[str, Any]) -> str:
    detail = {key: value for key, value in one.items() if key not in ("kind", "settings")}
    return f"{one['kind']} {detail}"


def _slice(one: Mapping[str, Any]) -> str:
    span = f", {one['from']} – {one['to']}" if "from" in one else ""
    return f"n {one['n']}, defaults {one['events']}{span}"


def _measures(card: Mapping[str, Any]) -> list[str]:
    spread = card.get("spread")
    head = "| 指标 / measure | 值 / value | 95 % (bootstrap) |" + (
        " 重复间标准差 / sd over repeats |" if spread else ""
    )
    lines = ["## 检验 / Test", "", head, "|---" * (4 if spread else 3) + "|"]
    for name, title in SHOWN.items():
        line = f"| {title} | {_number(card['measures'][name])} | {_interval(card['intervals'].get(name))} |"
        lines.append(line + (f" {_number(spread[name])} |" if spread else ""))
    return [*lines, ""]


def _calibration(card: Mapping[str, Any]) -> list[str]:
    lines = ["## 校准 / Calibration by quantile bin", "", "| n | 预测 / predicted | 实际 / observed |", "|---|---|---|"]
    lines += [f"| {one['n']} | {one['predicted']:.4f} | {one['observed']:.4f} |" for one in card["calibration_table"]]
    return [*lines, ""]


def _segments(card: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, rows in card["segments"].items():
        lines += [f"## 分组 / By {name} (小单元不显示 / small cells withheld)", "", "| | n | AUC | predicted | observed |",
                  "|---|---|---|---|---|"]  # fmt: skip
        lines += [f"| {row['segment']} | {row['n']} | {_number(row['auc'])} | {_number(row['predicted'])} "
                  f"| {_number(row['observed'])} |" for row in rows]  # fmt: skip
        lines.append("")
    return lines


def _tried(card: Mapping[str, Any]) -> list[str]:
    lines = ["## 备选 / Candidates, by validation inside the training rows", "", "| | log-loss |", "|---|---|"]
    return [*lines, *(f"| {_chosen({k: v for k, v in one.items() if k != 'log_loss'})} | {one['log_loss']:.4f} |"
                      for one in card["tried"]), ""]  # fmt: skip


def _scale(card: Mapping[str, Any]) -> list[str]:
    scale = card["scale"]
    grades = ", ".join(f"{one['grade']} < {one['below']:.1%}" for one in scale["grades"])
    return ["## 分数与等级 / Score and grades", "",
            f"- {scale['base_score']} = {scale['base_odds']}:1, {scale['points_to_double']} points double the odds",
            f"- {grades}", ""]  # fmt: skip


def _drivers(card: Mapping[str, Any]) -> list[str]:
    lines = ["## 主要因素 / Drivers (mean absolute log-odds by group)", ""]
    return [*lines, *(f"- {one['group']}: {one['mean_abs_log_odds']:.3f}" for one in card["drivers"]), ""]


def _inputs(inputs: Sequence[Input]) -> list[str]:
    way = {-1: "−", 0: "·", 1: "+"}
    lines = ["## 输入 / Inputs (+ 越大越险 more is riskier, − 越大越稳 more is safer)", "",
             "| | 名称 / name | 来源 / source | 含义 / meaning | |", "|---|---|---|---|---|"]  # fmt: skip
    return [*lines, *(f"| {one.name} | {one.zh} / {one.en} | {one.item} | {one.meaning_zh} / {one.meaning_en} "
                      f"| {way[one.direction]} |" for one in inputs), ""]  # fmt: skip


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _interval(pair: Sequence[float] | None) -> str:
    return "–" if pair is None else f"{_number(pair[0])} – {_number(pair[1])}"
