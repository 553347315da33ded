"""Many reports of credit in one batch come to what they come to one after the other; a bad one spoils no other."""

import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from sqlalchemy import event, text
from sqlmodel import Session

from service.actions.report_credit import report_drawdowns, report_drawdowns_each, report_grants, report_grants_each
from service.domain.errors import NotAllowed
from service.domain.reporting import DrawForm, GrantForm, Reported
from service.store import trail
from service.store.database import Database, transaction
from tests.lending import CYCLE, NOW, TODAY, WAN, Lending, officer, owner, row_of, rows_of

RATE = Decimal("0.0435")
DAY = timedelta(days=1)
WHAT_STANDS = (
    "SELECT id, line_id, amount_fen, is_first_loan, replaces_id, voided_at FROM credit_grant ORDER BY id",
    "SELECT id, grant_id, loan_number, amount_fen, replaces_id, voided_at FROM drawdown ORDER BY id",
    "SELECT id, state, reserved_fen, due_step, closed_on FROM push_line ORDER BY id",
    "SELECT id, reserved_fen, granted_fen FROM product ORDER BY id",
    "SELECT id, state, light, next_step, next_by, next_on FROM demand ORDER BY id",
    "SELECT kind, district, bank_id, events, households, amount_fen, first_loan_fen FROM figure_day ORDER BY 1, 2, 3",
    "SELECT kind, noun_id, sign FROM figure_event ORDER BY 1, 2, 3",
    "SELECT kind, demand_id, line_id, count(*) FROM notice GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    "SELECT verb, noun, noun_id, bank_id, old, new FROM trail WHERE noun <> ALL ('{demand,light}') ORDER BY 2, 3, id",
)


class Crowd:
    """Four firms have accepted offers of Bai's bank, two of them under one product with a quota; a fifth one Bo's."""

    def __init__(self) -> None:
        with transaction(CYCLE) as tx:
            city = Lending(tx)
            bank, other = city.bank(), city.bank()
            self.tight, self.wide = city.product(bank, quota_fen=210 * WAN), city.product(bank)
            self.lines = [accepted(city, product) for product in (self.tight, self.tight, self.wide, self.wide)]
            self.lines.append(accepted(city, city.product(other)))
        self.bai, self.bo = officer(bank), officer(other, 51)

    def form(self, place: int, wan: int = 80, **more: object) -> GrantForm:
        values = {"rate": RATE, "term_months": 12, "loan_type": "credit", "granted_on": TODAY} | more
        return GrantForm(self.lines[place], wan * WAN, **values)

    def grant(self, *forms: GrantForm) -> list[Reported]:
        with transaction(self.bai) as tx:
            return report_grants(tx, self.bai, forms, TODAY, NOW)

    def draw(self, *forms: DrawForm) -> list[Reported]:
        with transaction(self.bai) as tx:
            return report_drawdowns(tx, self.bai, forms, TODAY, NOW)


def accepted(city: Lending, product: int, uscc: str | None = None, use: str = "working_capital") -> int:
    demand = city.demand(uscc, use=use)
    line = city.line(demand, product, state="accepted", due_step="grant")
    city.tx.execute(text("UPDATE demand SET state = 'accepted' WHERE id = :id"), {"id": demand})
    return line


def drawn(grant: int, number: str, wan: int = 10, **more: object) -> DrawForm:
    values = {"rate": RATE, "drawn_on": TODAY, "matures_on": TODAY + timedelta(days=365)} | more
    return DrawForm(grant, number, wan * WAN, **values)


def errors_of(results: list[Reported]) -> list[str]:
    return [type(one.error).__name__ if one.error else "" for one in results]


@pytest.fixture
def crowd(database) -> Crowd:
    return Crowd()


def test_in_a_batch_the_good_ones_are_taken_and_nothing_of_the_others_stays(crowd: Crowd) -> None:
    results = crowd.grant(
        crowd.form(0), crowd.form(1, 0), crowd.form(2), crowd.form(4), crowd.form(3, granted_on=TODAY - DAY)
    )
    assert errors_of(results) == ["", "NotPossible", "", "NotFound", "NotPossible"]
    assert (results[1].error.field, results[4].error.field) == ("amount_fen", "granted_on")
    keys = [results[0].key, results[2].key]
    with transaction(CYCLE) as tx:
        grants = rows_of(tx, "SELECT id, line_id FROM credit_grant ORDER BY id")
        assert [tuple(row) for row in grants] == [(keys[0], crowd.lines[0]), (keys[1], crowd.lines[2])]
        for noun in ("push_line", "demand"):
            states = [row.state for row in rows_of(tx, f"SELECT state FROM {noun} ORDER BY id")]
            assert states == ["granted", "accepted", "granted", "accepted", "accepted"]
        assert [row_of(tx, "product", one).reserved_fen for one in (crowd.tight, crowd.wide)] == [100 * WAN] * 2
        assert [len(rows_of(tx, f"SELECT 1 FROM {table}")) for table in ("figure_event", "notice")] == [2, 2]
        told = rows_of(tx, "SELECT noun_id FROM trail WHERE noun = 'credit_grant' ORDER BY id")
        assert [row.noun_id for row in told] == keys


def test_a_batch_stops_at_the_quota_as_one_after_the_other_would(crowd: Crowd) -> None:
    results = crowd.grant(crowd.form(0, 110), crowd.form(1, 101), crowd.form(2, 400))
    assert errors_of(results) == ["", "Conflict", ""]
    assert "额度不足" in str(results[1].error)
    assert errors_of(crowd.grant(crowd.form(1, 100))) == [""]
    with transaction(CYCLE) as tx:
        product = row_of(tx, "product", crowd.tight)
    assert (product.reserved_fen, product.granted_fen) == (0, 210 * WAN)


def test_two_reports_of_one_line_in_a_batch_are_one_grant_and_a_correction_follows_the_first(crowd: Crowd) -> None:
    first, again, other, beside = crowd.grant(crowd.form(0), crowd.form(0), crowd.form(0, 70), crowd.form(2))
    assert (again.key, type(other.error).__name__) == (first.key, "Conflict")
    results = crowd.grant(
        crowd.form(1), crowd.form(0, 60, corrects_id=first.key), crowd.form(2, 50, corrects_id=first.key),
        crowd.form(3), crowd.form(0, 60),
    )  # fmt: skip
    assert errors_of(results) == ["", "", "Conflict", "", ""]
    assert results[4].key == results[1].key
    with transaction(CYCLE) as tx:
        assert row_of(tx, "credit_grant", first.key).voided_at is not None
        assert row_of(tx, "credit_grant", beside.key).voided_at is None
        standing = rows_of(tx, "SELECT amount_fen FROM credit_grant WHERE voided_at IS NULL ORDER BY line_id")
        assert [row.amount_fen for row in standing] == [60 * WAN, 80 * WAN, 80 * WAN, 80 * WAN]
        (figure,) = rows_of(tx, "SELECT sum(amount_fen) AS fen, sum(households) AS n FROM figure_day")
    assert (int(figure.fen), int(figure.n)) == (300 * WAN, 4)


def test_of_two_grants_to_one_firm_in_a_batch_only_the_first_taken_is_a_first_loan(crowd: Crowd) -> None:
    with transaction(CYCLE) as tx:
        city = Lending(tx, firms=70)
        firms = [row_of(tx, "push_line", crowd.lines[place]).uscc for place in (0, 1)]
        crowd.lines += [accepted(city, crowd.wide, uscc, "equipment") for uscc in firms]
    results = crowd.grant(crowd.form(0), crowd.form(5), crowd.form(1, 0), crowd.form(6))
    assert errors_of(results) == ["", "", "NotPossible", ""]
    with transaction(CYCLE) as tx:
        first = [row_of(tx, "credit_grant", one.key).is_first_loan for one in results if one.key]
    assert first == [True, False, True]


def test_in_a_batch_of_drawdowns_each_is_taken_or_refused_on_its_own(crowd: Crowd) -> None:
    one, two, three = (result.key for result in crowd.grant(crowd.form(0), crowd.form(2), crowd.form(3)))
    with transaction(crowd.bo) as tx:
        (foreign,) = report_grants(tx, crowd.bo, [crowd.form(4)], TODAY, NOW)
    results = crowd.draw(
        drawn(one, "A"), drawn(two, "B", 81), drawn(two, " B "), drawn(three, "A"), drawn(one, "C", 70),
        drawn(one, "D", 1), drawn(foreign.key, "E"), drawn(999, "F"), drawn(three, "G", matures_on=TODAY),
    )  # fmt: skip
    refused = ["", "NotPossible", "", "Conflict", "", "NotPossible", "NotFound", "NotFound", "NotPossible"]
    assert errors_of(results) == refused
    assert results[1].error.values["left_fen"] == 80 * WAN
    with transaction(CYCLE) as tx:
        rows = [tuple(row) for row in rows_of(tx, "SELECT id, grant_id, loan_number FROM drawdown ORDER BY id")]
        assert rows == [(results[0].key, one, "A"), (results[2].key, two, "B"), (results[4].key, one, "C")]
        lines = rows_of(tx, "SELECT state FROM push_line ORDER BY id")
        assert [row.state for row in lines] == ["drawn", "accepted", "drawn", "granted", "granted"]
        assert len(rows_of(tx, "SELECT 1 FROM trail WHERE noun = 'push_line' AND new = 'drawn'")) == 2
    again = crowd.draw(drawn(one, "A"), drawn(one, "H", 5, corrects_id=results[4].key), drawn(one, "I", 65))
    assert (errors_of(again), again[0].key) == (["", "", ""], results[0].key)


def test_several_banks_report_in_one_batch_each_of_its_own_lines(crowd: Crowd) -> None:
    bai, bo = crowd.bai, crowd.bo
    with transaction(CYCLE) as tx:
        granted = report_grants_each(
            tx, [(bai, crowd.form(0)), (bo, crowd.form(4)), (bo, crowd.form(2)), (bai, crowd.form(4))], TODAY, NOW
        )
        assert errors_of(granted) == ["", "", "NotFound", "NotFound"]
        mine, theirs = granted[0].key, granted[1].key
        said = [(bai, drawn(mine, "A")), (bo, drawn(theirs, "A")), (bo, drawn(mine, "B"))]
        assert errors_of(report_drawdowns_each(tx, said, TODAY, NOW)) == ["", "", "NotFound"]
    with transaction(CYCLE) as tx:
        acts = rows_of(tx, "SELECT actor_id, bank_id FROM trail WHERE noun IN ('credit_grant', 'drawdown')")
        assert sorted(tuple(row) for row in acts) == [(50, bai.bank_id)] * 2 + [(51, bo.bank_id)] * 2
        settled = rows_of(tx, "SELECT actor_id, demand_id FROM trail WHERE noun = 'demand' AND new = 'drawn'")
        assert sorted(row.actor_id for row in settled) == [50, 51]
        for row in rows_of(tx, "SELECT chain FROM trail_head"):
            assert trail.first_break(trail.list_chain(tx, row.chain)) is None


def test_a_batch_with_somebody_who_is_no_bank_is_not_taken(crowd: Crowd) -> None:
    with transaction(CYCLE) as tx, pytest.raises(NotAllowed):
        fang = owner(row_of(tx, "push_line", crowd.lines[3]).uscc)
        report_grants_each(tx, [(crowd.bai, crowd.form(2)), (fang, crowd.form(3))], TODAY, NOW)
    with transaction(CYCLE) as tx:
        assert rows_of(tx, "SELECT 1 FROM credit_grant") == []


def test_a_batch_takes_no_more_statements_than_a_single_report(crowd: Crowd) -> None:
    def statements(act: Callable[[Session], list[Reported]]) -> int:
        said: list[str] = []
        with transaction(crowd.bai) as tx:
            event.listen(tx.connection(), "before_cursor_execute", lambda *call: said.append(call[2]))
            assert set(errors_of(act(tx))) == {""}
        return len(said)

    def grants(*places: int) -> int:
        forms = [crowd.form(place) for place in places]
        return statements(lambda tx: report_grants(tx, crowd.bai, forms, TODAY, NOW))

    def draws(*keys: int) -> int:
        forms = [drawn(key, f"N{key}") for key in keys]
        return statements(lambda tx: report_drawdowns(tx, crowd.bai, forms, TODAY, NOW))

    grants(3)  # opens the day's chains
    assert grants(2) == grants(0, 1) <= 19
    with transaction(CYCLE) as tx:
        first, *others = (row.id for row in rows_of(tx, "SELECT id FROM credit_grant"))
    assert draws(first) == draws(*others) <= 16


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_comes_to_the_same_as_its_forms_one_after_the_other(database, crowd: Crowd, seed: int) -> None:
    chance = random.Random(seed)
    grants, draws = some_grants(crowd, chance), some_draws(chance)

    def outcome(size: int) -> list[object]:
        found: list[Reported] = []
        count_from_one(database)
        with pytest.raises(ZeroDivisionError), transaction(CYCLE) as tx:  # each way leaves nothing behind
            for start in range(0, len(grants), size):
                found += report_grants_each(tx, grants[start : start + size], TODAY, NOW)
            for start in range(0, len(draws), size):
                found += report_drawdowns_each(tx, draws[start : start + size], TODAY, NOW)
            stands = [tuple(row) for seen in WHAT_STANDS for row in rows_of(tx, seen)]
            raise ZeroDivisionError
        return [*((one.key, str(one.error)) for one in found), *stands]

    together = outcome(30)
    assert outcome(1) == together
    assert outcome(5) == together


def some_grants(crowd: Crowd, chance: random.Random) -> list:
    amounts, old = (0, 50, 80, 110, 130), (None, None, None, 1, 2)
    return [
        (crowd.bai, crowd.form(chance.randrange(4), chance.choice(amounts), corrects_id=chance.choice(old)))
        for _ in range(16)
    ]


def some_draws(chance: random.Random) -> list[tuple]:
    old, who = (None, None, None, 1, 2), officer(1)
    return [
        (who, drawn(chance.randrange(1, 6), f"N{chance.randrange(6)}", 30, corrects_id=chance.choice(old)))
        for _ in range(16)
    ]


def count_from_one(database: Database) -> None:
    """Keys start at 1 again: a rollback does not give them back."""
    with psycopg.connect(database.address.admin_url, autocommit=True) as admin:
        admin.execute("SELECT setval('credit_grant_id_seq', 1, false), setval('drawdown_id_seq', 1, false)")
