"""The card's pictures: from the card's own numbers to SVG text, the same bytes each time, readable without colour."""

from __future__ import annotations

import io
import re
import threading
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from risk.monitor import MOVED, WATCH
from risk.rates import jeffreys
from risk.scale import BASE_ODDS, BASE_SCORE
from risk.terms import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes

    Row = Mapping[str, Any]

BLUE, RED, ORANGE, GREY, BLACK = "#0072b2", "#d55e00", "#e69f00", "#595959", "#1a1a1a"
"""Okabe and Ito's colours (2008), told apart by people who confuse red and green; shapes and dashes say it again."""

STYLE = {
    "axes.edgecolor": GREY, "axes.grid": True, "axes.labelcolor": BLACK, "axes.labelsize": 10,
    "axes.spines.right": False, "axes.spines.top": False, "axes.axisbelow": True,
    "axes.formatter.use_locale": False, "figure.dpi": 72,
    "font.family": ["DejaVu Sans"], "font.size": 10, "grid.color": "#e3e3e3", "grid.linewidth": 0.8,
    "hatch.linewidth": 0.8, "legend.fontsize": 9, "legend.frameon": False, "lines.linewidth": 1.6,
    "svg.fonttype": "none", "svg.hashsalt": "xindeng", "text.color": BLACK, "text.parse_math": False,
    "xtick.color": GREY, "xtick.labelcolor": BLACK, "xtick.labelsize": 9, "ytick.color": GREY,
    "ytick.labelcolor": BLACK, "ytick.labelsize": 9,
}  # fmt: skip
"""The whole look: nobody's own matplotlibrc has a say. Text stays text, so no font's outlines are in the bytes."""

MOST_BARS = 20
MOST_LETTERS = 26
ASIDE = 0.09
"""Observed and predicted stand this far apart, so that neither hides the other."""

WIDTH = 6.4
"""Inches of 72 points; the picture scales with the page."""

SVG, LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
OBSERVED = {"fmt": "o", "color": BLUE, "capsize": 3, "elinewidth": 1.4, "label": "observed, 95 %"}
PREDICTED = {"marker": "D", "linestyle": "none", "markerfacecolor": "white", "color": RED, "label": "predicted"}

_one_at_a_time = threading.Lock()


def of(card: Mapping[str, Any]) -> dict[str, str]:
    """Every picture the card holds numbers for, by the name of its section."""
    cells = [{**row, "part": part} for part, rows in card.get("segments", {}).items() for row in rows]
    wanted: dict[str, tuple[Callable[[Any], str], Any]] = {
        "test": (roc, card.get("roc")),
        "calibration": (calibration, card.get("calibration_table")),
        "vintages": (vintages, _shown(card.get("vintages", ()))),
        "score": (scores, card.get("histogram")),
        "grades": (grades, _shown(card.get("grade_table", ()))),
        "segments": (segments, _shown(cells)),
        "psi": (psi, card.get("psi")),
        "drivers": (drivers, [one for one in card.get("drivers", ()) if one["mean_abs_log_odds"] > 0]),
    }
    return {name: draw(numbers) for name, (draw, numbers) in wanted.items() if numbers}


def roc(curve: Row) -> str:
    """The ROC curve with its AUC, and where the distance of the two shares (KS) is greatest."""

    def draw(axes: Axes) -> None:
        across, up = zip(*curve["points"], strict=True)
        x, y = curve["ks_at"]
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="no skill")
        axes.plot(across, up, color=BLUE, label=f"AUC {curve['auc']:.3f}")
        axes.plot([x, x], [x, y], color=RED, linestyle="--", label=f"KS {curve['ks']:.3f}")
        axes.plot([x], [y], color=RED, marker="D", linestyle="none")
        axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="share of good loans flagged", ylabel="share of defaults flagged")
        axes.set_aspect("equal")
        axes.legend(loc="lower right")

    said = Words(
        f"ROC 曲线：AUC {curve['auc']:.3f}，最大间距 KS {curve['ks']:.3f}。",
        f"ROC curve: AUC {curve['auc']:.3f}, greatest distance KS {curve['ks']:.3f}.",
    )
    return _picture("roc", said, draw, height=4.6)


def calibration(table: Sequence[Row]) -> str:
    """Observed against predicted by quantile bin: on the dotted line, what was said is what happened."""
    bars = [jeffreys(one["observed"] * one["n"], one["n"]) for one in table]
    top = _top([high for _, high in bars] + [one["predicted"] for one in table])

    def draw(axes: Axes) -> None:
        axes.plot([0, top], [0, top], color=GREY, linestyle=":", label="as predicted")
        _dots(axes, [one["predicted"] for one in table], [one["observed"] for one in table], bars)
        axes.set(xlim=(0, top), ylim=(0, top), xlabel="predicted default rate", ylabel="observed default rate")
        _percent(axes, "xy")
        axes.set_aspect("equal")
        axes.legend(loc="upper left")

    said = Words(f"校准图：{len(table)} 个分位组，预测与实际违约率。",
                 f"Calibration: predicted and observed default rate in {len(table)} quantile bins.")  # fmt: skip
    return _picture("calibration", said, draw, height=4.6)


def vintages(rows: Sequence[Row]) -> str:
    """Observed and predicted default rate by the quarter or year of the loans."""
    names = [f"{one['period']}\nn {one['n']}" for one in rows]
    said = Words(
        f"按时段校准：{rows[0]['period']} 至 {rows[-1]['period']} 的预测与实际违约率。",
        f"Calibration by vintage: predicted and observed default rate, {rows[0]['period']} to {rows[-1]['period']}.",
    )
    return _picture("vintages", said, lambda axes: _columns(axes, rows, names, joined=True), height=3.6)


def grades(rows: Sequence[Row]) -> str:
    """Observed and predicted default rate by grade; the axis of square roots keeps the good grades apart."""
    names = [f"{one['grade']}\nn {one['n']}" for one in rows]

    def draw(axes: Axes) -> None:
        import numpy as np

        _columns(axes, rows, names, joined=False)
        top = axes.get_ylim()[1]
        axes.set_yscale("function", functions=(lambda rate: np.sqrt(np.maximum(rate, 0)), np.square))
        axes.set_yticks([tick for tick in (0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1) if tick <= top])
        axes.set_ylim(0, top)
        _percent(axes, "y")
        axes.set_ylabel("default rate (square-root axis)")

    said = Words("各等级的预测与实际违约率。", "Predicted and observed default rate by grade.")
    return _picture("grades", said, draw, height=3.6)


def scores(bins: Row) -> str:
    """How the scores of good and of defaulted loans are spread, each as a share of its own kind."""
    edges = bins["edges"]

    def draw(axes: Axes) -> None:
        for name, color, more in (("good", BLUE, {"fill": True, "alpha": 0.35}),
                                  ("bad", RED, {"hatch": "////", "linestyle": "--", "linewidth": 1.4})):  # fmt: skip
            whole = sum(bins[name])
            label = f"{'good loans' if name == 'good' else 'defaults'}, n {whole}"
            axes.stairs([count / max(whole, 1) for count in bins[name]], edges, color=color, label=label, **more)
        axes.set(xlim=(edges[0], edges[-1]), xlabel=f"score ({BASE_SCORE}: {BASE_ODDS} good loans to one default)",
                 ylabel="share of its kind")  # fmt: skip
        _percent(axes, "y")
        _legend_above(axes)

    said = Words(f"分数分布：{edges[0]} 至 {edges[-1]} 分，正常与违约贷款。",
                 f"Score distribution from {edges[0]} to {edges[-1]}, good loans and defaults.")  # fmt: skip
    return _picture("score", said, draw, height=3.4)


def psi(rows: Sequence[Row]) -> str:
    """How far each input moved between training and test rows, with the two usual lines."""
    shown = rows[:MOST_BARS]
    looks = {"stable": (BLUE, ""), "watch": (ORANGE, "//"), "moved": (RED, "xx")}

    def draw(axes: Axes) -> None:
        bars = _bars(axes, [one["name"] for one in shown], [one["psi"] for one in shown])
        for bar, one in zip(bars, shown, strict=True):
            color, hatch = looks[one["state"]]
            bar.set(facecolor=color, hatch=hatch, edgecolor="white")
        axes.axvline(WATCH, color=BLACK, linestyle="--", label=f"watch {WATCH:.2f}")
        axes.axvline(MOVED, color=BLACK, linestyle="-", label=f"moved {MOVED:.2f}")
        axes.set_xlim(0, max(1.15 * MOVED, 1.2 * shown[0]["psi"]))
        axes.set_xlabel("population stability index")
        _legend_above(axes)

    worst = f"{shown[0]['name']} {shown[0]['psi']:.3f}"
    said = Words(f"稳定性指数（PSI）：变动最大的是 {worst}。", f"Population stability index: most moved is {worst}.")
    return _picture("psi", said, draw, height=_height(len(shown)), left=_margin([one["name"] for one in shown]))


def drivers(rows: Sequence[Row]) -> str:
    """By how much each group of inputs moves the log-odds on average."""
    shown = rows[:MOST_BARS]

    def draw(axes: Axes) -> None:
        _bars(axes, [one["group"] for one in shown], [one["mean_abs_log_odds"] for one in shown])
        axes.set_xlim(0, 1.15 * shown[0]["mean_abs_log_odds"])
        axes.set_xlabel("mean absolute change of log-odds")

    said = Words(f"主要因素：最强的是 {shown[0]['group']}。", f"Drivers: the strongest is {shown[0]['group']}.")
    return _picture("drivers", said, draw, height=_height(len(shown)), left=_margin([one["group"] for one in shown]))


def segments(rows: Sequence[Row]) -> str:
    """Observed and predicted default rate of each segment that is not withheld; the largest where there are many."""
    largest = sorted(rows, key=lambda one: -one["n"])[: 2 * MOST_BARS]
    shown = [one for one in rows if one in largest]
    names = [_short(f"{one['part']} {one['segment']}") for one in shown]
    bars = [jeffreys(one["observed"] * one["n"], one["n"]) for one in shown]
    places = list(range(len(shown)))

    def draw(axes: Axes) -> None:
        reach = _reach([one["observed"] for one in shown], bars)
        axes.errorbar([one["observed"] for one in shown], [place - ASIDE for place in places], xerr=reach, **OBSERVED)  # type: ignore[arg-type]
        axes.plot([one["predicted"] for one in shown], [place + ASIDE for place in places], **PREDICTED)  # type: ignore[arg-type]
        axes.set_yticks(places, names)
        axes.set(xlim=(0, _top([high for _, high in bars])), ylim=(len(shown) - 0.4, -0.6), xlabel="default rate")
        _percent(axes, "x")
        _legend_above(axes)

    said = Words(f"{len(shown)} 个分组的预测与实际违约率。",
                 f"Predicted and observed default rate of {len(shown)} segments.")  # fmt: skip
    return _picture("segments", said, draw, height=_height(len(shown)), left=_margin(names))


def _columns(axes: Axes, rows: Sequence[Row], names: Sequence[str], *, joined: bool) -> None:
    """Observed dots with intervals and predicted diamonds, one place per row."""
    places = list(range(len(rows)))
    bars = [(one["low"], one["high"]) for one in rows]
    predicted = [one["predicted"] for one in rows]
    right = [place + ASIDE for place in places]
    if joined:
        axes.plot(right, predicted, color=RED, linestyle="--", linewidth=1)
    _dots(axes, [place - ASIDE for place in places], [one["observed"] for one in rows], bars)
    axes.plot(right, predicted, **PREDICTED)  # type: ignore[arg-type]
    axes.set_xticks(places, names)
    axes.set(xlim=(-0.6, len(rows) - 0.4), ylim=(0, _top([*predicted, *(high for _, high in bars)])))
    axes.set_ylabel("default rate")
    _percent(axes, "y")
    _legend_above(axes)


def _dots(axes: Axes, across: Sequence[float], up: Sequence[float], bars: Sequence[tuple[float, float]]) -> None:
    axes.errorbar(across, up, yerr=_reach(up, bars), **OBSERVED)  # type: ignore[arg-type]


def _reach(values: Sequence[float], bars: Sequence[tuple[float, float]]) -> list[list[float]]:
    """How far below and above each value its interval reaches."""
    pairs = list(zip(values, bars, strict=True))
    return [[max(0.0, one - low) for one, (low, _) in pairs], [max(0.0, high - one) for one, (_, high) in pairs]]


def _bars(axes: Axes, names: Sequence[str], values: Sequence[float]) -> Any:
    """Level bars from the top down, each with its number."""
    places = list(range(len(names)))
    bars = axes.barh(places, values, height=0.66, color=BLUE)
    for place, value in zip(places, values, strict=True):
        axes.annotate(f"{value:.3f}", (value, place), (4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(places, [_short(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    return bars


def _legend_above(axes: Axes) -> None:
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0.2)


def _percent(axes: Axes, which: str) -> None:
    """Rates as per cent on the named axes."""
    from matplotlib.ticker import FuncFormatter

    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:.3g}%"))


def _top(values: Sequence[float]) -> float:
    return min(1.0, 1.06 * max(values)) or 1.0


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"


def _height(rows: int) -> float:
    return 1.1 + 0.24 * rows


def _margin(names: Sequence[str]) -> float:
    """Room for names at the left, in inches: a Chinese character is as wide as two letters."""
    wide = max(sum(2 if ord(letter) > 0x2E80 else 1 for letter in _short(name)) for name in names)
    return 0.35 + 0.085 * wide


def _shown(rows: Sequence[Row]) -> list[Row]:
    """The rows whose figures are not withheld."""
    return [one for one in rows if one["observed"] is not None]


def _picture(name: str, said: Words, draw: Callable[[Axes], None], *, height: float, left: float = 0.75) -> str:
    """Draw on axes with margins of their own (measured text would hang on fonts) and give the SVG."""
    import warnings

    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    out = io.StringIO()
    with _one_at_a_time, mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the reader's fonts draw the text
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)  # type: ignore[arg-type]
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        figure.subplots_adjust(left=left / WIDTH, right=1 - 0.2 / WIDTH, bottom=0.55 / height, top=1 - 0.3 / height)
        draw(figure.add_subplot())
        figure.savefig(out, format="svg", metadata={"Date": None})
    return _plain(out.getvalue(), name, said)


def _plain(text: str, name: str, said: Words) -> str:
    """The SVG without metadata and foreign addresses, its ids its own on any page, with words for who cannot see it."""
    root = ET.fromstring(text)  # noqa: S314 (our own text)
    meta, *defs = list(root)[:2]
    root.remove(meta)
    for one in defs:
        for style in one.findall(f"{SVG}style"):
            one.remove(style)
    used = set(re.findall(r"(?:href=\"|url\()#(\w+)", text))
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        element.attrib.update(_own(element.attrib, name, used))
        for key in (LINK, *(() if element.get("id", "").startswith(f"{name}-") else ("id",))):
            element.attrib.pop(key, None)
    root.attrib.update({"xmlns": SVG.strip("{}"), "role": "img", "lang": "en",
                        "aria-labelledby": f"{name}-title {name}-desc",
                        "style": "stroke-linejoin:round;stroke-linecap:butt"})  # fmt: skip
    for place, (tag, words) in enumerate((("title", said.zh), ("desc", said.en))):
        told = ET.Element(tag, {"id": f"{name}-{tag}", "lang": "zh-Hans" if tag == "title" else "en"})
        told.text = words
        root.insert(place, told)
    return ET.tostring(root, encoding="unicode") + "\n"


def _own(attributes: Mapping[str, str], name: str, used: set[str]) -> dict[str, str]:
    """Attributes with ids and links under the picture's name, any sans-serif font, and no line breaks."""
    changed = {"href" if key == LINK else key: " ".join(value.split()) for key, value in attributes.items()}
    if changed.get("id") in used:
        changed["id"] = f"{name}-{changed['id']}"
    for key, value in changed.items():
        if key == "href" or "url(#" in value:
            changed[key] = value.replace("#", f"#{name}-", 1)
        elif "font-family" in value:
            changed[key] = re.sub(r"font-family: [^;]*", "font-family: sans-serif", value)
        elif "DejaVu" in value:
            changed[key] = re.sub(r"'DejaVu.*", "sans-serif", value)
    return changed
