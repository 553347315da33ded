"""A wrong list is recalled: nothing of it is changed, what nobody answered goes out again, and no bank is blamed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from service.actions.answer_push import answer_line
from service.actions.certify_day import certify_day
from service.actions.hold_answers import Together, give_held, hold_answers
from service.actions.recall_list import RecallForm, recall_list
from service.actions.rematch import count_silence
from service.domain.answering import AnswerForm
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.store import pace
from service.store.database import transaction
from tests.lending import CYCLE, TODAY, at, officer, rows_of
from tests.service.test_supplements import TOMORROW, Cast

OU = Who(Role.OPERATOR, 9, "欧")
CITY = Who(Role.CITY, 7, "市")


class Recalling(Cast):
    """Three demands on the first bank's list; the second bank has room too."""

    def __init__(self) -> None:
        super().__init__(3, 3)
        self.demands = [self.demand(0) for _ in range(3)]
        self.push()
        self.list_id, self.lines = self.one(0)

    def one(self, bank: int) -> tuple[int, list[int]]:
        """The latest list of the bank, and its lines in the order of the demands."""
        with transaction(CYCLE) as tx:
            rows = rows_of(
                tx, "SELECT list_id, id FROM push_line WHERE bank_id = :b ORDER BY demand_id", b=self.banks[bank]
            )
        latest = max(row.list_id for row in rows)
        return latest, [row.id for row in rows if row.list_id == latest]

    def answer(self, line: int, kind: str) -> None:
        bai = officer(self.banks[0])
        with transaction(bai) as tx:
            reasons = ("cash_flow",) if kind == "refused" else ()
            answer_line(tx, bai, AnswerForm(line, kind, reasons=reasons), TODAY, at(TODAY, 11))

    def recall(self, who: Who = OU, reason: str = "报送有误", hour: int = 12, **other: object) -> int:
        form = RecallForm(**{"list_id": self.list_id, "reason": reason} | other)
        with transaction(who) as tx:
            return recall_list(tx, who, form, TODAY, at(TODAY, hour))

    def read(self, sql: str, **values: object) -> list:
        with transaction(CYCLE) as tx:
            return [tuple(row) for row in rows_of(tx, sql, **values)]

    def states(self) -> list[str]:
        return [
            state
            for (state,) in self.read(
                "SELECT state FROM push_line WHERE list_id = :l ORDER BY demand_id", l=self.list_id
            )
        ]


@pytest.fixture
def cast(database) -> Recalling:
    return Recalling()


def test_what_no_bank_answered_ends_recalled_and_what_was_answered_stands(cast: Recalling) -> None:
    received, contacted, _untouched = cast.lines
    cast.answer(received, "received")
    cast.answer(contacted, "contacted")
    before = cast.read("SELECT * FROM push_list WHERE id = :l", l=cast.list_id)
    assert cast.recall() == 2
    assert cast.states() == ["recalled", "contacted", "recalled"]
    assert cast.read("SELECT * FROM push_list WHERE id = :l", l=cast.list_id) == before, "a list is unchangeable"
    kept = cast.read("SELECT reason, lines, stands, recalled_by FROM push_list_recall")
    assert kept == [("报送有误", 2, 1, 9)]
    standing = cast.read("SELECT state, light, next_step, next_by, push_on FROM demand ORDER BY id")
    waits = ("recommended", "green", "push", "platform", TODAY)
    assert [standing[0], standing[2]] == [waits, waits]
    assert standing[1][0] == "answered"


def test_places_and_money_come_back_exactly_once(cast: Recalling) -> None:
    cast.answer(cast.lines[0], "refused")
    asked = cast.read("SELECT amount_fen FROM demand LIMIT 1")[0][0]
    assert cast.read("SELECT used FROM place_use") == [(2,)]
    assert [cast.recall(), cast.recall(reason="又按了一次")] == [2, 0]
    assert cast.read("SELECT used FROM place_use") == [(0,)]
    assert cast.read("SELECT reserved_fen FROM product WHERE bank_id = :b", b=cast.banks[0]) == [(0,)]
    assert asked > 0
    assert cast.read("SELECT reason FROM push_list_recall") == [("报送有误",)]
    assert cast.read("SELECT count(*) FROM notice WHERE kind = 'list_recalled'") == [(1,)]


def test_two_clicks_at_once_recall_once(cast: Recalling) -> None:
    with ThreadPoolExecutor(2) as two:
        done = list(two.map(lambda _: cast.recall(), range(2)))
    assert sorted(done) == [0, 3]
    assert cast.read("SELECT used FROM place_use") == [(0,)]
    assert cast.read("SELECT lines FROM push_list_recall") == [(3,)]


def test_the_demands_go_out_again_by_the_next_supplement_even_to_the_same_bank(cast: Recalling) -> None:
    cast.recall()
    (queued,) = cast.read("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'today'")
    assert queued == (1,)
    assert cast.push(13).lines == 3
    assert cast.lists()[3:] == [(1, "recall", 0, demand) for demand in cast.demands]
    with transaction(CYCLE) as tx:
        checked = certify_day(tx, CYCLE, TODAY)
    assert checked.breaches == (), "both lists replay to what was published"
    assert [run.lines for run in checked.runs] == [3, 3]


def test_kept_away_the_demands_wait_a_day_for_that_bank_and_nobody_is_asked_anything(cast: Recalling) -> None:
    assert cast.recall(keeps_away=True) == 3
    assert cast.push(13).lines == 0
    assert cast.read("SELECT kind FROM notice WHERE kind IN ('consent_proposed', 'no_bank_left')") == []
    assert cast.read("SELECT DISTINCT light FROM demand") == [("green",)]
    assert cast.push(day=TOMORROW).lines == 3


def test_it_is_no_silence_of_the_bank_s_and_no_round_of_the_demand_s(cast: Recalling) -> None:
    cast.answer(cast.lines[1], "contacted")
    with transaction(CYCLE) as tx:
        pace.roll_up(tx, TODAY)
    cast.recall()
    late = TODAY + timedelta(days=60)
    with transaction(CYCLE) as tx:
        assert count_silence(tx, CYCLE, late, at(late)) == 1, "the one that stands"
        pace.roll_up(tx, late)
        (bank,) = pace.of_banks(tx, TODAY, TODAY, late)
    assert (bank.lines, bank.contact_due, bank.contacted, bank.silent) == (1, 1, 1, 1)
    assert cast.states() == ["recalled", "silent", "recalled"]


def test_a_recalled_line_takes_no_answer_and_one_that_stands_takes_them_as_before(cast: Recalling) -> None:
    cast.answer(cast.lines[0], "contacted")
    cast.recall()
    with pytest.raises(Conflict, match="已于 2026-06-24 召回这份清单，此项不用反馈"):
        cast.answer(cast.lines[1], "contacted")
    cast.answer(cast.lines[0], "refused")
    assert cast.states() == ["refused", "recalled", "recalled"]


def test_an_answer_the_bank_confirmed_and_may_still_take_back_stands(cast: Recalling) -> None:
    bai = officer(cast.banks[0])
    with transaction(bai) as tx:
        hold_answers(tx, bai, Together("a" * 32, [cast.lines[0]], "contacted"), TODAY, at(TODAY, 12))
    assert cast.recall() == 2
    with transaction(CYCLE) as tx:
        assert give_held(tx, at(TODAY, 13)) == 1
    assert cast.states() == ["contacted", "recalled", "recalled"]


def test_it_refuses_whom_it_must_and_what_it_cannot_do(cast: Recalling) -> None:
    for who in (officer(cast.banks[0]), CITY):
        with pytest.raises(NotAllowed):
            cast.recall(who)
    with pytest.raises(NotPossible):
        cast.recall(reason="  ")
    with pytest.raises(NotFound):
        cast.recall(list_id=999)
    for line in cast.lines:
        cast.answer(line, "contacted")
    with pytest.raises(Conflict, match="没有可以召回的"):
        cast.recall()
    assert cast.states() == ["contacted"] * 3


def test_it_is_on_the_trail_and_told_to_the_bank_and_the_firms(cast: Recalling) -> None:
    cast.answer(cast.lines[0], "contacted")
    cast.recall()
    ((bank, details),) = cast.read("SELECT bank_id, details FROM trail WHERE noun = 'push_list' AND verb = 'recalled'")
    assert bank == cast.banks[0]
    assert details == {"lines": 2, "stands": 1, "reason": "报送有误", "keeps_away": False}
    acts = cast.read("SELECT noun, old, new FROM trail WHERE verb = 'recalled' AND noun <> 'push_list' ORDER BY 1")
    assert acts == [("demand", "pushed", "recommended")] * 2 + [("push_line", "pushed", "recalled")] * 2
    told = cast.read("SELECT kind, uscc IS NOT NULL FROM notice WHERE kind LIKE '%recalled' ORDER BY id")
    assert told == [("line_recalled", True)] * 2 + [("list_recalled", False)]


def test_a_bank_reads_its_own_recalls_only(cast: Recalling) -> None:
    cast.recall()
    for bank, seen in ((0, 1), (1, 0)):
        with transaction(officer(cast.banks[bank])) as tx:
            assert len(rows_of(tx, "SELECT 1 FROM push_list_recall")) == seen
