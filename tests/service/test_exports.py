"""Exports: made by the worker with their maker's eyes, whole, once, again after a worker's death, never by others."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text

from service.actions import make_export as action
from service.actions.make_export import (
    About,
    Kind,
    ask_export,
    cancel_export,
    forget_expired,
    make_export,
    make_waiting,
)
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.export import MOST_TRIES, ExportKind, Wish
from service.domain.people import Who, the_platform
from service.jobs.tasks import Handed, make_app, sweep_stalled
from service.jobs.worker import run
from service.store import exports
from service.store.database import transaction
from tests.browser import session_of
from tests.builders import CITY, NOW, TODAY, bai, rows_of
from web.pages.export_kinds import KINDS

PLATFORM = the_platform("test")
WISH = Wish(ExportKind.DEMANDS, "only=all", "zh_Hans_CN")
ROWS = 45


@pytest.fixture(autouse=True)
def small_batches(monkeypatch, settings) -> None:
    """Of ten rows, into an empty folder."""
    monkeypatch.setattr(action, "BATCH", 10)
    shutil.rmtree(exports.folder_of(settings.uploads), ignore_errors=True)


@pytest.fixture
def city(database) -> Who:
    """The city's official with a real person behind."""
    session_of(database, CITY, TODAY)
    with transaction(PLATFORM) as tx:
        (person,) = rows_of(tx, "person")
    return replace(CITY, person_id=person["id"])


def numbers(rows: int = ROWS) -> dict[str, Kind]:
    """A kind whose rows are their own keys; what was read is told in `seen`."""

    def write(file: Path, batches: Any, about: About) -> None:
        lines = [str(row) for rows in batches for row in rows]
        file.write_text("\n".join([about.who.role.value, *lines]))

    return {"demands": Kind(lambda *_: list(range(rows)), lambda _tx, _who, keys: list(keys), write)}


def asked(who: Who, wish: Wish = WISH) -> int:
    with transaction(who) as tx:
        return ask_export(tx, who, wish, ROWS, TODAY, NOW)


def export(key: int) -> Any:
    with transaction(PLATFORM) as tx:
        return exports.get(tx, key)


def lines(settings: Any, key: int) -> list[str]:
    return exports.file_of(settings.uploads, key).read_text().splitlines()


@contextmanager
def dying_after(rows: int, how: type[BaseException]) -> Iterator[None]:
    """The worker dies as it is about to note so many rows."""
    whole = exports.step

    def step(tx: Any, key: int, done: int) -> bool:
        asked_to_stop = whole(tx, key, done)
        if done >= rows:
            raise how
        return asked_to_stop

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exports, "step", step)
        yield


def test_the_worker_makes_every_row_and_leaves_one_entry_on_the_trail(settings, city) -> None:
    key = asked(city)
    assert make_waiting(settings, numbers()) == 1
    one = export(key)
    assert (one.state, one.done, one.total, one.tries) == ("done", ROWS, ROWS, 1)
    assert lines(settings, key) == ["city", *map(str, range(ROWS))]
    assert one.size == exports.file_of(settings.uploads, key).stat().st_size
    with transaction(PLATFORM) as tx:
        (entry,) = rows_of(tx, "trail", noun="export")
    assert (entry["verb"], entry["noun_id"], entry["details"]["rows"]) == ("exported", key, ROWS)
    assert make_waiting(settings, numbers()) == 0


def test_the_same_asked_for_twice_is_made_once_and_another_is_another(city) -> None:
    first = asked(city)
    assert asked(city) == first
    assert asked(city, replace(WISH, query="only=open")) != first
    with transaction(PLATFORM) as tx:
        jobs = tx.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'export'")).scalar_one()
        assert (len(rows_of(tx, "export")), len(rows_of(tx, "trail", noun="export")), jobs) == (2, 2, 1)


def test_a_killed_worker_s_export_is_taken_up_again_and_made_whole(database, settings, city) -> None:
    class Killed(BaseException):
        """What no handler of ours catches: as good as SIGKILL for what is left behind."""

    key = asked(city)
    with pytest.raises(Killed), dying_after(20, Killed):
        make_export(settings, numbers(), key)
    left = export(key)
    assert (left.state, left.done) == ("running", 10)
    assert not exports.file_of(settings.uploads, key).exists()

    async def swept_and_done() -> None:
        with transaction(PLATFORM) as tx:  # the job as the dead worker leaves it
            tx.execute(text("UPDATE procrastinate_jobs SET status = 'doing', attempts = 1, worker_id = NULL"))
        app = make_app(settings, database.address.cycle_url, Handed(numbers()))
        async with app.open_async():
            assert await sweep_stalled(app) == 1
        await run(settings, Handed(numbers()), wait=False, install_signal_handlers=False)

    asyncio.run(swept_and_done())
    one = export(key)
    assert (one.state, one.done, one.tries) == ("done", ROWS, 2)
    assert lines(settings, key) == ["city", *map(str, range(ROWS))]


def test_what_kills_every_worker_is_given_up_with_a_sentence(settings, city) -> None:
    class Killed(BaseException):
        """A worker out of memory."""

    key = asked(city)
    for _ in range(MOST_TRIES):
        with pytest.raises(Killed), dying_after(10, Killed):
            make_export(settings, numbers(), key)
    assert make_export(settings, numbers(), key) == "failed"
    assert "试了三次" in export(key).message


def test_it_stops_between_two_batches_when_its_maker_asks_and_keeps_no_file(settings, city) -> None:
    key = asked(city)
    whole = exports.step

    def step(tx: Any, export_id: int, done: int) -> bool:
        if done == 20:
            with transaction(city) as own:
                cancel_export(own, city, export_id, NOW)
        return whole(tx, export_id, done)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exports, "step", step)
        assert make_export(settings, numbers(), key) == "cancelled"
    one = export(key)
    assert (one.state, one.done) == ("cancelled", 20)
    assert not list(exports.folder_of(settings.uploads).glob(f"{key}.*"))
    with pytest.raises(Conflict), transaction(city) as tx:
        cancel_export(tx, city, key, NOW)


def test_one_that_waits_is_cancelled_at_once_and_never_begun(settings, city) -> None:
    key = asked(city)
    with transaction(city) as tx:
        cancel_export(tx, city, key, NOW)
    assert export(key).state == "cancelled"
    assert make_waiting(settings, numbers()) == 0


def test_a_refusal_in_the_middle_is_told_and_the_next_export_is_made_all_the_same(settings, city) -> None:
    first, second = asked(city), asked(city, replace(WISH, query="only=open"))

    def read(_tx: Any, _who: Who, keys: Any) -> Any:
        if first and export(first).state == "running":
            raise NotPossible("这份清单现在读不出。")
        return list(keys)

    kinds = {"demands": replace(numbers()["demands"], read=read)}
    assert make_waiting(settings, kinds) == 2
    assert (export(first).state, export(first).message) == ("failed", "这份清单现在读不出。")
    assert export(second).state == "done"


def test_nobody_else_finds_it_not_even_its_maker_in_another_role(database, settings, city) -> None:
    key = asked(city)
    session_of(database, replace(CITY, name="另"), TODAY)
    for who in (replace(city, person_id=city.person_id + 1), replace(bai(1), person_id=city.person_id), bai(1)):
        with pytest.raises(NotFound), transaction(who) as tx:
            exports.get(tx, key)
        with pytest.raises(NotFound), transaction(who) as tx:
            cancel_export(tx, who, key, NOW)
    with pytest.raises(NotAllowed), transaction(replace(city, person_id=None)) as tx:
        ask_export(tx, replace(city, person_id=None), WISH, 1, TODAY, NOW)


def test_a_file_is_gone_after_its_last_day(settings, city) -> None:
    key = asked(city)
    make_waiting(settings, numbers())
    assert forget_expired(settings) == 0
    with transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE export SET expires_on = '2026-06-01'"))
    assert forget_expired(settings) == 1
    assert export(key).state == "expired"
    assert not exports.file_of(settings.uploads, key).exists()


def test_a_long_workbook_goes_on_in_the_next_sheet_and_a_formula_stays_words(tmp_path, monkeypatch) -> None:
    from web import export_book
    from web.export_book import Column
    from web.language import lazy

    monkeypatch.setattr(export_book, "MOST_ROWS", 4)
    columns = (
        Column(lazy("企业名称"), 20, lambda row: f"=1+{row}"),
        Column(lazy("金额（元）"), 12, lambda row: 150 * row, "money"),
    )
    batches = [range(1, 4), range(4, 8)]
    export_book.write(tmp_path / "book.xlsx", "需求", columns, batches, About(CITY, "zh_Hans_CN", NOW))
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    assert book.sheetnames == ["需求", "需求 2", "需求 3", "口径"]
    rows = [row for name in book.sheetnames[:3] for row in book[name].iter_rows(min_row=2, values_only=True)]
    assert rows == [(f"=1+{number}", 1.5 * number) for number in range(1, 8)]
    assert {cell.data_type for cell in book["需求"]["A"]} == {"s"}
    assert [path.name for path in tmp_path.iterdir()] == ["book.xlsx"]


def test_every_kind_says_who_may_have_it(database) -> None:
    from web.pages.export_kinds import MAY

    assert set(KINDS) == set(ExportKind) == set(MAY)
