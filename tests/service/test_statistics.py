"""Every total equals the sum of its events, whatever was reported, corrected and taken back, in whatever order."""

import threading
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import psycopg
import pytest
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from service.domain.definitions import DEFINITIONS
from service.domain.errors import NotAllowed
from service.domain.figure import FigureKind
from service.domain.people import Role, Who
from service.store import figure_grid
from service.store.database import transaction
from service.store.figure_grid import Cut
from service.store.migrate import alembic_config, migrate
from service.store.server import ServerAddress, drop_database, make_database
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


def lent(number: int, **more: object) -> Event:
    """One of the bank's two products."""
    return event(number, product_id=int(str(more["bank_id"])) * 10 + number % 2, **more)


occurrences = st.lists(
    st.builds(
        lent,
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


def products_add_up(tx: Session, events: list[Event], standing: list[Event]) -> None:
    """By product now, and as it was before anything was taken back."""
    for until, counted in ((None, standing), (TODAY, events)):
        cells = {cell.key: cell for cell in figures(tx, CITY, SINCE, UNTIL, "product", as_of=until)}
        for product in {one.product_id for one in counted}:
            for kind, amounts in expected([one for one in counted if one.product_id == product]).items():
                assert replace(getattr(cells[str(product)], kind), late_events=0) == amounts


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
        products_add_up(tx, events, standing)
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


def test_a_bank_sees_the_figures_of_its_own_products_and_a_firm_is_new_to_each(database) -> None:
    with transaction(CYCLE) as tx:
        lines = [event(1, product_id=11), event(2, product_id=12, uscc=usccs(1)), event(3, bank_id=2, product_id=21)]
        count(tx, [*lines, event(4, product_id=11, uscc=usccs(1))], TODAY, NOW)
    with transaction(officer(1)) as tx:
        cells = {cell.key: cell.drawn for cell in figures(tx, officer(1), SINCE, UNTIL, "product")}
        assert {row.bank_id for row in rows_of(tx, "SELECT bank_id FROM figure_product")} == {1}
    assert {key: (one.households, one.events) for key, one in cells.items()} == {"11": (1, 2), "12": (1, 1)}
    with transaction(GAO) as tx:
        assert len(figures(tx, GAO, SINCE, UNTIL, "product")) == 3
        cut = Cut(SINCE, UNTIL, kind="drawn", product_id=11)
        assert figure_grid.list_events(tx, GAO, cut)[1].events == 2


OLD_EVENTS = """
    INSERT INTO figure_event (kind, "on", recorded_on, sign, noun_id, demand_id, uscc, district, bank_id, industry,
        size, amount_fen, rate, loan_type, is_first_loan, is_renewal_without_repayment, is_new_household,
        is_new_household_of_bank, made_at)
    VALUES (%s, '2026-06-01', '2026-06-02', %s, %s, 1, %s, '410105', %s, 'F', 'small', 100, 0.04, 'credit', false,
        false, false, false, now())
"""
KEPT = (
    """SELECT "on", district, bank_id, product_id, kind, events, households_of_product, amount_fen, late_events
       FROM figure_product ORDER BY 1, 2, 3, 4, 5""",
    "SELECT uscc, kind, bank_id, product_id, live FROM figure_household WHERE live <> 0 ORDER BY 1, 2, 3, 4",
    "SELECT kind, noun_id, sign, product_id, is_new_household_of_product FROM figure_event ORDER BY 1, 2, 3",
)


def test_what_was_recorded_before_products_counts_as_if_it_had_always_had_them(server: ServerAddress) -> None:
    script = next(one for one in revisions_of_products() if "figures_by_product" in one.path)
    name = f"xd_products_{server.database[-8:]}"
    drop_database(server, name)
    address = make_database(server, name)
    try:
        migrate(address.owner_url, script.down_revision)
        with psycopg.connect(address.admin_url, autocommit=True) as admin:
            fill_before_products(admin)
            migrate(address.owner_url, script.revision)
            found = [admin.execute(query).fetchall() for query in KEPT]
            events = admin.execute("SELECT * FROM figure_event ORDER BY id")
            names, rows = [column.name for column in events.description or ()], events.fetchall()
            for table in ("figure_event", "figure_day", "figure_slice", "figure_product", "figure_household"):
                admin.execute(f"TRUNCATE {table}")
            columns, places = ", ".join(f'"{one}"' for one in names), ", ".join(["%s"] * len(names))
            for row in rows:
                admin.execute(f"INSERT INTO figure_event ({columns}) OVERRIDING SYSTEM VALUE VALUES ({places})", row)
            assert [admin.execute(query).fetchall() for query in KEPT] == found
        assert [row[3] for row in found[0]] == [0, 7, 7, 8] and found[2][-1][3] == 0
    finally:
        drop_database(server, name)


def revisions_of_products():
    return ScriptDirectory.from_config(alembic_config()).walk_revisions()


def fill_before_products(admin: psycopg.Connection) -> None:
    """A demand, three grants of two firms on two products, one of them taken back, and a drawdown."""
    admin.execute("SET session_replication_role = replica")  # rows of other tables without what they point to
    for key, product in ((1, 7), (2, 8), (3, 7)):
        fill(admin, "credit_grant", id=key, product_id=product, line_id=key)
    fill(admin, "drawdown", id=1, grant_id=3)
    admin.execute("SET session_replication_role = origin")
    for kind, sign, noun, firm, bank in (
        ("reported", 1, 1, 1, 0),
        ("granted", 1, 1, 1, 1),
        ("granted", 1, 2, 1, 1),
        ("granted", 1, 3, 2, 1),
        ("granted", -1, 1, 1, 1),
        ("drawn", 1, 1, 2, 1),
    ):
        admin.execute(OLD_EVENTS, (kind, sign, noun, usccs(firm), bank))


def fill(admin: psycopg.Connection, table: str, **known: int) -> None:
    """One row with something in every column that must have something."""
    something = {
        "bigint": "1", "integer": "1", "text": "'credit'", "character varying": "'x'", "boolean": "false",
        "date": "'2026-06-01'", "timestamp with time zone": "now()", "numeric": "0.04",
    }  # fmt: skip
    columns = admin.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO'",
        (table,),
    ).fetchall()
    values = {name: str(known[name]) if name in known else something[kind] for name, kind in columns}
    admin.execute(
        f"INSERT INTO {table} ({', '.join(values)}) OVERRIDING SYSTEM VALUE VALUES ({', '.join(values.values())})"
    )


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
