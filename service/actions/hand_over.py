"""Someone is away: everything open in their hands goes to a colleague, or back to the team, in one act."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from service.actions.follow_up import assign_follow_ups
from service.actions.keep_ledger import assign_obstacles
from service.actions.plan_visits import assign_visits
from service.domain.errors import NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.store import teams


@dataclass(frozen=True)
class Handed:
    """How much changed hands."""

    follow_ups: int
    obstacles: int
    visits: int

    @property
    def total(self) -> int:
        return self.follow_ups + self.obstacles + self.visits


def hand_over(tx: Session, who: Who, giver: int, taker: int | None, today: date, now: datetime) -> Handed:
    """All or nothing; done twice the second finds nothing left. `taker` None gives it back to the team as a whole.

    The giver may have left the team already: what they hold in this district is theirs to be taken from.
    """
    if who.role is not Role.DISTRICT or who.district is None:
        raise NotAllowed("只有区县专班可以移交本专班的工作。")
    if giver == taker:
        raise NotPossible("请选择另一位同事。", field="person")
    held = teams.open_of(tx, who.district, giver)
    return Handed(
        assign_follow_ups(tx, who, held["follow_up"], taker, today, now) if held["follow_up"] else 0,
        assign_obstacles(tx, who, held["obstacle"], taker, today, now) if held["obstacle"] else 0,
        assign_visits(tx, who, held["visit"], taker, today, now) if held["visit"] else 0,
    )
