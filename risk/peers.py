"""The peers every model of ours is measured beside: same rows, same features, same folds, same calibration.

Each chooses its own length or ridge on the latest stretch of the training rows, is calibrated on it, and is then made
of all training rows, as ours is. They come with the extra `bench`; logistic regression and scikit-learn's boosting are
always there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from risk.spread import Spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from risk.choice import Places, Rows

    Floats = NDArray[np.float64]

THREADS = 1
"""As ours, so that two data sets can be measured side by side on two cores."""


class Made(Protocol):
    """A peer's model."""

    def __call__(self, matrix: Floats) -> Floats:
        """Log-odds of rows × features."""
        ...


@dataclass(frozen=True)
class Peer:
    """A peer: the package it needs, and how it is made of rows with a setting chosen on the stretch kept apart."""

    package: str
    make: Callable[[Rows, Rows | None, Any, int], tuple[Made, Any]]
    takes_kinds: bool = False

    @property
    def is_here(self) -> bool:
        """Whether its package is installed."""
        return find_spec(self.package) is not None


@dataclass(frozen=True)
class Fitted:
    """A peer's model on all training rows, and its log-odds on the stretch it had not seen."""

    margin: Made
    kept: Floats


def fit(peer: Peer, rows: Rows, fold: tuple[Places, Places], seed: int) -> Fitted:
    """Choose on the fold, note the log-odds there, then make the model of all rows with what was chosen."""
    fitted, kept = fold
    if rows.kinds and not peer.takes_kinds:
        spread = Spread.of(rows.matrix, rows.kinds)
        flat = replace(rows, matrix=spread(rows.matrix), kinds=(), names=(), directions=())
        made = fit(peer, flat, fold, seed)
        return Fitted(lambda matrix: made.margin(spread(matrix)), made.kept)
    tried, setting = peer.make(rows.at(fitted), rows.at(kept), None, seed)
    whole, _ = peer.make(rows, None, setting, seed)
    return Fitted(whole, tried(rows.matrix[kept]))


def _loss(margin: Floats, rows: Rows) -> float:
    return float(np.average(np.logaddexp(0, margin) - rows.labels * margin, weights=rows.weights))


def _best_of(settings: tuple[float, ...], make: Callable[[float], Made], kept: Rows) -> tuple[Made, float]:
    """The setting of least loss on the rows kept apart."""
    made = {setting: make(setting) for setting in settings}
    chosen = min(settings, key=lambda setting: _loss(made[setting](kept.matrix), kept))
    return made[chosen], chosen


def _logistic(rows: Rows, kept: Rows | None, setting: Any, seed: int) -> tuple[Made, Any]:
    """Quantile-normal features with missing indicators, ridge by C."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.preprocessing import QuantileTransformer

    def made(strength: float) -> Made:
        from sklearn.impute import MissingIndicator

        quantiles = min(1000, len(rows.labels))
        ready = make_union(
            make_pipeline(
                QuantileTransformer(n_quantiles=quantiles, output_distribution="normal", random_state=seed),
                SimpleImputer(strategy="constant", fill_value=0.0),
            ),
            MissingIndicator(features="all"),
        )
        model = make_pipeline(ready, LogisticRegression(C=strength, max_iter=1000))
        model.fit(rows.matrix, rows.labels, logisticregression__sample_weight=_even(rows))
        return lambda matrix: np.asarray(model.decision_function(matrix), dtype=np.float64)

    if kept is None:
        return made(setting), setting
    return _best_of((0.003, 0.03, 0.3), made, kept)


def _even(rows: Rows) -> Floats | None:
    """Weights of mean one, so that a ridge means the same."""
    return None if rows.weights is None else rows.weights / rows.weights.mean()


def _hist(rows: Rows, kept: Rows | None, setting: Any, seed: int) -> tuple[Made, Any]:
    """scikit-learn's histogram boosting; its length by the loss on the rows kept apart."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    def grown(rounds: int) -> Any:
        model = HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=rounds, max_leaf_nodes=15, min_samples_leaf=20, l2_regularization=1.0,
            early_stopping=False, random_state=seed,
        )  # fmt: skip
        return model.fit(rows.matrix, rows.labels, sample_weight=_even(rows))

    if kept is None:
        whole = grown(setting)
        return lambda matrix: np.asarray(whole.decision_function(matrix)), setting
    longest = grown(400)
    losses = [_loss(margin.ravel(), kept) for margin in longest.staged_decision_function(kept.matrix)]
    rounds = int(np.argmin(losses)) + 1
    short = grown(rounds)
    return lambda matrix: np.asarray(short.decision_function(matrix)), rounds


def _xgboost(rows: Rows, kept: Rows | None, setting: Any, seed: int) -> tuple[Made, Any]:
    """XGBoost, depth 4, early-stopped on the rows kept apart."""
    import xgboost

    given = {"objective": "binary:logistic", "eta": 0.05, "max_depth": 4, "min_child_weight": 5, "subsample": 0.8,
             "colsample_bytree": 0.6, "lambda": 3.0, "nthread": THREADS, "seed": seed, "verbosity": 0}  # fmt: skip
    train = xgboost.DMatrix(rows.matrix, rows.labels, weight=_even(rows))
    if kept is None:
        model = xgboost.train(given, train, setting)
        rounds = setting
    else:
        watched = xgboost.DMatrix(kept.matrix, kept.labels, weight=_even(kept))
        model = xgboost.train({**given, "eval_metric": "logloss"}, train, 800, evals=[(watched, "kept")],
                              early_stopping_rounds=50, verbose_eval=False)  # fmt: skip
        rounds = model.best_iteration + 1

    def margin(matrix: Floats) -> Floats:
        found = model.predict(xgboost.DMatrix(matrix), output_margin=True, iteration_range=(0, rounds))
        return np.asarray(found, dtype=np.float64)

    return margin, rounds


def _catboost(rows: Rows, kept: Rows | None, setting: Any, seed: int) -> tuple[Made, Any]:
    """CatBoost, depth 5, early-stopped on the rows kept apart."""
    from catboost import CatBoostClassifier, Pool

    given = {"depth": 5, "learning_rate": 0.06, "l2_leaf_reg": 3.0, "random_seed": seed, "thread_count": THREADS,
             "verbose": False, "allow_writing_files": False}  # fmt: skip

    def ready(matrix: Floats) -> Any:
        told = matrix.astype(object)
        for place in rows.kinds:
            told[:, place] = matrix[:, place].astype(np.int64)
        return told

    train = Pool(ready(rows.matrix), rows.labels, weight=_even(rows), cat_features=list(rows.kinds))
    model = CatBoostClassifier(iterations=600 if kept is not None else setting, **given)
    if kept is None:
        model.fit(train)
        rounds = setting
    else:
        model.fit(
            train,
            eval_set=Pool(ready(kept.matrix), kept.labels, weight=_even(kept), cat_features=list(rows.kinds)),
            early_stopping_rounds=50,
        )
        rounds = int(model.tree_count_)
    return lambda matrix: np.asarray(model.predict(ready(matrix), prediction_type="RawFormulaVal")), rounds


def _optbinning(rows: Rows, kept: Rows | None, setting: Any, _seed: int) -> tuple[Made, Any]:
    """optbinning's bins with weight of evidence, then logistic regression, ridge by C."""
    import warnings

    import pandas as pd
    from optbinning import BinningProcess
    from sklearn.linear_model import LogisticRegression

    names = [f"f{place}" for place in range(rows.matrix.shape[1])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        binned = BinningProcess(names, max_n_prebins=12, min_prebin_size=0.02, n_jobs=THREADS)
        frame = pd.DataFrame(rows.matrix, columns=names)
        told = binned.fit_transform(
            frame, rows.labels.astype(int), sample_weight=_even(rows), metric_missing="empirical"
        )
    usual = told.to_numpy(dtype=np.float64)
    usual = np.where(np.isfinite(usual), usual, 0.0)

    def evidence(matrix: Floats) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = binned.transform(pd.DataFrame(matrix, columns=names), metric_missing="empirical")
        values = found.to_numpy(dtype=np.float64)
        return np.where(np.isfinite(values), values, 0.0)

    def made(strength: float) -> Made:
        model = LogisticRegression(C=strength, max_iter=1000).fit(usual, rows.labels, sample_weight=_even(rows))
        return lambda matrix: np.asarray(model.decision_function(evidence(matrix)), dtype=np.float64)

    if kept is None:
        return made(setting), setting
    return _best_of((0.003, 0.03, 0.3), made, kept)


PEERS: Mapping[str, Peer] = {
    "logistic regression": Peer("sklearn", _logistic),
    "optbinning scorecard": Peer("optbinning", _optbinning),
    "xgboost": Peer("xgboost", _xgboost),
    "catboost": Peer("catboost", _catboost, takes_kinds=True),
    "hist. gradient boosting": Peer("sklearn", _hist),
}
"""By the name the table uses; a peer that is not installed is left out, and the table says so."""
