"""A tiny city lives five days through the front door; what must hold on any day holds at its end."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import structlog
from rich.console import Console
from sqlalchemy import text

from risk import choice, grow
from service.actions.rehearse_policy import reproduces
from service.actions.run_cycle import run_cycle
from service.city.character import Asking, Character, Lending
from service.city.demo import Built, Plan, build
from service.city.watch import Watch
from service.clock import instant_on
from service.domain.people import the_platform
from service.settings import DEMO_DAY, Settings
from service.store import platform_state, trail
from service.store.database import Database, use
from service.store.server import ServerAddress, drop_database, make_database
from service.telemetry import set_up_logging

# So few firms must borrow, default and ask often for a model to learn and for lists to fill.
SMALL_AND_LIVELY = Character(
    lending=Lending(share_of_firms=1.0, second_loan=1.0, base=-4.2), asking=Asking(per_thousand_firms=60)
)
PLAN = Plan(firms=200, days=5, seed=7)
FEWER = choice.Menu((0.1,), (replace(grow.SMALL, steps=(20,)),))  # which model is chosen is not the matter here


@pytest.fixture(scope="module")
def place(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings.model_copy(update={"home": tmp_path_factory.mktemp("city")})


@pytest.fixture(scope="module")
def opened(server: ServerAddress, template: ServerAddress) -> Iterator[Database]:
    name = f"xd_city_{template.database[-8:]}"
    opened = Database(make_database(server, name, template=template.database))
    yield opened
    opened.dispose()
    drop_database(server, name)


@pytest.fixture(scope="module")
def built(place: Settings, opened: Database) -> Iterator[Built]:
    use(opened)
    structured = structlog.get_config()
    set_up_logging(place.model_copy(update={"log_level": "error"}))
    with opened.transaction(the_platform("test")) as tx:
        platform_state.set_demo_day(tx, DEMO_DAY)
    with pytest.MonkeyPatch.context() as fewer, Watch(Console(quiet=True)) as watch:
        fewer.setattr(choice, "MENU", FEWER)
        yield build(opened, place, PLAN, watch, SMALL_AND_LIVELY)
    structlog.configure(**structured)


@pytest.fixture
def rows(built: Built, opened: Database) -> Iterator[Any]:
    with opened.transaction(the_platform("test")) as tx:
        yield lambda sql, **values: tx.execute(text(sql), values).all()


def test_every_step_of_a_demands_way_has_happened(built: Built) -> None:
    rows = built.summary["rows"]
    for table in ("firm", "record", "demand", "verdict", "estimate", "push_list", "push_line", "answer", "certificate"):
        assert rows[table] > 0, table
    assert built.summary["model"]
    assert built.summary["feeds"]["quarantined"] > 0
    assert built.summary["feeds"]["failed"] == 0


def test_the_last_days_banks_came_over_http(built: Built) -> None:
    assert built.summary["last_day_over_http"]["lines_read"] > 0


def test_no_product_is_over_its_quota_and_what_lines_reserve_is_what_it_holds(rows: Any) -> None:
    for row in rows(
        "SELECT p.quota_fen, p.reserved_fen, p.granted_fen,"
        " (SELECT coalesce(sum(reserved_fen), 0) FROM push_line WHERE product_id = p.id AND closed_on IS NULL) AS held"
        " FROM product p"
    ):
        assert row.reserved_fen + row.granted_fen <= row.quota_fen
        assert row.reserved_fen == row.held


def test_no_product_is_pushed_more_often_a_day_than_it_has_places(rows: Any) -> None:
    assert rows("SELECT 1 FROM place_use") != []
    assert rows("SELECT 1 FROM place_use WHERE used > places") == []


def test_no_demand_has_more_than_three_open_lines(rows: Any) -> None:
    most = rows(
        "SELECT max(n) AS n FROM (SELECT count(*) AS n FROM push_line WHERE closed_on IS NULL GROUP BY demand_id) c"
    )
    assert 1 <= most[0].n <= 3


def test_every_line_rests_on_a_consent_that_was_live_and_named_that_bank(rows: Any) -> None:
    lines = rows(
        "SELECT l.bank_id, l.uscc, l.pushed_on, c.bank_id AS named, c.uscc AS firm, c.from_on, c.until_on,"
        " w.withdrawn_on FROM push_line l JOIN consent c ON c.id = l.consent_id"
        " LEFT JOIN consent_withdrawal w ON w.consent_id = c.id"
    )
    assert lines
    for line in lines:
        assert (line.named, line.firm) == (line.bank_id, line.uscc)
        assert line.from_on <= line.pushed_on <= line.until_on
        assert line.withdrawn_on is None or line.withdrawn_on >= line.pushed_on


@pytest.mark.parametrize("noun", ["demand", "push_line"])
def test_every_change_of_state_has_exactly_one_entry_on_the_trail(rows: Any, noun: str) -> None:
    ways: dict[int, list[str]] = defaultdict(list)
    states = {row.id: row.state for row in rows(f"SELECT id, state FROM {noun}")}
    for row in rows(
        "SELECT noun_id, old, new FROM trail WHERE noun = :noun AND new IS NOT NULL ORDER BY id", noun=noun
    ):
        if row.old == row.new:
            continue
        way = ways[row.noun_id]
        assert (way[-1] if way else None) == row.old, (noun, row.noun_id, way, row.old, row.new)
        way.append(row.new)
    assert {key: way[-1] for key, way in ways.items()} == states


def test_the_city_has_tried_another_policy_on_its_days_and_its_own_gave_them_once_more(rows: Any) -> None:
    (one,) = rows("SELECT r.*, p.role FROM rehearsal r JOIN membership p ON p.person_id = r.asked_by")
    assert (one.role, one.state, one.done) == ("city", "done", PLAN.days)
    assert reproduces(one.found)
    assert not one.found["same_lines"]


def test_every_chain_of_the_trail_is_whole(rows: Any, opened: Database) -> None:
    with opened.transaction(the_platform("test")) as tx:
        for row in rows("SELECT chain FROM trail_head"):
            assert trail.first_break(trail.list_chain(tx, row.chain)) is None


def test_the_figures_are_the_sums_of_their_events(rows: Any) -> None:
    events = rows(
        'SELECT "on", district, bank_id, kind, sum(sign) AS n, sum(sign * amount_fen) AS fen FROM figure_event'
        " GROUP BY 1, 2, 3, 4"
    )
    days = rows('SELECT "on", district, bank_id, kind, events AS n, amount_fen AS fen FROM figure_day')
    assert events
    assert {tuple(row) for row in events} == {tuple(row) for row in days}
    granted = rows("SELECT coalesce(sum(amount_fen), 0) AS fen FROM credit_grant WHERE voided_at IS NULL")[0].fen
    assert sum(row.fen for row in events if row.kind == "granted") == granted


def test_no_red_demand_is_without_a_next_date_and_an_open_follow_up(rows: Any) -> None:
    red = rows(
        "SELECT d.next_on, (SELECT count(*) FROM follow_up u WHERE u.demand_id = d.id AND u.closed_on IS NULL) AS work"
        " FROM demand d WHERE d.light = 'red' AND d.closed_on IS NULL"
    )
    assert red
    assert all(row.next_on is not None and row.work > 0 for row in red)


def test_every_list_has_a_valid_certificate(rows: Any) -> None:
    assert rows("SELECT 1 FROM push_list s JOIN certificate c ON c.id = s.certificate_id WHERE NOT c.is_valid") == []


def test_the_last_day_done_once_more_changes_nothing(built: Built, place: Settings, opened: Database) -> None:
    def counted() -> dict[str, int]:
        with opened.transaction(the_platform("test")) as tx:
            tables = ("push_list", "push_line", "light_change", "verdict", "trail", "notice")
            return {table: tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables}

    run_cycle(place, DEMO_DAY, instant_on(DEMO_DAY, 20))
    before = counted()
    assert run_cycle(place, DEMO_DAY, instant_on(DEMO_DAY, 21)).state == "done"
    assert counted() == before


def test_there_is_one_card_for_each_role(built: Built) -> None:
    assert {person["role"] for person in built.summary["people"]} >= {
        "firm", "officer", "bank_admin", "district", "city", "operator",
    }  # fmt: skip
