"""Visits: whom to go to, the plans with their firms, what was heard, what it said before, what is not sent yet."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Role, Who
from service.store.bulk import add_rows, change_rows, next_ids
from service.store.work_list import district_of

A_YEAR = timedelta(days=365)
OF_FIRM = 'f.uscc COLLATE "default"'
"""The firm's code as the other tables keep it: by its own collation "C" none of their indexes would serve."""
OPEN_DEMAND = f"""
    LEFT JOIN LATERAL (SELECT id, number, light, amount_fen FROM demand WHERE uscc = {OF_FIRM} AND closed_on IS NULL
                       AND state NOT IN ('granted', 'drawn') ORDER BY id DESC LIMIT 1) d ON true
"""
LAST_VISIT = f"""
    LEFT JOIN LATERAL (SELECT max(visited_on) AS last_on FROM visit WHERE uscc = {OF_FIRM} AND state = 'made') s ON true
"""
GROUPS = {
    "any": "true",
    "quiet": f"NOT EXISTS (SELECT 1 FROM demand q WHERE q.uscc = {OF_FIRM} AND q.reported_on > :year_ago)",
    "red": "d.light = 'red'",
    "yellow": "d.light = 'yellow'",
    "new": "f.established_on > :year_ago",
    "unvisited": "(s.last_on IS NULL OR s.last_on <= :year_ago)",
}
"""Which firms a base list is made of, each a reason to go there."""
CANDIDATES = f"""
    FROM firm f {OPEN_DEMAND} {LAST_VISIT}
    WHERE f.district = :district AND f.status = 'active'
      AND (CAST(:industry AS text) IS NULL OR f.industry LIKE :industry || '%')
      AND (CAST(:size AS text) IS NULL OR f.size_class = :size)
      AND NOT EXISTS (SELECT 1 FROM visit w WHERE w.uscc = {OF_FIRM} AND w.state = 'planned')
"""
PLANS = """
    SELECT p.*, n.name AS maker, v.firms, v.made, v.not_met, v.needs, v.amount_fen
    FROM visit_plan p LEFT JOIN person n ON n.id = p.made_by
    LEFT JOIN LATERAL (
        SELECT count(*) AS firms, count(*) FILTER (WHERE state = 'made') AS made,
               count(*) FILTER (WHERE state = 'not_met') AS not_met, count(*) FILTER (WHERE has_need) AS needs,
               coalesce(sum(amount_fen), 0) AS amount_fen
        FROM visit WHERE plan_id = p.id) v ON true
    WHERE (CAST(:district AS text) IS NULL OR p.district = :district)
"""
VISIT = f"""
    SELECT v.*, p.area, p.planned_on, p.companions, f.name AS firm_name, f.industry, f.size_class, f.kind AS firm_kind,
           f.established_on, f.employees, d.id AS demand_id, d.number AS demand_number, d.light,
           d.amount_fen AS demand_fen, n.name AS person_name, r.name AS recorder
    FROM visit v JOIN visit_plan p ON p.id = v.plan_id JOIN firm f ON f.uscc = v.uscc {OPEN_DEMAND}
    LEFT JOIN person n ON n.id = v.person_id LEFT JOIN person r ON r.id = v.recorded_by
    WHERE (CAST(:district AS text) IS NULL OR v.district = :district)
"""
COUNTS = text("""
    SELECT count(*) FILTER (WHERE state = 'planned') AS planned,
           count(*) FILTER (WHERE state = 'planned' AND person_id = :me) AS mine,
           count(DISTINCT uscc) FILTER (WHERE state = 'made' AND visited_on > :year_ago) AS made,
           count(DISTINCT uscc) FILTER (WHERE has_need AND visited_on > :year_ago) AS needs,
           coalesce(sum(amount_fen) FILTER (WHERE visited_on > :year_ago), 0) AS amount_fen
    FROM visit WHERE (CAST(:district AS text) IS NULL OR district = :district)
""")
LOCK = text("SELECT * FROM visit WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
VERSIONS = text("""
    SELECT w.*, p.name AS recorder FROM visit_version w LEFT JOIN person p ON p.id = w.recorded_by
    WHERE w.visit_id = :id ORDER BY w.version DESC
""")
ADD_PLAN = text("""
    INSERT INTO visit_plan (district, area, planned_on, companions, chosen, form_key, made_by, made_at)
    VALUES (:district, :area, :planned_on, :companions, :chosen, :form_key, :made_by, :made_at)
    ON CONFLICT (form_key) DO NOTHING RETURNING id
""").bindparams(bindparam("chosen", type_=JSONB))
SAVE_DRAFT = text("""
    INSERT INTO visit_draft (visit_id, person_id, district, answers, updated_at)
    VALUES (:visit_id, :person_id, :district, :answers, :now)
    ON CONFLICT ON CONSTRAINT visit_draft_once DO UPDATE
    SET answers = excluded.answers, updated_at = excluded.updated_at
""").bindparams(bindparam("answers", type_=JSONB))
IN_DISTRICT = text("SELECT uscc FROM firm WHERE uscc = ANY(:firms) AND district = :district AND status = 'active'")
FIRM_OBSTACLES = text("""
    SELECT uscc, obstacle FROM follow_up WHERE uscc = ANY(:firms) AND closed_on IS NULL
    UNION ALL SELECT uscc, kind FROM obstacle WHERE uscc = ANY(:firms) AND cleared_on IS NULL
""")


@dataclass(frozen=True)
class Chosen:
    """What a base list is chosen by; empty means any."""

    group: str = "quiet"
    industry: str = ""
    size: str = ""
    most: int = 50

    def as_document(self) -> dict[str, Any]:
        return asdict(self)


def list_candidates(tx: Session, district: str, chosen: Chosen, today: date) -> tuple[Sequence[Row[Any]], int]:
    """Active firms of the district that nobody is about to visit, those longest without a visit first; and how many."""
    values = {
        "district": district,
        "industry": chosen.industry or None,
        "size": chosen.size or None,
        "year_ago": today - A_YEAR,
    }
    found = f"{CANDIDATES} AND {GROUPS[chosen.group]}"
    total: int = tx.execute(text(f"SELECT count(*) {found}"), values).scalar_one()
    page = f"""
        SELECT f.uscc, f.name, f.industry, f.size_class, f.established_on, d.light, s.last_on {found}
        ORDER BY s.last_on NULLS FIRST, f.uscc LIMIT :most
    """
    return tx.execute(text(page), {**values, "most": chosen.most}).all(), total


def those_of_district(tx: Session, firms: Sequence[str], district: str) -> set[str]:
    """Those of the firms that are active in the district."""
    return set(tx.execute(IN_DISTRICT, {"firms": list(firms), "district": district}).scalars())


def add_plan(tx: Session, row: Mapping[str, Any]) -> int | None:
    """Enter a plan; its key, or None where its form was sent before."""
    key: int | None = tx.execute(ADD_PLAN, row).scalar()
    return key


def find_plan_of_form(tx: Session, form_key: str) -> int | None:
    """The plan a form made."""
    key: int | None = tx.execute(text("SELECT id FROM visit_plan WHERE form_key = :key"), {"key": form_key}).scalar()
    return key


def add(tx: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Enter the firms of a plan; the keys of their visits."""
    ids = next_ids(tx, "visit", len(rows)) if rows else []
    add_rows(tx, "visit", [{"id": key, **row} for key, row in zip(ids, rows, strict=True)])
    return ids


def list_plans(tx: Session, who: Who, limit: int, offset: int = 0) -> tuple[Sequence[Row[Any]], int]:
    """One page of plans in the official's scope, the latest first, with what came of them; and how many there are."""
    where = {"district": district_of(who)}
    total: int = tx.execute(text(f"SELECT count(*) FROM ({PLANS}) x"), where).scalar_one()
    page = text(f"{PLANS} ORDER BY p.planned_on DESC, p.id DESC LIMIT :limit OFFSET :offset")
    return tx.execute(page, {**where, "limit": limit, "offset": offset}).all(), total


def get_plan(tx: Session, who: Who, plan_id: int) -> Row[Any]:
    """A plan in the official's scope, or NotFound."""
    row = tx.execute(text(f"{PLANS} AND p.id = :id"), {"district": district_of(who), "id": plan_id}).one_or_none()
    if row is None:
        raise NotFound("没有这个走访计划。")
    return row


def list_of_plan(tx: Session, who: Who, plan_id: int) -> Sequence[Row[Any]]:
    """The firms of a plan, those still to be visited first."""
    order = "ORDER BY v.state <> 'planned', f.name, v.id"
    return tx.execute(text(f"{VISIT} AND v.plan_id = :id {order}"), {"district": district_of(who), "id": plan_id}).all()


def list_planned(tx: Session, who: Who, person_id: int | None, limit: int) -> Sequence[Row[Any]]:
    """Visits still to be made by a person, the earliest day first."""
    order = "AND v.state = 'planned' AND v.person_id = :id ORDER BY p.planned_on, v.id LIMIT :limit"
    return tx.execute(text(f"{VISIT} {order}"), {"district": district_of(who), "id": person_id, "limit": limit}).all()


def count(tx: Session, who: Who, today: date) -> Row[Any]:
    """Firms still to be visited (and by oneself); firms met within a year, those with a need, and how much."""
    values = {"district": district_of(who), "me": who.person_id, "year_ago": today - A_YEAR}
    return tx.execute(COUNTS, values).one()


def get(tx: Session, who: Who, visit_id: int) -> Row[Any]:
    """A visit in the official's scope with its firm and plan, or NotFound."""
    row = tx.execute(text(f"{VISIT} AND v.id = :id"), {"district": district_of(who), "id": visit_id}).one_or_none()
    if row is None:
        raise NotFound("没有这次走访。")
    return row


def lock(tx: Session, who: Who, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Lock the visits in the order of their ids; those in the official's scope, by key."""
    rows = tx.execute(LOCK, {"ids": list(ids)}) if ids else ()
    return {row.id: row for row in rows if who.role is not Role.DISTRICT or row.district == who.district}


def change(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set the named columns of those given by `id`."""
    change_rows(tx, "visit", "id", rows)


def add_versions(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what records said before they were corrected."""
    ids = next_ids(tx, "visit_version", len(rows)) if rows else []
    add_rows(tx, "visit_version", [{"id": key, **row} for key, row in zip(ids, rows, strict=True)])


def list_versions(tx: Session, visit_id: int) -> Sequence[Row[Any]]:
    """What the record said before, the latest first."""
    return tx.execute(VERSIONS, {"id": visit_id}).all()


def obstacles_of(tx: Session, firms: Sequence[str]) -> dict[str, list[str]]:
    """Firm → the codes of what stands in its way today: follow-ups' obstacles and ledger kinds."""
    found: dict[str, list[str]] = {}
    for row in tx.execute(FIRM_OBSTACLES, {"firms": list(firms)}):
        found.setdefault(row.uscc, []).append(row.obstacle)
    return found


def save_draft(tx: Session, visit: Row[Any], person_id: int, answers: Mapping[str, list[str]], now: datetime) -> None:
    """Keep what a person has typed so far."""
    values = {"visit_id": visit.id, "person_id": person_id, "district": visit.district}
    tx.execute(SAVE_DRAFT, {**values, "answers": dict(answers), "now": now})


def find_draft(tx: Session, visit_id: int, person_id: int | None) -> Row[Any] | None:
    """What this person typed and did not send."""
    query = text("SELECT * FROM visit_draft WHERE visit_id = :id AND person_id = :person_id")
    return tx.execute(query, {"id": visit_id, "person_id": person_id}).one_or_none()


def remove_drafts(tx: Session, visit_ids: Sequence[int], person_id: int | None) -> None:
    """Forget a person's drafts of these visits: they were sent, or are not wanted."""
    query = text("DELETE FROM visit_draft WHERE visit_id = ANY(:ids) AND person_id = :person_id")
    tx.execute(query, {"ids": list(visit_ids), "person_id": person_id})


def remove_stale_drafts(tx: Session, before: datetime) -> int:
    """Forget drafts nobody touched since; how many."""
    gone = tx.execute(text("DELETE FROM visit_draft WHERE updated_at < :before"), {"before": before})
    return int(gone.rowcount)  # type: ignore[attr-defined]
