"""Several people act in one batch: each item is looked at before anything is written, each act keeps its own person.

A batch runs in a transaction that sees the rows of all of them; one person's own transaction takes a batch of one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from sqlmodel import Session

from service.actions.settle_demand import settling
from service.domain.errors import DomainError
from service.domain.people import Role, Who
from service.store.trail import Act

Item = TypeVar("Item")


def refusals(items: Iterable[Item], take: Callable[[Item], None]) -> list[DomainError | None]:
    """For each item, in its order, why `take` refused it; None where it did not."""
    return [_refusal(take, item) for item in items]


def raise_refusal(found: Sequence[DomainError | None]) -> None:
    """Raise the first refusal of a batch: that of a batch of one."""
    for refusal in found:
        if refusal is not None:
            raise refusal


def said_by(whose: Mapping[int, Who], acts: Iterable[Act]) -> list[tuple[Who, Act]]:
    """Each act with the person who acts for its demand; `whose` is demand → person."""
    return [(whose[act.demand_id or 0], act) for act in acts]


def settling_each(
    tx: Session, whose: Mapping[int, Who], today: date, now: datetime, cause: str
) -> list[tuple[Who, Act]]:
    """`settling` for the demands of several people, once for each of their roles; `whose` is demand → person."""
    of_role: dict[Role, list[int]] = defaultdict(list)
    for demand_id, who in whose.items():
        of_role[who.role].append(demand_id)
    acts = [act for ids in of_role.values() for act in settling(tx, whose[ids[0]], ids, today, now, cause)]
    return said_by(whose, acts)


def _refusal(take: Callable[[Item], None], item: Item) -> DomainError | None:
    try:
        take(item)
    except DomainError as refusal:
        return refusal
    return None
