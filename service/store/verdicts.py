"""Estimates, verdicts, the light's history, overrides and reviews of demands."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.demand import IN_MATCHING, DemandState, open_states_sql
from service.domain.errors import NotFound
from service.domain.people import Role, Who
from service.store.bulk import add_rows, change_rows, next_ids

CURRENT = text("""
    SELECT v.demand_id, v.id, v.content_hash, v.light, v.findings FROM demand d JOIN verdict v ON v.id = d.verdict_id
    WHERE d.id = ANY(:ids)
""")
CONTENTS = text("""
    SELECT d.id, v.content_hash FROM demand d JOIN verdict v ON v.id = d.verdict_id WHERE d.id = ANY(:ids)
""")
CONFIRMED = text("SELECT DISTINCT demand_id FROM review WHERE demand_id = ANY(:ids) AND decision = 'recommended'")
OPEN_REVIEWS = text("SELECT * FROM review WHERE demand_id = ANY(:ids) AND decided_at IS NULL ORDER BY id FOR UPDATE")
WAITING = text("""
    SELECT r.*, d.number, d.amount_fen, d.use, d.light, d.state, f.name AS firm_name
    FROM review r JOIN demand d ON d.id = r.demand_id JOIN firm f ON f.uscc = r.uscc
    WHERE r.decided_at IS NULL AND (CAST(:district AS text) IS NULL OR r.district = :district)
    ORDER BY r.due_on NULLS LAST, r.id LIMIT :limit
""")
DECIDE = text("""
    UPDATE review SET decision = :decision, sentence = :sentence, decided_by = :by, decided_at = :now
    WHERE id = ANY(:ids) AND decided_at IS NULL
""")
LIVE_OVERRIDES = text("""
    SELECT DISTINCT ON (demand_id) * FROM override WHERE demand_id = ANY(:ids) AND until_on >= :today
    ORDER BY demand_id, id DESC
""")
WITH_ESTIMATE = text("""
    SELECT v.*, e.probability, e.score, e.grade, e.model_version, e.features, e.vintage, e.reasons,
        e.as_of AS estimated_on
    FROM verdict v LEFT JOIN estimate e ON e.id = v.estimate_id WHERE v.id = :id
""")


def list_open_facts(tx: Session) -> list[str]:
    """The facts, as JSON text, on which the light of every demand rests that still looks for a bank."""
    return list(tx.execute(OPEN_FACTS).scalars())


OPEN_FACTS = text(f"""
    SELECT CAST(v.facts AS text) FROM demand d JOIN verdict v ON v.id = d.verdict_id
    WHERE d.state IN ({open_states_sql({*IN_MATCHING, DemandState.REPORTED})}) ORDER BY d.id
""")


def current(tx: Session, demand_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """demand → the verdict in force: key, content hash, light, findings."""
    return {row.demand_id: row for row in tx.execute(CURRENT, {"ids": list(demand_ids)})}


def contents(tx: Session, demand_ids: Sequence[int]) -> dict[int, str]:
    """demand → the content hash of the verdict in force."""
    return {row.id: row.content_hash for row in tx.execute(CONTENTS, {"ids": list(demand_ids)})}


def get(tx: Session, verdict_id: int) -> Row[Any]:
    """A verdict with the estimate it rests on, as far as this transaction's person may see it; or NotFound."""
    row = tx.execute(WITH_ESTIMATE, {"id": verdict_id}).one_or_none()
    if row is None:
        raise NotFound("没有这份研判结果。")
    return row


def add_estimates(tx: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Keep the estimates; their keys."""
    return _add(tx, "estimate", rows)


def add_verdicts(tx: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Keep the verdicts; their keys."""
    return _add(tx, "verdict", rows)


def keep_reasons(tx: Session, estimate_id: int, reasons: Sequence[Mapping[str, Any]]) -> None:
    """The reasons of an estimate, worked out when they were first asked for."""
    change_rows(tx, "estimate", "id", [{"id": estimate_id, "reasons": list(reasons)}])


def confirmed(tx: Session, demand_ids: Sequence[int]) -> set[int]:
    """Those of the demands a person has recommended."""
    return set(tx.execute(CONFIRMED, {"ids": list(demand_ids)}).scalars())


def open_reviews(tx: Session, demand_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """demand → its review that waits for a person, locked."""
    return {row.demand_id: row for row in tx.execute(OPEN_REVIEWS, {"ids": list(demand_ids)})}


def add_reviews(tx: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Open reviews; their keys."""
    return _add(tx, "review", rows)


def decide_reviews(tx: Session, ids: Sequence[int], decision: str, sentence: str, by: int | None, now: datetime) -> int:
    """Write the person's word; how many were still open."""
    done = tx.execute(DECIDE, {"ids": list(ids), "decision": decision, "sentence": sentence, "by": by, "now": now})
    return int(done.rowcount)  # type: ignore[attr-defined]


def list_waiting(tx: Session, who: Who, limit: int = 50) -> Sequence[Row[Any]]:
    """Reviews that wait for this district's team (the whole city's for others), first due first."""
    district = who.district if who.role is Role.DISTRICT else None
    return tx.execute(WAITING, {"district": district, "limit": limit}).all()


def live_overrides(tx: Session, demand_ids: Sequence[int], today: date) -> dict[int, Row[Any]]:
    """demand → the person's light that stands beside its verdict on the day."""
    return {row.demand_id: row for row in tx.execute(LIVE_OVERRIDES, {"ids": list(demand_ids), "today": today})}


def add_override(tx: Session, row: Mapping[str, Any]) -> int:
    """Enter a person's light; its key."""
    return _add(tx, "override", [row])[0]


def list_lights(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """The light's history, oldest first."""
    return tx.execute(text("SELECT * FROM light_change WHERE demand_id = :id ORDER BY id"), {"id": demand_id}).all()


def _add(tx: Session, table: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    if not rows:
        return []
    ids = next_ids(tx, table, len(rows))
    add_rows(tx, table, [{"id": key, **row} for key, row in zip(ids, rows, strict=True)])
    return ids
