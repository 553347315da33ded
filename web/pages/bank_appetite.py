"""What the platform has learned of a bank's appetite from its answers: read by that bank, and by the city of any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.actions.tell_appetite import Cell, Told, tell_appetite
from service.doors import ACityOfficial, AnOfficer, Today, Tx
from service.store import banks
from web import words
from web.csrf import guard
from web.pages.bank import badge
from web.pages.official import badge as official_badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
city_router = APIRouter(dependencies=[Depends(guard), Depends(official_badge)])
MOST_CELLS = 60


@dataclass(frozen=True)
class AppetitePage:
    told: Told | None
    bank_name: str
    bank_id: int
    others: Sequence[words.Option]
    """Banks the city may choose among; none for a bank."""
    today: date

    @property
    def shown(self) -> Sequence[Cell]:
        return self.told.cells[:MOST_CELLS] if self.told else ()

    @property
    def more(self) -> int:
        return max(0, len(self.told.cells) - MOST_CELLS) if self.told else 0


@router.get("/bank/appetite")
def show_own(request: Request, who: AnOfficer, tx: Tx, today: Today) -> Response:
    """Which demands are we thought to accept, how surely, and from how many answers?"""
    bank = banks.get(tx, who.bank_id)
    told = tell_appetite(tx, who, bank.id, today)
    return page(request, "bank/appetite.html", AppetitePage(told, bank.name, bank.id, (), today))


@city_router.get("/appetite")
def show_any(request: Request, who: ACityOfficial, tx: Tx, today: Today) -> Response:
    """The same of any bank, for the city."""
    known = banks.list_all(tx)
    asked = request.query_params.get("bank", "")
    bank = next((one for one in known if str(one.id) == asked), known[0] if known else None)
    others = [words.Option(str(one.id), one.name) for one in known]
    told = tell_appetite(tx, who, bank.id, today) if bank is not None else None
    name, key = (bank.name, bank.id) if bank is not None else ("", 0)
    return page(request, "bank/appetite.html", AppetitePage(told, name, key, others, today))
