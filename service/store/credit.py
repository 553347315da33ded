"""Grants and drawdowns: locked before anything is decided, corrected by rows, never edited away."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Who
from service.store import push_lists
from service.store.bulk import add_rows, next_ids

FIRMS = text("SELECT uscc, industry, size_class FROM firm WHERE uscc = ANY (:usccs)")
WITH_LOANS = text("""
    SELECT DISTINCT uscc FROM record WHERE uscc = ANY (:usccs) AND item = 'loan' AND superseded_on IS NULL
      AND withdrawn_on IS NULL
    UNION SELECT uscc FROM granted_before(:usccs)
""")
LIVE_GRANTS = text("""
    SELECT * FROM credit_grant WHERE line_id = ANY (:line_ids) AND voided_at IS NULL ORDER BY id FOR UPDATE
""")
LINES_OF = text("SELECT id, line_id FROM credit_grant WHERE id = ANY (:ids) AND bank_id = ANY (:bank_ids)")
LOCK_GRANTS = text("""
    SELECT g.*, f.industry, f.size_class FROM credit_grant g JOIN firm f ON f.uscc = g.uscc
    WHERE g.line_id = ANY (:line_ids) AND g.id = ANY (:ids) ORDER BY g.id FOR UPDATE OF g
""")
LOCK_DRAWDOWN = text("SELECT * FROM drawdown WHERE id = :id AND bank_id = :bank_id FOR UPDATE")
DRAWN = text("""
    SELECT grant_id, sum(amount_fen) AS fen FROM drawdown WHERE grant_id = ANY (:ids) AND voided_at IS NULL GROUP BY 1
""")
BY_NUMBER = text("""
    SELECT d.* FROM drawdown d
    JOIN unnest(CAST(:bank_ids AS bigint[]), CAST(:numbers AS text[])) AS n (bank_id, loan_number)
      ON d.bank_id = n.bank_id AND d.loan_number = n.loan_number
    WHERE d.voided_at IS NULL
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
    return set(tx.execute(WITH_LOANS, {"usccs": list(usccs)}).scalars()) if usccs else set()


def lock_live_grants(tx: Session, line_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Line → the grant that stands on it, locked in the order of their ids."""
    return {row.line_id: row for row in tx.execute(LIVE_GRANTS, {"line_ids": list(line_ids)})}


def lock_grants(
    tx: Session, people: Iterable[Who], grant_ids: Iterable[int]
) -> tuple[dict[int, Row[Any]], dict[int, Row[Any]]]:
    """Grants of these people's banks with the firms' industry and size, and lines, each by its id.

    Demands, lines, grants are locked in this order; whose each grant is, the caller looks at.
    """
    banks, ids = list(people), sorted(set(grant_ids))
    scope = {"ids": ids, "bank_ids": sorted({who.bank_id or 0 for who in banks})}
    found = [row.line_id for row in tx.execute(LINES_OF, scope)]
    lines = {line.id: line for line in push_lists.lock_lines_of_banks(tx, banks, found)}
    grants = tx.execute(LOCK_GRANTS, {"ids": ids, "line_ids": list(lines)}) if lines else ()
    return {row.id: row for row in grants}, lines


def find_drawdown(tx: Session, drawdown_id: int) -> Row[Any] | None:
    """A drawdown as it stands, not locked."""
    return tx.execute(text("SELECT * FROM drawdown WHERE id = :id"), {"id": drawdown_id}).one_or_none()


def lock_drawdown(tx: Session, drawdown_id: int, bank_id: int) -> Row[Any] | None:
    """A drawdown of this bank, locked."""
    return tx.execute(LOCK_DRAWDOWN, {"id": drawdown_id, "bank_id": bank_id}).one_or_none()


def find_by_numbers(tx: Session, numbers: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Row[Any]]:
    """(Bank, its loan number) → the drawdown that stands under it."""
    banks, words = zip(*sorted(set(numbers)), strict=True)
    rows = tx.execute(BY_NUMBER, {"bank_ids": list(banks), "numbers": list(words)})
    return {(row.bank_id, row.loan_number): row for row in rows}


def drawn_under(tx: Session, grant_ids: Sequence[int]) -> dict[int, int]:
    """Grant → what has been paid out under it, in fen; each of them has its figure."""
    paid = {row.grant_id: int(row.fen) for row in tx.execute(DRAWN, {"ids": list(grant_ids)})}
    return {one: paid.get(one, 0) for one in grant_ids}


def add(tx: Session, table: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Enter grants or drawdowns; their keys."""
    keys = next_ids(tx, table, len(rows))
    add_rows(tx, table, [{"id": key, **row} for key, row in zip(keys, rows, strict=True)])
    return keys


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
