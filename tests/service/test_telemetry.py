"""What an operator reads: one line a request, its number in the answer, and nobody's identifiers."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from fastapi import APIRouter
from fastapi.testclient import TestClient

from service.app import create_app
from service.clock import Clock
from service.settings import Settings
from service.store.database import Database
from service.telemetry import mask, set_up_logging

IDENTIFIERS = (
    "91410100MA45678901",  # a credit code
    "11010519491231002X",  # an identity card (the standard's own example)
    "13800138000",
    "fang@example.com",
    "xdk_a1b2c3d4e5_" + "s" * 43,
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
)
firms = APIRouter()


@firms.get("/firms/{uscc}")
def firm(uscc: str) -> dict[str, str]:
    logging.getLogger("a.library").warning("looked at %s", uscc)
    return {}


@firms.get("/broken")
def broken() -> None:
    raise RuntimeError("could not judge 91410100MA45678901")


@pytest.fixture
def loud(settings: Settings) -> Iterator[None]:
    """The process's log as `xindeng serve` writes it; put back afterwards."""
    root = logging.getLogger()
    before, level, structured = root.handlers[:], root.level, structlog.get_config()
    set_up_logging(settings)
    yield
    root.handlers[:], root.level = before, level
    structlog.configure(**structured)


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_an_identifier_is_masked_wherever_it_stands(identifier: str) -> None:
    assert identifier not in mask(f'{{"event": "seen {identifier}, twice:{identifier}"}}')


def test_passwords_in_addresses_are_masked_and_plain_words_are_not() -> None:
    assert "hush" not in mask("cannot reach postgresql://me:hush@db:5432/xindeng")
    words = "list 2 of bank 17 on 2026-06-30: 116 lines, 3 500 000 yuan, 7f3d5de17358d894"
    assert mask(words) == words


def test_a_request_leaves_one_line_without_identifiers_and_its_number_in_the_answer(
    settings: Settings, database: Database, loud: None, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(settings)  # after capsys has changed the stream
    with TestClient(create_app(settings, database, Clock(settings.demo_on), (firms,))) as client:
        answer = client.get("/firms/91410100MA45678901?phone=13800138000")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    ours = [line for line in lines if line["event"] == "request"]
    assert len(ours) == 1
    assert ours[0] | {"ms": 0, "timestamp": ""} == {
        "event": "request",
        "level": "info",
        "logger": "xindeng",
        "method": "GET",
        "ms": 0,
        "request_id": answer.headers["X-Request-ID"],
        "route": "/firms/{uscc}",
        "status": 200,
        "timestamp": "",
    }
    library = next(line for line in lines if line["logger"] == "a.library")
    assert library["event"] == "looked at ***"
    assert not [line for line in lines for word in IDENTIFIERS if word in json.dumps(line)]


def test_a_failure_is_told_with_its_place_and_without_identifiers(
    settings: Settings, database: Database, loud: None, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(settings)
    app = create_app(settings, database, Clock(settings.demo_on), (firms,))
    assert TestClient(app, raise_server_exceptions=False).get("/broken").status_code == 500
    told = capsys.readouterr().err
    assert "could not judge ***" in told
    assert "test_telemetry.py" in told
    assert "91410100MA45678901" not in told


def test_health_reaches_the_database_and_says_when_it_cannot(settings: Settings, database: Database) -> None:
    with TestClient(create_app(settings, database, Clock(settings.demo_on))) as client:
        assert client.get("/health").json() == {"status": "ok"}
    gone = Database(database.address.for_database("xd_there_is_no_such_database"))
    with TestClient(create_app(settings, gone, Clock(settings.demo_on)), raise_server_exceptions=False) as client:
        assert client.get("/health").status_code == 503


def test_metrics_are_closed_outside_the_demo_unless_the_token_is_shown(settings: Settings, database: Database) -> None:
    closed = settings.model_copy(update={"demo": False, "demo_on": None, "metrics_token": None})
    from pydantic import SecretStr

    guarded = closed.model_copy(update={"metrics_token": SecretStr("let-me-count")})
    clock = Clock()
    assert TestClient(create_app(closed, database, clock)).get("/metrics").status_code == 404
    client = TestClient(create_app(guarded, database, clock))
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer guess"}).status_code == 404
    counted = client.get("/metrics", headers={"Authorization": "Bearer let-me-count"})
    assert counted.status_code == 200
    assert 'xindeng_request_seconds_count{method="GET",route="/metrics",status="404"}' in counted.text
