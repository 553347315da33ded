"""What an alarm says: one sentence in each language, and the alarms as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from risk.alarms import Alarm, Lines

COLUMNS = ("范围 / scope", "警报 / alarm", "方向 / side", "响起 / rang on", "证据 / evidence", "线 / line",
           "实际 / observed", "预期 / expected")  # fmt: skip
SIDES = {"worse": ("高于", "more"), "better": ("低于", "fewer")}


def sentences(alarm: Alarm, lines: Lines) -> tuple[str, str]:
    """The alarm in Chinese and in English: what was counted, against what, and how seldom it is wrong."""
    if alarm.kind == "population":
        return _population(alarm)
    return _silent(alarm) if alarm.rang_on is None else _rung(alarm, lines)


def as_lines(alarms: Sequence[Alarm], *, rung_only: bool = False) -> list[str]:
    """The alarms as a Markdown table with heads in both languages, in order of the day they rang, the silent ones last.

    Observed and expected count defaults since the alarm began; for a population they are shares of missing values.
    """
    kept = [alarm for alarm in alarms if alarm.rang_on is not None or not rung_only]
    kept.sort(key=lambda one: (one.rang_on is None, str(one.rang_on), one.scope, one.kind, one.side))
    return [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", *(_line(one) for one in kept)]


def _line(one: Alarm) -> str:
    shown = "{:.1%}" if one.kind == "population" else "{:.0f}"
    figures = (f"{one.evidence:.3g}", f"{one.line:.3g}", shown.format(one.observed), shown.format(one.expected))
    return "| " + " | ".join([one.scope, one.kind, one.side, str(one.rang_on or "–"), *figures]) + " |"


def _population(alarm: Alarm) -> tuple[str, str]:
    index = f"{alarm.evidence:.2f}"
    if alarm.rang_on is None:
        zh = f"“{alarm.scope}”：人群分布未见明显变化（PSI 最高 {index}，线 {alarm.line}）。"
        return zh, f"{alarm.scope}: the population has not moved (PSI at most {index}, line {alarm.line})."
    zh = f"“{alarm.scope}”：到 {alarm.rang_on} 人群分布已变化，PSI {index}，超过 {alarm.line}。"
    return zh, f"{alarm.scope}: by {alarm.rang_on} the population has moved, PSI {index} above {alarm.line}."


def _silent(alarm: Alarm) -> tuple[str, str]:
    scope_zh, scope_en = _scope(alarm)
    side_zh, side_en = SIDES[alarm.side]
    most = f"{alarm.evidence:.3g}"
    zh = f"{scope_zh}：没有足够证据说明违约{side_zh}评估（证据最高 {most}，线 {alarm.line:.3g}）。"
    en = (
        f"{scope_en}: too little evidence of {side_en} defaults than predicted (at most {most}, line {alarm.line:.3g})."
    )
    return zh, en


def _rung(alarm: Alarm, lines: Lines) -> tuple[str, str]:
    scope_zh, scope_en = _scope(alarm)
    side_zh, side_en = SIDES[alarm.side]
    since_zh, since_en = "至今", "so far"
    promise_zh = f"无论看多少次，误报机会不超过 {lines.chance:.1%}"
    promise_en = f"however often one looks, the chance of a false alarm is at most {lines.chance:.1%}"
    if alarm.kind == "cusum":
        since_zh, since_en = f"{alarm.since} 以来", f"since {alarm.since}"
        promise_zh = f"平均每 {lines.between:.0f} 期至多误报一次"
        promise_en = f"on average at most one false alarm in {lines.between:.0f} batches"
    seen, told = f"{alarm.observed:.0f}", f"{alarm.expected:.0f}"
    zh = f"{scope_zh}：{alarm.rang_on} 响起警报，{since_zh}违约 {seen} 笔，按评估应有 {told} 笔，"
    zh += f"{side_zh}评估（{promise_zh}）。"
    en = f"{scope_en}: alarm on {alarm.rang_on}; {since_en} {seen} defaults against {told} predicted,"
    en += f" {side_en} than predicted ({promise_en})."
    return zh, en


def _scope(alarm: Alarm) -> tuple[str, str]:
    return ("全部贷款", "All loans") if alarm.scope == "all" else (f"“{alarm.scope}”", alarm.scope)
