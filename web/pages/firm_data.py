"""What the firm has here: its consents, the records the city holds of it, who looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.give_consent import withdraw_consent
from service.doors import AFirm, Now, Today, Tx
from service.profiles.profile import Fact, LateSource, Profile, late_sources, profile_on
from service.store import consents, objections, overview
from web import consent_words, record_file, takeaway
from web.csrf import guard
from web.flash import redirect
from web.language import gettext
from web.pages.firm import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
MOST_LOOKS = 20_000


@dataclass(frozen=True)
class ConsentsPage:
    live: Sequence[Row[Any]]
    ended: Sequence[Row[Any]]


@dataclass(frozen=True)
class ConsentPage:
    one: Row[Any]
    words: str
    """Empty where they were shown elsewhere and only their hash was kept here."""
    looks: Sequence[Row[Any]]


@dataclass(frozen=True)
class RecordsPage:
    firm: Row[Any]
    profile: Profile
    looks: Sequence[Row[Any]]
    late: Sequence[LateSource]
    """Sources whose delivery is late."""
    objections: Sequence[Row[Any]]
    """The firm's own, open ones first."""

    def contested(self, fact: Fact) -> Row[Any] | None:
        """The open objection to a fact."""
        about = (fact.record.item, fact.record.key)
        return next((one for one in self.objections if one.closed_on is None and (one.item, one.key) == about), None)


@router.get("/firm/consents")
def show_consents(request: Request, who: AFirm, tx: Tx, today: Today) -> Response:
    rows = overview.list_consents(tx, who.uscc or "")
    live = [row for row in rows if row.withdrawn_on is None and row.until_on >= today]
    return page(request, "firm/consents.html", ConsentsPage(live, [row for row in rows if row not in live]))


@router.get("/consents/{consent_id}")
def show_consent(request: Request, who: AFirm, tx: Tx, today: Today, consent_id: int) -> Response:
    """One consent: exactly the words that were read, for whom, until when, and who looked because of it."""
    one = consents.get(tx, who, consent_id, today)
    looks = overview.list_looks_by(tx, who.uscc or "", one.bank_id, one.given_at, one.withdrawn_at)
    words = one.words or consent_words.said_again(one, overview.get_firm(tx, one.uscc).name)
    return page(request, "firm/consent.html", ConsentPage(one, words, looks))


@router.post("/firm/consents/{bank_id}/withdrawal")
def withdraw(request: Request, who: AFirm, tx: Tx, today: Today, now: Now, bank_id: int) -> Response:
    """Withdraw as easily as it was given, 0 being the platform's own: committed before the next page is seen."""
    withdraw_consent(tx, who, who.uscc or "", bank_id or None, today, now)
    return redirect(request, "/firm/consents", gettext("已撤回。对方从现在起不能再查看，也不会再收到推送。"))


@router.get("/firm/records")
def show_records(request: Request, who: AFirm, tx: Tx, today: Today) -> Response:
    """Every record with its source and date, and who looked at it: free, and no question asked."""
    uscc = who.uscc or ""
    view = RecordsPage(
        firm=overview.get_firm(tx, uscc),
        profile=profile_on(tx, uscc, today),
        looks=overview.list_looks(tx, uscc),
        late=late_sources(tx, today),
        objections=objections.list_of_firm(tx, uscc),
    )
    return page(request, "firm/records.html", view)


@router.get("/firm/records.zip")
def take_records(who: AFirm, tx: Tx, today: Today) -> Response:
    """All of it to take away: every record, not only the latest, and every look."""
    uscc = who.uscc or ""
    looks = overview.list_looks(tx, uscc, MOST_LOOKS)
    contested = frozenset((one.item, one.key) for one in objections.list_open_of(tx, uscc))
    content = record_file.pack(overview.get_firm(tx, uscc), profile_on(tx, uscc, today), looks, contested)
    return takeaway.download(content, f"xindeng-{uscc}-{today}.zip", "application/zip")
