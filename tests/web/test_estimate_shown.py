"""One estimate as the firm, its bank and the officials read it: grade, reasons, each with its source and date."""

from datetime import date

import pytest

from service.actions.promote_model import promote_model
from service.actions.push_lists import push_missing
from service.actions.train_model import register_model, use_model
from service.clock import Clock
from tests.browser import Browser, an_app
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    GAO,
    NOW,
    PLATFORM,
    TODAY,
    a_changed_fact,
    a_demand,
    a_small_world,
    bai,
    rows_of,
    some_tools,
)
from tests.kept_models import a_kept_model, an_operator

LATE = "近12个月逾期缴税1次"
SOURCE = "来源：纳税记录，数据截至 2026年6月"


@pytest.fixture
def pages(database, settings, tmp_path):
    """Fang's demand, judged by a kept model that counts late payments, pushed to Bai; the addresses by who reads it."""
    model = a_kept_model(settings, tmp_path, 0.02, per_delay=0.4)
    with database.transaction(PLATFORM) as tx:
        use_model(tx, PLATFORM, model, NOW)
        made = a_small_world(tx)
        late = {"code": "vat", "amount_fen": 1, "quantity": 20, "status": "late"}
        a_changed_fact(tx, FANG, "tax_payment", "2026-06|vat", date(2026, 6, 20), **late)
        tools = some_tools(tx, model=model)
        demand = a_demand(tx, FANG, (made.bank,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
        (line,) = rows_of(tx, "push_line", demand_id=demand)
    return {
        FANG_HERSELF: f"/firm/demands/{demand}",
        bai(made.bank): f"/push-lines/{line['id']}",
        GAO: f"/demands/{demand}",
        CITY: f"/demands/{demand}",
    }


@pytest.fixture
def app(database, settings):
    return an_app(settings, database, Clock(demo_on=TODAY))


def test_everyone_who_may_see_it_reads_the_grade_and_the_reasons_with_source_and_date(app, database, pages) -> None:
    for who, address in pages.items():
        page = Browser(app, database, who).opens(address)
        assert "B2" in page.words, who
        assert LATE in page.words, who
        assert SOURCE in page.words, who


def test_in_english_the_source_has_its_english_name(app, database, pages) -> None:
    for who, address in pages.items():
        reader = Browser(app, database, who)
        reader.client.headers["accept-language"] = "en"
        assert "source: Tax payments, data up to" in reader.opens(address).words, who


def test_an_estimate_explains_itself_by_its_own_model_after_another_came_into_use(
    app, database, settings, pages, tmp_path
) -> None:
    other = a_kept_model(settings, tmp_path, 0.03)
    with database.transaction(PLATFORM) as tx:
        register_model(tx, PLATFORM, other, NOW)
        people = [an_operator(tx, login, login) for login in ("otto", "oda")]
    for who in people:
        with database.transaction(who) as tx:
            promote_model(tx, who, settings.models, other.version, "更好。", TODAY, NOW)
    page = Browser(app, database, FANG_HERSELF).opens(pages[FANG_HERSELF])
    assert LATE in page.words
