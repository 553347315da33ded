"""Persons, memberships, sign-ins, tries at the door, machine keys."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from service.domain.errors import Conflict, NotFound
from service.domain.people import ApiKey, Membership, Person, SignIn, Who
from service.domain.work import PlatformState
from service.store.bulk import next_ids

MEMBERSHIPS = text("""
    SELECT m.id, m.person_id, m.role, m.uscc, m.bank_id, m.district, p.name, p.login,
           f.name AS firm_name, b.name AS bank_name
    FROM membership m JOIN person p ON p.id = m.person_id
    LEFT JOIN firm f ON f.uscc = m.uscc LEFT JOIN bank b ON b.id = m.bank_id
    WHERE m.person_id = :person_id AND m.since_on <= :today AND (m.until_on IS NULL OR m.until_on > :today)
    ORDER BY m.id
""")
DEMO_PEOPLE = text("""
    SELECT DISTINCT ON (p.id) p.id, p.name, m.role, m.district, f.name AS firm_name, b.name AS bank_name
    FROM person p JOIN membership m ON m.person_id = p.id JOIN platform_state s ON s.demo_on IS NOT NULL
    LEFT JOIN firm f ON f.uscc = m.uscc LEFT JOIN bank b ON b.id = m.bank_id
    WHERE p.is_demo AND p.is_active AND m.since_on <= :today AND (m.until_on IS NULL OR m.until_on > :today)
    ORDER BY p.id, m.id
""")
COMES_IN = text("""
    WITH known AS (
        SELECT s.id, s.seen_at, s.form_token, p.one_time_until_at IS NOT NULL AS must_change_password,
               p.id AS person_id, p.name, m.role, m.uscc, m.bank_id, m.district, m.id AS membership_id
        FROM sign_in s JOIN person p ON p.id = s.person_id JOIN membership m ON m.id = s.membership_id
        WHERE s.token_hash = :token_hash AND s.ended_at IS NULL AND s.expires_at > :now AND s.seen_at > :idle_since
          AND p.is_active AND m.person_id = p.id AND m.since_on <= :today
          AND (m.until_on IS NULL OR m.until_on > :today)
    ), noted AS (
        UPDATE sign_in s SET seen_at = :now FROM known
        WHERE s.id = known.id AND known.seen_at < :now - interval '1 minute'
    )
    SELECT * FROM known
""")
"""Noted once a minute: a page that only reads writes nothing, and waits for no disk and no other page of the person."""


def find_by_login(tx: Session, login: str) -> Person | None:
    """The person with this login, active or not."""
    return tx.exec(select(Person).where(Person.login == login)).one_or_none()


def find_by_mobile(tx: Session, mobile: str) -> Person | None:
    """The one active person who registered with this mobile number; None where there are several."""
    found = tx.exec(select(Person).where(Person.phone == mobile, col(Person.is_active)).limit(2)).all()
    return found[0] if len(found) == 1 else None


def get_person(tx: Session, person_id: int) -> Person:
    """The person, or NotFound."""
    person = tx.get(Person, person_id)
    if person is None:
        raise NotFound("没有这个用户。")
    return person


def get_bank_id(tx: Session, code: str) -> int:
    """The id of the bank with this code, or NotFound."""
    found: int | None = tx.execute(text("SELECT id FROM bank WHERE code = :code"), {"code": code}).scalar()
    if found is None:
        raise NotFound("没有代码为 {code} 的银行。", code=code)
    return found


def add_person(tx: Session, person: Person, *memberships: Membership) -> Person:
    """A new person with what they are here as; Conflict for a login taken, even by someone out of sight."""
    (person.id,) = next_ids(tx, "person", 1)  # the row may not be read back before its first role stands
    try:
        with tx.begin_nested():
            tx.add(person)
            tx.flush()
    except IntegrityError as taken:
        raise Conflict("登录名 {login} 已有人使用。", field="login", login=person.login) from taken
    for membership in memberships:
        membership.person_id = person.id
        tx.add(membership)
    tx.flush()
    return person


def list_memberships(tx: Session, person_id: int, today: date) -> Sequence[Row[Any]]:
    """What the person is here as today, with the names of firm and bank."""
    return tx.execute(MEMBERSHIPS, {"person_id": person_id, "today": today}).all()


def find_demo_person(tx: Session, person_id: int) -> Person | None:
    """A person of the demo, and only where the database says of itself that it is one."""
    is_demo = exists().where(col(PlatformState.demo_on).is_not(None))
    found = select(Person).where(Person.id == person_id, col(Person.is_demo), col(Person.is_active), is_demo)
    return tx.exec(found).one_or_none()


def list_demo_people(tx: Session, today: date) -> Sequence[Row[Any]]:
    """The sign-in cards of a demo: each demo person with the first of their roles."""
    return tx.execute(DEMO_PEOPLE, {"today": today}).all()


def list_people(tx: Session, who: Who) -> Sequence[Row[Any]]:
    """Persons and their roles: everyone for the operator, the own bank's for a bank admin."""
    where = "" if who.bank_id is None else "WHERE m.bank_id = :bank_id"
    return tx.execute(
        text(
            "SELECT p.id, p.login, p.name, p.is_active, p.is_demo, p.created_at, m.id AS membership_id, m.role, m.uscc,"
            " m.bank_id, m.district, m.since_on, m.until_on, b.name AS bank_name"
            " FROM person p JOIN membership m ON m.person_id = p.id LEFT JOIN bank b ON b.id = m.bank_id"
            f" {where} ORDER BY p.login LIMIT 500"
        ),
        {"bank_id": who.bank_id},
    ).all()


def add_sign_in(tx: Session, sign_in: SignIn) -> None:
    """A new session."""
    tx.add(sign_in)
    tx.flush()


def comes_in(tx: Session, token_hash: str, today: date, now: datetime, idle: timedelta) -> Row[Any] | None:
    """Who a live session belongs to (and a note that it was used), or None."""
    return tx.execute(
        COMES_IN, {"token_hash": token_hash, "today": today, "now": now, "idle_since": now - idle}
    ).one_or_none()


def switch_membership(tx: Session, sign_in_id: int, person_id: int, membership_id: int) -> bool:
    """Act as another of the person's own memberships from now on; False when it is not theirs."""
    done = tx.execute(
        text(
            "UPDATE sign_in SET membership_id = :membership_id WHERE id = :id AND EXISTS"
            " (SELECT 1 FROM membership WHERE id = :membership_id AND person_id = :person_id)"
        ),
        {"id": sign_in_id, "person_id": person_id, "membership_id": membership_id},
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def end_sign_in(tx: Session, token_hash: str, now: datetime) -> None:
    """Sign out: the token opens nothing any more."""
    tx.execute(
        text("UPDATE sign_in SET ended_at = :now WHERE token_hash = :token_hash AND ended_at IS NULL"),
        {"token_hash": token_hash, "now": now},
    )


def end_other_sign_ins(tx: Session, person_id: int, sign_in_id: int | None, now: datetime) -> None:
    """Every session of a person ends but this one (None: all): the password is another."""
    tx.execute(
        text(
            "UPDATE sign_in SET ended_at = :now WHERE person_id = :id AND ended_at IS NULL"
            " AND id IS DISTINCT FROM CAST(:kept AS bigint)"
        ),
        {"id": person_id, "kept": sign_in_id, "now": now},
    )


def set_password(tx: Session, person_id: int, password_hash: str, one_time_until_at: datetime | None) -> None:
    """Another password; one that somebody else gave opens until then and must be changed first."""
    tx.execute(
        text("UPDATE person SET password_hash = :hash, one_time_until_at = :until_at WHERE id = :id"),
        {"id": person_id, "hash": password_hash, "until_at": one_time_until_at},
    )


def note_identity(tx: Session, person_id: int, digest: str, mobile: str) -> None:
    """Their real name was checked; the mobile it was checked with is theirs where none was known."""
    rule = "UPDATE person SET identity_digest = :digest, phone = coalesce(phone, :mobile) WHERE id = :id"
    tx.execute(text(rule), {"id": person_id, "digest": digest, "mobile": mobile})


def failures_since(tx: Session, subject: str, since: datetime) -> int:
    """Failed tries for a login or an address since its last success."""
    count: int = tx.execute(
        text(
            "SELECT count(*) FROM sign_in_attempt WHERE subject = :subject AND at > :since AND NOT succeeded AND at >"
            " coalesce((SELECT max(at) FROM sign_in_attempt WHERE subject = :subject AND succeeded), '-infinity')"
        ),
        {"subject": subject, "since": since},
    ).scalar_one()
    return count


def note_attempt(tx: Session, subject: str, now: datetime, *, succeeded: bool) -> None:
    """Remember a try at the door; those older than a day are forgotten."""
    tx.execute(
        text("INSERT INTO sign_in_attempt (subject, at, succeeded) VALUES (:subject, :now, :succeeded)"),
        {"subject": subject, "now": now, "succeeded": succeeded},
    )
    tx.execute(
        text("DELETE FROM sign_in_attempt WHERE subject = :subject AND at < :old"),
        {"subject": subject, "old": now - timedelta(days=1)},
    )


def find_api_key(tx: Session, prefix: str) -> ApiKey | None:
    """A live machine key by its prefix."""
    return tx.exec(select(ApiKey).where(ApiKey.prefix == prefix, col(ApiKey.revoked_at).is_(None))).one_or_none()


def list_api_keys(tx: Session, bank_id: int) -> Sequence[ApiKey]:
    """A bank's machine keys, live and revoked."""
    return tx.exec(select(ApiKey).where(ApiKey.bank_id == bank_id).order_by(col(ApiKey.id))).all()


def add_api_key(tx: Session, key: ApiKey) -> ApiKey:
    """Keep a new machine key (its hash)."""
    tx.add(key)
    tx.flush()
    return key


def get_api_key(tx: Session, bank_id: int, key_id: int) -> ApiKey:
    """A bank's own machine key, or NotFound."""
    key = tx.get(ApiKey, key_id)
    if key is None or key.bank_id != bank_id:
        raise NotFound("没有这个接口密钥。")
    return key
