"""What is known of firms today: taken from the night's results where they still hold, worked out anew where not."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from matching.facts import FACTS as MEANINGS
from risk.facts import FACTS as SPECS
from service.profiles.compute import FirmKnown, Known, Profiler
from service.store import firm_days

UNITS = {spec.name: spec.unit for spec in SPECS}


def known_today(
    tx: Session, profiler: Profiler, usccs: Iterable[str], today: date, now: datetime,
    *, demand_ids: Sequence[int] = (), anew: Collection[str] = (),
) -> dict[str, FirmKnown]:  # fmt: skip
    """Every firm as known on the day; those named `anew` whatever is stored. What was worked out is stored.

    `demand_ids` are those about to be judged with it: a firm without other open demands is then up to date, and the
    mark that its records have changed comes off before they are read.
    """
    wanted = sorted(set(usccs))
    changed = firm_days.take_stale_of(tx, wanted, demand_ids).union(anew)
    known = {row.uscc: _read(row) for row in firm_days.find_stored(tx, wanted, today) if row.uscc not in changed}
    fresh = profiler.compute(tx, [uscc for uscc in wanted if uscc not in known], today)
    firm_days.store(tx, [_row(firm, now) for firm in fresh.values()])
    return known | fresh


def _row(firm: FirmKnown, now: datetime) -> dict[str, Any]:
    return {
        "uscc": firm.uscc,
        "as_of": firm.as_of,
        "features": dict(firm.features),
        "facts": {name: _plain(value) for name, value in firm.facts.items()},
        "vintage": dict(firm.vintage),
        "made_at": now,
    }


def _read(row: Row[Any]) -> FirmKnown:
    vintage = {item: date.fromisoformat(day) if day else None for item, day in row.vintage.items()}
    return FirmKnown(row.uscc, row.as_of, row.features, _typed(row.facts), vintage)


def _plain(value: Known) -> str | int | None:
    return str(value) if isinstance(value, date | Decimal) else value


def _typed(facts: Mapping[str, Any]) -> dict[str, Known]:
    return {name: _value(name, value) for name, value in facts.items()}


def _value(name: str, value: Any) -> Known:
    if value is None:
        return None
    kind = MEANINGS[name].kind if name in MEANINGS else UNITS.get(name)
    if kind == "date":
        return date.fromisoformat(value)
    typed: Known = Decimal(value) if kind == "share" else value
    return typed
