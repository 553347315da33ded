"""The facts a verdict rests on, in words: label, value, which source said it, as of when."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from matching.facts import FACTS, FactMeaning
from service.intake.catalogue import load_catalogue
from service.store import objections
from web import formats, words
from web.language import SOURCE, gettext, spoken

GROUP_OF = {
    "use": "use_of_loan",
    "registration_status": "firm_status",
    "firm_kind": "firm_kind",
    "size": "size_class",
    "premises": "premises",
    "tax_grade": "tax_grade",
}
ASKED = "demand"
"""Facts of this source are the demand's own and stand elsewhere on the page."""


@dataclass(frozen=True)
class FactSaid:
    """One fact as an officer reads it. `state`: known, missing or stale."""

    label: str
    value: str
    source: str
    known_on: date | None
    state: str
    item: str
    """The catalogue item it comes from."""


def said(facts: Mapping[str, Mapping[str, Any]]) -> tuple[FactSaid, ...]:
    """The stored facts of a verdict in the order the judgement knows them, without the demand's own."""
    shown = [FACTS[name] for name in FACTS if name in facts and FACTS[name].source != ASKED]
    return tuple(_said(meaning, facts[meaning.name]) for meaning in shown)


def known(facts: Iterable[FactSaid]) -> tuple[FactSaid, ...]:
    """Those a source has told, fresh or not."""
    return tuple(one for one in facts if one.state != "missing")


def missing(facts: Iterable[FactSaid]) -> tuple[FactSaid, ...]:
    """Those no source has told."""
    return tuple(one for one in facts if one.state == "missing")


def contested_items(tx: Session, uscc: str) -> dict[str, Row[Any]]:
    """Item → the firm's latest open objection to a record of it: marked beside every fact that comes from there."""
    return {row.item: row for row in objections.list_open_of(tx, uscc)}


def source_name(item: str) -> str:
    """The catalogue's name of an item; the id where the catalogue does not know it."""
    found = load_catalogue().items.get(item)
    if found is None:
        return words.of("source", item) if item in words.GROUPS["source"] else item
    return found.zh if spoken() == SOURCE else found.en


def _said(meaning: FactMeaning, stored: Mapping[str, Any]) -> FactSaid:
    known_on = stored.get("known_on")
    return FactSaid(
        label=meaning.zh if spoken() == SOURCE else meaning.en,
        value=_value(meaning, stored.get("value")),
        source=source_name(str(stored.get("source") or meaning.source)),
        known_on=date.fromisoformat(known_on) if known_on else None,
        state=str(stored.get("state") or "known"),
        item=str(stored.get("source") or meaning.source),
    )


def _value(meaning: FactMeaning, value: Any) -> str:
    if value is None:
        return formats.NOTHING
    return SAID[meaning.kind](meaning, value)


def _code(meaning: FactMeaning, value: Any) -> str:
    return words.district(str(value)) if meaning.name == "district" else words.industry(str(value))


def _choice(meaning: FactMeaning, value: Any) -> str:
    group = GROUP_OF.get(meaning.name)
    return words.of(group, value) if group else str(value)


SAID: Mapping[str, Callable[[FactMeaning, Any], str]] = {
    "money": lambda _meaning, value: formats.money(int(value)),
    "count": lambda _meaning, value: formats.count(int(value)),
    "share": lambda _meaning, value: formats.percent(Decimal(str(value))),
    "date": lambda _meaning, value: formats.day(date.fromisoformat(str(value))),
    "choice": _choice,
    "code": _code,
    "flag": lambda _meaning, value: gettext("是") if value else gettext("否"),
}
