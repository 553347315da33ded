"""The day's lists: only where a live consent names the bank, never over places or quota, all or nothing, once."""

import subprocess
import sys
import textwrap
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from matching.allocate import allocate, solver_version
from matching.appetite import REASONS
from matching.certificate import certify
from matching.policy import load_policy
from service.actions import push_lists as pushing
from service.actions.answer_push import answer_line
from service.actions.push_lists import Pushed, push_missing
from service.actions.settle_demand import settle_demands
from service.actions.share_out import gather
from service.domain.answering import AnswerForm
from service.domain.appetite import REASON_WORDS
from service.domain.errors import NotAllowed, Unavailable
from service.domain.people import the_platform
from service.domain.push_list import RefusalReason
from service.domain.replay import unpack
from service.store import push_lists
from service.store.database import Database, transaction
from tests.lending import CYCLE, NOW, TODAY, WAN, Lending, at, officer, row_of, rows_of

POLICY = load_policy()
LISTS = (
    "SELECT p.bank_id, p.number, p.content_hash, l.demand_id, l.product_id, l.rank, l.amount_fen, l.due_on"
    " FROM push_list p JOIN push_line l ON l.list_id = p.id ORDER BY 1, 2, 4"
)


def push(day: date = TODAY) -> Pushed:
    with transaction(CYCLE) as tx:
        return push_missing(tx, CYCLE, day, at(day), POLICY)


def lists() -> list[tuple]:
    with transaction(CYCLE) as tx:
        return [tuple(row) for row in rows_of(tx, LISTS)]


class Cast:
    """Three banks with one product each; Fang's demand names the first two."""

    def __init__(self, places: int = 10, **product: object) -> None:
        with transaction(CYCLE) as tx:
            self.city = Lending(tx)
            self.banks = [self.city.bank() for _ in range(3)]
            self.products = [self.city.product(bank, places_per_day=places, **product) for bank in self.banks]
            self.fang = self.city.demand(consents=tuple(self.banks[:2]))

    def demand(self, **more: object) -> int:
        with transaction(CYCLE) as tx:
            self.city.tx = tx
            return self.city.demand(**more)

    def do(self, sql: str, **values: object) -> None:
        with transaction(CYCLE) as tx:
            tx.execute(text(sql), values)

    def now(self, table: str, key: int):
        with transaction(CYCLE) as tx:
            return row_of(tx, table, key)

    def refuse(self, bank: int, reasons: tuple[str, ...] = ("industry",), day: date = TODAY) -> None:
        bai = officer(bank)
        with transaction(bai) as tx:
            (line,) = rows_of(tx, "SELECT id FROM push_line WHERE bank_id = :b AND closed_on IS NULL", b=bank)
            answer_line(tx, bai, AnswerForm(line.id, "refused", reasons=reasons), day, at(day, 14))


@pytest.fixture
def cast(database) -> Cast:
    return Cast()


def test_a_demand_goes_to_the_banks_its_firm_named_and_to_no_other(cast: Cast) -> None:
    done = push()
    assert (done.lists, done.lines, done.demands) == (2, 2, 1)
    assert [(row[0], row[1], row[3]) for row in lists()] == [(bank, 1, cast.fang) for bank in cast.banks[:2]]
    demand = cast.now("demand", cast.fang)
    assert (demand.state, demand.light, demand.next_step, demand.next_by) == ("pushed", "green", "contact", "bank")
    assert demand.next_on == date(2026, 6, 29)  # three working days


def test_a_list_says_by_when_under_which_terms_and_by_which_consent(cast: Cast) -> None:
    push()
    with transaction(CYCLE) as tx:
        line = rows_of(tx, "SELECT * FROM push_line ORDER BY id LIMIT 1")[0]
        consent = row_of(tx, "consent", line.consent_id)
        certificate = rows_of(tx, "SELECT * FROM certificate")[0]
    assert (line.contact_due_on, line.product_version, line.reserved_fen) == (date(2026, 6, 29), 1, 100 * WAN)
    assert (consent.bank_id, consent.uscc) == (line.bank_id, line.uscc)
    assert (certificate.run, certificate.is_valid, certificate.body["breaches"]) == (0, True, [])


def test_pushing_twice_changes_nothing(cast: Cast) -> None:
    push()
    before = lists()
    with transaction(CYCLE) as tx:
        entries = rows_of(tx, "SELECT count(*) AS n FROM trail")[0].n
    assert push() == Pushed()
    assert lists() == before
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT count(*) AS n FROM trail")[0].n == entries


def test_the_same_day_on_the_same_rows_gives_the_same_lists(database: Database, server) -> None:
    from service.store.server import drop_database, make_database

    cast = Cast(places=3)
    for number in range(12):
        cast.demand(consents=tuple(cast.banks), amount_fen=(10 + number) * WAN)
    database.dispose()
    twin = make_database(server, database.address.database + "_twin", template=database.address.database)
    push()
    first = lists()
    from service.store.database import use

    try:
        use(Database(twin))
        push()
        assert lists() == first
    finally:
        use(Database(database.address))
        drop_database(server, twin.database)


def test_a_withdrawn_or_expired_consent_names_nobody(cast: Cast) -> None:
    cast.do(
        "INSERT INTO consent_withdrawal (consent_id, uscc, withdrawn_on, withdrawn_at)"
        " SELECT id, uscc, :day, :now FROM consent WHERE bank_id = :bank",
        day=TODAY, now=NOW, bank=cast.banks[0],
    )  # fmt: skip
    with transaction(CYCLE) as tx:
        old = Lending(tx, firms=90)
        uscc = old.firm()
        old.demand(uscc)
        old.consent(uscc, cast.banks[0], from_on=date(2025, 1, 1), until_on=TODAY - timedelta(days=1))
    push()
    assert [row[0] for row in lists()] == [cast.banks[1]]


def test_places_are_kept_and_what_finds_none_waits_for_tomorrow(database) -> None:
    cast = Cast(places=2)
    for _ in range(5):
        cast.demand(consents=(cast.banks[0],))
    push()
    with transaction(CYCLE) as tx:
        used = rows_of(tx, "SELECT product_id, used FROM place_use ORDER BY 1")
        waiting = rows_of(tx, "SELECT next_step, push_on, next_on FROM demand WHERE state = 'recommended'")
    assert [tuple(row) for row in used] == [(cast.products[0], 2), (cast.products[1], 1)]
    tomorrow = TODAY + timedelta(days=1)
    assert {tuple(row) for row in waiting} == {("push", tomorrow, tomorrow)}, "a plan with a date that is yet to come"
    push(TODAY + timedelta(days=1))
    assert sum(row[0] == cast.banks[0] for row in lists()) == 4


def test_the_quota_is_never_passed(database) -> None:
    cast = Cast(quota_fen=250 * WAN)
    for _ in range(4):
        cast.demand(consents=(cast.banks[0],))
    push()
    assert [cast.now("product", product).reserved_fen for product in cast.products] == [200 * WAN, 100 * WAN, 0]


def test_a_fitting_intended_bank_comes_before_anyone_else(database) -> None:
    cast = Cast(places=1)
    early = [cast.demand(consents=(cast.banks[2],)) for _ in range(3)]
    late = cast.demand(intended=(cast.banks[2],))
    push()
    (line,) = [row for row in lists() if row[0] == cast.banks[2]]
    assert line[3] == late
    assert line[3] not in early


def test_at_most_three_lines_of_a_demand_are_open(database) -> None:
    with transaction(CYCLE) as tx:
        city = Lending(tx)
        banks = [city.bank() for _ in range(5)]
        for bank in banks:
            city.product(bank)
            city.product(bank)
        city.demand(consents=tuple(banks))
    push()
    push(TODAY + timedelta(days=1))
    assert len(lists()) == 3
    assert len({row[0] for row in lists()}) == 3


def test_a_red_demand_is_on_no_list(cast: Cast) -> None:
    cast.do("UPDATE demand SET light = 'red', next_on = :day WHERE id = :id", day=TODAY, id=cast.fang)
    push()
    assert lists() == []


def test_a_refusal_brings_another_bank_the_same_day_as_a_supplement(database) -> None:
    cast = Cast()
    with transaction(CYCLE) as tx:
        cast.city.tx = tx
        uscc = row_of(tx, "demand", cast.fang).uscc
        tx.execute(text("UPDATE product SET places_per_day = 0 WHERE id = :id"), {"id": cast.products[2]})
        cast.city.consent(uscc, cast.banks[2])
    push()
    cast.do("UPDATE product SET places_per_day = 10 WHERE id = :id", id=cast.products[2])
    assert push() == Pushed()  # nothing about the demand is new
    cast.refuse(cast.banks[0])
    push()
    assert [(row[0], row[1]) for row in lists()] == [(bank, 1) for bank in cast.banks]
    with transaction(CYCLE) as tx:
        causes = rows_of(tx, "SELECT cause FROM push_list ORDER BY id")
    assert [row.cause for row in causes] == ["morning", "morning", "refusal"]
    assert push() == Pushed()


def test_a_second_list_for_a_bank_on_one_day_has_the_number_two(cast: Cast) -> None:
    push()
    cast.demand(consents=(cast.banks[0],))
    push()
    assert [(row[0], row[1]) for row in lists()] == [(cast.banks[0], 1), (cast.banks[0], 2), (cast.banks[1], 1)]


def test_where_no_named_bank_fits_the_firm_is_asked_once_and_again_on_its_date(database) -> None:
    cast = Cast()
    lonely = cast.demand()
    assert push().proposals == 1
    demand = cast.now("demand", lonely)
    assert (demand.light, demand.next_step, demand.next_by) == ("yellow", "follow_up", "firm")
    assert demand.next_on == date(2026, 7, 1)  # five working days
    assert push(TODAY + timedelta(days=1)).proposals == 0
    assert push(date(2026, 7, 1)).proposals == 1
    with transaction(CYCLE) as tx:
        proposals = rows_of(tx, "SELECT values FROM notice WHERE kind = 'consent_proposed'")
        assert sorted(proposals[0].values["banks"]) == cast.banks
        assert len(proposals) == 2
        assert rows_of(tx, "SELECT count(*) AS n FROM follow_up")[0].n == 1


def test_a_consent_given_the_same_day_brings_the_demand_onto_a_list(database) -> None:
    cast = Cast()
    lonely = cast.demand()
    push()
    with transaction(CYCLE) as tx:
        cast.city.tx = tx
        cast.city.consent(row_of(tx, "demand", lonely).uscc, cast.banks[2])
        settle_demands(tx, CYCLE, [lonely], TODAY, NOW, "banks_named")
    assert push().lines == 1
    demand = cast.now("demand", lonely)
    assert (demand.state, demand.light) == ("pushed", "green")
    with transaction(CYCLE) as tx:
        (work,) = rows_of(tx, "SELECT closed_on, outcome FROM follow_up")
    assert tuple(work) == (TODAY, "pushed")


def test_a_coded_reason_closes_products_that_would_say_the_same(database) -> None:
    with transaction(CYCLE) as tx:
        city = Lending(tx)
        small, smaller, large = city.bank(), city.bank(), city.bank()
        city.product(small, amount_max_fen=150 * WAN)
        same = city.product(smaller, amount_max_fen=140 * WAN, places_per_day=0)
        other = city.product(large, amount_max_fen=900 * WAN, places_per_day=0)
        city.demand(consents=(small, smaller, large))
    push()
    with transaction(CYCLE) as tx:
        tx.execute(text("UPDATE product SET places_per_day = 5 WHERE id IN (:a, :b)"), {"a": same, "b": other})
    bai = officer(small)
    with transaction(bai) as tx:
        (line,) = rows_of(tx, "SELECT id FROM push_line")
        answer_line(tx, bai, AnswerForm(line.id, "refused", reasons=("amount_too_high",)), TODAY, NOW)
    push()
    assert [row[0] for row in lists()] == [small, large]


def test_when_no_bank_is_left_the_demand_is_yellow_with_a_dated_plan(cast: Cast) -> None:
    cast.do("UPDATE product SET until_on = :day WHERE id = :id", day=TODAY - timedelta(days=1), id=cast.products[2])
    push()
    cast.refuse(cast.banks[0])
    cast.refuse(cast.banks[1])
    assert push().without_bank == 1
    demand = cast.now("demand", cast.fang)
    assert (demand.state, demand.light, demand.next_by, demand.next_on) == (
        "recommended",
        "yellow",
        "district",
        date(2026, 7, 1),
    )
    with transaction(CYCLE) as tx:
        assert [row.obstacle for row in rows_of(tx, "SELECT obstacle FROM follow_up")] == ["no_bank_left"]


def test_beyond_the_calendar_a_line_is_pushed_and_its_clock_waits(cast: Cast) -> None:
    day = date(2030, 3, 4)
    with transaction(the_platform()) as tx:
        city = Lending(tx, firms=70)
        uscc = city.firm()
        city.demand(uscc, push_on=day)
        city.consent(uscc, cast.banks[0], from_on=day, until_on=day)
    push(day)
    with transaction(CYCLE) as tx:
        (line,) = rows_of(tx, "SELECT * FROM push_line WHERE uscc = :u", u=uscc)
    assert (line.due_on, line.waits_for_calendar) == (None, True)
    assert cast.now("demand", line.demand_id).waits_for_calendar


def test_only_the_platform_pushes(cast: Cast) -> None:
    bai = officer(cast.banks[0])
    with transaction(bai) as tx, pytest.raises(NotAllowed):
        push_missing(tx, bai, TODAY, NOW, POLICY)


def test_a_list_without_a_valid_certificate_is_not_pushed(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    found = pushing.share_out

    def cheat(gathered, policy):
        plan = found(gathered, policy)
        line = plan.lines[0]
        stranger = type(line)(line.demand_id, cast.products[2], cast.banks[2], 3)
        lines = (*plan.lines, stranger)
        certificate = certify(plan.problem, lines, allocate(plan.problem).prices)
        return type(plan)(**vars(plan) | {"lines": lines, "certificate": certificate})

    monkeypatch.setattr(pushing, "share_out", cheat)
    with pytest.raises(Unavailable, match="未通过校验"):
        push()
    assert lists() == []


CERTIFICATES = {
    "an invalid one": {"is_valid": False, "body": {"breaches": ["bank 1 has 2 lines on 1 places"]}},
    "another day's": {"on": TODAY - timedelta(days=1)},
}


@pytest.mark.parametrize("which", CERTIFICATES)
def test_the_database_itself_keeps_no_list_without_a_valid_certificate_of_its_day(cast: Cast, which: str) -> None:
    certificate = {"on": TODAY, "run": 5, "is_valid": True, "body": {"breaches": []}, "inputs": {}, "made_at": NOW}
    push_list = {
        "bank_id": cast.banks[0], "on": TODAY, "number": 1, "cause": "morning", "lines": 0, "amount_fen": 0,
        "content_hash": "0" * 64, "published_at": NOW,
    }  # fmt: skip

    def publish(**changed: object) -> None:
        with transaction(CYCLE) as tx:
            key = push_lists.add_certificate(tx, certificate | changed)
            push_lists.add_lists(tx, [push_list | {"certificate_id": key}])

    with pytest.raises(IntegrityError, match="push_list_is_certified"):
        publish(**CERTIFICATES[which])
    assert lists() == []
    publish()


def test_the_database_itself_calls_no_certificate_valid_that_tells_of_a_breach(cast: Cast) -> None:
    told = {"on": TODAY, "run": 0, "is_valid": True, "body": {"breaches": ["product 1 has 3 lines on 2 places"]}}
    with transaction(CYCLE) as tx, pytest.raises(IntegrityError, match="certificate_valid_without_breach"):
        push_lists.add_certificate(tx, told | {"inputs": {}, "made_at": NOW})


def test_a_certificate_s_problem_can_be_solved_again_from_what_was_kept(database) -> None:
    cast = Cast(places=2)
    for number in range(9):
        cast.demand(consents=tuple(cast.banks), amount_fen=(20 + number) * WAN)
    push()
    with transaction(CYCLE) as tx:
        kept = rows_of(tx, "SELECT inputs, body FROM certificate")[0]
    problem = unpack(kept.inputs)
    again = allocate(problem)
    assert kept.inputs["solver"] == solver_version()
    proof = certify(problem, again.lines, again.prices)
    assert (proof.input_hash, proof.output_hash) == (kept.body["input_hash"], kept.body["output_hash"])
    assert np.issubdtype(problem.amount_fen.dtype, np.integer)


def test_a_consent_withdrawn_while_the_lists_are_made_is_respected(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    found = pushing.share_out
    calls = []

    def slow(gathered, policy):
        calls.append(1)
        if len(calls) == 1:  # the firm is quicker, in a transaction of its own, which must not have to wait
            cast.do(
                "INSERT INTO consent_withdrawal (consent_id, uscc, withdrawn_on, withdrawn_at)"
                " SELECT id, uscc, :day, :now FROM consent WHERE bank_id = :bank",
                day=TODAY, now=NOW, bank=cast.banks[0],
            )  # fmt: skip
        return found(gathered, policy)

    monkeypatch.setattr(pushing, "share_out", slow)
    push()
    assert len(calls) == 2
    assert [row[0] for row in lists()] == [cast.banks[1]]


def test_many_at_once_oversell_neither_places_nor_money(database) -> None:
    cast = Cast(places=3, quota_fen=250 * WAN)
    for _ in range(8):
        cast.demand(consents=tuple(cast.banks))
    barrier, failed = threading.Barrier(4), []

    def one() -> None:
        barrier.wait()
        try:
            push()
        except Exception as wrong:  # noqa: BLE001
            failed.append(wrong)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with transaction(CYCLE) as tx:
        for product in cast.products:
            row = row_of(tx, "product", product)
            reserved = rows_of(tx, "SELECT sum(reserved_fen) AS n FROM push_line WHERE product_id = :p", p=product)[0].n
            assert row.reserved_fen == reserved == 200 * WAN
        assert rows_of(tx, "SELECT count(*) AS n FROM certificate")[0].n == 1


PUSHER = textwrap.dedent("""
    import sys
    from datetime import date
    from matching.policy import load_policy
    from service.actions.push_lists import push_missing
    from service.clock import instant_on
    from service.domain.people import the_platform
    from service.store import trail
    from service.store.database import Database
    from service.store.server import ServerAddress

    database = Database(ServerAddress("server", sys.argv[1], *[sys.argv[2]] * 4))
    day = date(2026, 6, 24)
    write = trail.append
    def stop_here(*given):
        write(*given)
        print("written", flush=True)
        sys.stdin.read()
    trail.append = stop_here
    with database.transaction(the_platform("cycle")) as tx:
        push_missing(tx, the_platform("cycle"), day, instant_on(day, 10), load_policy())
""")


def test_killed_in_the_middle_the_next_run_makes_the_same_lists(database: Database) -> None:
    cast = Cast(places=3)
    for number in range(8):
        cast.demand(consents=tuple(cast.banks), amount_fen=(10 + number) * WAN)
    with transaction(CYCLE) as tx:
        planned = pushing.share_out(gather(tx, TODAY), POLICY.on(TODAY)).lines
    pusher = subprocess.Popen(
        [sys.executable, "-c", PUSHER, database.address.database, database.address.cycle_url],
        cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert pusher.stdout.readline() == "written\n"  # everything is written, nothing committed
    pusher.kill()
    pusher.wait()
    pusher.stdin.close()
    pusher.stdout.close()
    assert lists() == []
    push()
    assert sorted((row[3], row[4], row[5]) for row in lists()) == sorted(
        (line.demand_id, line.product_id, line.rank) for line in planned
    )
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT count(*) AS n FROM trail WHERE verb = 'pushed' AND noun = 'push_line'")[0].n == len(
            planned
        )


def test_a_lost_connection_leaves_nothing_behind(cast: Cast) -> None:
    with pytest.raises(OperationalError), transaction(CYCLE) as tx:
        push_missing(tx, CYCLE, TODAY, NOW, POLICY)
        pid = tx.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with transaction(CYCLE) as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        time.sleep(0.2)
        tx.execute(text("SELECT 1"))
    assert lists() == []
    assert push().lines == 2


def test_every_line_and_every_list_has_one_entry_on_the_trail(cast: Cast) -> None:
    push()
    with transaction(CYCLE) as tx:
        verbs = rows_of(tx, "SELECT verb, noun, count(*) AS n FROM trail GROUP BY 1, 2 ORDER BY 1, 2")
        told = rows_of(tx, "SELECT kind, count(*) AS n FROM notice GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in verbs] == [
        ("published", "push_list", 2),
        ("pushed", "demand", 1),
        ("pushed", "push_line", 2),
    ]
    assert [tuple(row) for row in told] == [("demand_pushed", 1), ("list_published", 2)]


def test_a_bank_that_refuses_an_industry_is_thought_less_likely_to_take_the_next_of_it(cast: Cast) -> None:
    push()
    cast.refuse(cast.banks[0])
    cast.demand(consents=tuple(cast.banks[:2]))
    with transaction(CYCLE) as tx:
        plan = pushing.share_out(gather(tx, TODAY), POLICY.on(TODAY))
    p_grant = dict(zip(((line.demand_id, line.bank_id) for line in plan.lines), plan.p_grant, strict=True))
    last = max(demand for demand, _ in p_grant)
    assert p_grant[last, cast.banks[0]] < p_grant[last, cast.banks[1]]


def test_every_coded_reason_has_its_word_in_the_appetite() -> None:
    assert set(REASON_WORDS) == set(RefusalReason)
    assert set(REASON_WORDS.values()) <= set(REASONS)
