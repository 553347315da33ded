"""What a morning had learned of a bank's appetite: for a line, for each kind of demand answered, and on the whole."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from matching.appetite import Chance, Traits, amount_band
from matching.outlook import Outlook, Prospect
from service.domain.errors import NotFound
from service.domain.people import Role, Who
from service.store import banks, certificates


@dataclass(frozen=True)
class Cell:
    """Demands of one industry section, size and light the bank has answered, and what is thought of the next one."""

    section: str
    size: str
    light: str
    chance: Chance


@dataclass(frozen=True)
class Told:
    """A bank's appetite as it stood on the morning of a day: chances of an offer, `whole` over all it was asked."""

    on: date
    whole: Chance
    kept: Chance | None
    """Of its offers, how many end in a grant; None on a day when that was not learned yet."""
    cells: Sequence[Cell]
    """Those with most answers first."""


def tell_appetite(tx: Session, who: Who, bank_id: int, today: date) -> Told | None:
    """A bank's own appetite, or any bank's for the city; None before the first list. NotFound for another bank."""
    if who.bank_id != bank_id and who.role is not Role.CITY:
        raise NotFound("没有这家银行。")
    kept = _kept(tx, today)
    if kept is None:
        return None
    on, outlook = kept
    kind = banks.get(tx, bank_id).kind
    own = f"all/b:{bank_id}/"
    cells = []
    for place in outlook.appetite.counts:
        if place.startswith(own):
            section, size, light = place.removeprefix(own).split("|")
            asked = Traits(section, size, light, "", "", "")
            cells.append(Cell(section, size, light, outlook.of_line(bank_id, kind, asked).offer))
    cells.sort(key=lambda cell: (-cell.chance.like, cell.section, cell.size, cell.light))
    whole = outlook.of_bank(bank_id, kind)
    return Told(on, whole.offer, whole.kept if outlook.keeps else None, cells)


def chance_of_line(tx: Session, who: Who, line: Row[Any], light: str) -> Prospect | None:
    """What that morning's appetite says of a line (a `bank_desk` row) whose firm the bank may see.

    The chance of an offer is the line's own as it was pushed.
    """
    kept = _kept(tx, line.pushed_on)
    if kept is None or who.bank_id is None or line.industry is None:
        return None
    guarantee = "yes" if line.guarantees else "no"
    traits = Traits(
        line.industry[:1], line.size_class, light, amount_band(line.amount_fen), guarantee, line.district
    )  # fmt: skip
    found = kept[1].of_line(who.bank_id, banks.get(tx, who.bank_id).kind, traits)
    own = line.p_grant if line.p_offer is None else line.p_offer
    return found if own is None else replace(found, offer=found.offer.at(own))


def _kept(tx: Session, day: date) -> tuple[date, Outlook] | None:
    """The latest morning's appetite up to a day; None where there is none, or of a form no longer read."""
    row = certificates.find_appetite(tx, day)
    if row is None:
        return None
    try:
        return row.on, Outlook.from_json(row.kept)
    except ValueError:
        return None
