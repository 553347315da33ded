"""When must the model be mended, and how much of it? Keep, shift the level, refit Platt's line, or train anew.

The rule, mildest remedy first, and none without evidence:

keep     no alarm on the level has rung, and neither slope nor ranking is off by FAR standard errors.
shift    an alarm has rung. The matured loans say by how much, where they agree with it; before enough have matured,
         the counts of the alarm itself do, drawn towards no change by SHRINK defaults.
platt    the slope lies off 1 by SLOPE_OFF or more and beyond its interval, with PLATT_EVENTS matured defaults.
retrain  the ranking has lost AUC_LOST or more against the day it was trained, beyond its interval, with RETRAIN_EVENTS
         matured defaults. Until then the level is shifted as above.

Where an alarm has rung, it limits how often one acts: SURE standard errors are enough for the slope, SURER for the
ranking, of which the alarm says nothing. Without an alarm FAR are asked for, since one looks every month. After acting,
alarms begin anew. With some 18 defaults expected a month, doubled odds are acted on in 3 months (median; 6 at most in
150 simulated cycles), and none of 200 stable cycles of 60 months was touched (`cycle` of its test, seeds from 1000).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from risk.evaluate import auc
from risk.rates import effective
from risk.scale import log_odds, probability_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from risk.alarms import Alarm

    Floats = NDArray[np.float64]

KEEP, SHIFT, PLATT, RETRAIN = "keep", "shift", "platt", "retrain"
SHIFT_EVENTS, PLATT_EVENTS, RETRAIN_EVENTS = 20, 100, 300
LEAST_SHIFT = float(np.log(1.1))
SLOPE_OFF, AUC_LOST = 0.1, 0.03
SURE, SURER, FAR = 1.96, 3.0, 4.0
SHRINK = 10.0


@dataclass(frozen=True)
class Standing:
    """How the estimate stands on matured loans, each figure with its standard error; levels are in log-odds."""

    n: int
    events: int
    shift: float  # to be added to every log-odds so that as many default as predicted
    shift_error: float
    slope: float
    intercept: float
    slope_error: float
    auc: float
    auc_error: float


@dataclass(frozen=True)
class Decision:
    """What to do, and the map of the log-odds until the next decision: slope·x + intercept."""

    action: str  # 'keep' | 'shift' | 'platt' | 'retrain'
    slope: float
    intercept: float
    zh: str
    en: str

    def probability(self, told: Floats) -> Floats:
        """The probabilities after the decision, of those told before it."""
        return probability_of(self.slope * log_odds(told) + self.intercept)


def standing(labels: Floats, probability: Floats, weights: Floats | None = None) -> Standing:
    """Level, slope and ranking of an estimate on matured loans (0 or 1, and the probability told), by Cox 1958.

    Level: the logistic regression's intercept with the log-odds as offset; slope: with the log-odds as regressor. Their
    errors are sandwich errors, so that weights need not be counts. AUC error: Hanley and McNeil 1982, on effective
    counts. Raises ValueError where the outcomes are of one kind only.
    """
    if labels.min(initial=1) == labels.max(initial=0):
        raise ValueError("Level and slope need some defaults and some others among the matured loans.")
    heavy = np.ones(len(labels)) if weights is None else weights
    margin = log_odds(probability)
    level, level_error = _logistic(np.ones((len(labels), 1)), margin, labels, heavy)
    centre = float(np.average(margin, weights=heavy))
    design = np.column_stack([np.ones(len(labels)), margin - centre])
    line, line_error = _logistic(design, np.zeros(len(labels)), labels, heavy)
    ranked = auc(labels, probability, weights)
    return Standing(
        len(labels), int(labels.sum()), float(level[0]), float(level_error[0]),
        float(line[1]), float(line[0] - line[1] * centre), float(line_error[1]),
        ranked, _auc_error(ranked, *effective(labels, weights)),
    )  # fmt: skip


def decide(alarms: Sequence[Alarm], matured: Standing | None = None, auc_then: float | None = None) -> Decision:
    """What the rule at the head of this module says.

    `alarms`: of risk.alarms, since the last decision, on the scope to be decided. `matured`: the loans scored since
    then whose outcome is settled; None while there are none of both kinds. `auc_then`: the ranking when trained.
    """
    rung = sorted((one for one in alarms if one.rang_on is not None and one.kind != "population"),
                  key=lambda one: (str(one.rang_on), one.kind == "cusum"))  # fmt: skip
    alarm = rung[-1] if rung else None
    shift = _shift(alarm, matured)
    if matured is not None and auc_then is not None and _ranks_worse(matured, auc_then, SURER if alarm else FAR):
        zh = f"排序能力由 {auc_then:.3f} 降至 {matured.auc:.3f}，超出抽样误差：应重新训练，其间先调整水平。"
        en = f"The ranking fell from {auc_then:.3f} to {matured.auc:.3f}, beyond chance: train anew,"
        return Decision(RETRAIN, 1.0, shift, zh, f"{en} and shift the level until then.")
    if matured is not None and _slope_off(matured, SURE if alarm else FAR):
        zh = f"校准斜率为 {matured.slope:.2f}（应为 1），超出抽样误差：重新拟合 Platt 校准线。"
        en = f"The calibration slope is {matured.slope:.2f} instead of 1, beyond chance: refit Platt's line."
        return Decision(PLATT, matured.slope, matured.intercept, zh, en)
    if alarm is None:
        return Decision(KEEP, 1.0, 0.0, "没有警报：模型保持不变。", "No alarm: keep the model as it is.")
    if abs(shift) < LEAST_SHIFT:
        zh = f"警报已于 {alarm.rang_on} 响起，但样本太少或偏差太小：先不改动，继续观察。"
        en = f"An alarm rang on {alarm.rang_on}, but on too few defaults or too small a gap: keep watching."
        return Decision(KEEP, 1.0, 0.0, zh, en)
    zh = f"违约水平警报已于 {alarm.rang_on} 响起：违约几率整体乘以 {np.exp(shift):.2f}，排序不变。"
    en = f"An alarm on the level rang on {alarm.rang_on}: multiply all odds of default by {np.exp(shift):.2f};"
    return Decision(SHIFT, 1.0, shift, zh, f"{en} the order stays.")


def _shift(alarm: Alarm | None, matured: Standing | None) -> float:
    """By how much the level is off, in log-odds; 0 without an alarm or with too few defaults, seen or expected."""
    if alarm is None:
        return 0.0
    said = float(np.log((alarm.observed + SHRINK) / (alarm.expected + SHRINK)))
    if (matured is not None and matured.events >= SHIFT_EVENTS and abs(matured.shift) > SURE * matured.shift_error
            and (matured.shift > 0) == (said > 0)):  # fmt: skip
        return matured.shift
    return said if max(alarm.observed, alarm.expected) >= SHIFT_EVENTS else 0.0


def _slope_off(matured: Standing, wide: float) -> bool:
    off = abs(matured.slope - 1)
    return (
        matured.events >= PLATT_EVENTS and matured.slope > 0 and off >= SLOPE_OFF and off > wide * matured.slope_error
    )


def _ranks_worse(matured: Standing, auc_then: float, wide: float) -> bool:
    lost = auc_then - matured.auc
    return matured.events >= RETRAIN_EVENTS and lost >= AUC_LOST and lost > wide * matured.auc_error


def _logistic(design: Floats, offset: Floats, labels: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Coefficients by Newton's steps, and their sandwich errors."""
    found = np.zeros(design.shape[1])
    for _ in range(60):
        fitted = probability_of(offset + design @ found)
        curvature = design.T @ (design * (weights * fitted * (1 - fitted))[:, None]) + 1e-9 * np.eye(len(found))
        step = np.linalg.solve(curvature, design.T @ (weights * (labels - fitted)))
        found = found + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    each = design * (weights * (labels - fitted))[:, None]
    inner = np.linalg.inv(curvature)
    return found, np.sqrt(np.diag(inner @ (each.T @ each) @ inner))


def _auc_error(ranked: float, events: float, n: float) -> float:
    """Hanley and McNeil's standard error."""
    others = n - events
    one, two = ranked / (2 - ranked), 2 * ranked**2 / (1 + ranked)
    spread = ranked * (1 - ranked) + (events - 1) * (one - ranked**2) + (others - 1) * (two - ranked**2)
    return float(np.sqrt(max(spread, 0.0) / max(events * others, 1.0)))
