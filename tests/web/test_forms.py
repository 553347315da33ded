"""What people type, on any keyboard, becomes exact values or a sentence beside the field."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import model_validator
from starlette.datastructures import FormData

from service.domain.errors import Conflict
from web.forms import Ask, Day, Form, Phone, Uscc, blank, money, percent, read, whole, wording
from web.language import lazy, speaking


class LoanForm(Form):
    amount: Annotated[int, money("wan", least=1_000_000, most=5_000_000_000), Ask(lazy("想借多少"))]
    term: Annotated[int, whole(least=1, most=360), Ask(lazy("期限"))]
    use: Annotated[Literal["trade", "equipment"], Ask(lazy("用途"))]
    rate: Annotated[Decimal | None, percent(most=Decimal("0.24")), Ask(lazy("利率"))] = None
    banks: Annotated[tuple[str, ...], Ask(lazy("银行"))] = ()
    note: Annotated[str, wording(most=10), Ask(lazy("说明"))] = ""
    agree: Annotated[bool, Ask(lazy("同意"))] = False


class PersonForm(Form):
    code: Annotated[Uscc | None, Ask(lazy("信用代码"))] = None
    on: Annotated[Day | None, Ask(lazy("日期"))] = None
    phone: Annotated[Phone | None, Ask(lazy("电话"))] = None


GOOD = {"amount": "50", "term": "12", "use": "trade"}


def amount_of(typed: str, unit: Literal["yuan", "wan"] = "wan") -> int | str:
    class OneForm(Form):
        amount: Annotated[int, money(unit), Ask(lazy("金额"))]

    filled = read(OneForm, {"amount": typed})
    return filled.answers.amount if filled.is_right else filled.error("amount")


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("50", 50_000_000),
        ("５０", 50_000_000),
        (" 5 0 ", 50_000_000),
        ("50.5", 50_500_000),
        ("50。5", 50_500_000),
        ("50万", 50_000_000),
        ("50 万元", 50_000_000),
        ("¥500,000元", 50_000_000),
        ("500，000元", 50_000_000),
        ("0.5亿", 5_000_000_000),
        ("\u3000１，２００\u200b", 1_200_000_000),
        ("0.000001", 1),
    ],
)
def test_money_is_understood_as_people_write_it(typed, fen):
    assert amount_of(typed) == fen


@pytest.mark.parametrize("typed", ["五十万", "-5", "1e9", "5..0", "12元万", "NaN", "=1+1", "0x10", "٣"])
def test_what_is_no_amount_is_told_with_an_example(typed):
    assert amount_of(typed) in {"请只填数字，例如 50 或 50.5", "金额应在 0.01 元 到 1,000 亿元 之间"}
    assert isinstance(amount_of(typed), str)


def test_an_amount_finer_than_a_fen_is_refused_and_not_rounded():
    assert amount_of("0.0000005") == "金额最多精确到分"
    assert amount_of("1.005", "yuan") == "金额最多精确到分"


@pytest.mark.parametrize("typed", ["0", "1000000000000000", "999999999999999亿"])
def test_nothing_and_too_much_are_refused_with_the_bounds(typed):
    assert "金额应在 0.01 元 到 1,000 亿元 之间" in str(amount_of(typed, "yuan"))


@given(st.integers(min_value=1, max_value=10**13))
def test_every_amount_of_whole_fen_survives_being_typed_in_yuan(fen):
    assert amount_of(f"{fen // 100}.{fen % 100:02d}", "yuan") == fen
    assert amount_of(f"{fen // 100:,}.{fen % 100:02d}", "yuan") == fen


@given(st.text())
def test_no_text_breaks_a_form(typed):
    filled = read(LoanForm, dict.fromkeys(LoanForm.model_fields, typed))
    assert filled.is_right or filled.errors


def test_an_empty_form_names_every_needed_field_in_order_and_no_other():
    filled = read(LoanForm, {})
    assert list(filled.errors) == ["amount", "term", "use"]
    assert filled.error("amount") == "请填写：想借多少"


def test_blank_answers_are_no_answers():
    filled = read(LoanForm, {**GOOD, "rate": "  ", "note": "\u3000\u200b"})
    assert filled.answers.rate is None
    assert filled.answers.note == ""


def test_what_was_typed_is_kept_beside_its_error():
    filled = read(LoanForm, {**GOOD, "term": "一年", "use": "yachts"})
    assert filled.said("term") == "一年"
    assert filled.error("term") == "请填整数，例如 12"
    assert filled.error("use") == "请从给出的选项中选择：用途"
    assert filled.said("amount") == "50"


def test_several_choices_come_as_several():
    data = FormData([*GOOD.items(), ("banks", "1"), ("banks", "2"), ("agree", "yes"), ("other", "dropped")])
    filled = read(LoanForm, data)
    assert filled.answers.banks == ("1", "2")
    assert filled.answers.agree is True
    assert filled.has("banks", 2)
    assert "other" not in filled.typed


def test_a_rate_is_a_share_exactly():
    assert read(LoanForm, {**GOOD, "rate": "３.４３％"}).answers.rate == Decimal("0.0343")
    assert read(LoanForm, {**GOOD, "rate": "25"}).error("rate") == "应在 0.00% 到 24.00% 之间"


@pytest.mark.parametrize("typed", ["2026-06-30", "2026/6/30", "2026年6月30日", "20260630", "２０２６．６．３０"])
def test_a_day_is_understood_as_people_write_it(typed):
    assert read(PersonForm, {"on": typed}).answers.on == date(2026, 6, 30)


@pytest.mark.parametrize("typed", ["2026-02-30", "昨天", "2026", "0000-01-01"])
def test_what_is_no_day_is_told_with_an_example(typed):
    assert read(PersonForm, {"on": typed}).error("on") == "请填日期，例如 2026-06-30"


def test_a_credit_code_is_cleaned_and_a_wrong_check_digit_is_let_in():
    assert read(PersonForm, {"code": " 91410100ma44xxxx0x "}).answers.code == "91410100MA44XXXX0X"
    assert read(PersonForm, {"code": "123"}).error("code") == "请填营业执照上的 18 位统一社会信用代码，现在有 3 位"


def test_telephones_lose_their_spaces():
    assert read(PersonForm, {"phone": "+86 138-0000-0000"}).answers.phone == "13800000000"
    assert read(PersonForm, {"phone": "12345"}).error("phone")


def test_a_refusal_of_the_service_stands_beside_its_field():
    filled = read(LoanForm, GOOD)
    beside = filled.refused(Conflict("已有未结的同类需求", field="use"))
    assert beside.errors == {"use": "已有未结的同类需求"}
    assert not beside.is_right
    assert beside.said("amount") == "50"
    assert filled.refused(Conflict("x {n}", n=3)).errors == {"": "x 3"}


def test_a_rule_over_several_fields_is_told_for_the_form():
    class SpanForm(Form):
        least: Annotated[int, whole(), Ask(lazy("最少"))]
        most: Annotated[int, whole(), Ask(lazy("最多"))]

        @model_validator(mode="after")
        def in_order(self):
            if self.least > self.most:
                raise ValueError("最少不能大于最多")
            return self

    assert read(SpanForm, {"least": "3", "most": "1"}).errors == {"": "最少不能大于最多"}


def test_errors_are_said_in_the_language_of_the_page():
    with speaking("en"):
        assert read(LoanForm, {**GOOD, "amount": "0.1"}).error("amount") == (
            "The amount must be between 10,000 CNY and 50 million CNY"
        )


def test_a_first_page_may_come_with_answers():
    filled = blank(LoanForm, term=12, banks=[1, 2])
    assert filled.said("term") == "12"
    assert filled.has("banks", 2)
    assert filled.errors == {}
