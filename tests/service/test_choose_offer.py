"""The firm compares offers by what they cost in all and takes one; the rest close; offers lapse or are taken back."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from service.actions.answer_push import answer_line
from service.actions.choose_offer import accept_offer, compare_offers, decline_offer, lapse_offers, take_back_offer
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
    found = all_in_rate(100 * WAN, Decimal("0.0435"), 0, 12, repayment)
    if repayment is Repayment.AT_MATURITY:
        assert found < Decimal("0.0435")  # the interest is paid later
    else:
        assert found == Decimal("0.0435000")


def test_a_fee_weighs_more_where_the_principal_is_paid_back_early() -> None:
    fee = [
        all_in_rate(100 * WAN, Decimal("0.04"), WAN, 12, way)
        for way in (Repayment.EQUAL_INSTALMENTS, Repayment.MONTHLY_INTEREST)
    ]
    assert fee[0] > fee[1] > Decimal("0.05")
    with pytest.raises(ValueError, match="fees"):
        all_in_rate(WAN, Decimal("0.04"), WAN, 12, Repayment.MONTHLY_INTEREST)
