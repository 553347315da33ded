"""Figures as of a past day are what was read on that day, whatever came later; and each is the sum of its events."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.figure import FigureKind
from service.store.database import transaction
from service.store.figure_grid import Cut, grid, list_events
from service.store.statistics import count, figures
from tests.lending import CYCLE, TODAY, at
from tests.service.test_statistics import CITY, SINCE, UNTIL, occurrences, taken_back

CUTS = ("all", "day", "month", "district", "bank", "industry", "size")


def standing(tx) -> dict[str, object]:
    """Every cell that holds anything, in every cut, and the grid."""
    cells = {
        (by, cell.key): cell
        for by in CUTS
        for cell in figures(tx, CITY, SINCE, UNTIL, by)
        if cell.granted.events or cell.drawn.events
    }
    return cells | {"grid": grid(tx, CITY, Cut(SINCE, UNTIL, kind="drawn"))}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=occurrences, data=st.data())
def test_as_of_a_day_is_what_was_read_that_day(database, events, data) -> None:
    back = [one for one in events if data.draw(st.booleans())]
    cut = data.draw(st.integers(0, len(events)))
    with pytest.raises(ZeroDivisionError), transaction(CYCLE) as tx:  # each example leaves nothing behind
        kept = {}
        for day, reported in enumerate((events[:cut], events[cut:], [taken_back(one) for one in back])):
            on = TODAY + timedelta(days=day)
            count(tx, reported, on, at(on))
            kept[on] = standing(tx)
        for on, was in kept.items():
            then = {
                (by, cell.key): cell
                for by in CUTS
                for cell in figures(tx, CITY, SINCE, UNTIL, by, on)
                if cell.granted.events or cell.drawn.events
            }
            assert then | {"grid": grid(tx, CITY, Cut(SINCE, UNTIL, kind="drawn", as_of=on))} == was
            for kind in (FigureKind.GRANTED, FigureKind.DRAWN):
                whole = was.get(("all", ""))
                amounts = getattr(whole, kind.value) if whole else None
                _rows, sums = list_events(tx, CITY, Cut(SINCE, UNTIL, kind=kind.value, as_of=on))
                _rows, new = list_events(tx, CITY, Cut(SINCE, UNTIL, kind=kind.value, as_of=on, only="new"))
                assert sums.amount_fen == (amounts.amount_fen if amounts else 0)
                assert new.events == (amounts.households if amounts else 0)
        raise ZeroDivisionError


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=occurrences)
def test_the_events_of_an_industry_a_size_and_a_mark_are_the_figure(database, events) -> None:
    with pytest.raises(ZeroDivisionError), transaction(CYCLE) as tx:
        count(tx, events, TODAY, at(TODAY))
        for by in ("industry", "size"):
            for cell in figures(tx, CITY, SINCE, UNTIL, by):
                _rows, sums = list_events(tx, CITY, Cut(SINCE, UNTIL, kind="drawn", **{by: cell.key}))
                assert (sums.events, sums.amount_fen) == (cell.drawn.events, cell.drawn.amount_fen)
        (whole,) = figures(tx, CITY, SINCE, UNTIL)
        if whole.drawn.amount_fen:
            for only, share in (
                ("credit", whole.credit_loan_share),
                ("first", whole.first_loan_share),
                ("renewal", whole.renewal_without_repayment_share),
            ):
                _rows, sums = list_events(tx, CITY, Cut(SINCE, UNTIL, kind="drawn", only=only))
                assert abs(Decimal(sums.amount_fen) / whole.drawn.amount_fen - share) <= Decimal("0.00005")
        raise ZeroDivisionError
