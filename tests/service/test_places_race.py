"""Two processes at the last place, the last money and the last line: one gets it. With the locks off both do."""

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from matching.policy import load_policy
from service.actions.answer_push import answer_line
from service.actions.push_lists import push_missing
from service.domain.answering import AnswerForm
from service.domain.errors import Conflict
from service.store import products
from service.store.database import Database, transaction
from tests.lending import CYCLE, TODAY, WAN, Lending, at, officer, rows_of

POLICY = load_policy()
ROUNDS = 20
DEFINITION = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s"
ONE_PUSH_EACH = textwrap.dedent("""
    import sys
    from datetime import date
    from matching.policy import load_policy
    from service.actions import push_lists as pushing
    from service.clock import instant_on
    from service.domain.people import the_platform
    from service.store import products, push_lists
    from service.store.database import Database
    from service.store.server import ServerAddress
    from sqlalchemy import text

    database, url, locks, run = sys.argv[1:]
    day = date(2026, 6, 24)
    push_lists.one_push_at_a_time = lambda tx: None  # both at once, and both as runs of their own:
    push_lists.next_run = lambda tx, day: int(run)  # nothing but the place is between them
    if locks == "off":
        products.TAKE_PLACES = text(str(products.TAKE_PLACES).split("WHERE u.used")[0])
    plan = pushing.share_out
    def wait_after(*given):
        planned = plan(*given)
        print(f"planned {len(planned.lines)}", flush=True)
        sys.stdin.readline()
        return planned
    pushing.share_out = wait_after
    try:
        opened = Database(ServerAddress("server", database, *[url] * 4))
        with opened.transaction(the_platform("cycle")) as tx:
            done = pushing.push_missing(tx, the_platform("cycle"), day, instant_on(day, 10), load_policy())
        print(f"pushed {done.lines}", flush=True)
    except Exception as wrong:
        print(f"failed {type(wrong).__name__}", flush=True)
""")


class Cast:
    """One bank with one place, money for one demand, and nobody who has either yet."""

    def __init__(self) -> None:
        with transaction(CYCLE) as tx:
            self.city = Lending(tx)
            self.bank = self.city.bank()
            self.product = self.city.product(self.bank, places_per_day=1)

    def demand(self, **more: object) -> int:
        with transaction(CYCLE) as tx:
            self.city.tx = tx
            return self.city.demand(**more)

    def count(self, sql: str) -> int:
        with transaction(CYCLE) as tx:
            return rows_of(tx, f"SELECT {sql} AS n")[0].n


@pytest.fixture
def cast(database) -> Cast:
    return Cast()


@contextmanager
def a_pusher(database: Database, locks: str, run: int) -> Iterator[subprocess.Popen]:
    """A process that has made its plan and waits for a line before it publishes."""
    here = database.address
    with subprocess.Popen(
        [sys.executable, "-c", ONE_PUSH_EACH, here.database, here.cycle_url, locks, str(run)],
        cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout.readline() == "planned 1\n"
            yield process
        finally:
            process.kill()


def two_pushers(cast: Cast, database: Database, locks: str) -> list[str]:
    """Each has planned the last place, for another demand, before the other publishes; how each ended."""
    cast.demand(consents=(cast.bank,))
    with a_pusher(database, locks, 0) as first:
        cast.demand(intended=(cast.bank,))  # the second plans for this one, who named the bank
        with a_pusher(database, locks, 1) as second:
            ends = []
            for process in (first, second):
                said, _ = process.communicate("go\n" * 9)
                ends.append(said.splitlines()[-1])
    return ends


@pytest.mark.timeout(120)
def test_of_two_processes_at_the_last_place_one_publishes_and_the_other_finds_none(cast: Cast, database) -> None:
    assert two_pushers(cast, database, "on") == ["pushed 1", "pushed 0"]
    assert cast.count("(SELECT count(*) FROM push_line)") == 1
    assert cast.count("(SELECT used FROM place_use)") == 1


@pytest.mark.timeout(120)
def test_with_the_condition_off_the_database_itself_still_refuses_the_second(cast: Cast, database) -> None:
    assert two_pushers(cast, database, "off") == ["pushed 1", "failed IntegrityError"]
    assert cast.count("(SELECT count(*) FROM push_line)") == 1


@pytest.mark.timeout(120)
def test_with_all_locks_off_the_last_place_is_sold_twice(cast: Cast, database) -> None:
    """The control: without what holds above, these very processes oversell."""
    with without(database, "place_use", "place_use_within_places"):
        assert two_pushers(cast, database, "off") == ["pushed 1", "pushed 1"]
        assert cast.count("(SELECT count(*) FROM push_line)") == 2
        assert cast.count("(SELECT used FROM place_use)") == 2


@contextmanager
def without(database: Database, table: str, check: str) -> Iterator[None]:
    """As if the table had no such check; it has it again afterwards, when what broke it is gone."""
    with psycopg.connect(database.address.admin_url, autocommit=True) as admin:
        (kept,) = admin.execute(DEFINITION, (check,)).fetchone()
        admin.execute(f"ALTER TABLE {table} DROP CONSTRAINT {check}")
        try:
            yield
        finally:
            admin.execute(f"DELETE FROM {table}")
            admin.execute(f"ALTER TABLE {table} ADD CONSTRAINT {check} {kept}")


# --- many at once, statement by statement ----------------------------------------------------------------------------


def at_once(*acts: Callable[[], object]) -> list[object]:
    """All of them in transactions of their own that begin together; what each answered or raised."""
    barrier, ends = threading.Barrier(len(acts)), []

    def one(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            ends.append(act())
        except Conflict as lost:
            ends.append(lost)

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def taken(cast: Cast, take: Callable[[object], None]) -> int:
    """How many of four succeed."""

    def one() -> bool:
        with transaction(CYCLE) as tx:
            take(tx)
        return True

    return sum(end is True for end in at_once(*[one] * 4))


def test_the_last_place_is_taken_once_in_every_round(cast: Cast) -> None:
    for day in range(ROUNDS):
        on = TODAY.replace(day=1 + day)
        assert taken(cast, lambda tx, on=on: products.take_places(tx, {cast.product: 1}, on)) == 1


def test_the_last_money_is_reserved_once_in_every_round(cast: Cast) -> None:
    for round_ in range(ROUNDS):
        with transaction(CYCLE) as tx:
            products.change(tx, cast.product, {"quota_fen": (1 + round_) * WAN})
        assert taken(cast, lambda tx: products.move_money(tx, {cast.product: WAN}, {})) == 1
    assert cast.count("(SELECT reserved_fen FROM product)") == ROUNDS * WAN


def test_money_counted_first_and_reserved_after_is_oversold(cast: Cast, database) -> None:
    """The control: the plain way, to read what is left and then to write, passes the quota with the same four."""

    def read_then_write(tx) -> None:
        (row,) = rows_of(tx, "SELECT quota_fen - reserved_fen AS n FROM product")
        meet.wait()
        if row.n >= WAN:
            products.change(tx, cast.product, {"reserved_fen": WAN})
            with_money.append(1)

    meet, with_money = threading.Barrier(4), []
    with transaction(CYCLE) as tx:
        products.change(tx, cast.product, {"quota_fen": WAN})
    taken(cast, read_then_write)
    assert len(with_money) == 4, "four reserved what was there for one"


def test_a_place_is_given_back_once_by_two_officers_who_refuse_together_and_goes_to_one(cast: Cast) -> None:
    demands = [cast.demand(intended=(cast.bank,)) for _ in range(4)]
    with transaction(CYCLE) as tx:
        push_missing(tx, CYCLE, TODAY, at(TODAY), POLICY)
    (line,) = _lines()

    def refuse(person: int, why: str) -> Callable[[], object]:
        bai = officer(cast.bank, person)

        def say() -> object:
            with transaction(bai) as tx:
                return answer_line(tx, bai, AnswerForm(line.id, "refused", reasons=(why,)), TODAY, at(TODAY, 11))

        return say

    ends = at_once(refuse(50, "industry"), refuse(51, "region"))
    assert sorted(type(end).__name__ for end in ends) == ["Conflict", "int"]
    assert cast.count("(SELECT used FROM place_use)") == 0

    def push() -> object:
        with transaction(CYCLE) as tx:
            return push_missing(tx, CYCLE, TODAY, at(TODAY, 12), POLICY).lines

    assert sorted(at_once(push, push, push)) == [0, 0, 1]
    assert cast.count("(SELECT used FROM place_use)") == 1
    assert len({row.demand_id for row in _lines()}) == 2
    assert {row.demand_id for row in _lines()} <= set(demands)


def _lines() -> list:
    with transaction(CYCLE) as tx:
        return rows_of(tx, "SELECT id, demand_id FROM push_line ORDER BY id")
