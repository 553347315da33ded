"""Later in the day: what is out stands, and room somebody gave back goes to those who wait by the morning's rules."""

from datetime import date, timedelta

import numpy as np
import psycopg
import pytest
from sqlalchemy import text

from matching.allocate import allocate
from matching.appetite import WHOLE, Appetite
from matching.calibration import Calibration
from matching.outlook import Outlook
from matching.policy import load_policy
from matching.problem import lines_of
from matching.rules import pairs_of
from matching.supplement import what_is_left
from matching.terms import Line
from service.actions.answer_push import answer_line
from service.actions.push_lists import Pushed, push_missing
from service.actions.share_out import MEMORY, gather
from service.domain.answering import AnswerForm
from service.domain.appetite import outlook_of
from service.domain.replay import unpack
from service.store import push_lists
from service.store.database import transaction
from tests.lending import CYCLE, TODAY, WAN, Lending, at, officer, rows_of

POLICY = load_policy()
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


class Cast:
    """Banks with one product of one place each, and demands that name them."""

    def __init__(self, *places: int) -> None:
        with transaction(CYCLE) as tx:
            self.city = Lending(tx)
            self.banks = [self.city.bank() for _ in places]
            self.products = [
                self.city.product(bank, places_per_day=count) for bank, count in zip(self.banks, places, strict=True)
            ]

    def demand(self, *banks: int, named: bool = False, **more: object) -> int:
        """Of a firm that consents to these banks (by place), or names them."""
        keys = tuple(self.banks[place] for place in banks)
        with transaction(CYCLE) as tx:
            self.city.tx = tx
            return self.city.demand(**({"intended": keys} if named else {"consents": keys}) | more)

    def push(self, hour: int = 10, day: date = TODAY) -> Pushed:
        with transaction(CYCLE) as tx:
            return push_missing(tx, CYCLE, day, at(day, hour), POLICY)

    def refuse(self, demand: int, bank: int, hour: int = 11, day: date = TODAY) -> None:
        bai = officer(self.banks[bank])
        with transaction(bai) as tx:
            (line,) = rows_of(
                tx, "SELECT id FROM push_line WHERE demand_id = :d AND bank_id = :b", d=demand, b=self.banks[bank]
            )
            answer_line(tx, bai, AnswerForm(line.id, "refused", reasons=("cash_flow",)), day, at(day, hour))

    def lists(self) -> list[tuple]:
        """Run, cause, bank (by place), demand of every line, in the order they came out."""
        sql = (
            "SELECT c.run, s.cause, l.bank_id, l.demand_id FROM push_line l JOIN push_list s ON s.id = l.list_id"
            " JOIN certificate c ON c.id = s.certificate_id ORDER BY l.id"
        )
        with transaction(CYCLE) as tx:
            rows = rows_of(tx, sql)
        return [(row.run, row.cause, self.banks.index(row.bank_id), row.demand_id) for row in rows]

    def looked_at(self) -> list[int]:
        with transaction(CYCLE) as tx:
            return [demand.id for demand in gather(tx, TODAY).demands]


@pytest.fixture
def cast(database) -> Cast:
    return Cast(1, 1, 0)


def test_a_place_given_back_goes_the_same_day_to_one_who_waited_for_it(cast: Cast) -> None:
    first = cast.demand(0, named=True)
    second = cast.demand(0, named=True)
    assert cast.push().lines == 1
    assert cast.push(11) == Pushed(), "nothing is new"
    cast.refuse(first, 0)
    assert cast.push(12).lines == 1
    assert cast.lists() == [(0, "morning", 0, first), (1, "room", 0, second)]
    assert cast.push(13) == Pushed()


def test_who_named_the_bank_comes_before_a_demand_that_looks_for_another_after_a_refusal(cast: Cast) -> None:
    holder = cast.demand(0, named=True, amount_fen=10 * WAN)
    waiting = cast.demand(0, named=True, amount_fen=400 * WAN)
    moving = cast.demand(1, 0, amount_fen=10 * WAN)
    cast.push()
    assert cast.lists() == [(0, "morning", 0, holder), (0, "morning", 1, moving)]
    cast.refuse(moving, 1)
    cast.refuse(holder, 0)
    cast.push(12)
    assert cast.lists()[2:] == [(1, "room", 0, waiting)], "worth less, but it named the bank"


def test_only_those_who_named_a_bank_with_room_and_were_not_there_look_again(cast: Cast) -> None:
    first = cast.demand(0, named=True)
    there = cast.demand(0, named=True)
    elsewhere = cast.demand(1)
    waits_elsewhere = cast.demand(1)
    stranger = cast.demand(2)
    cast.push()
    assert cast.looked_at() == []
    cast.refuse(first, 0)
    assert cast.looked_at() == [first, there]
    assert not {elsewhere, waits_elsewhere, stranger} & set(cast.looked_at())


def test_a_supplement_puts_nobody_off_for_longer_and_asks_nobody_twice(cast: Cast) -> None:
    first = cast.demand(0, named=True)
    others = [cast.demand(0, named=True) for _ in range(3)]
    cast.push()
    cast.refuse(first, 0)
    with transaction(CYCLE) as tx:
        before = {row.id: row.push_on for row in rows_of(tx, "SELECT id, push_on FROM demand")}
        asked = rows_of(tx, "SELECT count(*) AS n FROM notice WHERE kind = 'consent_proposed'")[0].n
    cast.push(12)
    with transaction(CYCLE) as tx:
        after = {row.id: row.push_on for row in rows_of(tx, "SELECT id, push_on FROM demand")}
        assert {after[one] for one in others} == {before[one] for one in others} == {TOMORROW}
        again = rows_of(tx, "SELECT count(*) AS n FROM notice WHERE kind = 'consent_proposed'")[0].n
        served = {row.demand_id for row in rows_of(tx, "SELECT demand_id FROM push_line")}
        told = rows_of(tx, "SELECT DISTINCT demand_id FROM notice WHERE kind = 'consent_proposed'")
    assert again - asked <= 1, "the one that was refused may be asked for another bank"
    assert not {row.demand_id for row in told} & set(others)
    assert len(served & set(others)) == 1


def test_money_given_back_by_an_older_line_serves_who_waits_for_it(database) -> None:
    cast = Cast(9)
    with transaction(CYCLE) as tx:
        tx.execute(text("UPDATE product SET quota_fen = :fen"), {"fen": 150 * WAN})
    older = cast.demand(0)
    cast.push(day=YESTERDAY)
    waiting = cast.demand(0)
    small = cast.demand(0, amount_fen=10 * WAN)
    cast.push()
    cast.refuse(older, 0)
    cast.push(12)
    assert cast.lists() == [(0, "morning", 0, older), (0, "morning", 0, small), (1, "room", 0, waiting)]


def test_a_supplement_is_what_the_morning_s_problem_leaves_after_the_refusals(database) -> None:
    cast = Cast(3, 2, 2)
    demands = [cast.demand(0, 1, 2, named=number % 3 == 0, amount_fen=(30 + 10 * number) * WAN) for number in range(9)]
    cast.push()
    morning = [Line(row[3], cast.products[row[2]], cast.banks[row[2]], 1) for row in cast.lists()]
    refused = [morning[0], morning[-1]]
    for line in refused:
        cast.refuse(line.demand_id, cast.banks.index(line.bank_id))
    cast.push(12)
    with transaction(CYCLE) as tx:
        kept = rows_of(tx, "SELECT inputs, body FROM certificate ORDER BY run")
    problem = unpack(kept[0].inputs)
    pairs = [pairs_of(problem, lines_of(lines))[0] for lines in (morning, refused)]
    left = what_is_left(problem, *pairs)
    expected = {(line.demand_id, line.product_id) for line in allocate(left).lines.rows()}
    came = {(row[3], cast.products[row[2]]) for row in cast.lists() if row[0] == 1}
    assert came == expected
    assert len(came) >= 2
    assert {demand for demand, _ in came} <= set(demands)
    supplement = unpack(kept[1].inputs)
    open_there = np.isin(supplement.product_id, left.product_id)
    assert supplement.places[open_there].tolist() == left.places.tolist()
    assert [row.body["breaches"] for row in kept] == [[], []]


def test_a_supplement_s_appetite_is_what_learning_all_answers_anew_would_give(database) -> None:
    cast = Cast(9, 9)
    demands = [cast.demand(0, 1) for _ in range(6)]
    cast.push()
    cast.refuse(demands[0], 0)
    cast.push(11)
    for number, demand in enumerate(demands[1:5]):
        cast.refuse(demand, number % 2)
    with transaction(CYCLE) as tx:
        found = gather(tx, TODAY)
    assert found.run == 1
    assert found.outlook.appetite.to_json() == learned_anew() != Appetite().to_json()
    assert found.outlook.calibration == Calibration(), "the morning's"


def test_an_answer_the_morning_knew_counts_once_though_it_is_followed_by_another(database) -> None:
    cast = Cast(9, 9)
    old, new = cast.demand(0), cast.demand(1)
    cast.push(day=YESTERDAY)
    cast.refuse(old, 0, day=YESTERDAY)
    cast.demand(0)
    cast.push()
    cast.refuse(new, 1)
    with transaction(CYCLE) as tx:
        found = gather(tx, TODAY)
        (morning,) = rows_of(tx, 'SELECT appetite FROM certificate WHERE "on" = :day', day=TODAY)
    assert found.outlook.appetite.to_json() == learned_anew()
    known = Outlook.from_json(morning.appetite).appetite
    assert known.counts["all/b:1"] == found.outlook.appetite.counts["all/b:1"] == (WHOLE, 0), "once, in the morning"
    assert "all/b:2" not in known.counts
    assert found.outlook.appetite.counts["all/b:2"] == (WHOLE, 0)


def test_a_kept_appetite_of_a_form_no_longer_read_is_learned_anew(cast: Cast, database) -> None:
    first, _ = cast.demand(0, named=True), cast.demand(0, named=True)
    cast.push()
    with psycopg.connect(database.address.admin_url, autocommit=True) as admin:
        admin.execute("""UPDATE certificate SET appetite = '{"version": 99, "until_answer": 0, "counts": {}}'""")
    cast.refuse(first, 0)
    with transaction(CYCLE) as tx:
        assert gather(tx, TODAY).outlook.appetite.to_json() == learned_anew()


def learned_anew() -> dict:
    with transaction(CYCLE) as tx:
        return outlook_of(push_lists.list_answered(tx, TODAY - MEMORY), (), TODAY).appetite.to_json()
