"""What is known of a firm on a day, for people: every record in force, with its source, its date and its freshness."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlmodel import Session

from service.domain.record import Record
from service.intake.catalogue import Field, Item, load_catalogue
from service.store import firm_days, records


class Freshness(StrEnum):
    """MISSING: nothing was ever received; a source that rightly has nothing of the firm is fresh, and empty."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True)
class Fact:
    """One record: its columns under the catalogue's own names, in the catalogue's order."""

    record: Record
    values: Sequence[tuple[Field, object]]

    @property
    def values_by_name(self) -> dict[str, object]:
        """The values under their fields' names."""
        return {field.name: value for field, value in self.values}


@dataclass(frozen=True)
class Section:
    """What one source knows of the firm, latest first."""

    item: Item
    facts: Sequence[Fact]
    known_on: date | None
    freshness: Freshness


@dataclass(frozen=True)
class Profile:
    """A firm on a day, by catalogue item, adverse items among the others."""

    uscc: str
    as_of: date
    sections: Sequence[Section]

    @property
    def held(self) -> list[Section]:
        """Sources that say something of this firm."""
        return [section for section in self.sections if section.facts]

    @property
    def silent(self) -> list[Section]:
        """Sources that say nothing of it, or from which nothing has come."""
        return [section for section in self.sections if not section.facts]


def profile_on(tx: Session, uscc: str, as_of: date) -> Profile:
    """The firm as it stood at the end of a day; what became known later does not enter."""
    catalogue = load_catalogue()
    adverse = [item.id for item in catalogue.items.values() if item.adverse]
    by_item: dict[str, list[Record]] = defaultdict(list)
    for record in records.list_as_of(tx, uscc, as_of, adverse):
        by_item[record.item].append(record)
    came = firm_days.source_days(tx)
    sections = [_section(item, by_item.get(item.id, []), came, as_of) for item in catalogue.items.values()]
    return Profile(uscc, as_of, sections)


@dataclass(frozen=True)
class LateSource:
    """A department's item that should have come by now: what is known of any firm by it ends on `latest_on`."""

    item: Item
    latest_on: date


def late_sources(tx: Session, today: date) -> list[LateSource]:
    """The items whose last delivery is older than the catalogue allows, the oldest first; one that never came is none.

    The same line as the operator's: a firm whose own records are old while the source delivers is no late source.
    """
    came = firm_days.source_days(tx)
    items = load_catalogue().items
    late = [LateSource(items[name], days[1]) for name, days in came.items() if name in items]
    return sorted(
        (one for one in late if one.latest_on + timedelta(days=one.item.freshness_days) < today),
        key=lambda one: (one.latest_on, one.item.id),
    )


def fact_of(record: Record) -> tuple[Item, Fact]:
    """One record with the item it belongs to, under the catalogue's own names."""
    item = load_catalogue().items[record.item]
    return item, Fact(record, _values(item, record))


def _section(item: Item, found: Sequence[Record], came: Mapping[str, tuple[date, date]], as_of: date) -> Section:
    latest_first = sorted(found, key=lambda record: (record.happened_on, record.key), reverse=True)
    known_on = max((record.known_on for record in found), default=None)
    spoke_on = came[item.id][1] if item.id in came else None
    speaks_until = known_on if item.fresh_by == "record" else spoke_on or known_on
    facts = [Fact(record, _values(item, record)) for record in latest_first]
    return Section(item, facts, speaks_until, _freshness(item, speaks_until, as_of))


def _freshness(item: Item, known_on: date | None, as_of: date) -> Freshness:
    if known_on is None:
        return Freshness.MISSING
    is_old = known_on + timedelta(days=item.freshness_days) < as_of
    return Freshness.STALE if is_old else Freshness.FRESH


def _values(item: Item, record: Record) -> list[tuple[Field, object]]:
    """The record under the names of the fields it came from; empty ones and the firm's own code are left out."""
    details = record.details or {}
    found = []
    for field in item.fields:
        value = getattr(record, field.role) if field.role else details.get(field.kept_as)
        if value is not None and value != "":
            found.append((field, value))
    return found
