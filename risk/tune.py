"""Looking for better ways to grow trees: seeded, budgeted, inside the training window of the first test only.

What is found is written into the data set's spec by a person, before its test is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from risk import contest
from risk.choice import Menu, tried
from risk.grow import Growth
from risk.splits import splits

if TYPE_CHECKING:
    from collections.abc import Callable

    from risk.choice import Rows
    from risk.dataset import Data
    from risk.spec import Spec
    from risk.splits import Split

STEPS = (100, 200, 300, 400, 600, 800)


@dataclass(frozen=True)
class Found:
    """The growth of least loss, its rounds, its loss, that of the spec's own menu, and how many were tried."""

    growth: Growth
    rounds: int
    loss: float
    usual: float
    trials: int

    def as_toml(self) -> str:
        """The lines for the spec."""
        lines = [
            "[[model.growths]]",
            'name = "tuned"',
            f"steps = [{self.rounds}]",
            "bag = 5",
            "[model.growths.settings]",
        ]
        return "\n".join([*lines, *(f"{name} = {str(value).lower()}" for name, value in self.growth.settings)])


def tune(
    spec: Spec, data: Data, *, trials: int, seconds: float | None, seed: int, done: Callable[[], None] | None = None
) -> Found:
    """Try settings by the log-loss on the inner folds of the first split's training rows (tree-structured Parzen).

    The same seed and number of trials find the same settings on one machine; a limit of `seconds` may end it sooner.
    `done` is called after each trial. Raises DatasetError where the data cannot be split.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    split = splits(spec, data, seed)[0]
    rows, _ = contest.rows_of(spec, data, split, seed)
    usual = min(float(loss.mean()) for loss in tried(rows, split.folds, seed, spec.menu).losses.values())
    best: dict[int, tuple[Growth, int]] = {}

    def objective(trial: optuna.Trial) -> float:
        growth = _drawn(trial)
        loss, rounds = _loss(growth, rows, split, seed)
        best[trial.number] = (growth, rounds)
        return loss

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(objective, n_trials=trials, timeout=seconds, callbacks=[lambda *_: done() if done else None])
    growth, rounds = best[study.best_trial.number]
    return Found(growth, rounds, float(study.best_value), usual, len(study.trials))


def _loss(growth: Growth, rows: Rows, split: Split, seed: int) -> tuple[float, int]:
    """The least mean log-loss over the numbers of rounds, and the rounds."""
    found = tried(rows, split.folds, seed, Menu(ridges=(), growths=(growth,), shares=())).losses
    least = min(found, key=lambda one: float(found[one].mean()))
    return float(found[least].mean()), least.rounds


def _drawn(trial: Any) -> Growth:
    settings = {
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 3, 63, log=True),
        "min_data_in_leaf": trial.suggest_int("min_data_in_leaf", 5, 300, log=True),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 100.0, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.1, 0.9),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "bagging_freq": 1,
        "extra_trees": trial.suggest_categorical("extra_trees", [False, True]),
    }
    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in settings.items()}
    return Growth.of("tuned", rounded, STEPS)
