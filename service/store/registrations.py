"""Registrations in PostgreSQL: one browser's own, those that wait for a decision, and the checks of real names."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from service.domain.errors import Conflict, NotFound
from service.domain.people import Who
from service.store.bulk import add_rows, next_ids

KEPT = timedelta(days=7)
"""What somebody began and left for so long is removed: it holds a name and a telephone number."""
OFFICE_AFTER = timedelta(days=7)
"""A request nobody of the firm has answered for so long is shown to the office too."""
NAME_TOKEN = text("SELECT set_config('xindeng.registration', :token_hash, true)")
FIND = "SELECT * FROM registration WHERE token_hash = :token_hash"
START = text("""
    INSERT INTO registration (token_hash, state, answers, wrong_code, authority, identity_shown, started_at, updated_at)
    VALUES (:token_hash, 'filling', '{}', false, '', '', :now, :now) ON CONFLICT (token_hash) DO NOTHING
""")
KEEP = text("UPDATE registration SET answers = :answers, updated_at = :now WHERE id = :id").bindparams(
    bindparam("answers", type_=JSONB)
)
UNPROVE = text("""
    UPDATE registration SET proved_by = NULL, proved_on = NULL, identity_digest = NULL, identity_shown = ''
    WHERE id = :id
""")
PROVE = text("""
    UPDATE registration SET proved_by = :check_id, proved_on = :on, identity_digest = :digest, identity_shown = :shown,
        updated_at = :now
    WHERE id = :id AND state = 'filling'
""")
KEEP_ACCOUNT = text("""
    UPDATE registration SET password_hash = :password_hash, terms_hash = :terms_hash, updated_at = :now WHERE id = :id
""")
SEND = text("""
    UPDATE registration SET state = :state, answers = '{}', uscc = :uscc, firm_name = :firm_name, kind = :kind,
        wrong_code = :wrong_code, name = :name, mobile = :mobile, capacity = :capacity, authority = :authority,
        person_id = :person_id, password_hash = NULL, submitted_on = :on,
        submitted_at = :now, updated_at = :now, opened_on = :opened_on
    WHERE id = :id AND state = 'filling'
""")
ADOPT = text("""
    UPDATE registration SET person_id = :person_id, answers = :answers, password_hash = NULL, terms_hash = NULL,
        proved_by = NULL, proved_on = NULL, identity_digest = NULL, identity_shown = '', updated_at = :now
    WHERE id = :id AND state = 'filling'
""").bindparams(bindparam("answers", type_=JSONB))
DECIDE = text("""
    UPDATE registration SET state = :state, opened_on = :opened_on, decided_by = :by, decided_at = :now
    WHERE id = :id AND state = 'waiting'
""")
TO_DECIDE = """
    FROM registration r LEFT JOIN firm f ON f.uscc = r.uscc
    WHERE r.state = 'waiting' AND (CAST(:uscc AS text) IS NULL OR r.uscc = :uscc)
      AND (CAST(:district AS text) IS NULL OR r.district = :district)
      AND (:uscc IS NOT NULL OR r.asks = 'office' OR r.submitted_at < :long_ago)
"""


def find(tx: Session, token_hash: str) -> Row[Any] | None:
    """The registration this browser's token opens, or None; from here on the transaction sees this one."""
    tx.execute(NAME_TOKEN, {"token_hash": token_hash})
    return tx.execute(text(FIND), {"token_hash": token_hash}).one_or_none()


def lock(tx: Session, token_hash: str) -> Row[Any]:
    """The same, a draft held to the end of the transaction (what was sent changes no more at the door).

    Errors: NotFound where it was given up or forgotten.
    """
    tx.execute(NAME_TOKEN, {"token_hash": token_hash})
    held = tx.execute(text(f"{FIND} FOR UPDATE"), {"token_hash": token_hash}).one_or_none()
    found = held or find(tx, token_hash)
    if found is None:
        raise NotFound("这份登记已不在，请重新开始。")
    return found


def start(tx: Session, token_hash: str, now: datetime) -> None:
    """An empty draft behind a fresh token."""
    tx.execute(NAME_TOKEN, {"token_hash": token_hash})
    tx.execute(START, {"token_hash": token_hash, "now": now})


def keep(tx: Session, key: int, answers: Mapping[str, Any], now: datetime) -> None:
    """Keep the answers given so far."""
    tx.execute(KEEP, {"id": key, "answers": dict(answers), "now": now})


def unprove(tx: Session, key: int) -> None:
    """What was checked is not what stands there now."""
    tx.execute(UNPROVE, {"id": key})


def adopt(tx: Session, key: int, person_id: int, answers: Mapping[str, Any], now: datetime) -> None:
    """The draft is one account's from here on: these answers stay, whatever was proved or agreed to does not."""
    tx.execute(ADOPT, {"id": key, "person_id": person_id, "answers": dict(answers), "now": now})


def add_check(tx: Session, row: Mapping[str, Any]) -> int:
    """A question that was put to a provider; its key."""
    (key,) = next_ids(tx, "real_name_check", 1)
    add_rows(tx, "real_name_check", [{"id": key, **row}])
    return key


def prove(tx: Session, key: int, proof: Mapping[str, Any]) -> None:
    """The check that was passed, whose digest, and on which day."""
    tx.execute(PROVE, {"id": key, **proof})


def keep_account(tx: Session, key: int, password_hash: str | None, terms_hash: str, now: datetime) -> None:
    """The password's hash (None: the account is there) and the terms agreed to; the login stands among the answers."""
    tx.execute(KEEP_ACCOUNT, {"id": key, "password_hash": password_hash, "terms_hash": terms_hash, "now": now})


def send(tx: Session, key: int, sent: Mapping[str, Any]) -> None:
    """The draft becomes a registration; Conflict where this person has registered for this firm already."""
    try:
        with tx.begin_nested():
            tx.execute(SEND, {"id": key, **sent})
    except IntegrityError as taken:
        raise Conflict("您已经为这家企业登记过，请直接登录；忘记密码可以在登录页重设。") from taken


def enter(tx: Session, key: int) -> Row[Any]:
    """What follows from a registration: sent, whom it asks, of which district; opened, the firm, its day, the role."""
    return tx.execute(text("SELECT district, asks FROM enter_registration(:id)"), {"id": key}).one()


def find_sent(tx: Session, key: int) -> Row[Any] | None:
    """A registration `who` may decide, held to the end of the transaction, or has decided; or None."""
    rule = "SELECT * FROM registration WHERE id = :id AND state <> 'filling'"
    held = tx.execute(text(f"{rule} FOR UPDATE"), {"id": key}).one_or_none()
    return held or tx.execute(text(rule), {"id": key}).one_or_none()


def decide(tx: Session, key: int, decision: Mapping[str, Any]) -> bool:
    """Open or refuse one that waits; False where that was done already."""
    done = tx.execute(DECIDE, {"id": key, **decision})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def list_to_decide(tx: Session, who: Who, now: datetime, limit: int = 100) -> Sequence[Row[Any]]:
    """Who asks to act for a firm and waits for `who`, longest first, with the firm's name as registered."""
    columns = "r.*, coalesce(f.name, r.firm_name) AS registered_name"
    found = text(f"SELECT {columns} {TO_DECIDE} ORDER BY r.submitted_at, r.id LIMIT :limit")
    return tx.execute(found, _to(who, now) | {"limit": limit}).all()


def count_to_decide(tx: Session, who: Who, now: datetime) -> int:
    """How many wait for `who`."""
    count: int = tx.execute(text(f"SELECT count(*) {TO_DECIDE}"), _to(who, now)).scalar_one()
    return count


def _to(who: Who, now: datetime) -> dict[str, Any]:
    return {"uscc": who.uscc, "district": who.district, "long_ago": now - OFFICE_AFTER}


def remove(tx: Session, token_hash: str) -> None:
    """Give up what was not sent."""
    tx.execute(NAME_TOKEN, {"token_hash": token_hash})
    rule = "DELETE FROM registration WHERE token_hash = :token_hash AND state = 'filling'"
    tx.execute(text(rule), {"token_hash": token_hash})


def remove_stale(tx: Session, now: datetime) -> int:
    """Forget every draft untouched for KEPT; how many."""
    rule = "DELETE FROM registration WHERE state = 'filling' AND updated_at < :before"
    return int(tx.execute(text(rule), {"before": now - KEPT}).rowcount)  # type: ignore[attr-defined]


def is_known(tx: Session, uscc: str) -> bool:
    """Whether a register has spoken of the firm, as far as this transaction sees it."""
    rule = "SELECT EXISTS (SELECT 1 FROM firm WHERE uscc = :uscc AND status <> 'unknown')"
    return bool(tx.execute(text(rule), {"uscc": uscc}).scalar_one())


def register_by_hand(tx: Session, uscc: str, on: date) -> None:
    """An account was given out for the firm: it is here from that day, its person's real name unchecked."""
    rule = "INSERT INTO registered_firm (uscc, registered_on) VALUES (:uscc, :on) ON CONFLICT (uscc) DO NOTHING"
    tx.execute(text(rule), {"uscc": uscc, "on": on})
