"""What one page shows of several nouns at once: Core rows, narrowed by `who` first, read only."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Who
from service.store.demands import IS_OPEN, NO_LINE_WITH_A_BANK

SCOPE = """
    (cast(:uscc AS text) IS NULL OR d.uscc = :uscc) AND (cast(:district AS text) IS NULL OR d.district = :district)
    AND (cast(:bank_id AS bigint) IS NULL OR EXISTS (
        SELECT 1 FROM push_line l WHERE l.demand_id = d.id AND l.bank_id = :bank_id AND NOT l.view_closed))
"""
DEMAND = f"""
    SELECT d.*, f.name AS firm_name, f.industry, f.size_class, f.kind AS firm_kind,
           (d.warned_on IS NOT NULL AND d.{IS_OPEN} AND {NO_LINE_WITH_A_BANK}) AS is_asked_again
    FROM demand d JOIN firm f ON f.uscc = d.uscc WHERE {SCOPE}
"""
LINES = """
    SELECT l.*, b.name AS bank_name, p.name AS product_name, p.rate_min, p.rate_max,
           p.amount_max_fen, b.decide_days,
           (SELECT max(a.answered_on) FROM answer a WHERE a.line_id = l.id) AS answered_on,
           o.id AS offer_id, o.amount_fen AS offer_amount_fen, o.rate, o.fees_fen, o.fee_items, o.all_in_rate,
           o.term_months AS offer_term_months, o.loan_type, o.valid_until_on, o.state AS offer_state
    FROM push_line l JOIN bank b ON b.id = l.bank_id JOIN product p ON p.id = l.product_id
    LEFT JOIN LATERAL (SELECT * FROM offer WHERE line_id = l.id ORDER BY id DESC LIMIT 1) o ON true
    WHERE l.demand_id = :demand_id AND (cast(:bank_id AS bigint) IS NULL OR l.bank_id = :bank_id) ORDER BY l.id
"""


def scope_of(who: Who) -> dict[str, Any]:
    """The parameters that narrow a query to what `who` acts for."""
    return {"uscc": who.uscc, "district": who.district, "bank_id": who.bank_id}


def list_demands(tx: Session, who: Who, limit: int = 50) -> Sequence[Row[Any]]:
    """The latest demands in scope, open ones first."""
    order = "ORDER BY d.closed_on IS NOT NULL, d.id DESC LIMIT :limit"
    return tx.execute(text(f"{DEMAND} {order}"), {**scope_of(who), "limit": limit}).all()


def get_demand(tx: Session, who: Who, demand_id: int) -> Row[Any]:
    """One demand in scope with its firm, or NotFound."""
    row = tx.execute(text(f"{DEMAND} AND d.id = :id"), {**scope_of(who), "id": demand_id}).one_or_none()
    if row is None:
        raise NotFound("没有找到这笔融资需求。")
    return row


def get_firm(tx: Session, uscc: str) -> Row[Any]:
    """A firm as it stands today, or NotFound."""
    row = tx.execute(text("SELECT * FROM firm WHERE uscc = :uscc"), {"uscc": uscc}).one_or_none()
    if row is None:
        raise NotFound("没有找到这家企业。")
    return row


def find_verdict(tx: Session, verdict_id: int | None) -> Row[Any] | None:
    """The verdict a demand stands on, with its estimate where there was one."""
    return tx.execute(
        text(
            "SELECT v.*, e.as_of, e.model_version, e.probability, e.score, e.grade, e.reasons, e.vintage, e.features"
            " FROM verdict v LEFT JOIN estimate e ON e.id = v.estimate_id WHERE v.id = :id"
        ),
        {"id": verdict_id},
    ).one_or_none()


def list_lines(tx: Session, who: Who, demand_id: int) -> Sequence[Row[Any]]:
    """The lines of a demand with bank, product and latest offer: a bank sees its own."""
    return tx.execute(text(LINES), {"demand_id": demand_id, "bank_id": who.bank_id}).all()


def list_answers(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """What banks said of a demand, in order."""
    return tx.execute(
        text(
            "SELECT a.*, b.name AS bank_name FROM answer a JOIN push_line l ON l.id = a.line_id"
            " JOIN bank b ON b.id = a.bank_id WHERE l.demand_id = :demand_id ORDER BY a.id"
        ),
        {"demand_id": demand_id},
    ).all()


def list_light_changes(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """How the light came to be what it is, oldest first."""
    return tx.execute(
        text("SELECT * FROM light_change WHERE demand_id = :demand_id ORDER BY id"), {"demand_id": demand_id}
    ).all()


def list_follow_ups(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """The obstacles of a demand, open ones first."""
    return tx.execute(
        text("SELECT * FROM follow_up WHERE demand_id = :demand_id ORDER BY closed_on IS NOT NULL, next_on, id"),
        {"demand_id": demand_id},
    ).all()


def find_open_review(tx: Session, demand_id: int) -> Row[Any] | None:
    """The look of a person that a demand waits for."""
    return tx.execute(
        text("SELECT * FROM review WHERE demand_id = :demand_id AND decided_at IS NULL"), {"demand_id": demand_id}
    ).one_or_none()


def list_wanted_banks(tx: Session, demand_id: int, today: date) -> Sequence[Row[Any]]:
    """The banks a firm named, in its order, and whether a live consent names each."""
    return tx.execute(
        text(
            "SELECT w.*, b.name AS bank_name, EXISTS (SELECT 1 FROM consent c"
            "  LEFT JOIN consent_withdrawal x ON x.consent_id = c.id"
            "  WHERE c.uscc = d.uscc AND c.bank_id = w.bank_id AND x.consent_id IS NULL"
            "  AND c.from_on <= :today AND c.until_on >= :today) AS has_consent"
            " FROM wanted_bank w JOIN bank b ON b.id = w.bank_id JOIN demand d ON d.id = w.demand_id"
            " WHERE w.demand_id = :demand_id ORDER BY w.is_intended DESC, w.rank"
        ),
        {"demand_id": demand_id, "today": today},
    ).all()


def list_banks(tx: Session, today: date) -> Sequence[Row[Any]]:
    """Partner banks of the day with the number of their products on offer."""
    return tx.execute(
        text(
            "SELECT b.*, (SELECT count(*) FROM product p WHERE p.bank_id = b.id AND p.from_on <= :today"
            "  AND (p.until_on IS NULL OR p.until_on >= :today)) AS products"
            " FROM bank b WHERE b.joined_on <= :today AND (b.left_on IS NULL OR b.left_on > :today) ORDER BY b.name"
        ),
        {"today": today},
    ).all()


def list_products(tx: Session, today: date) -> Sequence[Row[Any]]:
    """Products on offer today with their banks."""
    return tx.execute(
        text(
            "SELECT p.*, b.name AS bank_name, b.kind AS bank_kind FROM product p JOIN bank b ON b.id = p.bank_id"
            " WHERE p.from_on <= :today AND (p.until_on IS NULL OR p.until_on >= :today) ORDER BY p.rate_min, p.id"
        ),
        {"today": today},
    ).all()


def list_consents(tx: Session, uscc: str) -> Sequence[Row[Any]]:
    """A firm's consents, newest first, with their ends."""
    return tx.execute(
        text(
            "SELECT c.*, b.name AS bank_name, x.withdrawn_on FROM consent c LEFT JOIN bank b ON b.id = c.bank_id"
            " LEFT JOIN consent_withdrawal x ON x.consent_id = c.id WHERE c.uscc = :uscc ORDER BY c.id DESC LIMIT 200"
        ),
        {"uscc": uscc},
    ).all()


def list_looks(tx: Session, uscc: str, limit: int = 50) -> Sequence[Row[Any]]:
    """Who did what with this firm's data: the trail as the firm may see it, newest first."""
    return tx.execute(
        text(
            "SELECT t.*, b.name AS bank_name FROM trail t LEFT JOIN bank b ON b.id = t.bank_id"
            " WHERE t.uscc = :uscc ORDER BY t.id DESC LIMIT :limit"
        ),
        {"uscc": uscc, "limit": limit},
    ).all()


def list_looks_by(
    tx: Session, uscc: str, bank_id: int | None, since: datetime, until: datetime | None, limit: int = 50
) -> Sequence[Row[Any]]:
    """When a bank (the platform's people: None) looked at this firm while a consent held, newest first."""
    return tx.execute(
        text(
            "SELECT t.*, b.name AS bank_name FROM trail t LEFT JOIN bank b ON b.id = t.bank_id"
            " WHERE t.uscc = :uscc AND t.verb = 'looked' AND t.bank_id IS NOT DISTINCT FROM :bank_id AND t.at >= :since"
            " AND (CAST(:until AS timestamptz) IS NULL OR t.at <= :until) ORDER BY t.id DESC LIMIT :limit"
        ),
        {"uscc": uscc, "bank_id": bank_id, "since": since, "until": until, "limit": limit},
    ).all()


def list_proposed_banks(tx: Session, demand_id: int, today: date) -> Sequence[Row[Any]]:
    """The banks the platform's latest proposal names for this demand and that no live consent names yet."""
    return tx.execute(
        text(
            "SELECT b.id, b.name FROM bank b WHERE b.id IN (SELECT value::bigint FROM jsonb_array_elements_text("
            " (SELECT n.values->'banks' FROM notice n WHERE n.demand_id = :demand_id AND n.kind = 'consent_proposed'"
            "  ORDER BY n.id DESC LIMIT 1)))"
            " AND NOT EXISTS (SELECT 1 FROM consent c LEFT JOIN consent_withdrawal x ON x.consent_id = c.id"
            "  JOIN demand d ON d.id = :demand_id WHERE c.uscc = d.uscc AND c.bank_id = b.id AND x.consent_id IS NULL"
            "  AND c.from_on <= :today AND c.until_on >= :today) ORDER BY b.name"
        ),
        {"demand_id": demand_id, "today": today},
    ).all()
