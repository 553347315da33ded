"""Targets of a year: set by the city with a trail, measured by what is there, judged by the time that has passed."""

from datetime import date
from decimal import Decimal

import pytest

from service.actions.set_targets import set_targets
from service.domain.errors import NotAllowed, NotPossible
from service.domain.figure import FigureKind
from service.domain.people import Role, Who
from service.domain.target import CITY_WIDE, Standing, TargetKind, elapsed, progress
from service.store import pace, targets
from service.store.bulk import add_rows
from service.store.statistics import count
from tests.lending import CYCLE, NOW, TODAY, WAN, Lending, officer, rows_of
from tests.service.test_statistics import event

CITY = Who(Role.CITY, 7, "市")
GAO = Who(Role.DISTRICT, 5, "高", district="410105")
OU = Who(Role.DISTRICT, 6, "欧", district="410102")
YEAR = TODAY.year


def wanted(**values: str | None) -> dict[TargetKind, Decimal | None]:
    return {TargetKind(kind): None if value is None else Decimal(value) for kind, value in values.items()}


def test_the_time_of_the_year_that_has_passed_counts_whole_days() -> None:
    assert elapsed(2026, date(2025, 12, 31)) == 0
    assert elapsed(2026, date(2026, 1, 1)) == Decimal(1) / 365
    assert elapsed(2026, date(2027, 3, 1)) == elapsed(2026, date(2026, 12, 31)) == 1
    assert elapsed(2028, date(2028, 12, 30)) == Decimal(365) / 366


@pytest.mark.parametrize(
    ("kind", "value", "began", "passed", "standing"),
    [
        (TargetKind.DEMANDS, "100", "0", "0.2", Standing.REACHED),
        (TargetKind.DEMANDS, "60", "0", "0.5", Standing.AHEAD),
        (TargetKind.DEMANDS, "51", "0", "0.5", Standing.IN_STEP),
        (TargetKind.DEMANDS, "40", "0", "0.5", Standing.BEHIND),
        (TargetKind.DEMANDS, "99", "0", "1", Standing.SHORT),
        (TargetKind.REGISTERED, "85", "70", "0.5", Standing.IN_STEP),  # half of the way from 70 to 100
        (TargetKind.REGISTERED, "75", "70", "0.5", Standing.BEHIND),
        (TargetKind.IN_TIME, "99", "0", "0.01", Standing.SHORT),  # it must hold on every day
        (TargetKind.IN_TIME, "100", "0", "0.01", Standing.REACHED),
        (TargetKind.REAL_NAMED, "100", "100", "0", Standing.REACHED),  # there already as the year began
    ],
)
def test_a_target_is_judged_by_its_way_and_the_time(kind, value, began, passed, standing) -> None:
    found = progress(kind, Decimal(100), Decimal(value), Decimal(began), Decimal(passed))
    assert found.standing is standing
    assert progress(kind, Decimal(100), None, Decimal(0), Decimal(passed)).standing is Standing.UNKNOWN


def test_the_city_sets_changes_and_drops_targets_and_each_change_is_on_the_trail_once(database) -> None:
    with database.transaction(CITY) as tx:
        assert set_targets(tx, CITY, YEAR, "410105", wanted(demands="120", in_time="0.95"), TODAY, NOW) == 2
        assert set_targets(tx, CITY, YEAR, "410105", wanted(demands="120", in_time="0.95"), TODAY, NOW) == 0
        assert set_targets(tx, CITY, YEAR, "410105", wanted(demands="150", in_time=None, drawn=None), TODAY, NOW) == 2
        kept = {row.kind: (row.value, row.set_by) for row in targets.list_of_year(tx, YEAR, "410105")}
    assert kept == {"demands": (Decimal(150), 7)}
    with database.transaction(CYCLE) as tx:
        way = [(row.details["kind"], row.old, row.new) for row in rows_of(tx, "SELECT * FROM trail ORDER BY id")]
    assert way == [
        ("demands", None, "120"),
        ("in_time", None, "0.95"),
        ("demands", "120", "150"),
        ("in_time", "0.95", None),
    ]


def test_nobody_else_sets_them_and_what_cannot_be_is_refused(database) -> None:
    for who in (GAO, officer(1), Who(Role.OPERATOR, 9, "运")):
        with database.transaction(who) as tx, pytest.raises(NotAllowed):
            set_targets(tx, who, YEAR, CITY_WIDE, wanted(demands="1"), TODAY, NOW)
    for year, area, values, field in (
        (YEAR - 2, CITY_WIDE, {"demands": "1"}, "year"),
        (YEAR + 6, CITY_WIDE, {"demands": "1"}, "year"),
        (YEAR, "999999", {"demands": "1"}, "district"),
        (YEAR, CITY_WIDE, {"registered": "1.01"}, "registered"),
        (YEAR, CITY_WIDE, {"granted": "0"}, "granted"),
    ):
        with database.transaction(CITY) as tx, pytest.raises(NotPossible) as refusal:
            set_targets(tx, CITY, year, area, wanted(**values), TODAY, NOW)
        assert refusal.value.field == field
    with pytest.raises(Exception, match="row-level security"), database.transaction(GAO) as tx:
        targets.put(tx, YEAR, "410105", TargetKind.DEMANDS, Decimal(1), GAO, NOW)


def test_what_there_is_comes_from_figures_lines_and_firms_and_a_district_sees_its_own(database) -> None:
    with database.transaction(CYCLE) as tx:
        made = Lending(tx)
        firms = [made.firm(), made.firm(), made.firm(district="410102"), made.firm(status="cancelled")]
        product = made.product(made.bank())
        made.line(made.demand(firms[0]), product, contact_due_on=date(2026, 6, 1), pushed_on=date(2026, 5, 28))
        pace.roll_up(tx, TODAY)
        here = {"uscc": firms[0], "registered_on": TODAY, "real_named_on": TODAY}
        add_rows(tx, "registered_firm", [here, {**here, "uscc": firms[1], "registered_on": date(YEAR, 12, 1)}])
        assert targets.count_coverage(tx, TODAY) == targets.count_coverage(tx, TODAY) == 2
        before = {"on": date(YEAR - 1, 12, 31), "district": "410105", "firms": 2, "registered": 0, "real_named": 0}
        add_rows(tx, "coverage_day", [before])
        reported = {"kind": FigureKind.REPORTED, "bank_id": 0, "rate": None, "loan_type": None}
        count(tx, [event(1, **reported), event(2, district="410102", **reported), event(3)], TODAY, NOW)
    with database.transaction(CITY) as tx:
        for area in (CITY_WIDE, "410105"):
            values = wanted(demands="4", registered="0.8", drawn=str(50 * WAN), in_time="0.9", real_named="0.5")
            set_targets(tx, CITY, YEAR, area, values, TODAY, NOW)
        found = targets.progress_of_year(tx, CITY, YEAR, TODAY)
        past = targets.progress_of_year(tx, CITY, YEAR, TODAY, as_of=date(YEAR, 1, 31))
        assert targets.progress_of_year(tx, CITY, YEAR + 1, TODAY) == {}
    assert {kind.value: found[CITY_WIDE, kind].value for kind in TargetKind if (CITY_WIDE, kind) in found} == {
        "demands": 2, "registered": Decimal(1) / 3, "drawn": 100 * WAN, "in_time": 0, "real_named": Decimal(2) / 3,
    }  # fmt: skip
    assert found["410105", TargetKind.REGISTERED].value == Decimal("0.5")
    assert found["410105", TargetKind.DEMANDS].value == 1
    assert past[CITY_WIDE, TargetKind.DEMANDS].value == 0
    assert past[CITY_WIDE, TargetKind.IN_TIME].standing is Standing.UNKNOWN
    with database.transaction(GAO) as tx:
        own = targets.progress_of_year(tx, GAO, YEAR, TODAY)
        assert {row.district for row in rows_of(tx, "SELECT district FROM coverage_day")} == {"410105"}
    assert own["410105", TargetKind.REGISTERED] == found["410105", TargetKind.REGISTERED]
    with database.transaction(OU) as tx:
        assert {area for area, _kind in targets.progress_of_year(tx, OU, YEAR, TODAY)} == {CITY_WIDE}
    with database.transaction(officer(1)) as tx:
        assert rows_of(tx, "SELECT * FROM target") == rows_of(tx, "SELECT * FROM coverage_day") == []
