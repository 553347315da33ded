"""Every total equals the sum of its events, whatever was reported, corrected and taken back, in whatever order."""

import threading
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.definitions import DEFINITIONS
from service.domain.errors import NotAllowed
from service.domain.figure import FigureKind
from service.domain.people import Role, Who
from service.store.database import transaction
from service.store.statistics import Amounts, Event, Figures, count, figures, without_small_cells
from tests.lending import CYCLE, NOW, TODAY, WAN, at, officer, rows_of, usccs

GAO = Who(Role.DISTRICT, 9, "Gao", district="410105")
CITY = Who(Role.CITY, 8, "Guo")
SINCE, UNTIL = TODAY - timedelta(days=9), TODAY


def event(number: int, **more: object) -> Event:
    values = {
        "kind": FigureKind.DRAWN, "on": TODAY, "noun_id": number, "demand_id": number, "uscc": usccs(number),
        "district": "410105", "amount_fen": 100 * WAN, "bank_id": 1, "industry": "F", "size": "small",
        "rate": Decimal("0.04"), "loan_type": "credit",
    }  # fmt: skip
    return Event(**values | more)


occurrences = st.lists(
    st.builds(
        event,
        st.integers(1, 10_000),
        kind=st.sampled_from([FigureKind.GRANTED, FigureKind.DRAWN]),
        on=st.dates(SINCE, UNTIL),
        uscc=st.integers(1, 4).map(usccs),
        district=st.sampled_from(["410105", "410102"]),
        amount_fen=st.integers(1, 10**12),
        bank_id=st.integers(1, 3),
        industry=st.sampled_from("CF"),
        size=st.sampled_from(["small", "micro"]),
        rate=st.decimals("0.0300000", "0.1500000", places=7),
        loan_type=st.sampled_from(["credit", "mortgage"]),
        is_first_loan=st.booleans(),
        is_renewal_without_repayment=st.booleans(),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda one: (one.kind, one.noun_id),
)


def taken_back(one: Event) -> Event:
    return Event(**vars(one) | {"sign": -1})


def expected(standing: list[Event]) -> dict[str, Amounts]:
    cells: dict[str, list[Event]] = defaultdict(list)
    for one in standing:
        cells[one.kind].append(one)
    return {
        kind: Amounts(len({one.uscc for one in cell}), len(cell), sum(one.amount_fen for one in cell))
        for kind, cell in cells.items()
    }


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=occurrences, data=st.data())
def test_every_total_equals_the_sum_of_its_events(database, events: list[Event], data: st.DataObject) -> None:
    back = [one for one in events if data.draw(st.booleans())]
    later = TODAY + timedelta(days=3)
    with pytest.raises(ZeroDivisionError), transaction(CYCLE) as tx:  # each example leaves nothing behind
        cut = data.draw(st.integers(0, len(events)))
        count(tx, events[:cut], TODAY, NOW)
        count(tx, events[cut:] + events[:cut], TODAY, NOW)  # some of it twice
        count(tx, [taken_back(one) for one in back], later, at(later))
        standing = [one for one in events if one not in back]
        for by, key in (
            ("all", lambda _: ""),
            ("day", lambda one: one.on.isoformat()),
            ("industry", lambda one: one.industry),
            ("size", lambda one: one.size),
        ):
            cells = {cell.key: cell for cell in figures(tx, CITY, SINCE, UNTIL, by)}
            for name in {key(one) for one in standing}:
                for kind, amounts in expected([one for one in standing if key(one) == name]).items():
                    found = getattr(cells[name], kind)
                    assert (found.events, found.amount_fen) == (amounts.events, amounts.amount_fen)
        (whole,) = figures(tx, CITY, SINCE, UNTIL) or [Figures("")]
        for kind in (FigureKind.GRANTED, FigureKind.DRAWN):
            assert getattr(whole, kind).households == expected(standing).get(kind, Amounts()).households
        for cell in figures(tx, CITY, SINCE, UNTIL, "bank"):
            of_bank = expected([one for one in standing if str(one.bank_id) == cell.key])
            assert cell.drawn.households == of_bank.get(FigureKind.DRAWN, Amounts()).households
        paid = [one for one in standing if one.kind is FigureKind.DRAWN]
        total = sum(one.amount_fen for one in paid)
        if paid:
            weighted = sum(one.rate * one.amount_fen for one in paid) / total
            assert abs(whole.average_rate - weighted) <= Decimal("0.0000005")
            credit = sum(one.amount_fen for one in paid if one.loan_type == "credit")
            assert abs(whole.credit_loan_share - Decimal(credit) / total) <= Decimal("0.00005")
        else:
            assert whole.average_rate is None
        raise ZeroDivisionError


def test_a_firm_s_own_report_is_counted_though_the_firm_sees_no_figures(database) -> None:
    fang = Who(Role.FIRM, 20, "Fang", uscc=usccs(1))
    reported = event(1, kind=FigureKind.REPORTED, bank_id=0, rate=None, loan_type=None)
    with transaction(fang) as tx:
        count(tx, [reported], TODAY, NOW)
        with pytest.raises(NotAllowed):
            figures(tx, fang, SINCE, UNTIL)
    with transaction(CITY) as tx:
        assert figures(tx, CITY, SINCE, UNTIL)[0].reported == Amounts(1, 1, 100 * WAN)


def test_a_district_sees_its_own_figures_and_a_bank_its_own(database) -> None:
    with transaction(CYCLE) as tx:
        count(tx, [event(1), event(2, district="410102", bank_id=2)], TODAY, NOW)
    for who, amounts in ((GAO, 1), (officer(1), 1), (officer(3), 0), (CITY, 2)):
        with transaction(who) as tx:
            assert sum(cell.drawn.events for cell in figures(tx, who, SINCE, UNTIL, "bank")) == amounts
    with transaction(GAO) as tx:
        assert [cell.key for cell in figures(tx, GAO, SINCE, UNTIL, "industry")] == ["F"]
    with transaction(officer(1)) as tx, pytest.raises(NotAllowed):
        figures(tx, officer(1), SINCE, UNTIL, "industry")


def test_two_banks_that_report_one_firm_at_once_count_one_household(database) -> None:
    barrier = threading.Barrier(2)

    def report(bank: int) -> None:
        barrier.wait()
        with transaction(officer(bank)) as tx:
            count(tx, [event(bank, uscc=usccs(7), bank_id=bank)], TODAY, NOW)

    threads = [threading.Thread(target=report, args=(bank,)) for bank in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(CITY) as tx:
        assert figures(tx, CITY, SINCE, UNTIL)[0].drawn == Amounts(1, 2, 200 * WAN)
        assert [cell.drawn.households for cell in figures(tx, CITY, SINCE, UNTIL, "bank")] == [1, 1]


def test_what_became_known_after_its_day_shows_as_late(database) -> None:
    with transaction(CYCLE) as tx:
        count(tx, [event(1, on=TODAY - timedelta(days=2)), event(2)], TODAY, NOW)
        (whole,) = figures(tx, CYCLE, SINCE, UNTIL)
    assert (whole.drawn.events, whole.drawn.late_events) == (2, 1)


def test_nobody_at_the_door_may_change_or_remove_an_event(database) -> None:
    with transaction(CYCLE) as tx:
        count(tx, [event(1)], TODAY, NOW)
    for statement in ("UPDATE figure_event SET amount_fen = 1", "DELETE FROM figure_event"):
        with pytest.raises(Exception, match="permission denied"), transaction(CYCLE) as tx:
            rows_of(tx, statement + " RETURNING id")


def test_small_cells_do_not_leave_the_platform() -> None:
    cells = [
        Figures("a", drawn=Amounts(2, 2, 5)),
        Figures("b", drawn=Amounts(3, 3, 5)),
        Figures("c", reported=Amounts(1, 1, 1)),
    ]
    shown = without_small_cells(cells)
    assert [cell.drawn.amount_fen for cell in shown] == [0, 5, 0]
    assert shown[2].reported.events == 1


def test_every_figure_has_its_definition_in_two_languages() -> None:
    kinds = [f"{kind}.{name}" for kind in FigureKind for name in ("households", "events", "amount_fen")]
    shares = [name for name in Figures.__dataclass_fields__ if name not in ("key", *FigureKind)]
    assert set(DEFINITIONS) == {*kinds, *shares, "late_events"}
    assert all(words.zh and words.en for words in DEFINITIONS.values())
    assert date(2026, 6, 24) == TODAY
