"""What officials' pages share: who is here for which place, and how much waits for them."""

from dataclasses import dataclass
from datetime import date

from fastapi import Request

from service.domain.people import Role, Who
from service.doors import AnOfficial, Today, Tx
from service.store import follow_ups, notices, objections, urgings, verdicts
from service.store.enquiries import count_due as count_enquiries
from web import words
from web.language import gettext
from web.shell import Badge

MOST_LISTED = 200


@dataclass(frozen=True)
class Tab:
    label: str
    address: str
    is_current: bool
    tally: int | None = None


def badge(request: Request, who: AnOfficial, tx: Tx, today: Today) -> None:
    """The header says for which district one acts, and what is due today."""
    if who.role is Role.DISTRICT:
        place = words.district(who.district or "")
        tallies = {
            "due": count_due(tx, who, today),
            "objections": objections.count_due(tx, who, today),
            "notices": notices.count_unread(tx, who),
            "enquiries": count_enquiries(tx, who, today),
        }
        request.state.badge = Badge(who.name, who.role, place, tallies)
    else:
        tallies = {"urgings": urgings.count_for(tx, who, today)}
        request.state.badge = Badge(who.name, who.role, gettext("全市"), tallies)


def count_due(tx: Tx, who: Who, today: date) -> int:
    """Reviews that wait, and follow-ups of the district whose date has come."""
    waiting = len(verdicts.list_waiting(tx, who, MOST_LISTED))
    return waiting + follow_ups.count_due(tx, who, today)
