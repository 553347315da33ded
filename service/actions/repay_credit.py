"""A loan is paid back; a demand whose loans are all paid back has come to its end."""

from datetime import date

from sqlmodel import Session

from service.actions.draw_credit import lock_drawn
from service.actions.note_credit import Report
from service.domain.demand import DemandState, may_become
from service.domain.errors import NotPossible
from service.domain.people import Who
from service.store import credit


def repay(tx: Session, who: Who, drawdown_id: int, on: date, report: Report) -> int:
    """The loan of this drawdown was paid back on this day; twice is once."""
    drawdown, grant, _ = lock_drawn(tx, who, drawdown_id)
    if drawdown.repaid_on is not None:
        return drawdown_id
    if not drawdown.drawn_on <= on <= report.today:
        raise NotPossible("结清日期须在放款日与今天之间。", field="repaid_on")
    credit.mark_repaid(tx, drawdown.id, on)
    report.note(who, "repaid", "drawdown", drawdown.id, grant)
    old, new = DemandState.DRAWN, DemandState.REPAID
    if credit.count_unrepaid(tx, grant.demand_id) == 0 and may_become(old, new, who.role):
        credit.end_demand(tx, grant.demand_id, new.value, report.today)
        report.note(who, "repaid", "demand", grant.demand_id, grant, old=old.value, new=new.value)
    report.demands[grant.demand_id] = who
    return drawdown_id
