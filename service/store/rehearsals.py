"""Rehearsals of policies, and the history they run over: verdicts day by day, the days' problems, lists, products."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from matching.terms import Product
from service.domain.errors import Conflict, NotFound
from service.store.bulk import add_rows, next_ids
from service.store.offers_of_banks import product_of
from service.store.push_lists import list_wanted

LONGEST_MESSAGE = 1000
LISTED = """
    SELECT r.id, r.policy_name, r.policy_version, r.policy_hash, r.from_on, r.to_on, r.held_on, r.asked_by, r.asked_at,
           r.state, r.done, r.total, r.cancel_asked, r.message, r.found, r.ended_at, p.name AS asked_by_name
    FROM rehearsal r LEFT JOIN person p ON p.id = r.asked_by
"""
VERDICT = """
    SELECT v.id, v.demand_id, v.uscc, v.district, v.judged_on, v.judged_at, v.facts::text AS facts, v.findings,
           v.light, v.is_recommended, v.fitting_products, v.policy_hash, v.content_hash, d.amount_fen, f.industry
    FROM verdict v JOIN demand d ON d.id = v.demand_id JOIN firm f ON f.uscc = v.uscc
"""
OF_DAY = text(f"{VERDICT} WHERE v.judged_on = :day ORDER BY v.id")
BEFORE = text(f"""
    SELECT DISTINCT ON (v.demand_id) v.* FROM ({VERDICT} WHERE v.demand_id = ANY (:ids) AND v.judged_on < :day) v
    ORDER BY v.demand_id, v.id DESC
""")
RUNS = text("""
    SELECT id, run, inputs, body ->> 'output_hash' AS output_hash, made_at FROM certificate
    WHERE "on" = :day AND inputs ? 'format' ORDER BY run
""")
LINES = text("""
    SELECT l.demand_id, l.product_id, l.bank_id, l.rank FROM push_line l JOIN push_list s ON s.id = l.list_id
    WHERE s.certificate_id = :id ORDER BY l.demand_id, l.rank
""")
PRODUCTS = text("""
    SELECT p.*, b.decide_days, t.terms FROM product p JOIN bank b ON b.id = p.bank_id
    LEFT JOIN LATERAL (SELECT terms FROM product_version v WHERE v.product_id = p.id AND v.changed_at <= :at
                       ORDER BY v.version DESC LIMIT 1) t ON true
    WHERE p.id = ANY (:ids) ORDER BY p.id
""")
CONSENTS = text("""
    SELECT DISTINCT c.uscc, c.bank_id FROM consent c
    WHERE c.uscc = ANY (:usccs) AND c.bank_id IS NOT NULL AND c.purpose = 'credit_review'
      AND c.from_on <= :day AND c.until_on >= :day AND c.given_at <= :at
      AND NOT EXISTS (SELECT 1 FROM consent_withdrawal w WHERE w.consent_id = c.id AND w.withdrawn_at <= :at)
""")
EARLIER = text("""
    SELECT l.demand_id, l.bank_id, l.closed_on IS NULL OR l.closed_on > :day AS was_open
    FROM push_line l JOIN push_list s ON s.id = l.list_id
    WHERE l.demand_id = ANY (:ids) AND s.published_at < :at
""")
TURNED = """
    SELECT t.*, d.number, d.amount_fen, f.name AS firm_name FROM rehearsed_light t
    JOIN demand d ON d.id = t.demand_id JOIN firm f ON f.uscc = t.uscc
    WHERE t.rehearsal_id = :id AND (CAST(:old AS text) IS NULL OR (t.old = :old AND t.new = :new))
"""
START = text("""
    UPDATE rehearsal SET state = 'running', done = 0, total = :total, message = '', found = NULL
    WHERE id = :id AND state IN ('waiting', 'running') RETURNING id
""")
STEP = text("UPDATE rehearsal SET done = :done WHERE id = :id RETURNING cancel_asked")
END = text("""
    UPDATE rehearsal SET state = :state, message = :message, found = CAST(:found AS jsonb), ended_at = :now
    WHERE id = :id
""")
CANCEL = text("""
    UPDATE rehearsal SET cancel_asked = true, state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END,
        ended_at = CASE state WHEN 'waiting' THEN CAST(:now AS timestamptz) ELSE ended_at END
    WHERE id = :id AND state IN ('waiting', 'running') AND NOT cancel_asked
""")


def add(tx: Session, row: Mapping[str, Any]) -> int:
    """Enter a rehearsal; its key. Conflict where one of this very policy and these days is under way."""
    (key,) = next_ids(tx, "rehearsal", 1)
    try:
        with tx.begin_nested():
            add_rows(tx, "rehearsal", [{"id": key, **row}])
    except IntegrityError as taken:
        raise Conflict("同样的预演正在进行，不必再要求一次。") from taken
    return key


def find_under_way(tx: Session, policy_hash: str, from_on: date, to_on: date) -> int | None:
    """The key of the rehearsal of this policy and these days that waits or runs."""
    found = text("""SELECT id FROM rehearsal WHERE policy_hash = :hash AND from_on = :since AND to_on = :until
                    AND state IN ('waiting', 'running')""")
    values = {"hash": policy_hash, "since": from_on, "until": to_on}
    key: int | None = tx.execute(found, values).scalar()
    return key


def get(tx: Session, rehearsal_id: int) -> Row[Any]:
    """One rehearsal with its asker's name, or NotFound."""
    row = tx.execute(text(f"{LISTED} WHERE r.id = :id"), {"id": rehearsal_id}).one_or_none()
    if row is None:
        raise NotFound("没有这次预演。")
    return row


def file_of(tx: Session, rehearsal_id: int) -> tuple[str, str]:
    """The name and text of the policy file a rehearsal was asked for with."""
    found = text("SELECT policy_name, policy_file FROM rehearsal WHERE id = :id")
    name, content = tx.execute(found, {"id": rehearsal_id}).one()
    return name, content


def list_latest(tx: Session, limit: int = 20) -> Sequence[Row[Any]]:
    """The latest rehearsals, newest first."""
    return tx.execute(text(f"{LISTED} ORDER BY r.id DESC LIMIT :limit"), {"limit": limit}).all()


def list_waiting(tx: Session) -> list[int]:
    """Those a person asked for that nobody has finished, oldest first; the command line does its own."""
    found = text("SELECT id FROM rehearsal WHERE state IN ('waiting', 'running') AND asked_by IS NOT NULL ORDER BY id")
    return list(tx.execute(found).scalars())


def start(tx: Session, rehearsal_id: int, total: int) -> bool:
    """It runs from now on, from its first day; False where it has ended."""
    return tx.execute(START, {"id": rehearsal_id, "total": total}).scalar() is not None


def step(tx: Session, rehearsal_id: int, done: int) -> bool:
    """So many days are done; whether somebody asked to stop."""
    return bool(tx.execute(STEP, {"id": rehearsal_id, "done": done}).scalar_one())


def end(tx: Session, rehearsal_id: int, state: str, message: str, found: str | None, now: datetime) -> None:
    """Its end, with what was found (JSON) where it came so far."""
    values = {"id": rehearsal_id, "state": state, "message": message[:LONGEST_MESSAGE], "found": found, "now": now}
    tx.execute(END, values)


def ask_cancel(tx: Session, rehearsal_id: int, now: datetime) -> bool:
    """Ask it to stop after its present day; False where it has ended or was asked before."""
    return bool(tx.execute(CANCEL, {"id": rehearsal_id, "now": now}).rowcount)  # type: ignore[attr-defined]


def put_lights(tx: Session, rehearsal_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """The lights that turned, in place of those of an earlier try."""
    tx.execute(text("DELETE FROM rehearsed_light WHERE rehearsal_id = :id"), {"id": rehearsal_id})
    keys = next_ids(tx, "rehearsed_light", len(rows))
    whose = [{"id": key, "rehearsal_id": rehearsal_id, **row} for key, row in zip(keys, rows, strict=True)]
    add_rows(tx, "rehearsed_light", whose)


def list_lights(
    tx: Session, rehearsal_id: int, old: str | None, new: str | None, limit: int, offset: int
) -> tuple[Sequence[Row[Any]], int]:
    """Demands whose light turns (from `old` to `new` where given), and how many there are."""
    values = {"id": rehearsal_id, "old": old, "new": new, "limit": limit, "offset": offset}
    rows = tx.execute(text(f"{TURNED} ORDER BY t.demand_id LIMIT :limit OFFSET :offset"), values).all()
    return rows, int(tx.execute(text(f"SELECT count(*) FROM ({TURNED}) t"), values).scalar_one())


def list_verdicts(tx: Session, day: date) -> Sequence[Row[Any]]:
    """The day's verdicts with their facts and findings, and what their demand asks, in the order they were made."""
    return tx.execute(OF_DAY, {"day": day}).all()


def list_verdicts_before(tx: Session, demand_ids: Sequence[int], day: date) -> Sequence[Row[Any]]:
    """The verdict in force of each demand on the eve of the day."""
    return tx.execute(BEFORE, {"ids": list(demand_ids), "day": day}).all()


def list_runs(tx: Session, day: date) -> Sequence[Row[Any]]:
    """The day's sharings out with the problem each answered."""
    return tx.execute(RUNS, {"day": day}).all()


def list_lines(tx: Session, certificate_id: int) -> list[tuple[int, int, int, int]]:
    """Demand, product, bank and rank of what was published under a certificate."""
    return [tuple(row) for row in tx.execute(LINES, {"id": certificate_id})]


def list_products(tx: Session, product_ids: Sequence[int], at: datetime) -> tuple[Product, ...]:
    """The products by the terms they had at that moment, in the order of their keys."""
    rows = [dict(row) for row in tx.execute(PRODUCTS, {"ids": list(product_ids), "at": at}).mappings()]
    return tuple(_product(SimpleNamespace(**_as_it_was(row))) for row in rows)


def _product(row: Any) -> Product:
    product = product_of(row)
    return product if row.decide_days is None else replace(product, decision_days=row.decide_days)


def _as_it_was(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the terms of its version then; JSON has no decimals of its own."""
    was = {**row, **{name: value for name, value in (row["terms"] or {}).items() if name in row}}
    return was | {name: Decimal(str(was[name])) for name in ("rate_min", "rate_max")}


def consents_then(tx: Session, usccs: Sequence[str], day: date, at: datetime) -> set[tuple[str, int]]:
    """Firms and banks with a consent to credit review that was live at that moment."""
    rows = tx.execute(CONSENTS, {"usccs": list(usccs), "day": day, "at": at})
    return {(row.uscc, row.bank_id) for row in rows}


def list_earlier_lines(tx: Session, demand_ids: Sequence[int], day: date, at: datetime) -> Sequence[Row[Any]]:
    """Banks these demands had lines with before that moment, and whether the line was open on the day."""
    return tx.execute(EARLIER, {"ids": list(demand_ids), "day": day, "at": at}).all()


def wanted(tx: Session, demand_ids: Sequence[int]) -> set[tuple[int, int]]:
    """Demands and the banks they named as intended."""
    return {(row.demand_id, row.bank_id) for row in list_wanted(tx, demand_ids)}
