"""An offer's fees, item by item: each counted once, in the month it is paid, and shown with who collects it."""

from decimal import Decimal
from math import sqrt

import pytest

from service.actions.answer_push import answer_line
from service.actions.choose_offer import compare_offers
from service.actions.push_lists import push_missing
from service.domain.answering import AnswerForm, OfferForm
from service.domain.cost import cost_fen
from service.domain.errors import NotPossible
from service.domain.fee import Fee, paid_by_month
from service.domain.people import the_platform
from service.domain.push_list import Repayment
from tests.builders import (
    FANG,
    FANG_HERSELF,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    rows_of,
    some_tools,
)  # fmt: skip

WAN = 1_000_000
GUARANTEE = Fee("担保费", "guarantor", "yearly", rate=Decimal("0.005"))
NOTARY = Fee("公证费", "notary", "start", amount_fen=40_000)
KEEPING = Fee("账户管理费", "bank", "monthly", amount_fen=5_000)
RELEASE = Fee("解押费", "state", "end", amount_fen=50_000)


def an_offer(*fees: Fee, **other) -> OfferForm:
    return OfferForm(**{"amount_fen": 40 * WAN, "rate": Decimal("0.04"), "term_months": 12, "loan_type": "credit"}
                     | {"fees": fees} | other)  # fmt: skip


def test_a_fee_is_counted_each_time_it_is_due_and_never_twice() -> None:
    paid = paid_by_month((GUARANTEE, NOTARY, KEEPING, RELEASE), 40 * WAN, 24)
    assert paid[0] == 200_000 + 40_000  # half a percent of 400,000 yuan, and the notary
    assert paid[12] == 200_000 + 5_000  # the second year's guarantee; the account, as every month
    assert paid[13] == 5_000
    assert paid[24] == 5_000 + 50_000
    offer = an_offer(GUARANTEE, NOTARY, KEEPING, RELEASE, term_months=24)
    assert offer.total_fees_fen == sum(paid.values()) == 2 * 200_000 + 40_000 + 24 * 5_000 + 50_000


def test_two_months_by_hand() -> None:
    """10,000 at 12 % a year, interest monthly; 100 at the start, 50 each month.

    The firm receives 9,900, pays 100 + 50, then 10,100 + 50: with x = 1 ÷ (1 + i), 10,150 x² + 150 x − 9,900 = 0.
    """
    fees = (Fee("评估费", "appraiser", "start", 10_000), Fee("管理费", "bank", "monthly", 5_000))
    offer = an_offer(*fees, amount_fen=WAN, rate=Decimal("0.12"), term_months=2)
    x = (-150 + sqrt(150**2 + 4 * 10_150 * 9_900)) / (2 * 10_150)
    assert float(offer.all_in_rate) == pytest.approx(12 * (1 / x - 1), abs=1e-7)
    assert str(offer.all_in_rate) == "0.2418197"
    assert cost_fen(WAN, Decimal("0.12"), offer.total_fees_fen, 2, Repayment.MONTHLY_INTEREST) == 20_000 + 20_000


def test_at_maturity_by_hand() -> None:
    """100,000 at 6 %, all back after a year; 1,000 at the start and 500 at the end: 99,000 = 106,500 ÷ (1 + i)^12."""
    fees = (Fee("评估费", "appraiser", "start", 100_000), Fee("解押费", "state", "end", 50_000))
    offer = an_offer(*fees, amount_fen=10 * WAN, rate=Decimal("0.06"), repayment="at_maturity")
    assert float(offer.all_in_rate) == pytest.approx(12 * ((106_500 / 99_000) ** (1 / 12) - 1), abs=1e-7)


def test_one_fee_at_the_start_costs_the_same_as_an_item_and_as_a_sum() -> None:
    assert an_offer(NOTARY).all_in_rate == an_offer(fees_fen=40_000).all_in_rate > an_offer().all_in_rate
    assert an_offer().all_in_rate == Decimal("0.0400000")


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        (an_offer(NOTARY, fees_fen=1), "只填一种"),
        (an_offer(NOTARY, NOTARY), "只能列一次"),
        (an_offer(Fee(" ", "bank", "start", 1)), "名称"),
        (an_offer(Fee("费", "nobody", "start", 1)), "由谁收取"),
        (an_offer(Fee("费", "bank", "never", 1)), "什么时候付"),
        (an_offer(Fee("费", "bank", "start")), "只填一种"),
        (an_offer(Fee("费", "bank", "start", 1, Decimal("0.01"))), "只填一种"),
        (an_offer(Fee("费", "bank", "start", 0)), "大于零"),
        (an_offer(Fee("费", "bank", "start", rate=Decimal("0.5"))), "费率"),
        (an_offer(*(Fee(f"费{n}", "bank", "start", 1) for n in range(9))), "最多"),
        (an_offer(Fee("费", "bank", "monthly", rate=Decimal("0.1"))), "不能达到贷款金额"),
    ],
)
def test_fees_that_cannot_be_are_refused_in_one_sentence(database, offer, said) -> None:
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        a_demand(tx, FANG, (made.bank,), some_tools(tx))
        push_missing(tx, PLATFORM, TODAY, NOW, some_tools(tx))
        (line,) = rows_of(tx, "push_line")
    with database.transaction(bai(made.bank)) as tx, pytest.raises(NotPossible) as refused:
        answer_line(tx, bai(made.bank), AnswerForm(line["id"], "offered", offer=offer), TODAY, NOW)
    assert said in str(refused.value)


def test_the_items_stay_beside_the_offer_and_a_double_click_is_one_offer(database) -> None:
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        demand = a_demand(tx, FANG, (made.bank,), some_tools(tx))
        push_missing(tx, PLATFORM, TODAY, NOW, some_tools(tx))
        (line,) = rows_of(tx, "push_line")
    for _again in range(2):
        with database.transaction(bai(made.bank)) as tx:
            form = AnswerForm(line["id"], "offered", offer=an_offer(GUARANTEE, NOTARY))
            answer_line(tx, bai(made.bank), form, TODAY, NOW)
    with database.transaction(FANG_HERSELF) as tx:
        (offer,) = compare_offers(tx, FANG_HERSELF, demand)
    assert offer.fees_fen == 240_000
    assert [(one["name"], one["payee"], one["due"], one["total_fen"]) for one in offer.fee_items] == [
        ("担保费", "guarantor", "yearly", 200_000),
        ("公证费", "notary", "start", 40_000),
    ]
