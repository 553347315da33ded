"""Who did what to which: the trail searched page by page, and its chains verified from their first entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.look_at import LOOKED, look_at
from service.actions.verify_trail import Verified, verify_chains
from service.doors import AnOperator, Now, Today, Tx
from service.store import banks, trail_search
from service.store.trail import Act
from service.store.trail_search import Sought
from web import words
from web.csrf import guard
from web.forms import Ask, Day, Form, Typed, read, wording
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish, day_in
from web.pages.operator import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
USCC_LENGTH = 18
STATES = {
    "demand": "demand_state",
    "push_line": "line_state",
    "light": "light",
    "feed": "feed_state",
    "job": "job_status",
}
"""Noun → the group its states' words stand in."""
COLUMNS = (
    Column("at", _("时间")),
    Column("who", _("谁")),
    Column("verb", _("做了什么")),
    Column("noun", _("对什么")),
    Column("change", _("变化")),
    Column("about", _("企业和银行")),
    Column("chain", _("留痕链")),
)


class ChainForm(Form):
    """One chain, or all chains of a day."""

    chain: Annotated[str, wording(most=40), Ask(_("留痕链"))] = ""
    day: Annotated[Day | None, Ask(_("日期"))] = None


@dataclass(frozen=True)
class TrailPage:
    listing: Listing[Row[Any]]
    sought: Sought
    query: str
    banks: Sequence[words.Option]

    @staticmethod
    def actor(row: Row[Any]) -> str:
        """The role one acted in, or which part of the platform acted by itself."""
        known = row.actor in words.GROUPS["role"]
        return words.of("role", row.actor) if known else gettext("平台（%(part)s）") % {"part": row.actor}

    @staticmethod
    def change(row: Row[Any]) -> str:
        """From which state to which, in words where the thing's states have words."""
        known = words.GROUPS.get(STATES.get(row.noun, ""), {})
        old, new = (str(known.get(state, state)) if state else "" for state in (row.old, row.new))
        return f"{old or '—'} → {new or '—'}" if old or new else "—"


@dataclass(frozen=True)
class ChainsPage:
    day: date
    heads: Sequence[Row[Any]]
    found: Sequence[Verified]
    """What the verification found; empty before it is asked for."""

    @property
    def broken(self) -> int:
        return sum(not one.is_sound for one in self.found)

    @property
    def entries(self) -> int:
        return sum(one.entries for one in self.found)


@router.get("/operator/trail")
def show_trail(request: Request, who: AnOperator, tx: Tx, today: Today, now: Now) -> Response:
    """Who did what to which; a search for a firm or a demand is itself on the trail."""
    asked, sought = request.query_params, sought_of(request, tx, today)
    query = asked.get("q", "").strip()[:40]
    wish = Wish.of(request, COLUMNS, usual="-id")
    rows, total = trail_search.find(tx, sought, offset=wish.offset(50))
    if sought.uscc or sought.demand_id:
        look_at(tx, who, Act(LOOKED, "trail", uscc=sought.uscc, demand_id=sought.demand_id), now)
    filters = {
        "q": query,
        "noun": sought.noun or "",
        "verb": sought.verb or "",
        "bank": str(sought.bank_id or ""),
        "since": sought.since.isoformat() if sought.since else "",
        "until": sought.until.isoformat() if sought.until else "",
    }
    listing = Listing(COLUMNS, rows, total, "/operator/trail", wish, filters)
    offered = [words.Option(str(one.id), one.name) for one in banks.list_all(tx)]
    return page(request, "operator/trail.html", TrailPage(listing, sought, query, offered))


def sought_of(request: Request, tx: Tx, today: date) -> Sought:
    """What the address asks for; what it does not say rightly is not asked."""
    asked = request.query_params
    query, bank = asked.get("q", "").strip()[:40], asked.get("bank", "")
    is_firm = len(query) == USCC_LENGTH
    since = day_in(asked.get("since"))
    return Sought(
        uscc=query.upper() if is_firm else None,
        demand_id=trail_search.demand_numbered(tx, query.upper()) if query and not is_firm else None,
        verb=asked.get("verb") if asked.get("verb") in words.GROUPS["verb"] else None,
        noun=asked.get("noun") if asked.get("noun") in words.GROUPS["noun"] else None,
        since=since if since or query or "since" in asked else today,
        until=day_in(asked.get("until")),
        bank_id=int(bank) if bank.isascii() and bank.isdigit() and len(bank) < USCC_LENGTH else None,
    )


@router.get("/operator/trail/chains")
def show_chains(request: Request, _who: AnOperator, tx: Tx, today: Today) -> Response:
    """The chains of a day, to be verified."""
    day = day_in(request.query_params.get("day")) or today
    return page(request, "operator/chains.html", ChainsPage(day, trail_search.list_chains(tx, day), ()))


@router.post("/operator/trail/chains")
def verify(request: Request, who: AnOperator, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
    """Verify one chain, or all of a day: computed again from the first entry, nothing changed, nothing cut off."""
    asked = read(ChainForm, typed)
    chain, day = (asked.answers.chain, asked.answers.day) if asked.is_right else ("", None)
    if chain:
        day = day_in(chain.split("/", 1)[0])
    day = day or today
    heads = trail_search.list_chains(tx, day)
    found = verify_chains(tx, who, [chain] if chain else [head.chain for head in heads], now)
    return page(request, "operator/chains.html", ChainsPage(day, heads, found))
