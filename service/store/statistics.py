"""Figures: countable events in, roll-ups out. The database keeps every roll-up equal to its events (revision 0004)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import Session

from service.domain.figure import FigureKind
from service.store.standing import as_json

COUNT = text("""
    INSERT INTO figure_event (kind, "on", recorded_on, sign, noun_id, demand_id, uscc, district, bank_id, industry,
        size, amount_fen, rate, loan_type, is_first_loan, is_renewal_without_repayment, is_new_household,
        is_new_household_of_bank, made_at)
    SELECT n.kind, n."on", :today, n.sign, n.noun_id, n.demand_id, n.uscc, n.district, n.bank_id, n.industry, n.size,
        n.amount_fen, n.rate, n.loan_type, n.is_first_loan, n.is_renewal_without_repayment, false, false, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (kind text, "on" date, sign integer, noun_id bigint,
        demand_id bigint, uscc text, district text, bank_id bigint, industry text, size text, amount_fen bigint,
        rate numeric(9, 7), loan_type text, is_first_loan boolean, is_renewal_without_repayment boolean)
    ORDER BY n.uscc, n.kind, n.noun_id, n.sign
""")


@dataclass(frozen=True)
class Event:
    """One countable event; `sign` −1 takes back that of the same kind and noun. `industry`: section letter."""

    kind: FigureKind
    on: date
    noun_id: int
    demand_id: int
    uscc: str
    district: str
    amount_fen: int
    bank_id: int = 0
    industry: str = ""
    size: str = ""
    rate: Decimal | None = None
    loan_type: str | None = None
    is_first_loan: bool = False
    is_renewal_without_repayment: bool = False
    sign: int = 1


def count(tx: Session, events: Sequence[Event], today: date, now: datetime) -> None:
    """Record the events; the same (kind, noun, sign) again is passed by. In firm order: no two wait in a ring."""
    if events:
        rows = as_json(asdict(event) for event in events)
        tx.execute(COUNT, {"rows": rows, "today": today, "now": now})
