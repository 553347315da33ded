"""Grants and drawdowns: locked before anything is decided, corrected by rows, never edited away."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.store.bulk import add_rows, next_ids

FIRMS = text("SELECT uscc, industry, size_class FROM firm WHERE uscc = ANY (:usccs)")
WITH_LOANS = text("""
    SELECT DISTINCT uscc FROM record WHERE uscc = ANY (:usccs) AND item = 'loan' AND superseded_on IS NULL
      AND withdrawn_on IS NULL
    UNION SELECT uscc FROM granted_before(:usccs)
""")
LIVE_GRANT = text("SELECT * FROM credit_grant WHERE line_id = :line_id AND voided_at IS NULL FOR UPDATE")
LOCK_GRANT = text("""
    SELECT g.*, f.industry, f.size_class FROM credit_grant g JOIN firm f ON f.uscc = g.uscc
    WHERE g.id = :id AND g.bank_id = :bank_id FOR UPDATE OF g
""")
LOCK_DRAWDOWN = text("SELECT * FROM drawdown WHERE id = :id AND bank_id = :bank_id FOR UPDATE")
DRAWN = text("SELECT coalesce(sum(amount_fen), 0) FROM drawdown WHERE grant_id = :id AND voided_at IS NULL")
BY_NUMBER = text("""
    SELECT * FROM drawdown WHERE bank_id = :bank_id AND loan_number = :number AND voided_at IS NULL
""")
MOVE_DRAWDOWNS = text("UPDATE drawdown SET grant_id = :new WHERE grant_id = :old AND voided_at IS NULL")
UNREPAID = text("""
    SELECT count(*) FROM drawdown WHERE demand_id = :demand_id AND voided_at IS NULL AND repaid_on IS NULL
""")
OF_DEMAND = text("""
    SELECT g.*, b.name AS bank_name, b.name_en AS bank_name_en,
           (SELECT coalesce(sum(amount_fen), 0) FROM drawdown d
            WHERE d.grant_id = g.id AND d.voided_at IS NULL) AS drawn_fen
    FROM credit_grant g JOIN bank b ON b.id = g.bank_id
    WHERE g.demand_id = :demand_id ORDER BY g.id
""")


def facts_of(tx: Session, usccs: Sequence[str]) -> dict[str, Row[Any]]:
    """uscc → industry and size, as far as this transaction sees the firms."""
    return {row.uscc: row for row in tx.execute(FIRMS, {"usccs": list(usccs)})}


def with_loans(tx: Session, usccs: Sequence[str]) -> set[str]:
    """Those of the firms that have had a loan before: a loan record, or a grant on this platform by any bank."""
    return set(tx.execute(WITH_LOANS, {"usccs": list(usccs)}).scalars())


def lock_live_grant(tx: Session, line_id: int) -> Row[Any] | None:
    """The grant that stands on a line, locked."""
    return tx.execute(LIVE_GRANT, {"line_id": line_id}).one_or_none()


def lock_grant(tx: Session, grant_id: int, bank_id: int) -> Row[Any] | None:
    """A grant of this bank with the firm's industry and size, locked; None where there is none."""
    return tx.execute(LOCK_GRANT, {"id": grant_id, "bank_id": bank_id}).one_or_none()


def find_grant(tx: Session, grant_id: int) -> Row[Any] | None:
    """A grant as it stands, not locked."""
    return tx.execute(text("SELECT * FROM credit_grant WHERE id = :id"), {"id": grant_id}).one_or_none()


def find_drawdown(tx: Session, drawdown_id: int) -> Row[Any] | None:
    """A drawdown as it stands, not locked."""
    return tx.execute(text("SELECT * FROM drawdown WHERE id = :id"), {"id": drawdown_id}).one_or_none()


def lock_drawdown(tx: Session, drawdown_id: int, bank_id: int) -> Row[Any] | None:
    """A drawdown of this bank, locked."""
    return tx.execute(LOCK_DRAWDOWN, {"id": drawdown_id, "bank_id": bank_id}).one_or_none()


def find_by_number(tx: Session, bank_id: int, number: str) -> Row[Any] | None:
    """The drawdown that stands under a bank's loan number."""
    return tx.execute(BY_NUMBER, {"bank_id": bank_id, "number": number}).one_or_none()


def drawn_under(tx: Session, grant_id: int) -> int:
    """What has been paid out under a grant, in fen."""
    return int(tx.execute(DRAWN, {"id": grant_id}).scalar_one())


def add(tx: Session, table: str, row: Mapping[str, Any]) -> int:
    """Enter a grant or a drawdown; its key."""
    (key,) = next_ids(tx, table, 1)
    add_rows(tx, table, [{"id": key, **row}])
    return key


def void(tx: Session, table: str, key: int, now: datetime) -> None:
    """This row stands no longer."""
    if table not in ("credit_grant", "drawdown"):
        raise ValueError(table)
    tx.execute(text(f"UPDATE {table} SET voided_at = :now WHERE id = :id"), {"id": key, "now": now})


def move_drawdowns(tx: Session, old: int, new: int) -> None:
    """What was paid out under the old grant was paid out under the one that replaces it."""
    tx.execute(MOVE_DRAWDOWNS, {"old": old, "new": new})


def list_live_drawdowns(tx: Session, grant_id: int) -> Sequence[Row[Any]]:
    """What stands as paid out under a grant."""
    found = text("SELECT * FROM drawdown WHERE grant_id = :id AND voided_at IS NULL ORDER BY id FOR UPDATE")
    return tx.execute(found, {"id": grant_id}).all()


def mark_repaid(tx: Session, drawdown_id: int, on: date) -> None:
    """The loan is paid back."""
    tx.execute(text("UPDATE drawdown SET repaid_on = :on WHERE id = :id"), {"id": drawdown_id, "on": on})


def count_unrepaid(tx: Session, demand_id: int) -> int:
    """Loans of this demand still to be paid back."""
    return int(tx.execute(UNREPAID, {"demand_id": demand_id}).scalar_one())


def end_demand(tx: Session, demand_id: int, state: str, today: date) -> None:
    """The demand has come to its end."""
    ended = text("UPDATE demand SET state = :state, closed_on = :today WHERE id = :id")
    tx.execute(ended, {"id": demand_id, "state": state, "today": today})


def list_of_demand(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """The grants of a demand, voided ones included, with what was drawn under each."""
    return tx.execute(OF_DEMAND, {"demand_id": demand_id}).all()


def list_drawdowns(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """The drawdowns of a demand, voided ones included."""
    return tx.execute(text("SELECT * FROM drawdown WHERE demand_id = :id ORDER BY id"), {"id": demand_id}).all()
