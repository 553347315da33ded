"""The firm compares offers by what they cost in all and takes one; the rest close; offers lapse or are taken back."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from service.actions.answer_push import answer_line
from service.actions.choose_offer import (
    accept_offer,
    accept_offers,
    compare_offers,
    decline_offer,
    decline_offers,
    lapse_offers,
    take_back_offer,
)
from service.domain.answering import AnswerForm, OfferForm
from service.domain.cost import all_in_rate
from service.domain.errors import Conflict, NotAllowed, NotFound
from service.domain.people import Who
from service.domain.push_list import Repayment
from service.store.database import transaction
from tests.lending import CYCLE, NOW, TODAY, WAN, Lending, at, officer, owner, row_of, rows_of


class Cast:
    """Bai's bank offers 4.35 % without fees, Bo's 4.00 % with fees that make it dearer; a third has not answered."""

    def __init__(self) -> None:
        with transaction(CYCLE) as tx:
            city = Lending(tx)
            banks = [city.bank() for _ in range(3)]
            self.products = [city.product(bank) for bank in banks]
            self.demand = city.demand()
            self.lines = [city.line(self.demand, product) for product in self.products]
            self.fang = owner(city.row("demand", self.demand).uscc)
            self.feng = owner(city.firm())
        self.bai, self.bo, self.quiet = (officer(bank, 50 + bank) for bank in banks)
        self.cheap = self.offer(self.bai, self.lines[0], OfferForm(80 * WAN, Decimal("0.0435"), 12, "credit"))
        self.dear = self.offer(self.bo, self.lines[1], OfferForm(90 * WAN, Decimal("0.04"), 12, "credit", fees_fen=WAN))

    def offer(self, who: Who, line: int, form: OfferForm) -> int:
        with transaction(who) as tx:
            answer = answer_line(tx, who, AnswerForm(line, "offered", offer=form), TODAY, NOW)
            return rows_of(tx, "SELECT id FROM offer WHERE answer_id = :a", a=answer)[0].id

    def offered_to(self, firm: int) -> tuple[Who, int, int]:
        """Another firm with a demand of its own: who it is, the demand, and what Bai's bank offers it."""
        with transaction(CYCLE) as tx:
            city = Lending(tx, firms=firm, made={"demand": firm})
            demand = city.demand()
            line, who = city.line(demand, self.products[0]), owner(city.row("demand", demand).uscc)
        return who, demand, self.offer(self.bai, line, OfferForm(70 * WAN, Decimal("0.045"), 12, "credit"))

    def now(self, table: str, key: int):
        with transaction(CYCLE) as tx:
            return row_of(tx, table, key)

    def accept(self, offer: int, who: Who | None = None, day=TODAY) -> None:
        with transaction(who or self.fang) as tx:
            accept_offer(tx, who or self.fang, offer, day, at(day))


@pytest.fixture
def cast(database) -> Cast:
    return Cast()


def test_offers_are_compared_by_what_they_cost_in_all(cast: Cast) -> None:
    with transaction(cast.fang) as tx:
        offers = compare_offers(tx, cast.fang, cast.demand)
    assert [offer.id for offer in offers] == [cast.cheap, cast.dear]
    with transaction(cast.feng) as tx, pytest.raises(NotFound):
        compare_offers(tx, cast.feng, cast.demand)


def test_one_offer_is_taken_and_the_other_lines_close_without_a_refusal(cast: Cast) -> None:
    cast.accept(cast.cheap)
    assert [cast.now("push_line", line).state for line in cast.lines] == ["accepted", "passed_over", "passed_over"]
    assert [cast.now("offer", offer).state for offer in (cast.cheap, cast.dear)] == ["accepted", "passed_over"]
    assert [cast.now("product", product).reserved_fen for product in cast.products] == [100 * WAN, 0, 0]
    demand = cast.now("demand", cast.demand)
    assert (demand.state, demand.next_step, demand.next_by, str(demand.next_on)) == (
        "accepted",
        "grant",
        "bank",
        "2026-07-08",
    )
    with transaction(CYCLE) as tx:
        told = rows_of(tx, "SELECT kind, bank_id FROM notice WHERE bank_id IS NOT NULL ORDER BY bank_id")
    assert [(row.kind, row.bank_id) for row in told] == [
        ("offer_accepted", cast.bai.bank_id),
        ("line_passed_over", cast.bo.bank_id),
        ("line_passed_over", cast.quiet.bank_id),
    ]


def test_taking_an_offer_twice_is_taking_it_once(cast: Cast) -> None:
    cast.accept(cast.cheap)
    cast.accept(cast.cheap)
    with pytest.raises(Conflict):
        cast.accept(cast.dear)
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT count(*) AS n FROM trail WHERE verb = 'accepted' AND noun = 'push_line'")[0].n == 1


def test_only_the_firm_itself_chooses(cast: Cast) -> None:
    with pytest.raises(NotFound):
        cast.accept(cast.cheap, cast.feng)
    with pytest.raises(NotAllowed):
        cast.accept(cast.cheap, cast.bai)


def test_two_clerks_who_take_two_offers_at_once_end_with_one(cast: Cast) -> None:
    barrier, outcomes = threading.Barrier(2), []

    def take(offer: int) -> None:
        barrier.wait()
        try:
            cast.accept(offer)
            outcomes.append("taken")
        except Conflict:
            outcomes.append("late")

    threads = [threading.Thread(target=take, args=(offer,)) for offer in (cast.cheap, cast.dear)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["late", "taken"]
    assert sorted(cast.now("offer", offer).state for offer in (cast.cheap, cast.dear)) == ["accepted", "passed_over"]


def test_an_offer_lapses_the_day_after_its_last(cast: Cast) -> None:
    last = cast.now("offer", cast.cheap).valid_until_on
    for day, lapsed in ((last, 0), (last + timedelta(days=1), 2), (last + timedelta(days=1), 0)):
        with transaction(CYCLE) as tx:
            assert lapse_offers(tx, CYCLE, day, at(day)) == lapsed
    assert (cast.now("offer", cast.cheap).state, cast.now("push_line", cast.lines[0]).state) == ("lapsed", "withdrawn")
    with pytest.raises(Conflict, match="失效"):
        cast.accept(cast.cheap, day=last + timedelta(days=1))


def test_a_firm_may_say_no_and_go_on_with_the_others(cast: Cast) -> None:
    for _ in range(2):
        with transaction(cast.fang) as tx:
            decline_offer(tx, cast.fang, cast.dear, TODAY, NOW)
    assert cast.now("push_line", cast.lines[1]).state == "withdrawn"
    assert cast.now("demand", cast.demand).state == "offered"


LATE, NOT_THERE = "此报价已失效，请查看其他报价。", "没有这份报价。"


def test_many_firms_choose_in_one_go_and_a_bad_choice_takes_nothing_with_it(cast: Cast) -> None:
    (gao, his, offered), (hui, hers, other) = cast.offered_to(10), cast.offered_to(20)
    choices = [
        (cast.fang, cast.cheap),
        (cast.fang, cast.dear),  # too late: the first choice closed it
        (cast.fang, cast.cheap),  # twice is once
        (cast.feng, offered),  # not his
        (cast.bai, offered),  # not a firm
        (gao, offered),
        (hui, 999_999),
    ]
    with transaction(CYCLE) as tx:
        found = accept_offers(tx, choices, TODAY, NOW)
    assert [refusal and refusal.message for refusal in found] == [
        None, LATE, None, NOT_THERE, "只有企业本人可以选择报价。", None, NOT_THERE,
    ]  # fmt: skip
    assert [cast.now("offer", one).state for one in (cast.cheap, cast.dear, offered, other)] == [
        "accepted",
        "passed_over",
        "accepted",
        "open",
    ]
    assert [cast.now("demand", one).state for one in (cast.demand, his, hers)] == ["accepted", "accepted", "offered"]
    assert [cast.now("product", product).reserved_fen for product in cast.products] == [300 * WAN, 0, 0]
    with transaction(CYCLE) as tx:
        accepted = rows_of(
            tx, "SELECT demand_id, noun, new FROM trail WHERE verb = 'accepted' ORDER BY demand_id, noun DESC"
        )
        told = rows_of(tx, "SELECT demand_id FROM notice WHERE kind = 'offer_accepted' ORDER BY demand_id")
    assert [tuple(row) for row in accepted] == [
        (cast.demand, "push_line", "accepted"),
        (cast.demand, "demand", "accepted"),
        (his, "push_line", "accepted"),
        (his, "demand", "accepted"),
    ]
    assert [row.demand_id for row in told] == [cast.demand, his]


def test_a_batch_ends_as_the_same_choices_one_by_one_do(cast: Cast) -> None:
    gao, _, offered = cast.offered_to(10)
    choices = [(gao, offered), (cast.fang, cast.dear)]
    with transaction(CYCLE) as tx:
        before = tx.begin_nested()
        for who, offer in choices:
            accept_offer(tx, who, offer, TODAY, NOW)
        singly = left_behind(tx)
        assert all(singly)
        before.rollback()
        accept_offers(tx, choices, TODAY, NOW)
        assert left_behind(tx) == singly


def left_behind(tx) -> list[list[object]]:
    """What choosing writes, without the keys and the hashes."""
    return [
        rows_of(tx, sql)
        for sql in (
            "SELECT id, state, state_at, reserved_fen, due_step, due_on, closed_on FROM push_line ORDER BY id",
            "SELECT id, state, decided_at FROM offer ORDER BY id",
            "SELECT id, state, light, next_step, next_by, next_on, push_on FROM demand ORDER BY id",
            "SELECT kind, bank_id, uscc, demand_id, line_id FROM notice ORDER BY 1, 5",
            "SELECT actor, actor_id, verb, noun, noun_id, uscc, old, new, chain FROM trail ORDER BY noun, noun_id, id",
            "SELECT id, reserved_fen FROM product ORDER BY id",
        )
    ]


def test_many_firms_say_no_in_one_go_and_each_demand_goes_on(cast: Cast) -> None:
    gao, his, offered = cast.offered_to(10)
    choices = [(cast.fang, cast.dear), (cast.feng, cast.cheap), (gao, offered), (gao, offered), (cast.bo, cast.dear)]
    for _ in range(2):
        with transaction(CYCLE) as tx:
            found = decline_offers(tx, choices, TODAY, NOW)
        assert [type(refusal).__name__ for refusal in found] == [
            "NoneType",
            "NotFound",
            "NoneType",
            "NoneType",
            "NotAllowed",
        ]
    assert [cast.now("offer", one).state for one in (cast.cheap, cast.dear, offered)] == ["open", "lapsed", "lapsed"]
    assert [cast.now("demand", one).state for one in (cast.demand, his)] == ["offered", "recommended"]
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT count(*) AS n FROM trail WHERE verb = 'offer_declined' AND noun = 'push_line'") == [
            (2,)
        ]
        assert rows_of(tx, "SELECT count(*) AS n FROM procrastinate_jobs") == [(1,)]
    with transaction(CYCLE) as tx:
        assert decline_offers(tx, [], TODAY, NOW) == accept_offers(tx, [], TODAY, NOW) == []


def test_a_bank_takes_its_offer_back_with_reasons_even_after_it_was_accepted(cast: Cast) -> None:
    cast.accept(cast.cheap)
    with transaction(cast.bo) as tx, pytest.raises(NotFound):
        take_back_offer(tx, cast.bo, cast.cheap, ["credit_record"], "", TODAY, NOW)
    with transaction(cast.bai) as tx:
        take_back_offer(tx, cast.bai, cast.cheap, ["credit_record"], "", TODAY, NOW)
    demand = cast.now("demand", cast.demand)
    assert (cast.now("offer", cast.cheap).state, cast.now("push_line", cast.lines[0]).state) == (
        "taken_back",
        "refused",
    )
    assert (demand.state, demand.light, cast.now("product", cast.products[0]).reserved_fen) == (
        "recommended",
        "yellow",
        0,
    )


@pytest.mark.parametrize("repayment", list(Repayment))
def test_without_fees_monthly_interest_and_instalments_cost_the_contracts_own_rate(repayment: Repayment) -> None:
    found = all_in_rate(100 * WAN, Decimal("0.0435"), {}, 12, repayment)
    if repayment is Repayment.AT_MATURITY:
        assert found < Decimal("0.0435")  # the interest is paid later
    else:
        assert found == Decimal("0.0435000")


def test_a_fee_weighs_more_where_the_principal_is_paid_back_early() -> None:
    fee = [
        all_in_rate(100 * WAN, Decimal("0.04"), {0: WAN}, 12, way)
        for way in (Repayment.EQUAL_INSTALMENTS, Repayment.MONTHLY_INTEREST)
    ]
    assert fee[0] > fee[1] > Decimal("0.05")
    with pytest.raises(ValueError, match="fees"):
        all_in_rate(WAN, Decimal("0.04"), {0: WAN}, 12, Repayment.MONTHLY_INTEREST)
