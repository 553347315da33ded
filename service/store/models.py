"""Trained models, the proposals to use them, and what shadows estimated beside the model in use."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from service.domain.errors import Conflict, NotFound
from service.store.bulk import add_rows, change_rows, next_ids

MODELS = """
    SELECT m.*, p.name AS trained_by_name FROM model m LEFT JOIN person p ON p.id = m.trained_by
"""
ORDER = "ORDER BY array_position(ARRAY['in_use', 'shadow', 'candidate', 'retired'], m.state), m.id DESC"
WAS_USED = text("SELECT EXISTS (SELECT 1 FROM trail WHERE noun = 'model' AND verb = 'uses' AND new = :version)")
PROMOTIONS = """
    SELECT r.*, m.version, a.name AS proposed_by_name, b.name AS confirmed_by_name, c.name AS withdrawn_by_name
    FROM promotion r JOIN model m ON m.id = r.model_id JOIN person a ON a.id = r.proposed_by
    LEFT JOIN person b ON b.id = r.confirmed_by LEFT JOIN person c ON c.id = r.withdrawn_by
"""
END = text("""
    UPDATE promotion SET state = :state, confirmed_by = :confirmed_by, withdrawn_by = :withdrawn_by, ended_at = :now
    WHERE id = :id
""")
EXPIRE = text("""
    UPDATE promotion SET state = 'expired', ended_at = :now WHERE state = 'waiting' AND expires_on < :today
    RETURNING id
""")
UNSCORED = """
    FROM estimate e JOIN verdict v ON v.estimate_id = e.id
    WHERE e.as_of >= :since AND e.as_of <= :today AND e.model_version <> :version
      AND NOT EXISTS (SELECT 1 FROM shadow_estimate s WHERE s.model_id = :model_id AND s.estimate_id = e.id)
"""
AGAINST = text("""
    SELECT e.model_version AS version, count(*) AS estimates, max(s.as_of) AS until
    FROM shadow_estimate s JOIN estimate e ON e.id = s.estimate_id WHERE s.model_id = :model_id
    GROUP BY 1 ORDER BY max(s.estimate_id) DESC
""")
PAIRS = text("""
    SELECT DISTINCT ON (s.demand_id) s.demand_id, s.uscc, s.as_of, s.missing_inputs,
           e.probability AS champion, e.grade AS champion_grade, s.probability AS challenger, s.grade
    FROM shadow_estimate s JOIN estimate e ON e.id = s.estimate_id
    WHERE s.model_id = :model_id AND e.model_version = :against
    ORDER BY s.demand_id, s.estimate_id DESC
""")
DRAWN_PAIRS = text("""
    SELECT d.id, d.demand_id, d.uscc, d.loan_number, d.drawn_on, e.probability AS champion,
           p.probability AS challenger
    FROM drawdown d
    JOIN LATERAL (
        SELECT s.* FROM shadow_estimate s JOIN estimate f ON f.id = s.estimate_id AND f.model_version = :against
        WHERE s.model_id = :model_id AND s.demand_id = d.demand_id AND s.as_of <= d.drawn_on
        ORDER BY s.estimate_id DESC LIMIT 1) p ON true
    JOIN estimate e ON e.id = p.estimate_id
    WHERE d.voided_at IS NULL ORDER BY d.id
""")
LOAN_RECORDS = text("""
    SELECT item, uscc, key, happened_on, ends_on, known_on, amount_fen, quantity, code, status, party,
           CAST(details AS text) AS details, superseded_on, withdrawn_on
    FROM record WHERE uscc = ANY(:usccs) AND item IN ('loan', 'loan_performance') AND known_on <= :today
      AND (superseded_on IS NULL OR superseded_on > :today)
""")
SNAPSHOTS = text("""
    SELECT DISTINCT ON (v.demand_id) v.demand_id, e.features
    FROM estimate e JOIN verdict v ON v.estimate_id = e.id WHERE e.as_of BETWEEN :since AND :until
    ORDER BY v.demand_id, e.id DESC LIMIT :most
""")


def list_all(tx: Session) -> Sequence[Row[Any]]:
    """Every model: the one in use, shadows, candidates, retired ones; the newest first among each."""
    return tx.execute(text(f"{MODELS} {ORDER}")).all()


def find(tx: Session, version: str) -> Row[Any] | None:
    """The model of a version, or None."""
    return tx.execute(text(f"{MODELS} WHERE m.version = :version"), {"version": version}).one_or_none()


def find_in_use(tx: Session) -> Row[Any] | None:
    """The model the platform estimates with, or None."""
    return tx.execute(text(f"{MODELS} WHERE m.state = 'in_use'")).one_or_none()


def lock(tx: Session, version: str) -> Row[Any]:
    """The model of a version, locked; or NotFound."""
    found = tx.execute(text("SELECT * FROM model WHERE version = :version FOR UPDATE"), {"version": version})
    row = found.one_or_none()
    if row is None:
        raise NotFound("没有版本为 {version} 的模型。", version=version)
    return row


def list_shadows(tx: Session) -> Sequence[Row[Any]]:
    """The models that score beside the one in use."""
    return tx.execute(text("SELECT * FROM model WHERE state = 'shadow' ORDER BY id")).all()


def was_used(tx: Session, version: str) -> bool:
    """Whether the trail knows that the platform estimated with it."""
    return bool(tx.execute(WAS_USED, {"version": version}).scalar())


def add(tx: Session, row: Mapping[str, Any]) -> int:
    """Enter a model; its key."""
    (key,) = next_ids(tx, "model", 1)
    add_rows(tx, "model", [{"id": key, **row}])
    return key


def change(tx: Session, row: Mapping[str, Any]) -> None:
    """Set the named columns of a model, found by `id`."""
    change_rows(tx, "model", "id", [row])


def find_waiting(tx: Session) -> Row[Any] | None:
    """The proposal that waits for a second person; there is one at most."""
    return tx.execute(text(f"{PROMOTIONS} WHERE r.state = 'waiting'")).one_or_none()


def lock_promotion(tx: Session, promotion_id: int) -> Row[Any]:
    """A proposal with its model's version, locked; or NotFound."""
    statement = text(f"{PROMOTIONS} WHERE r.id = :id FOR UPDATE OF r")
    row = tx.execute(statement, {"id": promotion_id}).one_or_none()
    if row is None:
        raise NotFound("没有这项启用提议。")
    return row


def list_promotions(tx: Session, version: str | None = None, limit: int = 20) -> Sequence[Row[Any]]:
    """Proposals with the names of those who made and ended them, the newest first."""
    where = "WHERE CAST(:version AS text) IS NULL OR m.version = :version"
    statement = text(f"{PROMOTIONS} {where} ORDER BY r.id DESC LIMIT :limit")
    return tx.execute(statement, {"version": version, "limit": limit}).all()


def add_promotion(tx: Session, row: Mapping[str, Any]) -> int:
    """Enter a proposal, its key; Conflict where one waits already."""
    (key,) = next_ids(tx, "promotion", 1)
    try:
        with tx.begin_nested():
            add_rows(tx, "promotion", [{"id": key, **row}])
    except IntegrityError as taken:
        raise Conflict("已有一项启用提议在等第二个人确认，请先确认或撤回。") from taken
    return key


def end_promotion(
    tx: Session, promotion_id: int, state: str, now: datetime, *, confirmed_by: int | None = None,
    withdrawn_by: int | None = None,
) -> None:  # fmt: skip
    """A proposal's end: confirmed by someone else, or withdrawn."""
    by = {"confirmed_by": confirmed_by, "withdrawn_by": withdrawn_by}
    tx.execute(END, {"id": promotion_id, "state": state, "now": now, **by})


def expire(tx: Session, today: date, now: datetime) -> list[int]:
    """End proposals nobody confirmed in time; their keys."""
    return list(tx.execute(EXPIRE, {"today": today, "now": now}).scalars())


def count_unscored(tx: Session, model: Row[Any], today: date) -> int:
    """Estimates of judged demands that this shadow has not scored yet."""
    return int(tx.execute(text(f"SELECT count(*) {UNSCORED}"), _reach(model, today)).scalar_one())


def list_unscored(tx: Session, model: Row[Any], today: date, most: int) -> Sequence[Row[Any]]:
    """The oldest of them, with their snapshots."""
    columns = "e.id AS estimate_id, e.as_of, e.features, v.demand_id, v.uscc, v.district"
    statement = text(f"SELECT {columns} {UNSCORED} ORDER BY e.id LIMIT :most")
    return tx.execute(statement, _reach(model, today) | {"most": most}).all()


def _reach(model: Row[Any], today: date) -> dict[str, Any]:
    since = max(day for day in (model.shadow_from, model.scored_to) if day is not None)
    return {"model_id": model.id, "version": model.version, "since": since, "today": today}


def add_scores(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what a shadow estimated."""
    add_rows(tx, "shadow_estimate", rows)


def list_against(tx: Session, model_id: int) -> Sequence[Row[Any]]:
    """The models in use whose estimates this one has scored beside: version, estimates, last day; the latest first."""
    return tx.execute(AGAINST, {"model_id": model_id}).all()


def list_pairs(tx: Session, model_id: int, against: str) -> Sequence[Row[Any]]:
    """Both models' latest estimate of each demand they both judged, from one snapshot."""
    return tx.execute(PAIRS, {"model_id": model_id, "against": against}).all()


def list_drawn_pairs(tx: Session, model_id: int, against: str) -> Sequence[Row[Any]]:
    """Both models' estimates in force when a loan was drawn, one row a loan."""
    return tx.execute(DRAWN_PAIRS, {"model_id": model_id, "against": against}).all()


def list_loan_records(tx: Session, usccs: Sequence[str], today: date) -> Sequence[Row[Any]]:
    """The firms' loans and how they were repaid, as known on the day."""
    return tx.execute(LOAN_RECORDS, {"usccs": list(usccs), "today": today}).all()


def list_snapshots(tx: Session, since: date, until: date, most: int) -> list[Mapping[str, float | None]]:
    """What was known of the demands judged in these days, the latest of each."""
    found = tx.execute(SNAPSHOTS, {"since": since, "until": until, "most": most})
    return [row.features for row in found]
