"""From what is known of firms and what their demands ask to estimates of default, ready to be stored."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from service.profiles.compute import FirmKnown

if TYPE_CHECKING:
    import pandas as pd

    from risk.model import RiskModel


@dataclass(frozen=True)
class Estimated:
    """One estimate with its snapshot: features (None: nobody knows) and the days of their sources."""

    probability: float
    score: int
    grade: str
    version: str
    features: Mapping[str, float | None]
    vintage: Mapping[str, str | None]


def estimate_many(
    model: "RiskModel", firms: Sequence[FirmKnown], asked: Sequence[Mapping[str, Any]]
) -> list[Estimated]:
    """One estimate for each firm with its demand (amount_fen, term_months), in their order."""
    if not firms:
        return []
    frame = _frame(firms, asked)
    found = model.estimate(frame)
    snapshots = _snapshots(model, frame)
    return [
        Estimated(
            round(float(found.probability[place]), 6),
            int(found.score[place]),
            str(found.grade[place]),
            model.version,
            snapshots[place],
            {item: day.isoformat() if day else None for item, day in firm.vintage.items()},
        )
        for place, firm in enumerate(firms)
    ]


def reasons_of(
    model: "RiskModel", snapshots: Sequence[tuple[Mapping[str, float | None], Mapping[str, str | None]]]
) -> list[list[dict[str, Any]]]:
    """The drivers of estimates, each from its own snapshot (features, days of the sources) and from nothing else.

    So they are the same for the night's run and for whoever asks later.
    """
    import pandas as pd

    if not snapshots:
        return []
    frame = pd.DataFrame([features for features, _ in snapshots], dtype="float64")
    days = pd.DataFrame([vintage for _, vintage in snapshots]).astype("datetime64[s]")
    told = model.estimate(frame.join(days.add_prefix("known_on.")), explain=True).reasons or []
    return [[{key: _plain(value) for key, value in asdict(one).items()} for one in row] for row in told]


def prospect_of(
    model: "RiskModel", features: Mapping[str, float | None], *, below: float | None = None
) -> dict[str, Any]:
    """The smallest realistic change that would move an estimate to the next better grade, or under a line.

    From the stored features and nothing else: risk.change.Prospect as plain values.
    """
    import pandas as pd

    told = asdict(model.what_would_change(pd.DataFrame([features], dtype="float64"), below=below))
    return {**told, "changes": list(told["changes"])}


def _frame(firms: Sequence[FirmKnown], asked: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    import pandas as pd

    from risk.features import with_demand

    frame = pd.DataFrame([firm.features for firm in firms], dtype="float64")
    frame["amount_fen"] = pd.array([one["amount_fen"] for one in asked], dtype="Int64")
    frame["term_months"] = pd.array([one["term_months"] for one in asked], dtype="Int64")
    return with_demand(frame) if "revenue" in frame else frame


def _snapshots(model: "RiskModel", frame: "pd.DataFrame") -> list[dict[str, float | None]]:
    names = [one.name for one in model.inputs]
    matrix = model.matrix(frame)
    return [
        {name: None if value != value else float(value) for name, value in zip(names, row, strict=True)}  # noqa: PLR0124
        for row in matrix
    ]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
