"""At the door: commits before the answer leaves, a turnstile that loses nobody, machines and sessions known apart."""

import asyncio
from datetime import date, timedelta

import httpx
import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from sqlalchemy import text

from service import security
from service.app import create_app
from service.clock import Clock, machine_now
from service.domain.people import THE_DOOR, ApiKey, Membership, Person, Role, Who, the_platform
from service.doors import AnOperator, Anyone, Tx
from service.store import people
from service.store.database import Database
from tests.browser import session_of

TODAY = date(2026, 6, 30)
router = APIRouter()


@router.post("/broken-at-the-end")
def broken(tx: Tx, _: Anyone) -> dict[str, str]:
    tx.execute(text("INSERT INTO trail_head (chain, entries, hash) VALUES ('x', 0, '0')"))
    tx.connection().connection.driver_connection.close()
    return {"said": "stored"}


@router.get("/counts")
def counts(tx: Tx, _: Anyone) -> dict[str, int]:
    return {"banks": tx.execute(text("SELECT count(*) FROM bank, pg_sleep(0.02)")).scalar_one()}


@router.get("/operators")
def operators(_: AnOperator) -> dict[str, str]:
    return {"hello": "operator"}


@pytest.fixture
def app(database: Database, settings):
    return create_app(settings, database, Clock(demo_on=TODAY), [router])


@pytest.fixture
def key(database: Database) -> str:
    new = security.new_api_key()
    with database.transaction(the_platform()) as tx:
        people.add_api_key(
            tx, ApiKey(prefix=new.prefix, key_hash=new.hash, role=Role.CITY, name="desk", created_at=machine_now())
        )
    return new.secret


def test_a_failing_commit_never_answers_stored(app, key) -> None:
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post("/broken-at-the-end", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code >= 500
    assert "stored" not in answer.text


def test_eighty_at_once_lose_none_behind_the_turnstile(app, key) -> None:
    async def rush() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://house", timeout=60) as client:
            asked = [client.get("/counts", headers={"Authorization": f"Bearer {key}"}) for _ in range(80)]
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert asyncio.run(rush()) == [200] * 80


def test_nobody_and_a_wrong_key_are_asked_to_sign_in(app, key) -> None:
    with TestClient(app) as client:
        assert client.get("/counts").status_code == 401
        wrong = client.get("/counts", headers={"Authorization": f"Bearer {key}x"})
        assert wrong.status_code == 401
        assert wrong.headers["content-type"] == "application/problem+json"
        assert client.get("/counts", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_role_that_may_not_is_told_so(app, key) -> None:
    with TestClient(app) as client:
        answer = client.get("/operators", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:xindeng:not_allowed"


def test_a_revoked_key_opens_nothing(app, key, database: Database) -> None:
    with database.transaction(the_platform()) as tx:
        tx.execute(text("UPDATE api_key SET revoked_at = now()"))
    with TestClient(app) as client:
        assert client.get("/counts", headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_a_session_opens_with_the_password_and_closes_on_sign_out(app, database: Database, settings) -> None:
    from datetime import timedelta

    from service.actions.sign_in import sign_in
    from service.domain.people import THE_DOOR
    from service.doors import cookie_name

    with database.transaction(the_platform()) as tx:
        person = Person(
            login="gao", name="高", password_hash=security.hash_password("correct horse"), created_at=machine_now()
        )
        people.add_person(tx, person, Membership(person_id=0, role=Role.CITY, since_on=TODAY))
    now = machine_now()
    with database.transaction(THE_DOOR) as tx:
        assert sign_in(tx, "gao", "wrong", "127.0.0.1", TODAY, now, timedelta(hours=1)) is None
    with database.transaction(THE_DOOR) as tx:
        opened = sign_in(tx, "gao", "correct horse", "127.0.0.1", TODAY, now, timedelta(hours=1))
    assert opened is not None
    with TestClient(app) as client:
        client.cookies.set(cookie_name(settings), opened.token)
        assert client.get("/counts").status_code == 200
        with database.transaction(THE_DOOR) as tx:
            people.end_sign_in(tx, security.hash_token(opened.token), machine_now())
        assert client.get("/counts").status_code == 401


def test_the_eleventh_try_in_five_minutes_is_refused_even_with_the_right_password(database: Database) -> None:
    from datetime import timedelta

    from service.actions.sign_in import sign_in
    from service.domain.errors import NotAllowed
    from service.domain.people import THE_DOOR

    with database.transaction(the_platform()) as tx:
        person = Person(
            login="bai", name="白", password_hash=security.hash_password("correct horse"), created_at=machine_now()
        )
        people.add_person(tx, person, Membership(person_id=0, role=Role.CITY, since_on=TODAY))
        for _ in range(10):
            people.note_attempt(tx, "login:bai", machine_now(), succeeded=False)
    with pytest.raises(NotAllowed, match="五分钟"), database.transaction(THE_DOOR) as tx:
        sign_in(tx, "bai", "correct horse", "127.0.0.1", TODAY, machine_now(), timedelta(hours=1))
    with database.transaction(THE_DOOR) as tx:
        later = machine_now() + timedelta(minutes=6)
        assert sign_in(tx, "bai", "correct horse", "127.0.0.1", TODAY, later, timedelta(hours=1)) is not None


def test_a_session_is_noted_once_a_minute_and_ends_when_it_is_left_idle(database: Database) -> None:
    came_at, half_an_hour = machine_now(), timedelta(minutes=30)
    token = security.hash_token(session_of(database, Who(Role.CITY, name="市"), TODAY))

    def comes_in(after: timedelta) -> tuple[bool, bool]:
        """Whether the session opens the door then, and whether anything was written."""
        with database.transaction(THE_DOOR) as tx:
            found = people.comes_in(tx, token, TODAY, came_at + after, half_an_hour)
            return found is not None, tx.execute(text("SELECT pg_current_xact_id_if_assigned()")).scalar() is not None

    assert comes_in(timedelta(seconds=20)) == (True, False)
    assert comes_in(timedelta(minutes=20)) == (True, True)
    assert comes_in(timedelta(minutes=20, seconds=30)) == (True, False)
    assert comes_in(timedelta(minutes=49)) == (True, True)
    assert comes_in(timedelta(minutes=80)) == (False, False)
