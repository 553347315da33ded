"""What a morning had learned of a bank's appetite: for a line, for each kind of demand answered, and on the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from matching.appetite import Appetite, Chance, Traits, amount_band
from service.domain.errors import NotFound
from service.domain.people import Role, Who
from service.store import banks, certificates

WHOLE = Traits("", "", "", "", "", "")
"""A demand of which nothing is known: the bank's own level."""


@dataclass(frozen=True)
class Cell:
    """Demands of one industry section, size and light the bank has answered, and what is thought of the next one."""

    section: str
    size: str
    light: str
    chance: Chance


@dataclass(frozen=True)
class Told:
    """A bank's appetite as it stood on the morning of a day; `whole` over everything it was asked."""

    on: date
    whole: Chance
    cells: Sequence[Cell]
    """Those with most answers first."""


def tell_appetite(tx: Session, who: Who, bank_id: int, today: date) -> Told | None:
    """A bank's own appetite, or any bank's for the city; None before the first list. NotFound for another bank."""
    if who.bank_id != bank_id and who.role is not Role.CITY:
        raise NotFound("没有这家银行。")
    kept = _kept(tx, today)
    if kept is None:
        return None
    on, appetite = kept
    kind = banks.get(tx, bank_id).kind
    own = f"all/b:{bank_id}/"
    cells = []
    for place in appetite.counts:
        if place.startswith(own):
            section, size, light = place.removeprefix(own).split("|")
            chance = appetite.estimate(bank_id, kind, Traits(section, size, light, "", "", ""))
            cells.append(Cell(section, size, light, chance))
    cells.sort(key=lambda cell: (-cell.chance.like, cell.section, cell.size, cell.light))
    return Told(on, appetite.estimate(bank_id, kind, WHOLE), cells)


def chance_of_line(tx: Session, who: Who, line: Row[Any], light: str) -> Chance | None:
    """What that morning's appetite says of a line (a `bank_desk` row) whose firm the bank may see."""
    kept = _kept(tx, line.pushed_on)
    if kept is None or who.bank_id is None or line.industry is None:
        return None
    guarantee = "yes" if line.guarantees else "no"
    traits = Traits(
        line.industry[:1], line.size_class, light, amount_band(line.amount_fen), guarantee, line.district
    )  # fmt: skip
    return kept[1].estimate(who.bank_id, banks.get(tx, who.bank_id).kind, traits)


def _kept(tx: Session, day: date) -> tuple[date, Appetite] | None:
    """The latest morning's appetite up to a day; None where there is none, or of a form no longer read."""
    row = certificates.find_appetite(tx, day)
    if row is None:
        return None
    try:
        return row.on, Appetite.from_json(row.kept)
    except ValueError:
        return None
