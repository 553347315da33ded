"""What leaves the platform: by state, what waits since when, how the providers are, and a second try by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.send_messages import send_again, settle
from service.clock import CITY
from service.domain.outgoing import MessageChannel, MessageProvider, MessageState, is_quiet
from service.doors import AnOperator, Now, TheHouse, Today, Tx
from service.message_providers import Sandbox, providers_of
from service.store import outgoing
from web import words
from web.csrf import guard
from web.flash import redirect
from web.language import gettext
from web.language import lazy as _
from web.listing import Column, Listing, Wish
from web.pages.message_preferences import message_kind
from web.pages.official import Tab
from web.pages.operator import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
PER_PAGE = 50
OUTBOX = "/operator/outbox"
TONES = {
    "waiting": "wait",
    "sending": "wait",
    "sent": "done",
    "failed": "wrong",
    "unknown": "wrong",
    "suppressed": "off",
}
COLUMNS = (
    Column("kind", _("消息")),
    Column("to", _("发给")),
    Column("state", _("状态")),
    Column("made_at", _("产生")),
    Column("sent_at", _("发出")),
    Column("tries", _("已试次数"), numeric=True),
    Column("act", _("办理")),
)


@dataclass(frozen=True)
class Carrier:
    """A channel: who carries it, and how that goes."""

    channel: str
    provider: MessageProvider
    health: Row[Any] | None

    @property
    def is_sandbox(self) -> bool:
        return isinstance(self.provider, Sandbox)


@dataclass(frozen=True)
class OutboxPage:
    listing: Listing[Row[Any]]
    tabs: Sequence[Tab]
    state: str
    tones: Mapping[str, str]
    carriers: Sequence[Carrier]
    is_quiet: bool
    is_demo: bool

    @property
    def is_connected(self) -> bool:
        return any(one.provider.is_connected for one in self.carriers)

    @staticmethod
    def kind(row: Row[Any]) -> str:
        return message_kind(row)


@router.get(OUTBOX)
def show_outbox(request: Request, _who: AnOperator, tx: Tx, house: TheHouse, today: Today, now: Now) -> Response:
    """What left, what waits, what did not go out and why?"""
    counts = outgoing.count_by_state(tx)
    asked = request.query_params.get("state", "")
    state = asked if asked in TONES else ""
    wish = Wish.of(request, COLUMNS, usual="")
    rows = outgoing.list_by_state(tx, state, PER_PAGE, wish.offset(PER_PAGE))
    total = counts.get(state, 0) if state else sum(counts.values())
    tabs = [Tab(gettext("全部"), OUTBOX, not state, sum(counts.values()))]
    tabs += [
        Tab(words.of("message_state", one), f"{OUTBOX}?state={one}", one == state, counts.get(one, 0))
        for one in MessageState
    ]
    health, providers = outgoing.health(tx, today), providers_of(house.settings)
    view = OutboxPage(
        listing=Listing(COLUMNS, rows, total, OUTBOX, wish, {"state": state}, PER_PAGE),
        tabs=tabs,
        state=state,
        tones=TONES,
        carriers=[Carrier(one.value, providers[one], health.get(one.value)) for one in MessageChannel],
        is_quiet=is_quiet(now.astimezone(CITY).time()),
        is_demo=house.settings.demo,
    )
    return page(request, "operator/outbox.html", view)


@router.post("/operator/outbox/{message_id}/retry")
def retry(request: Request, who: AnOperator, tx: Tx, today: Today, now: Now, message_id: int) -> Response:
    """Let it wait again."""
    send_again(tx, who, message_id, today, now)
    return redirect(request, f"{OUTBOX}?state=waiting", gettext("已重新排队。"))


@router.post("/operator/outbox/{message_id}/settlement")
def note_sent(request: Request, who: AnOperator, tx: Tx, now: Now, message_id: int) -> Response:
    """The provider's own records say that it left."""
    settle(tx, who, message_id, now)
    return redirect(request, f"{OUTBOX}?state=unknown", gettext("已记为发出。"))
