"""Silence past a due date is recorded apart from refusals and moves the demand on; reminders come before."""

from datetime import date, timedelta

import pytest

from matching.policy import load_policy
from service.actions.answer_push import answer_line
from service.actions.rematch import count_silence, rematch, remind
from service.domain.answering import AnswerForm
from service.domain.errors import Conflict, NotAllowed
from service.domain.push_list import RefusalReason
from service.domain.second_match import CLOSES
from service.store.database import transaction
from tests.lending import CYCLE, NOW, TODAY, Lending, at, officer, row_of, rows_of

POLICY = load_policy()
DUE = date(2026, 6, 29)


class Cast:
    """Fang's demand is with Bai's bank since Wednesday; her consent names Bo's bank too, which has a place."""

    def __init__(self, *, named: bool = True) -> None:
        with transaction(CYCLE) as tx:
            city = Lending(tx)
            self.bai_bank, self.bo_bank = city.bank(), city.bank()
            self.product, self.other = city.product(self.bai_bank), city.product(self.bo_bank)
            self.demand = city.demand(consents=(self.bo_bank,) if named else ())
            self.line = city.line(self.demand, self.product)
        self.bai = officer(self.bai_bank)

    def now(self, table: str, key: int):
        with transaction(CYCLE) as tx:
            return row_of(tx, table, key)

    def rematch(self, day: date):
        with transaction(CYCLE) as tx:
            return rematch(tx, CYCLE, day, at(day), POLICY)

    def say(self, kind: str, day: date = TODAY, **more: object) -> None:
        with transaction(self.bai) as tx:
            answer_line(tx, self.bai, AnswerForm(self.line, kind, **more), day, at(day))


@pytest.fixture
def cast(database) -> Cast:
    return Cast()


def test_on_the_due_day_a_bank_may_still_speak_and_the_day_after_it_was_silent(cast: Cast) -> None:
    with transaction(CYCLE) as tx:
        assert count_silence(tx, CYCLE, DUE, at(DUE)) == 0
    cast.rematch(DUE + timedelta(days=1))
    line = cast.now("push_line", cast.line)
    assert (line.state, line.closed_on, line.reserved_fen) == ("silent", DUE + timedelta(days=1), 0)
    with pytest.raises(Conflict, match="关闭"):
        cast.say("contacted", DUE + timedelta(days=1))


def test_silence_brings_another_bank_the_same_day(cast: Cast) -> None:
    day = DUE + timedelta(days=1)
    assert cast.rematch(day).lines == 1
    with transaction(CYCLE) as tx:
        lines = rows_of(tx, "SELECT bank_id, state, pushed_on FROM push_line ORDER BY id")
        reasons = rows_of(tx, "SELECT reason FROM light_change ORDER BY id")
    assert [tuple(row) for row in lines] == [(cast.bai_bank, "silent", TODAY), (cast.bo_bank, "pushed", day)]
    assert [row.reason for row in reasons] == ["silent"]
    assert cast.now("demand", cast.demand).state == "pushed"
    assert cast.rematch(day).lines == 0


def test_silence_is_no_refusal(cast: Cast) -> None:
    cast.rematch(DUE + timedelta(days=1))
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT count(*) AS n FROM answer")[0].n == 0
        verbs = rows_of(tx, "SELECT verb, new FROM trail WHERE noun = 'push_line' AND noun_id = :id", id=cast.line)
        told = rows_of(
            tx, "SELECT kind, uscc IS NULL AS to_bank FROM notice WHERE line_id = :id ORDER BY id", id=cast.line
        )
    assert [tuple(row) for row in verbs] == [("silent", "silent")]
    assert [tuple(row) for row in told] == [("line_silent", False), ("line_silent", True)]


def test_without_a_consent_for_the_next_bank_the_firm_is_asked(database) -> None:
    cast = Cast(named=False)
    day = DUE + timedelta(days=1)
    assert cast.rematch(day).proposals == 1
    demand = cast.now("demand", cast.demand)
    assert (demand.light, demand.next_by, demand.next_on) == ("yellow", "firm", date(2026, 7, 7))


class Wary:
    """Bai's bank was silent on Fang; Bo's bank, whom she named too, has refused nearly everybody."""

    def __init__(self, refusals: int) -> None:
        with transaction(CYCLE) as tx:
            city = Lending(tx)
            self.bai_bank, self.bo_bank = city.bank(), city.bank(kind="state")
            product, other = city.product(self.bai_bank), city.product(self.bo_bank, places_per_day=100)
            for _ in range(refusals):
                turned_away = city.line(
                    city.demand(state="withdrawn", closed_on=TODAY), other, state="refused", closed_on=TODAY,
                    reserved_fen=0, due_step="none", due_on=None,
                )  # fmt: skip
                city.add(
                    "answer", line_id=turned_away, bank_id=self.bo_bank, kind="refused", reasons=["cash_flow"],
                    text="", papers=[], channel="page", answered_on=TODAY, answered_at=NOW,
                )  # fmt: skip
            self.demand = city.demand(consents=(self.bo_bank,))
            city.line(self.demand, product)

    def after_silence(self) -> tuple[list[int], list[tuple[str, date]]]:
        """The banks pushed to that day, and the open plans with their dates."""
        day = DUE + timedelta(days=1)
        with transaction(CYCLE) as tx:
            rematch(tx, CYCLE, day, at(day), POLICY)
        with transaction(CYCLE) as tx:
            lines = rows_of(tx, "SELECT bank_id FROM push_line WHERE pushed_on = :day", day=day)
            plans = rows_of(tx, "SELECT obstacle, next_on FROM follow_up WHERE demand_id = :d", d=self.demand)
        return [line.bank_id for line in lines], [tuple(plan) for plan in plans]


def test_a_second_push_is_made_only_above_the_floor_of_acceptance_and_otherwise_there_is_a_dated_plan(
    database,
) -> None:
    wary = Wary(refusals=60)
    assert wary.after_silence() == ([], [("chance_too_low", date(2026, 7, 7))])
    with transaction(CYCLE) as tx:
        told = rows_of(
            tx, "SELECT kind FROM notice WHERE demand_id = :d AND uscc IS NOT NULL ORDER BY id", d=wary.demand
        )
    assert [row.kind for row in told] == ["line_silent", "chance_too_low"]


def test_above_the_floor_the_second_push_is_made(database) -> None:
    wary = Wary(refusals=2)
    assert wary.after_silence() == ([wary.bo_bank], [])


def test_a_first_push_needs_no_chance_above_the_floor(database) -> None:
    wary = Wary(refusals=60)
    with transaction(CYCLE) as tx:
        city = Lending(tx, firms=500)
        first = city.demand(consents=(wary.bo_bank,))
        rematch(tx, CYCLE, TODAY, NOW, POLICY)
        lines = rows_of(tx, "SELECT bank_id, p_offer FROM push_line WHERE demand_id = :d", d=first)
    assert [line.bank_id for line in lines] == [wary.bo_bank]
    assert lines[0].p_offer < float(POLICY.on(TODAY).number("acceptance_floor"))


def test_when_the_firm_s_term_for_papers_is_over_the_bank_s_clock_goes_on(cast: Cast) -> None:
    cast.say("contacted")
    cast.say("needs_papers", papers=("审计报告",))
    papers_due = cast.now("push_line", cast.line).due_on
    with transaction(CYCLE) as tx:
        assert count_silence(tx, CYCLE, papers_due + timedelta(days=1), at(papers_due)) == 0
    line = cast.now("push_line", cast.line)
    paused = (papers_due - TODAY).days
    assert (line.state, line.due_step, line.paused_days) == ("contacted", "decision", paused)
    assert line.due_on == TODAY + timedelta(days=30 + paused)
    cast.rematch(line.due_on + timedelta(days=1))
    assert cast.now("push_line", cast.line).state == "silent"


def test_an_extension_puts_silence_off(cast: Cast) -> None:
    cast.say("extension", text="联系人出差")
    with transaction(CYCLE) as tx:
        assert count_silence(tx, CYCLE, DUE + timedelta(days=1), NOW) == 0
    assert cast.now("push_line", cast.line).contact_due_on == date(2026, 7, 13)


def test_a_reminder_comes_a_working_day_before_and_once(cast: Cast) -> None:
    told = []
    for day in (date(2026, 6, 25), date(2026, 6, 26), date(2026, 6, 26), DUE):
        with transaction(CYCLE) as tx:
            told.append(remind(tx, CYCLE, day, at(day)))
    assert told == [0, 1, 0, 0]
    with transaction(CYCLE) as tx:
        (notice,) = rows_of(tx, "SELECT bank_id, values FROM notice WHERE kind = 'due_soon'")
    assert (notice.bank_id, notice.values) == (cast.bai_bank, {"step": "contact", "due_on": "2026-06-29"})


def test_only_the_platform_counts_time(cast: Cast) -> None:
    with transaction(cast.bai) as tx, pytest.raises(NotAllowed):
        count_silence(tx, cast.bai, TODAY, NOW)
    with transaction(cast.bai) as tx, pytest.raises(NotAllowed):
        remind(tx, cast.bai, TODAY, NOW)


def test_reasons_of_the_banks_own_close_no_other_product() -> None:
    own = {RefusalReason.NO_FUNDS, RefusalReason.NOT_REACHED, RefusalReason.FIRM_NOT_INTERESTED, RefusalReason.OTHER}
    assert not own & set(CLOSES)
