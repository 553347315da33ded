"""Banks answer their lines: one or many, once, in time, their own only; and what follows from each answer."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event
from sqlalchemy import text as text_

from service.actions.answer_push import (
    answer_each,
    answer_line,
    answer_lines,
    dispute_contact,
    give_papers,
    give_papers_each,
)
from service.domain.answering import AnswerForm, OfferForm
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.store.database import transaction
from tests.lending import CYCLE, NOW, TODAY, WAN, Lending, at, officer, owner, row_of, rows_of

OFFER = OfferForm(80 * WAN, Decimal("0.0435"), 12, "credit")


class Cast:
    """Fang's demand is on the lists of Bai's bank and of Bo's; Ou's bank has nothing to do with it."""

    def __init__(self, demands: int = 1) -> None:
        with transaction(CYCLE) as tx:
            city = Lending(tx)
            self.bai_bank, self.bo_bank, self.ou_bank = city.bank(), city.bank(), city.bank()
            self.product = city.product(self.bai_bank, quota_fen=100_000 * WAN, places_per_day=1000)
            self.other_product = city.product(self.bo_bank)
            self.demands = [city.demand() for _ in range(demands)]
            self.lines = [city.line(demand, self.product) for demand in self.demands]
            self.other_line = city.line(self.demands[0], self.other_product)
            self.fang = owner(city.row("demand", self.demands[0]).uscc)
        self.bai, self.bo, self.ou = officer(self.bai_bank), officer(self.bo_bank, 51), officer(self.ou_bank, 52)
        self.demand, self.line = self.demands[0], self.lines[0]

    def say(self, kind: str, day: date = TODAY, who: Who | None = None, line: int | None = None, **more: object) -> int:
        with transaction(who or self.bai) as tx:
            return answer_line(tx, who or self.bai, AnswerForm(line or self.line, kind, **more), day, at(day))

    def now(self, table: str, key: int):
        with transaction(CYCLE) as tx:
            return row_of(tx, table, key)


@pytest.fixture
def cast(database) -> Cast:
    return Cast()


def test_a_contact_starts_the_decision_clock_and_tells_the_firm(cast: Cast) -> None:
    cast.say("received")
    assert (cast.now("push_line", cast.line).state, cast.now("push_line", cast.line).due_on) == (
        "received",
        date(2026, 6, 29),
    )
    cast.say("contacted")
    line = cast.now("push_line", cast.line)
    assert (line.state, line.due_step, line.due_on) == ("contacted", "decision", TODAY + timedelta(days=30))
    assert cast.now("demand", cast.demand).state == "answered"
    with transaction(cast.fang) as tx:
        assert [row.kind for row in rows_of(tx, "SELECT kind FROM notice")] == ["line_contacted"]


def test_missing_papers_stop_the_decision_clock_and_start_the_firms_own(cast: Cast) -> None:
    cast.say("contacted")
    asked_on = TODAY + timedelta(days=5)
    cast.say("needs_papers", asked_on, papers=("近三年审计报告",))
    line, demand = cast.now("push_line", cast.line), cast.now("demand", cast.demand)
    assert (line.state, line.due_step, demand.state) == ("needs_papers", "papers", "answered")
    given_on = asked_on + timedelta(days=4)
    with transaction(cast.fang) as tx:
        give_papers(tx, cast.fang, cast.line, given_on, at(given_on))
    line = cast.now("push_line", cast.line)
    assert (line.state, line.due_on, line.paused_days) == ("contacted", TODAY + timedelta(days=34), 4)


def test_many_firms_hand_in_papers_in_one_go_and_nothing_of_a_refused_one_stays(database) -> None:
    cast = Cast(demands=4)
    firms = [owner(cast.now("demand", demand).uscc) for demand in cast.demands]
    for line in cast.lines[:3]:
        cast.say("contacted", line=line)
    for line in (cast.lines[0], cast.lines[2]):
        cast.say("needs_papers", line=line, papers=("近一年流水",))
    given = [
        (firms[0], cast.lines[0]),
        (firms[0], cast.lines[0]),
        (firms[1], cast.lines[1]),
        (firms[1], cast.lines[2]),
        (cast.bai, cast.lines[2]),
    ]
    day = TODAY + timedelta(days=2)
    with transaction(CYCLE) as tx:
        found = give_papers_each(tx, given, day, at(day))
        assert give_papers_each(tx, [], day, at(day)) == []
    assert [refusal and refusal.message for refusal in found] == [
        None,
        "银行没有在等待补件。",
        "银行没有在等待补件。",
        "没有这条推送项。",
        "只有企业本人可以这样做。",
    ]
    assert [cast.now("push_line", line).state for line in cast.lines] == [
        "contacted",
        "contacted",
        "needs_papers",
        "pushed",
    ]
    assert cast.now("push_line", cast.lines[0]).paused_days == 2
    with transaction(CYCLE) as tx:
        (entry,) = rows_of(tx, "SELECT noun_id, uscc, actor FROM trail WHERE verb = 'papers_given'")
        assert tuple(entry) == (cast.lines[0], firms[0].uscc, "firm")
        assert rows_of(tx, "SELECT line_id FROM notice WHERE kind = 'papers_given'") == [(cast.lines[0],)]


def test_a_decision_may_be_put_off_once_and_with_a_reason(cast: Cast) -> None:
    cast.say("contacted")
    with pytest.raises(NotPossible, match="理由"):
        cast.say("extension")
    cast.say("extension", text="总行审批排队")
    assert cast.now("push_line", cast.line).due_on == date(2026, 8, 7)  # ten working days after 24 July
    with pytest.raises(Conflict, match="一次"):
        cast.say("extension", TODAY + timedelta(days=1), text="再等等")


def test_an_offer_carries_its_all_in_cost_and_waits_for_the_firm(cast: Cast) -> None:
    answer = cast.say("offered", offer=OfferForm(100 * WAN, Decimal("0.04"), 12, "credit", fees_fen=1 * WAN))
    with transaction(CYCLE) as tx:
        (offer,) = rows_of(tx, "SELECT * FROM offer WHERE answer_id = :a", a=answer)
    assert offer.all_in_rate > Decimal("0.0502")  # one per cent of fees on a year's loan costs more than a point
    assert offer.valid_until_on == date(2026, 7, 8)  # ten working days
    demand = cast.now("demand", cast.demand)
    assert (demand.state, demand.light, demand.next_step, demand.next_by) == ("offered", "green", "offer", "firm")


def test_a_new_offer_replaces_the_one_before(cast: Cast) -> None:
    cast.say("offered", offer=OFFER)
    cast.say("offered", offer=OfferForm(90 * WAN, Decimal("0.0435"), 12, "credit"))
    with transaction(CYCLE) as tx:
        assert [row.state for row in rows_of(tx, "SELECT state FROM offer ORDER BY id")] == ["replaced", "open"]


def test_a_refusal_frees_money_and_place_and_turns_the_light_yellow(cast: Cast) -> None:
    cast.say("refused", reasons=("cash_flow", "debt_too_high"))
    line, product = cast.now("push_line", cast.line), cast.now("product", cast.product)
    assert (line.state, line.closed_on, line.reserved_fen, product.reserved_fen) == ("refused", TODAY, 0, 0)
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT used FROM place_use WHERE product_id = :p", p=cast.product)[0].used == 0
        changes = rows_of(tx, "SELECT old, new, reason FROM light_change")
        assert [tuple(row) for row in changes] == [("green", "yellow", "refused")]
        assert [row.task_name for row in rows_of(tx, "SELECT task_name FROM procrastinate_jobs")] == ["today"]
    assert cast.now("demand", cast.demand).state == "pushed"  # Bo's bank still has it


def test_a_banks_answer_does_not_forget_the_offer_it_cannot_see(cast: Cast) -> None:
    cast.say("offered", who=cast.bo, line=cast.other_line, offer=OFFER)
    cast.say("refused", reasons=("industry",))
    assert cast.now("demand", cast.demand).state == "offered"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"kind": "refused"}, "reasons"),
        ({"kind": "refused", "reasons": ("cash_flow",) * 2}, "reasons"),
        ({"kind": "refused", "reasons": ("cash_flow", "industry", "region", "no_funds", "tax_record")}, "reasons"),
        ({"kind": "refused", "reasons": ("bad_mood",)}, "reasons"),
        ({"kind": "refused", "reasons": ("other",)}, "text"),
        ({"kind": "needs_papers"}, "papers"),
        ({"kind": "offered"}, "offer"),
        ({"kind": "offered", "offer": OfferForm(0, Decimal("0.04"), 12, "credit")}, "amount_fen"),
        ({"kind": "offered", "offer": OfferForm(10**15, Decimal("0.04"), 12, "credit")}, "amount_fen"),
        ({"kind": "offered", "offer": OfferForm(WAN, Decimal("4.35"), 12, "credit")}, "rate"),
        ({"kind": "offered", "offer": OfferForm(WAN, Decimal("0.04"), 12, "credit", WAN)}, "fees_fen"),
        ({"kind": "offered", "offer": OfferForm(WAN, Decimal("0.04"), 12, "gold")}, "loan_type"),
        ({"kind": "applauded"}, "kind"),
        ({"kind": "received", "text": "长" * 501}, "text"),
    ],
)
def test_a_wrong_form_is_sent_back_with_the_field_it_is_about(cast: Cast, more: dict, field: str) -> None:
    with pytest.raises(NotPossible) as refused:
        cast.say(**more)
    assert refused.value.field == field


def test_a_line_of_yesterday_that_is_closed_takes_no_answer(cast: Cast) -> None:
    cast.say("refused", reasons=("industry",))
    with pytest.raises(Conflict, match="已于 2026-06-24 关闭"):
        cast.say("contacted", TODAY + timedelta(days=1))


def test_another_banks_line_looks_as_if_it_were_not_there(cast: Cast) -> None:
    for who in (cast.ou, cast.bo):
        with pytest.raises(NotFound):
            cast.say("received", who=who)
    with pytest.raises(NotAllowed):
        cast.say("received", who=cast.fang)
    with pytest.raises(NotAllowed):
        cast.say("received", who=Who(Role.CITY, 9, "Gao"))


def test_a_closed_view_takes_no_answer(cast: Cast) -> None:
    with transaction(CYCLE) as tx:
        tx.execute(text_("UPDATE push_line SET view_closed = true WHERE id = :id"), {"id": cast.line})
    with pytest.raises(DomainError):
        cast.say("contacted")


def test_a_double_click_writes_one_answer(cast: Cast) -> None:
    assert cast.say("contacted") == cast.say("contacted")
    first = cast.say("refused", reasons=("industry",))
    assert cast.say("refused", reasons=("industry",)) == first
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT count(*) AS n FROM answer")[0].n == 2


def test_a_refusal_said_in_error_is_taken_back_within_the_window(cast: Cast) -> None:
    wrong = cast.say("refused", reasons=("industry",))
    right = cast.say("contacted", TODAY + timedelta(days=1), corrects_id=wrong)
    line, product = cast.now("push_line", cast.line), cast.now("product", cast.product)
    assert (line.state, line.closed_on, line.reserved_fen) == ("contacted", None, line.amount_fen)
    assert product.reserved_fen == line.amount_fen
    with transaction(CYCLE) as tx:
        (answer,) = rows_of(tx, "SELECT corrects_id FROM answer WHERE id = :id", id=right)
        verbs = [row.verb for row in rows_of(tx, "SELECT verb FROM trail WHERE noun = 'push_line' ORDER BY id")]
    assert answer.corrects_id == wrong
    assert verbs == ["refused", "corrected"]


def test_after_the_window_an_answer_stands(cast: Cast) -> None:
    wrong = cast.say("refused", reasons=("industry",))
    with pytest.raises(Conflict, match="更正期已于 2026-06-29 结束"):
        cast.say("contacted", date(2026, 6, 30), corrects_id=wrong)


def test_a_refusal_is_not_taken_back_when_the_money_is_gone(cast: Cast) -> None:
    wrong = cast.say("refused", reasons=("no_funds",))
    with transaction(CYCLE) as tx:
        tx.execute(text_("UPDATE product SET quota_fen = 1 WHERE id = :id"), {"id": cast.product})
    with pytest.raises(Conflict, match="额度不足"):
        cast.say("contacted", corrects_id=wrong)
    assert cast.now("push_line", cast.line).state == "refused"


def test_corrections_of_one_batch_open_no_more_lines_than_a_demand_may_have(database) -> None:
    with transaction(CYCLE) as tx:
        city = Lending(tx)
        demand, banks = city.demand(), [city.bank() for _ in range(4)]
        products = [city.product(bank) for bank in banks]
        lines = [city.line(demand, product) for product in products]
    refused = [
        (officer(bank), AnswerForm(line, "refused", reasons=("region",)))
        for bank, line in zip(banks, lines, strict=True)
    ]
    with transaction(CYCLE) as tx:
        wrong = [one.answer_id for one in answer_each(tx, refused, TODAY, NOW)]
        right = [
            (who, AnswerForm(form.line_id, "contacted", corrects_id=key))
            for (who, form), key in zip(refused, wrong, strict=True)
        ]
        results = answer_each(tx, right, TODAY, NOW)
        states = [row_of(tx, "push_line", line).state for line in lines]
        reserved = [row_of(tx, "product", product).reserved_fen for product in products]
    assert [result.error and result.error.message for result in results] == [
        None, None, None, "此需求已另推送给其他银行，不能恢复。",
    ]  # fmt: skip
    assert states == ["contacted", "contacted", "contacted", "refused"]
    assert reserved == [100 * WAN, 100 * WAN, 100 * WAN, 0]


def test_a_correction_that_cannot_be_taken_reserves_no_money(cast: Cast) -> None:
    cast.say("contacted")
    wrong = cast.say("refused", reasons=("region",))
    with transaction(CYCLE) as tx:
        tx.execute(text_("UPDATE push_line SET paused_days = 90 WHERE id = :id"), {"id": cast.line})
    form = AnswerForm(cast.line, "needs_papers", papers=("近一年流水",), corrects_id=wrong)
    with transaction(cast.bai) as tx:
        (result,) = answer_lines(tx, cast.bai, [form], TODAY, NOW)
    assert isinstance(result.error, NotPossible)
    assert (cast.now("push_line", cast.line).state, cast.now("product", cast.product).reserved_fen) == ("refused", 0)


def test_a_batch_takes_what_it_can_and_says_of_the_others_why_not(database) -> None:
    cast = Cast(demands=4)
    forms = [
        AnswerForm(cast.lines[0], "contacted"),
        AnswerForm(cast.lines[1], "refused"),
        AnswerForm(cast.other_line, "contacted"),
        AnswerForm(cast.lines[3], "refused", reasons=("region",)),
        AnswerForm(cast.lines[3], "contacted"),
    ]
    with transaction(cast.bai) as tx:
        results = answer_lines(tx, cast.bai, forms, TODAY, NOW)
    assert [type(result.error).__name__ for result in results] == [
        "NoneType",
        "NotPossible",
        "NotFound",
        "NoneType",
        "Conflict",
    ]
    states = [cast.now("push_line", line).state for line in cast.lines]
    assert states == ["contacted", "pushed", "pushed", "refused"]


def test_many_banks_answer_in_one_go_each_its_own_lines_and_a_shared_demand_stands_by_all_of_them(database) -> None:
    cast = Cast(demands=3)
    said = [
        (cast.bai, AnswerForm(cast.lines[0], "refused", reasons=("region",))),
        (cast.bo, AnswerForm(cast.other_line, "offered", offer=OFFER)),
        (cast.bo, AnswerForm(cast.lines[1], "contacted")),
        (cast.fang, AnswerForm(cast.lines[1], "contacted")),
        (cast.bai, AnswerForm(cast.lines[1], "received")),
        (cast.bai, AnswerForm(cast.lines[2], "contacted")),
        (cast.bai, AnswerForm(cast.lines[2], "refused", reasons=("region",))),
    ]
    with transaction(CYCLE) as tx:
        results = answer_each(tx, said, TODAY, NOW)
        assert answer_each(tx, [], TODAY, NOW) == []
    assert [type(result.error).__name__ for result in results] == [
        "NoneType", "NoneType", "NotFound", "NotFound", "NoneType", "NoneType", "Conflict",
    ]  # fmt: skip
    assert [cast.now("push_line", line).state for line in (*cast.lines, cast.other_line)] == [
        "refused",
        "received",
        "contacted",
        "offered",
    ]
    demand = cast.now("demand", cast.demand)
    assert (demand.state, demand.light, demand.next_step) == ("offered", "green", "offer")
    with transaction(CYCLE) as tx:
        banks = rows_of(tx, "SELECT bank_id, answered_by FROM answer ORDER BY id")
        entries = rows_of(tx, "SELECT actor_id, bank_id FROM trail WHERE noun = 'push_line' ORDER BY bank_id, id")
    bai, bo = (cast.bai_bank, cast.bai.person_id), (cast.bo_bank, cast.bo.person_id)
    assert [tuple(row) for row in banks] == [bai, bo, bai, bai]
    assert [tuple(row) for row in entries] == [bai[::-1], bai[::-1], bai[::-1], bo[::-1]]


def test_three_hundred_answers_take_no_more_statements_than_three(database) -> None:
    cast = Cast(demands=303)
    kinds = [("contacted", {}), ("refused", {"reasons": ("cash_flow",)}), ("offered", {"offer": OFFER})]
    forms = [AnswerForm(line, kinds[n % 3][0], **kinds[n % 3][1]) for n, line in enumerate(cast.lines)]
    said: list[str] = []
    counts = []
    for some in (forms[:3], forms[3:]):
        with transaction(cast.bai) as tx:
            event.listen(tx.connection(), "before_cursor_execute", lambda *call: said.append(call[2]))
            results = answer_lines(tx, cast.bai, some, TODAY, NOW)
        counts.append(len(said) - sum(counts))
    assert counts[1] <= counts[0]
    assert all(result.answer_id for result in results)
    with transaction(CYCLE) as tx:
        reserved = rows_of(tx, "SELECT sum(reserved_fen) AS n FROM push_line WHERE product_id = :p", p=cast.product)[
            0
        ].n
    assert cast.now("product", cast.product).reserved_fen == reserved


def test_of_two_officers_at_one_line_one_wins(cast: Cast) -> None:
    barrier, outcomes = threading.Barrier(2), []

    def say(**more: object) -> None:
        barrier.wait()
        try:
            outcomes.append(cast.say(**more))
        except Conflict as lost:
            outcomes.append(lost)

    threads = [
        threading.Thread(target=say, kwargs={"kind": "refused", "reasons": ("industry",)}),
        threading.Thread(target=say, kwargs={"kind": "refused", "reasons": ("region",)}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "int"]
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT count(*) AS n FROM answer")[0].n == 1
    assert cast.now("product", cast.product).reserved_fen == 0


def test_a_firm_that_was_never_called_says_so_and_bank_and_district_hear_it(cast: Cast) -> None:
    with transaction(cast.fang) as tx, pytest.raises(Conflict):
        dispute_contact(tx, cast.fang, cast.line, TODAY, NOW)
    cast.say("contacted")
    for _ in range(2):
        with transaction(cast.fang) as tx:
            dispute_contact(tx, cast.fang, cast.line, TODAY, NOW)
    with transaction(CYCLE) as tx:
        told = rows_of(tx, "SELECT bank_id, district FROM notice WHERE kind = 'contact_disputed' ORDER BY id")
    assert [tuple(row) for row in told] == [(cast.bai_bank, None), (None, "410105")]


def test_every_change_of_state_has_one_entry_on_the_trail(cast: Cast) -> None:
    cast.say("received")
    cast.say("contacted")
    cast.say("offered", offer=OFFER)
    with transaction(CYCLE) as tx:
        of_line = rows_of(
            tx, "SELECT old, new FROM trail WHERE noun = 'push_line' AND noun_id = :id ORDER BY id", id=cast.line
        )
        of_demand = rows_of(tx, "SELECT old, new FROM trail WHERE noun = 'demand' ORDER BY id")
    assert [tuple(row) for row in of_line] == [
        ("pushed", "received"),
        ("received", "contacted"),
        ("contacted", "offered"),
    ]
    assert [tuple(row) for row in of_demand] == [("pushed", "answered"), ("answered", "offered")]
