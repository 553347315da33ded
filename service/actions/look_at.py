"""Someone looks at a firm's facts: a trace of who, once a day for each person and thing; the firm can read it."""

from datetime import datetime

from sqlmodel import Session

from service.clock import day_of
from service.domain.people import Who
from service.store import trail, trail_search
from service.store.trail import Act

LOOKED = "looked"


def look_at(tx: Session, who: Who, act: Act, now: datetime) -> bool:
    """Note that `who` looked; False where today's look is noted already. `act` names the thing and whose it is."""
    if trail_search.has_looked(tx, who.person_id, act.noun, act.noun_id, day_of(now)):
        return False
    trail.append(tx, who, [act], now)
    return True
