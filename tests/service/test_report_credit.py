"""Grants and drawdowns as banks report them: within what was accepted, granted and left, once, and correctable."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest

from service.actions.answer_push import answer_line
from service.actions.choose_offer import accept_offer
from service.actions.report_credit import report_drawdowns, report_grants, report_repaid, void_drawdowns, void_grants
from service.domain.answering import AnswerForm, OfferForm
from service.domain.errors import NotAllowed
from service.domain.people import Who
from service.domain.reporting import DrawForm, GrantForm, Reported
from service.store.bulk import add_rows
from service.store.database import transaction
from tests.lending import CYCLE, NOW, TODAY, WAN, Lending, at, officer, owner, row_of, rows_of

RATE = Decimal("0.0435")


class Cast:
    """Fang has accepted Bai's offer of 80 wan; 100 wan are reserved of a quota of 150."""

    def __init__(self) -> None:
        with transaction(CYCLE) as tx:
            city = Lending(tx)
            self.bank, self.other_bank = city.bank(), city.bank()
            self.product = city.product(self.bank, quota_fen=150 * WAN)
            self.demand = city.demand()
            self.line = city.line(self.demand, self.product)
            self.fang = owner(city.row("demand", self.demand).uscc)
        self.bai, self.bo = officer(self.bank), officer(self.other_bank, 51)
        with transaction(self.bai) as tx:
            form = AnswerForm(self.line, "offered", offer=OfferForm(80 * WAN, RATE, 12, "credit"))
            answer_line(tx, self.bai, form, TODAY, NOW)
            offer = rows_of(tx, "SELECT id FROM offer")[0].id
        with transaction(self.fang) as tx:
            accept_offer(tx, self.fang, offer, TODAY, NOW)

    def grant(self, amount: int = 80 * WAN, *, who: Who | None = None, day: date = TODAY, **more: object) -> Reported:
        values = {"rate": RATE, "term_months": 12, "loan_type": "credit", "granted_on": TODAY} | more
        with transaction(who or self.bai) as tx:
            return report_grants(tx, who or self.bai, [GrantForm(self.line, amount, **values)], day, at(day))[0]

    def draw(self, grant: int, amount: int, number: str = "J1", *, who: Who | None = None, **more: object) -> Reported:
        values = {"rate": RATE, "drawn_on": TODAY, "matures_on": TODAY + timedelta(days=365)} | more
        with transaction(who or self.bai) as tx:
            return report_drawdowns(tx, who or self.bai, [DrawForm(grant, number, amount, **values)], TODAY, NOW)[0]

    def now(self, table: str, key: int):
        with transaction(CYCLE) as tx:
            return row_of(tx, table, key)

    def figures(self, kind: str) -> tuple[int, ...]:
        with transaction(CYCLE) as tx:
            (row,) = rows_of(
                tx,
                "SELECT sum(events) AS e, sum(households) AS h, sum(amount_fen) AS a, sum(first_loan_fen) AS f,"
                " sum(late_events) AS l FROM figure_day WHERE kind = :kind",
                kind=kind,
            )
        return tuple(int(part or 0) for part in row)


@pytest.fixture
def cast(database) -> Cast:
    return Cast()


def test_the_amount_granted_takes_the_place_of_the_money_reserved(cast: Cast) -> None:
    key = cast.grant().key
    product, line, demand = (
        cast.now("product", cast.product),
        cast.now("push_line", cast.line),
        cast.now("demand", cast.demand),
    )
    assert (product.reserved_fen, product.granted_fen, line.state, line.closed_on) == (0, 80 * WAN, "granted", TODAY)
    assert (demand.state, demand.next_step, demand.next_by) == ("granted", "draw", "firm")
    assert cast.now("credit_grant", key).is_first_loan
    assert cast.figures("granted") == (1, 1, 80 * WAN, 80 * WAN, 0)


def test_a_grant_never_passes_the_quota(cast: Cast) -> None:
    assert "额度不足" in str(cast.grant(151 * WAN).error)
    assert cast.now("product", cast.product).reserved_fen == 100 * WAN
    assert cast.figures("granted") == (0, 0, 0, 0, 0)
    assert cast.grant(150 * WAN).error is None


def test_the_same_report_again_is_the_same_grant_and_another_one_is_refused(cast: Cast) -> None:
    first = cast.grant().key
    assert cast.grant().key == first
    assert "更正" in str(cast.grant(70 * WAN).error)
    assert cast.figures("granted")[:3] == (1, 1, 80 * WAN)


def test_only_the_bank_of_an_accepted_line_grants_on_it(cast: Cast) -> None:
    assert type(cast.grant(who=cast.bo).error).__name__ == "NotFound"
    with pytest.raises(NotAllowed):
        cast.grant(who=cast.fang)
    with transaction(CYCLE) as tx:
        city = Lending(tx, firms=50)
        fresh = city.line(city.demand(), city.product(cast.bank, code="NEW"))
    with transaction(cast.bai) as tx:
        form = GrantForm(fresh, WAN, RATE, 12, "credit", TODAY)
        assert "尚未接受" in str(report_grants(tx, cast.bai, [form], TODAY, NOW)[0].error)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"amount": 0}, "amount_fen"),
        ({"amount": 10**15}, "amount_fen"),
        ({"rate": Decimal("4.35")}, "rate"),
        ({"granted_on": TODAY + timedelta(days=1)}, "granted_on"),
        ({"granted_on": TODAY - timedelta(days=1)}, "granted_on"),
        ({"loan_type": "gold"}, "loan_type"),
        ({"is_renewal_without_repayment": True}, "is_renewal"),
    ],
)
def test_a_wrong_grant_is_sent_back_with_the_field_it_is_about(cast: Cast, more: dict, field: str) -> None:
    error = cast.grant(**more).error
    assert error is not None
    assert error.field == field


def test_a_firm_with_a_loan_on_record_has_no_first_loan(cast: Cast) -> None:
    with transaction(CYCLE) as tx:
        record = {
            "item": "loan", "uscc": cast.fang.uscc, "key": "L1", "happened_on": date(2025, 1, 1),
            "known_on": date(2025, 1, 2), "feed_id": 1, "line": 1, "status": "settled",
        }  # fmt: skip
        add_rows(tx, "record", [{"id": 1, **record}])
    assert not cast.now("credit_grant", cast.grant().key).is_first_loan
    assert cast.figures("granted")[3] == 0


def test_drawdowns_together_never_exceed_the_grant_even_at_once(cast: Cast) -> None:
    grant = cast.grant().key
    barrier, outcomes = threading.Barrier(4), []

    def draw(number: int) -> None:
        barrier.wait()
        outcomes.append(cast.draw(grant, 30 * WAN, f"J{number}").error)

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(error is None for error in outcomes) == 2
    assert cast.figures("drawn")[:3] == (2, 1, 60 * WAN)
    assert (cast.now("push_line", cast.line).state, cast.now("demand", cast.demand).state) == ("drawn", "drawn")


def test_a_loan_number_is_reported_once(cast: Cast) -> None:
    grant = cast.grant().key
    first = cast.draw(grant, 30 * WAN).key
    assert cast.draw(grant, 30 * WAN).key == first
    assert "借据号" in str(cast.draw(grant, 10 * WAN).error)


def test_a_corrected_grant_is_a_second_row_and_a_late_one_shows_as_late(cast: Cast) -> None:
    old = cast.grant().key
    cast.draw(old, 50 * WAN)
    day = TODAY + timedelta(days=6)
    assert "已放款" in str(cast.grant(40 * WAN, day=day, corrects_id=old).error)
    new = cast.grant(70 * WAN, day=day, corrects_id=old).key
    assert cast.now("credit_grant", old).voided_at is not None
    assert cast.now("credit_grant", new).replaces_id == old
    assert cast.now("product", cast.product).granted_fen == 70 * WAN
    assert cast.figures("granted") == (1, 1, 70 * WAN, 70 * WAN, 2)
    assert "更新" in str(cast.grant(60 * WAN, day=day, corrects_id=old).error)


def test_a_grant_of_another_kind_counts_its_drawdowns_anew(cast: Cast) -> None:
    old = cast.grant().key
    cast.draw(old, 50 * WAN)
    assert cast.figures("drawn")[3] == 50 * WAN
    cast.grant(80 * WAN, corrects_id=old, is_first_loan=False)
    assert cast.figures("drawn") == (1, 1, 50 * WAN, 0, 0)


def test_what_was_reported_in_error_is_voided_step_by_step(cast: Cast) -> None:
    grant = cast.grant().key
    drawdown = cast.draw(grant, 50 * WAN).key
    with transaction(cast.bai) as tx:
        assert "先作废放款" in str(void_grants(tx, cast.bai, [grant], TODAY, NOW)[0].error)
    with transaction(cast.bai) as tx:
        assert void_drawdowns(tx, cast.bai, [drawdown], TODAY, NOW)[0].error is None
    assert (cast.now("push_line", cast.line).state, cast.now("demand", cast.demand).state) == ("granted", "granted")
    with transaction(cast.bai) as tx:
        assert void_grants(tx, cast.bai, [grant], TODAY, NOW)[0].error is None
    assert (cast.now("push_line", cast.line).state, cast.now("demand", cast.demand).state) == ("accepted", "accepted")
    assert (cast.now("product", cast.product).reserved_fen, cast.now("product", cast.product).granted_fen) == (
        100 * WAN,
        0,
    )
    assert (cast.figures("granted"), cast.figures("drawn")) == ((0, 0, 0, 0, 0), (0, 0, 0, 0, 0))


def test_a_demand_ends_when_its_loans_are_paid_back(cast: Cast) -> None:
    grant = cast.grant().key
    one, two = cast.draw(grant, 50 * WAN, "J1").key, cast.draw(grant, 30 * WAN, "J2").key
    day = TODAY + timedelta(days=90)
    for drawdown, state in ((one, "drawn"), (two, "repaid"), (two, "repaid")):
        with transaction(cast.bai) as tx:
            assert report_repaid(tx, cast.bai, [drawdown], day, day, at(day))[0].error is None
        assert cast.now("demand", cast.demand).state == state
    assert cast.now("demand", cast.demand).next_by == "nobody"


def test_credit_leaves_one_entry_for_each_change_of_state(cast: Cast) -> None:
    cast.draw(cast.grant().key, 50 * WAN)
    with transaction(CYCLE) as tx:
        moves = rows_of(
            tx,
            "SELECT noun, old, new FROM trail WHERE noun IN ('demand', 'push_line') AND old <> new ORDER BY noun, id",
        )
    assert [tuple(row) for row in moves] == [
        ("demand", "pushed", "offered"),
        ("demand", "offered", "accepted"),
        ("demand", "accepted", "granted"),
        ("demand", "granted", "drawn"),
        ("push_line", "pushed", "offered"),
        ("push_line", "offered", "accepted"),
        ("push_line", "accepted", "granted"),
        ("push_line", "granted", "drawn"),
    ]
