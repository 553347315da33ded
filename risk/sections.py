"""What a model's card says, section by section in two languages, whatever page or paper it is set on."""

# ruff: noqa: E501 (tables of words, read line by line; a Chinese character counts as two)

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from risk.rates import jeffreys
from risk.terms import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from risk.terms import Input

    Card = Mapping[str, Any]
    Cell = str | Words

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

MEANING = {
    "auc": Words("违约者的估计高于正常者的概率；0.5 等于乱猜", "chance that a default is ranked above a good loan; 0.5 is guessing"),
    "ks": Words("违约与正常累计占比的最大间距", "greatest distance between the cumulated shares of defaults and good loans"),
    "average_precision": Words("由险到稳逐笔查看时的平均命中率；乱猜等于违约率", "mean precision from the riskiest down; guessing gives the default rate"),
    "brier": Words("概率与结果之差的平方均值；越小越好", "mean squared distance of probability and outcome; smaller is better"),
    "brier_skill": Words("比一律报违约率好多少；0 为没有更好", "how much better than always saying the base rate; 0 is no better"),
    "log_loss": Words("对数损失；越小越好", "log-loss; smaller is better"),
    "predicted": Words("平均估计的违约率", "mean estimated default rate"),
    "observed": Words("实际违约率", "observed default rate"),
    "ece": Words("十个分位组中预测与实际的平均差", "mean distance of predicted and observed over ten quantile bins"),
    "slope": Words("校准斜率；1 为恰当，小于 1 为过于自信", "calibration slope; 1 is right, below 1 is too sure of itself"),
}  # fmt: skip

KINDS = {"scorecard": Words("评分卡", "scorecard"), "trees": Words("提升树（LightGBM）", "boosted trees (LightGBM)"),
         "blend": Words("评分卡与提升树的混合", "blend of scorecard and boosted trees")}  # fmt: skip
CALIBRATIONS = {"platt": Words("Platt 直线", "Platt's line"), "isotonic": Words("保序回归", "isotonic steps")}
SLICES = {"train": Words("训练", "train"), "calibrate": Words("校准", "calibrate"), "test": Words("检验", "test"),
          "all": Words("全部", "all")}  # fmt: skip
TERMS = {
    "as_of": Words("数据截至", "known as of"), "loans": Words("贷款", "loans"), "default": Words("违约定义", "definition of default"),
    "data": Words("数据来源", "data"), "labelled": Words("有标签", "labelled"), "defaults": Words("违约", "defaults"),
    "immature": Words("未满观察期", "observation window open"), "immature_defaults": Words("其中已违约", "of these in default"),
    "silent": Words("无人报告", "never reported on"), "from_on": Words("自", "from"), "days_overdue": Words("逾期天数", "days overdue"),
    "within_months": Words("放款后月数内", "within months of drawdown"), "basis": Words("依据", "basis"),
    "ridge": Words("岭", "ridge"), "rounds": Words("轮数", "rounds"), "bag": Words("种子数", "seeds"), "share": Words("树所占份额", "share of trees"),
}  # fmt: skip
PARTS = {"firm_kind": Words("企业类型", "kind of firm"), "district": Words("区县", "district"),
         "industry": Words("行业", "industry"), "size": Words("规模", "size")}  # fmt: skip
STATES = {"stable": Words("稳定", "stable"), "watch": Words("留意", "watch"), "moved": Words("已变动", "moved")}
WAYS = {
    -1: Words("− 越大越稳", "− more is safer"),
    0: Words("· 不限", "· free"),
    1: Words("+ 越大越险", "+ more is riskier"),
}

PROTOCOLS = {
    "out_of_time": (
        Words("按放款日先后分为三段，同一天不拆开：最早的一段训练，随后一段校准，最后一段检验。模型种类与参数只在训练段内用逐步扩大的时间窗选定。",
              "Loans are cut into three stretches by their day, no day split: the earliest trains, the next calibrates, the last tests. Kind and settings of the model are chosen by expanding windows in time inside the training stretch only."),
        Words("区间为 300 次自助抽样的 95 % 区间，同一企业的贷款一起抽取。交付的就是被检验的模型，未用检验段重新训练。",
              "Intervals are 95 % of 300 bootstrap draws, a firm's loans drawn together. What is shipped is the model that was measured: it is not refitted on the test stretch."),
    ),
    "cross_validated": (
        Words("没有可用于先后划分的日期，或某一段的违约太少：用重复的嵌套分层交叉验证检验，每一折内部重新选择模型；交付的模型用全部样本训练。",
              "There are no dates to cut by, or a stretch would hold too few defaults: measured by repeated, nested, stratified cross-validation, the model chosen anew inside each fold; the model shipped is fitted on all rows."),
        Words("表中的值是各次重复的平均；图按各次重复平均后的估计绘制，所以图中的 AUC 会与表中略有不同。",
              "Figures in the table are means over the repeats; the pictures are drawn from the estimate averaged over the repeats, so their AUC may differ a little."),
    ),
}  # fmt: skip

READING = (
    Words("这张卡片说明模型由什么做成、好到什么程度、不能当作什么。估计供银行与企业参考，不代替任何一家银行的授信决定。",
          "This card says what the model is made of, how good it is, and what it must not be taken for. The estimate informs banks and firms; it takes no bank's decision."),
    Words("蓝色圆点为实际，带 95 % 区间；橙红色空心菱形为预测。区间盖不住预测之处，才值得追问。少于十笔的单元不显示数字。",
          "Blue dots are observed with their 95 % interval, open orange-red diamonds are predicted; where the interval misses the diamond, ask why. Cells of fewer than ten loans show no figures."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its first column names the row; a plain string is a figure, Words are words."""

    caption: Words
    head: tuple[Words, ...]
    rows: list[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its name (also its picture's), its title, what it says, its tables and its picture's caption."""

    name: str
    title: Words
    text: tuple[Words, ...] = ()
    tables: tuple[Table, ...] = ()
    caption: Words | None = None


def sections(card: Card, inputs: Sequence[Input]) -> list[Section]:
    """The whole card in its order; every section is there, and says so where it has nothing to show."""
    return [_overview(card), Section("reading", Words("怎么读", "How to read it"), READING), _data(card),
            Section("protocol", Words("怎样检验", "How it was tested"), _protocol(card)), _test(card), _calibration(card),
            _vintages(card), _score(card), _grades(card), _segments(card), _psi(card), _drivers(card, inputs),
            _tried(card), _inputs(inputs), _limits(card)]  # fmt: skip


def _overview(card: Card) -> Section:
    measured, bounds = card["measures"], card["intervals"]
    rows: list[tuple[Cell, ...]] = [
        (Words("模型", "model"), _chosen(card["chosen"])),
        (Words("校准", "calibration"), CALIBRATIONS.get(card["calibration"], _same(card["calibration"]))),
        (Words("样本", "rows"), _same(_count(card["n"]))),
        (Words("违约", "defaults"), _same(f"{_count(card['events'])} ({card['events'] / card['n']:.2%})")),
        *((_same(SHOWN[name]), _same(f"{number(measured[name])} [{_interval(bounds.get(name))}]"))
          for name in ("auc", "ks", "brier_skill")),
        (Words("随机种子", "seed"), _same(str(card["seed"]))),
    ]  # fmt: skip
    table = Table(
        Words("模型与主要数字", "The model and its main figures"), (Words("项目", "what"), Words("值", "value")), rows
    )
    return Section("overview", Words("概况", "At a glance"), tables=(table,))


def _data(card: Card) -> Section:
    head = (Words("段", "slice"), Words("笔数", "n"), Words("违约", "defaults"), Words("违约率", "default rate"),
            Words("自", "from"), Words("至", "to"))  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (SLICES.get(name, _same(name)), _count(one["n"]), _count(one["events"]), _share(one["events"] / one["n"]),
         one.get("from", "–"), one.get("to", "–")) for name, one in _by_time(card["slices"])
    ]  # fmt: skip
    about: list[tuple[Cell, ...]] = [
        (TERMS.get(name, _same(name)), _plainly(value)) for name, value in card["about"].items()
    ]
    tables = [Table(Words("样本各段", "Slices of the rows"), head, rows)]
    if about:
        tables.append(
            Table(
                Words("来源与定义", "Origin and definitions"), (Words("项目", "what"), Words("内容", "content")), about
            )
        )
    return Section("data", Words("数据", "Data"), tables=tuple(tables))


def _by_time(slices: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The slices in the order in which they follow each other, whatever the file's order."""
    names = list(SLICES)
    return sorted(slices.items(), key=lambda one: (names.index(one[0]) if one[0] in names else len(names), one[0]))


def _protocol(card: Card) -> tuple[Words, ...]:
    told = PROTOCOLS.get(card["protocol"], (_same(str(card["protocol"])),))
    if "repeats" not in card:
        return told
    return (
        *told,
        Words(
            f"重复 {card['repeats']} 次，每次 {card['folds']} 折。",
            f"{card['repeats']} repeats of {card['folds']} folds.",
        ),
    )


def _test(card: Card) -> Section:
    spread = card.get("spread")
    head = [Words("指标", "measure"), Words("值", "value"), Words("95 % 区间", "95 % (bootstrap)")]
    rows: list[tuple[Cell, ...]] = [
        (_same(SHOWN[name]), number(card["measures"].get(name)), _interval(card["intervals"].get(name)),
         *((number(spread.get(name)),) if spread else ()), MEANING[name]) for name in SHOWN
    ]  # fmt: skip
    head += [Words("重复间标准差", "sd over repeats")] if spread else []
    table = Table(Words("检验的数字", "Figures of the test"), (*head, Words("含义", "meaning")), rows)
    caption = Words("ROC 曲线：横轴为被标出的正常贷款占比，纵轴为被标出的违约占比；菱形处两者间距最大（KS）。",
                    "ROC curve: share of good loans flagged against share of defaults flagged; at the diamond their distance is greatest (KS).")  # fmt: skip
    return Section("test", Words("检验", "Test"), (), (table,), caption)


def _calibration(card: Card) -> Section:
    rows: list[tuple[Cell, ...]] = [
        (str(place), _count(one["n"]), _share(one["predicted"]), _share(one["observed"]),
         _shares(jeffreys(one["observed"] * one["n"], one["n"])))
        for place, one in enumerate(card["calibration_table"], 1)
    ]  # fmt: skip
    head = (Words("组", "bin"), Words("笔数", "n"), *RATES)
    table = Table(Words("按估计的分位组", "By quantile bin of the estimate"), head, rows)
    caption = Words("点落在虚线上：说多少，就发生多少。", "Dots on the dotted line: what was said is what happened.")
    return Section("calibration", Words("校准", "Calibration"), (), (table,), caption)


RATES = (Words("预测", "predicted"), Words("实际", "observed"), Words("实际的 95 % 区间", "95 % of observed"))
COUNTED = (Words("笔数", "n"), Words("违约", "defaults"), *RATES)


def _vintages(card: Card) -> Section:
    title = Words("按时段校准", "Calibration by vintage")
    rows = card.get("vintages", ())
    if not rows:
        return Section(
            "vintages",
            title,
            (
                Words(
                    "没有按时间检验的样本，不作按时段的断言。",
                    "No rows were tested in time; nothing is claimed by vintage.",
                ),
            ),
        )
    head = (Words("时段", "vintage"), *COUNTED)
    table = Table(Words("检验样本按放款季度或年份", "Test rows by quarter or year of the loan"), head,
                  [(one["period"], *_rates(one)) for one in rows])  # fmt: skip
    caption = Words(
        "各时段的实际（圆点）与预测（菱形）违约率。",
        "Observed (dots) and predicted (diamonds) default rate of each vintage.",
    )
    return Section("vintages", title, (), (table,), caption)


def _score(card: Card) -> Section:
    scale = card["scale"]
    text = (
        Words(f"{scale['base_score']} 分表示 {scale['base_odds']} 笔正常对 1 笔违约；每 {scale['points_to_double']} 分，正常与违约之比翻一倍。分数越高越稳。",
              f"{scale['base_score']} points stand for {scale['base_odds']} good loans to one default ({scale['base_score']} = {scale['base_odds']}:1); every {scale['points_to_double']} points double the odds. More points are safer."),
    )  # fmt: skip
    caption = Words(
        "检验样本的分数分布：蓝色为正常贷款，斜线为违约，各按本类占比。",
        "Scores of the test rows: blue are good loans, hatched are defaults, each as a share of its kind.",
    )
    return Section("score", Words("分数", "Score"), text, (), caption if "histogram" in card else None)


def _grades(card: Card) -> Section:
    text = (Words("等级由违约概率给出；它与官方的公共信用等级是两回事，从不相互替代。",
                  "The grade follows the probability of default; it is not the official public-credit grade, and neither replaces the other."),)  # fmt: skip
    rows = card.get("grade_table", ())
    said = [(one["zh"], one["en"]) for one in rows if one["zh"]] + [
        tuple(pair) for pair in card.get("grades_turned", ())
    ]
    told = (*text, *(Words(zh, en) for zh, en in said))
    rows = rows or [{**one, "n": 0} for one in card["scale"]["grades"]]
    head = (Words("等级", "grade"), Words("违约概率低于", "probability below"), *COUNTED)
    table = Table(Words("主标尺与检验样本", "Master scale and test rows"), head,
                  [(one["grade"], f"{one['below']:.1%}", *_rates(one)) for one in rows])  # fmt: skip
    caption = Words(
        "各等级的实际（圆点）与预测（菱形）违约率；纵轴为平方根刻度。",
        "Observed (dots) and predicted (diamonds) default rate of each grade; the axis is one of square roots.",
    )
    return Section("grades", Words("等级", "Grades"), told, (table,), caption if "grade_table" in card else None)


def _segments(card: Card) -> Section:
    title = Words("分组", "Segments")
    if not card["segments"]:
        return Section("segments", title, (Words("没有分组可报。", "There are no segments to report."),))
    head = (Words("分组", "segment"), Words("笔数", "n"), Words("AUC", "AUC"), *RATES)
    tables = [Table(_by(part), head, [_segment(one) for one in rows]) for part, rows in card["segments"].items()]
    text = (
        Words(
            "违约或正常不足十笔的分组不显示数字。",
            "Segments with fewer than ten defaults or ten good loans show no figures.",
        ),
    )
    caption = Words(
        "各分组的实际（圆点）与预测（菱形）违约率。",
        "Observed (dots) and predicted (diamonds) default rate of each segment.",
    )
    return Section("segments", title, text, tuple(tables), caption)


def _by(part: str) -> Words:
    named = PARTS.get(part, _same(part))
    return Words(f"按{named.zh}", f"By {named.en}")


def _segment(one: Mapping[str, Any]) -> tuple[Cell, ...]:
    between = None if one["observed"] is None else jeffreys(one["observed"] * one["n"], one["n"])
    return (
        _same(str(one["segment"])),
        _count(one["n"]),
        number(one["auc"]),
        _share(one["predicted"]),
        _share(one["observed"]),
        _shares(between),
    )


def _psi(card: Card) -> Section:
    title, rows = Words("稳定性", "Stability"), card.get("psi", ())
    if not rows:
        return Section(
            "psi",
            title,
            (Words("没有较晚的样本，无从比较分布。", "There are no later rows to compare distributions with."),),
        )
    text = (Words("训练样本与检验样本之间的稳定性指数（PSI）：0.10 以下稳定，0.25 以上视为已变动。",
                  "Population stability index (PSI) between training and test rows: stable below 0.10, moved from 0.25."),)  # fmt: skip
    table = Table(Words("各输入与模型分的 PSI", "PSI of each input and of the model's own score"), (Words("输入", "input"), Words("PSI", "PSI"), Words("状态", "state")),
                  [(_same(one["name"]), f"{one['psi']:.3f}", STATES[one["state"]]) for one in rows])  # fmt: skip
    caption = Words(
        "变动最大的二十个；斜线与交叉线标出越过界线者。", "The twenty that moved most; hatches mark those over a line."
    )
    return Section("psi", title, text, (table,), caption)


def _drivers(card: Card, inputs: Sequence[Input]) -> Section:
    text = [Words("同一件事的几个输入合为一组，只算一次。数字是对数优势的平均绝对改变。",
                  "Inputs that tell one story are one group and count once. Figures are mean absolute changes of the log-odds.")]  # fmt: skip
    stay = card.get("overlap_at_4")
    if stay is not None:
        text.append(Words(f"用重新抽取的样本再训练时，一家企业最多四条不利原因中平均有 {stay:.0%} 相同。",
                          f"Made anew from other draws of the rows, {stay:.0%} of a firm's at most four adverse reasons stay."))  # fmt: skip
    rows: list[tuple[Cell, ...]] = [(_same(one["group"]), number(one["mean_abs_log_odds"]), _names(one["group"], inputs))
                                    for one in card["drivers"]]  # fmt: skip
    table = Table(
        Words("各组的影响", "Drivers by group"),
        (Words("组", "group"), Words("影响", "change"), Words("输入", "inputs")),
        rows,
    )
    caption = Words("影响最大的二十组。", "The twenty strongest groups.")
    return Section("drivers", Words("主要因素", "Drivers"), tuple(text), (table,), caption)


def _names(group: str, inputs: Sequence[Input]) -> Words:
    members = [one for one in inputs if one.group == group]
    return Words("、".join(one.zh for one in members), ", ".join(one.en for one in members))


def _tried(card: Card) -> Section:
    text = (Words("在训练样本内部验证；树或混合只有明显更好时才取代评分卡。",
                  "By validation inside the training rows; a scorecard gives way only to what is clearly better."),)  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (_chosen({name: value for name, value in one.items() if name != "log_loss"}), f"{one['log_loss']:.4f}")
        for one in card["tried"]
    ]
    table = Table(
        Words("各备选的验证损失", "Validation loss of each candidate"),
        (Words("模型", "model"), Words("对数损失", "log-loss")),
        rows,
    )
    return Section("candidates", Words("备选", "Candidates"), text, (table,))


def _inputs(inputs: Sequence[Input]) -> Section:
    head = (
        Words("输入", "input"),
        Words("名称", "name"),
        Words("来源", "source"),
        Words("含义", "meaning"),
        Words("方向", "direction"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            _same(one.name),
            Words(one.zh, one.en),
            _same(one.item),
            Words(one.meaning_zh, one.meaning_en),
            WAYS[one.direction],
        )
        for one in inputs
    ]
    return Section(
        "inputs", Words("输入", "Inputs"), tables=(Table(Words("模型看什么", "What the model looks at"), head, rows),)
    )


def _limits(card: Card) -> Section:
    return Section(
        "limits", Words("局限", "Limits"), tuple(Words(zh, en) for zh, en in LIMITS.get(card["protocol"], ()))
    )


def _chosen(one: Mapping[str, Any]) -> Words:
    """Kind and settings of a candidate."""
    kind = KINDS.get(one["kind"], _same(one["kind"]))
    detail = _plainly({name: value for name, value in one.items() if name not in ("kind", "settings")})
    return Words(f"{kind.zh}，{detail.zh}", f"{kind.en}, {detail.en}") if detail.zh else kind


def _rates(one: Mapping[str, Any]) -> tuple[str, ...]:
    """n, defaults, predicted, observed and interval of a cell of the card."""
    between = None if one.get("low") is None else (one["low"], one["high"])
    return (_count(one["n"]), "–" if one.get("events") is None else _count(one["events"]), _share(one.get("predicted")),
            _share(one.get("observed")), _shares(between))  # fmt: skip


def _plainly(value: Any) -> Words:
    """Any value of the card on one line, the names in it by their words."""
    if isinstance(value, dict):
        parts = [(TERMS.get(name, _same(name)), _plainly(inner)) for name, inner in value.items()]
        return Words("，".join(f"{name.zh} {told.zh}" for name, told in parts),
                     ", ".join(f"{name.en} {told.en}" for name, told in parts))  # fmt: skip
    if isinstance(value, list | tuple):
        told = [_plainly(inner) for inner in value]
        return Words("；".join(one.zh for one in told), "; ".join(one.en for one in told))
    return _same(str(value))


def _same(name: str) -> Words:
    """A name that is the same in both languages."""
    return Words(name, name)


def number(value: float | None) -> str:
    """A measure by four digits; a dash where it could not be measured."""
    return "–" if value is None else f"{value:.4f}"


def _interval(pair: Sequence[float | None] | None) -> str:
    return "–" if pair is None else f"{number(pair[0])} – {number(pair[1])}"


def _count(value: int) -> str:
    return f"{value:,}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2%}"


def _shares(pair: tuple[float, float] | None) -> str:
    return "–" if pair is None else f"{pair[0]:.2%} – {pair[1]:.2%}"
