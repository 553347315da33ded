"""The ledger of consents: given, withdrawn, live on a day."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Who
from service.store.bulk import add_rows, next_ids
from service.store.standing import as_json

LIVE = (
    "c.from_on <= :today AND c.until_on >= :today"
    " AND NOT EXISTS (SELECT 1 FROM consent_withdrawal w WHERE w.consent_id = c.id)"
)
LIVE_TO_BANKS = text(f"""
    SELECT DISTINCT ON (c.uscc, c.bank_id) c.uscc, c.bank_id, c.id FROM consent c
    WHERE c.uscc = ANY(:usccs) AND c.bank_id IS NOT NULL AND c.purpose = 'credit_review' AND {LIVE}
    ORDER BY c.uscc, c.bank_id, c.until_on DESC, c.id DESC
""")
LIVE_PROFILES = text(f"""
    SELECT DISTINCT c.uscc FROM consent c WHERE c.uscc = ANY(:usccs) AND c.purpose = 'profile' AND {LIVE}
""")
LIVE_ROWS = text(f"SELECT c.* FROM consent c WHERE c.uscc = ANY(:usccs) AND {LIVE} ORDER BY c.id")
OF_A_FIRM = text(f"""
    SELECT c.*, b.name AS bank_name, b.name_en AS bank_name_en, w.withdrawn_on, ({LIVE}) AS is_live
    FROM consent c LEFT JOIN bank b ON b.id = c.bank_id LEFT JOIN consent_withdrawal w ON w.consent_id = c.id
    WHERE c.uscc = :uscc AND (CAST(:bank_id AS bigint) IS NULL OR c.bank_id = :bank_id) ORDER BY c.id DESC
""")

ONE = text(f"""
    SELECT c.*, b.name AS bank_name, w.withdrawn_on, w.withdrawn_at, ({LIVE}) AS is_live, t.words,
           p.name AS given_by_name
    FROM consent c LEFT JOIN bank b ON b.id = c.bank_id LEFT JOIN consent_withdrawal w ON w.consent_id = c.id
    LEFT JOIN consent_text t ON t.hash = c.text_hash LEFT JOIN person p ON p.id = c.given_by
    WHERE c.id = :id AND c.uscc = :uscc
""")
KEEP_WORDS = text("""
    INSERT INTO consent_text (hash, words, kept_at)
    SELECT n.hash, n.words, n.kept_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (hash text, words text, kept_at timestamptz)
    ON CONFLICT DO NOTHING
""")


def live(tx: Session, usccs: Sequence[str], today: date) -> dict[str, dict[int, int]]:
    """uscc → bank → the consent naming that bank which is live on the day (the one that lasts longest)."""
    found: dict[str, dict[int, int]] = {}
    for row in tx.execute(LIVE_TO_BANKS, {"usccs": list(usccs), "today": today}):
        found.setdefault(row.uscc, {})[row.bank_id] = row.id
    return found


def with_profile(tx: Session, usccs: Sequence[str], today: date) -> set[str]:
    """Those of the firms that let the platform build their profile on the day."""
    return set(tx.execute(LIVE_PROFILES, {"usccs": list(usccs), "today": today}).scalars())


def list_live(tx: Session, usccs: Sequence[str], today: date) -> Sequence[Row[Any]]:
    """Every consent of these firms that is live on the day, whole rows."""
    return tx.execute(LIVE_ROWS, {"usccs": list(usccs), "today": today}).all()


def list_of_firm(tx: Session, who: Who, uscc: str, today: date) -> Sequence[Row[Any]]:
    """The firm's ledger, newest first, with banks' names and whether each is live; a bank sees its own part."""
    return tx.execute(OF_A_FIRM, {"uscc": uscc, "bank_id": who.bank_id, "today": today}).all()


def add(tx: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Enter consents; their keys."""
    ids = next_ids(tx, "consent", len(rows))
    add_rows(tx, "consent", [{"id": key, **row} for key, row in zip(ids, rows, strict=True)])
    return ids


def keep_words(tx: Session, words: Mapping[str, str], now: datetime) -> None:
    """Keep the words that were shown, hash → words; what is kept already stays as it is."""
    rows = as_json({"hash": key, "words": said, "kept_at": now} for key, said in sorted(words.items()))
    if words:
        tx.execute(KEEP_WORDS, {"rows": rows})


def get(tx: Session, who: Who, consent_id: int, today: date) -> Row[Any]:
    """One of the firm's own consents with the words it was shown (None where only their hash was kept), or NotFound."""
    row = tx.execute(ONE, {"id": consent_id, "uscc": who.uscc, "today": today}).one_or_none()
    if row is None:
        raise NotFound("没有这份授权。")
    return row


def add_withdrawals(tx: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Enter the ends of consents."""
    add_rows(tx, "consent_withdrawal", rows)


def close_view(tx: Session, uscc: str, bank_id: int) -> list[int]:
    """Take the firm out of the bank's sight, except where credit was granted; its lines there that are open."""
    closed = text("""
        UPDATE push_line SET view_closed = true, firm_name = NULL, demand_number = NULL, light = NULL, grade = NULL,
            probability = NULL
        WHERE uscc = :uscc AND bank_id = :bank_id AND state NOT IN ('granted', 'drawn') RETURNING id, closed_on
    """)
    return sorted(row.id for row in tx.execute(closed, {"uscc": uscc, "bank_id": bank_id}) if row.closed_on is None)
