"""Grants and drawdowns that were reported in error stand no longer: lines, money and figures go one step back."""

from sqlmodel import Session

from service.actions.draw_credit import lock_drawn, standing_grant
from service.actions.note_credit import Report, granted, paid
from service.domain import line_clock
from service.domain.errors import NotPossible
from service.domain.people import Who
from service.domain.push_list import LineState
from service.store import calendar, credit, products


def void_grant(tx: Session, who: Who, grant_id: int, report: Report) -> int:
    """The line is accepted again and holds its money; not while anything is drawn on it."""
    grants, lines = credit.lock_grants(tx, [who], [grant_id])
    grant = standing_grant(who, grant_id, grants)
    if credit.drawn_under(tx, [grant.id])[grant.id]:
        raise NotPossible("已有放款的授信不能作废，请先作废放款。")
    line = lines[grant.line_id]
    credit.void(tx, "credit_grant", grant.id, report.now)
    products.move_money(tx, {line.product_id: line.amount_fen}, {line.product_id: -grant.amount_fen})
    clock = line_clock.from_acceptance(report.today, calendar.calendar(tx))
    report.move_line(who, line, LineState.ACCEPTED)
    columns = {**clock, "reserved_fen": line.amount_fen, "closed_on": None}
    report.write_moves(tx, [line], LineState.ACCEPTED, columns)
    report.events.append(granted(grant, grant, sign=-1))
    report.note(who, "grant_voided", "credit_grant", grant.id, grant)
    report.demands[grant.demand_id] = who
    return grant_id


def void_drawdown(tx: Session, who: Who, drawdown_id: int, report: Report) -> int:
    """A loan paid back cannot be undone; where nothing else is drawn the line is granted again."""
    drawdown, grant, line = lock_drawn(tx, who, drawdown_id)
    if drawdown.repaid_on is not None:
        raise NotPossible("已结清的放款不能作废。")
    credit.void(tx, "drawdown", drawdown.id, report.now)
    if not credit.drawn_under(tx, [grant.id])[grant.id]:
        report.move_line(who, line, LineState.GRANTED)
        report.write_moves(tx, [line], LineState.GRANTED, {})
    report.events.append(paid(drawdown, grant, grant, sign=-1))
    report.note(who, "drawdown_voided", "drawdown", drawdown.id, grant)
    report.demands[grant.demand_id] = who
    return drawdown_id
