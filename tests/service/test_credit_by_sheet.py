"""Grants and drawdowns of one workbook: tried without a trace, taken each on its own, and no change the second time."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from service.actions.answer_push import answer_line
from service.actions.choose_offer import accept_offer
from service.actions.try_credit import CreditForms, CreditResults, report_together, try_credit
from service.domain.answering import AnswerForm, OfferForm
from service.domain.errors import NotAllowed
from service.domain.people import Who
from service.domain.reporting import DrawForm, GrantForm
from service.store import bank_credit
from service.store.database import transaction
from tests.lending import CYCLE, NOW, TODAY, WAN, Lending, officer, owner, rows_of

RATE = Decimal("0.0435000")


class Cast:
    """Two firms have accepted Bai's offers of 80 wan."""

    def __init__(self) -> None:
        with transaction(CYCLE) as tx:
            city = Lending(tx)
            self.bank, other = city.bank(), city.bank()
            product = city.product(self.bank)
            demands = [city.demand(), city.demand()]
            self.lines = [city.line(demand, product) for demand in demands]
            owners = [owner(city.row("demand", demand).uscc) for demand in demands]
        self.bai, self.bo = officer(self.bank), officer(other, 51)
        for line, firm in zip(self.lines, owners, strict=True):
            with transaction(self.bai) as tx:
                offer = OfferForm(80 * WAN, RATE, 12, "credit")
                answer_line(tx, self.bai, AnswerForm(line, "offered", offer=offer), TODAY, NOW)
            with transaction(firm) as tx:
                found = tx.execute(text("SELECT id FROM offer WHERE line_id = :line"), {"line": line}).scalar_one()
                accept_offer(tx, firm, found, TODAY, NOW)

    def grants(self, **other: object) -> list[GrantForm]:
        forms = [GrantForm(line, 80 * WAN, RATE, 12, "credit", TODAY) for line in self.lines]
        return [replace(form, **other) for form in forms]

    def says(self, forms: CreditForms, act=report_together, who: Who | None = None) -> CreditResults:
        with transaction(who or self.bai) as tx:
            return act(tx, who or self.bai, forms, TODAY, NOW)

    def count(self, table: str) -> int:
        with transaction(CYCLE) as tx:
            return int(rows_of(tx, f"SELECT count(*) AS n FROM {table}")[0].n)


@pytest.fixture
def cast(database) -> Cast:
    return Cast()


def draw(grant: int, number: str = "J1", **other: object) -> DrawForm:
    return replace(DrawForm(grant, number, 30 * WAN, RATE, TODAY, TODAY + timedelta(days=360)), **other)


def test_tried_it_says_what_would_become_and_leaves_nothing(cast: Cast) -> None:
    before = [cast.count(table) for table in ("credit_grant", "trail", "notice")]
    forms = CreditForms(cast.grants(), [draw(999_999)])
    results = cast.says(forms, try_credit)
    assert [one.error for one in results.grants] == [None, None]
    assert "没有这笔授信" in str(results.drawdowns[0].error)
    assert [cast.count(table) for table in ("credit_grant", "trail", "notice")] == before


def test_each_row_is_taken_or_not_on_its_own_and_leaves_its_entry(cast: Cast) -> None:
    good, bad = cast.grants()
    results = cast.says(CreditForms([good, replace(bad, amount_fen=0)], []))
    assert results.fresh == 1
    assert "授信金额" in str(results.grants[1].error)
    with transaction(CYCLE) as tx:
        found = rows_of(tx, "SELECT noun_id FROM trail WHERE noun = 'credit_grant' AND verb = 'granted'")
        assert [one.noun_id for one in found] == [results.grants[0].key]


def test_the_same_rows_again_are_no_change(cast: Cast) -> None:
    first = cast.says(CreditForms(cast.grants(), []))
    drawn = CreditForms(cast.grants(), [draw(first.grants[0].key or 0)])
    assert [cast.says(drawn).fresh for _ in range(2)] == [1, 0]
    assert (cast.count("credit_grant"), cast.count("drawdown")) == (2, 1)


def test_another_kind_rate_or_end_of_the_same_loan_is_no_repetition(cast: Cast) -> None:
    key = cast.says(CreditForms(cast.grants(), [])).grants[0].key or 0
    cast.says(CreditForms([], [draw(key)]))
    other = CreditForms(
        cast.grants(is_renewal=True), [draw(key, rate=Decimal("0.05")), draw(key, matures_on=TODAY + timedelta(days=9))]
    )
    results = cast.says(other)
    assert all("请更正" in str(one.error) for one in (*results.grants, *results.drawdowns))
    assert results.fresh == 0


def test_what_awaits_is_the_banks_own_and_leaves_when_it_is_reported(cast: Cast) -> None:
    def awaiting(who: Who) -> tuple[list[int], list[int]]:
        with transaction(who) as tx:
            undrawn = bank_credit.list_undrawn(tx, who, TODAY, 10)
            return [row.id for row in bank_credit.list_ungranted(tx, who, 10)], [row.left_fen for row in undrawn]

    assert awaiting(cast.bai) == (cast.lines, [])
    assert awaiting(cast.bo) == ([], [])
    key = cast.says(CreditForms(cast.grants()[:1], [])).grants[0].key or 0
    assert awaiting(cast.bai) == (cast.lines[1:], [80 * WAN])
    cast.says(CreditForms([], [draw(key)]))
    assert awaiting(cast.bai) == (cast.lines[1:], [50 * WAN])
    cast.says(CreditForms([], [draw(key, "J2", amount_fen=50 * WAN)]))
    assert awaiting(cast.bai) == (cast.lines[1:], [])


def test_others_are_refused(cast: Cast) -> None:
    theirs = cast.says(CreditForms(cast.grants(), []), who=cast.bo)
    assert {str(one.error) for one in theirs.grants} == {"没有这条推送项。"}
    firm = owner("91410199MA0000001X")
    with pytest.raises(NotAllowed):
        cast.says(CreditForms(cast.grants(), []), try_credit, who=firm)
