"""What a batch of credit reports gathers on its way, and the one time it is settled, counted, told and recorded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from sqlmodel import Session

from service.actions.act_together import settling_each
from service.domain.errors import Conflict, DomainError
from service.domain.figure import FigureKind
from service.domain.people import Who
from service.domain.push_list import LINE_MAY_BECOME, LineState
from service.domain.reporting import Reported
from service.store import notices, statistics, trail
from service.store.bulk import change_rows
from service.store.notices import Message
from service.store.statistics import Event
from service.store.trail import Act

Item = TypeVar("Item")


@dataclass
class Report:
    """What is to be said of a batch; `demands`: demand → the bank's person whose report touched it."""

    today: date
    now: datetime
    said: list[tuple[Who, Act]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    demands: dict[int, Who] = field(default_factory=dict)

    def note(self, who: Who, verb: str, noun: str, key: int, about: Any, **more: Any) -> None:
        """An act on a noun, in the scope of the row it is about."""
        scope = {"demand_id": about.demand_id, "uscc": about.uscc, "bank_id": about.bank_id, "district": about.district}
        self.said.append((who, Act(verb, noun, key, **scope, **more)))

    def add(self, other: "Report") -> None:
        """What another one gathered comes after this one's."""
        self.said += other.said
        self.events += other.events
        self.messages += other.messages
        self.demands |= other.demands

    def move_line(self, who: Who, line: Any, state: LineState) -> None:
        """The line's move is noted, to be written with `write_moves`; Conflict where it may not become so."""
        if LineState(line.state) not in LINE_MAY_BECOME[state]:
            raise Conflict("推送项不能由“{old}”变为“{new}”", old=line.state, new=state.value)
        self.note(who, "credit_reported", "push_line", line.id, line, old=line.state, new=state.value)

    def write_moves(self, tx: Session, lines: Sequence[Any], state: LineState, columns: Mapping[str, Any]) -> None:
        """The lines' new state, with the same further columns for all of them."""
        new = {"state": state.value, "state_at": self.now, **columns}
        change_rows(tx, "push_line", "id", [{"id": line.id, **new} for line in lines])

    def finish(self, tx: Session) -> None:
        """Settle the demands touched; count, tell and record everything gathered."""
        self.said += settling_each(tx, self.demands, self.today, self.now, "credit_reported")
        statistics.count(tx, self.events, self.today, self.now)
        notices.add(tx, self.messages, self.today, self.now)
        trail.append_each(tx, self.said, self.now)


def one_by_one(
    tx: Session, said: Sequence[tuple[Who, Item]], take: Callable[[Session, Who, Item, Report], int], report: Report
) -> list[Reported]:
    """Each behind a savepoint of its own: for corrections and whatever else is rare. Nothing stays of a refused one."""
    results = []
    for who, item in said:
        own = Report(report.today, report.now)
        try:
            with tx.begin_nested():
                results.append(Reported(take(tx, who, item, own)))
        except DomainError as fault:
            results.append(Reported(error=fault))
        else:
            report.add(own)
    return results


def granted(grant: Any, firm: Any, sign: int = 1) -> Event:
    """The grant as it is counted; `firm` tells industry and size."""
    return _counted(FigureKind.GRANTED, grant.granted_on, grant, grant, firm, sign)


def paid(drawdown: Any, grant: Any, firm: Any, sign: int = 1) -> Event:
    """The drawdown as it is counted, with what its grant says of the loan."""
    return _counted(FigureKind.DRAWN, drawdown.drawn_on, drawdown, grant, firm, sign)


def _counted(kind: FigureKind, on: date, noun: Any, grant: Any, firm: Any, sign: int) -> Event:
    return Event(
        kind,
        on,
        noun.id,
        noun.demand_id,
        noun.uscc,
        noun.district,
        noun.amount_fen,
        bank_id=noun.bank_id,
        product_id=grant.product_id,
        industry=firm.industry[:1],
        size=firm.size_class,
        rate=noun.rate,
        loan_type=grant.loan_type,
        is_first_loan=grant.is_first_loan,
        is_renewal_without_repayment=grant.is_renewal_without_repayment,
        sign=sign,
    )
