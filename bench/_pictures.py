"""Pictures of the whole table: AUC of every model by test, SBA year by year, predicted against observed."""

import io
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from risk.contest import OURS

# Colour-blind safe (Okabe and Ito), each with a shape of its own.
MARKS = {
    "xindeng": ("#000000", "D"),
    "logistic regression": ("#0072B2", "o"),
    "optbinning scorecard": ("#56B4E9", "s"),
    "xgboost": ("#D55E00", "^"),
    "catboost": ("#CC79A7", "v"),
    "hist. gradient boosting": ("#009E73", "P"),
}


def pictures(told: list[dict[str, Any]]) -> dict[str, str]:
    """File names with SVG texts."""
    found = {"auc.svg": _auc(told), "calibration.svg": _calibration(told)}
    years = next((whole for whole in told if whole["dataset"] == "sba"), None)
    if years is not None:
        found["sba.svg"] = _years(years["parts"][0]["slices"])
    return found


def _tests(told: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (" ".join(f"{whole['dataset']} {part['part']} {one['slice'] if len(part['slices']) > 1 else ''}".split()), one)
        for whole in told for part in whole["parts"] for one in part["slices"]
    ]  # fmt: skip


def _auc(told: list[dict[str, Any]]) -> str:
    tests = _tests(told)
    figure = Figure(figsize=(8, 0.34 * len(tests) + 1.3), layout="constrained")
    axes = figure.add_subplot()
    for place, (_, one) in enumerate(reversed(tests)):
        low, high = one["models"][OURS]["intervals"]["auc"]
        axes.plot([low, high], [place, place], color="#999999", linewidth=1, zorder=1)
        for name, model in one["models"].items():
            colour, mark = MARKS[name]
            axes.scatter(
                model["measures"]["auc"], place, color=colour, marker=mark, s=40 if name == OURS else 18, zorder=2
            )
    for name, (colour, mark) in MARKS.items():
        axes.scatter([], [], color=colour, marker=mark, label=name)
    axes.set_yticks(range(len(tests)), [name for name, _ in reversed(tests)])
    axes.set_xlabel("AUC (line: 95 % bootstrap interval of ours)")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return _svg(figure)


def _calibration(told: list[dict[str, Any]]) -> str:
    tests = [(name, one) for name, one in _tests(told) if not name.startswith("sba") or name.endswith("2007")]
    across = 4
    down = -(-len(tests) // across)
    figure = Figure(figsize=(8, 2.1 * down), layout="constrained")
    for place, (name, one) in enumerate(tests):
        axes = figure.add_subplot(down, across, place + 1)
        table = one["calibration_table"]
        most = max(max(row["predicted"], row["observed"]) for row in table) * 1.05
        axes.plot([0, most], [0, most], color="#999999", linewidth=1)
        axes.plot([row["predicted"] for row in table], [row["observed"] for row in table], color="#0072B2", marker="o",
                  markersize=3, linewidth=1)  # fmt: skip
        axes.set_title(name, fontsize=8)
        axes.tick_params(labelsize=7)
    figure.supxlabel("predicted, by tenths", fontsize=9)
    figure.supylabel("observed", fontsize=9)
    return _svg(figure)


def _years(slices: list[dict[str, Any]]) -> str:
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    ranks, levels = figure.subplots(1, 2)
    years = [int(one["slice"]) for one in slices]
    for name, (colour, mark) in MARKS.items():
        if name in slices[0]["models"]:
            ranks.plot(years, [one["models"][name]["measures"]["auc"] for one in slices], color=colour, marker=mark,
                       markersize=4, linewidth=2 if name == OURS else 0.8, label=name)  # fmt: skip
    ranks.set_title("AUC by fiscal year", fontsize=10)
    levels.plot(years, [one["base_rate"] for one in slices], color="#D55E00", marker="s", label="observed")
    levels.plot(years, [one["models"][OURS]["measures"]["predicted"] for one in slices], color="#000000", marker="D",
                label="predicted")  # fmt: skip
    levels.set_title("default rate: last year's calibration lags", fontsize=10)
    levels.legend(frameon=False)
    figure.legend(*ranks.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return _svg(figure)


def _svg(figure: Figure) -> str:
    """SVG text, the same bytes for the same figures."""
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "xindeng", "svg.fonttype": "none", "font.family": "sans-serif"}):
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None})
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
