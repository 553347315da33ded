"""The firm's pages: a demand goes from the form to its light, and nothing is given away without a tick."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from service.clock import Clock
from service.domain.people import the_platform
from tests.browser import Browser, an_app
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG_HIMSELF,
    TODAY,
    a_changed_fact,
    a_demand,
    a_record,
    a_small_world,
    rows_of,
)
from tests.kept_models import a_kept_model
from tests.reports import fills_in


@pytest.fixture
def world(database):
    with database.transaction(the_platform("test")) as tx:
        return a_small_world(tx)


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def fang(app, database) -> Browser:
    return Browser(app, database, FANG_HERSELF)


def wish(world, **other):
    return {"amount_fen": "50", "term_months": "12", "use": "trade", "first_bank": world.bank} | other


def test_a_firm_without_demands_is_invited_to_report_one(fang) -> None:
    page = fang.opens("/firm")
    assert page.status == 200
    assert "/firm/demands/new" in page.links


def test_a_demand_goes_from_the_form_over_the_consents_to_its_light(fang, world, database) -> None:
    checked = fills_in(fang, **wish(world))
    assert "BAI银行" in checked.words
    assert "50 万元" in checked.words
    lit = fang.sends("/firm/demands", consent=[0, world.bank])
    assert lit.address.startswith("/firm/demands/")
    assert any(word in lit.words for word in ("绿灯", "黄灯", "红灯"))
    with database.transaction(the_platform("test")) as tx:
        assert len(rows_of(tx, "demand", uscc=FANG)) == 1
        assert {row["bank_id"] for row in rows_of(tx, "consent", uscc=FANG)} == {None, world.bank}


def test_no_consent_is_ticked_beforehand_and_none_is_taken_as_given(fang, world, database) -> None:
    checked = fills_in(fang, **wish(world))
    assert "consent" not in checked.form("/firm/demands")["fields"]
    refused = fang.sends("/firm/demands")
    assert refused.status == 422
    assert "请逐项勾选授权" in refused.words
    with database.transaction(the_platform("test")) as tx:
        assert rows_of(tx, "demand", uscc=FANG) == []


def test_what_was_typed_stays_when_something_is_wrong(fang, world) -> None:
    page = fills_in(fang, **wish(world, amount_fen="很多"))
    assert page.status == 422
    assert 'value="很多"' in page.html
    assert "错误：" in page.words


@pytest.mark.parametrize("amount", ["0", "1000000000000000"])
def test_nothing_and_everything_are_no_amounts(fang, world, amount) -> None:
    assert fills_in(fang, **wish(world, amount_fen=amount)).status == 422


def test_a_second_demand_for_the_same_use_becomes_a_change_to_the_first_and_nothing_typed_is_lost(
    fang, world, database
) -> None:
    with database.transaction(the_platform("test")) as tx:
        there = a_demand(tx, FANG, (world.bank,), world.tools, use="trade")
    page = fills_in(fang, **wish(world, amount_fen="77.5"))
    assert "这一用途已有在办的需求" in page.words
    assert f"/firm/demands/{there}" in page.links
    changed = fang.sends(f"/firm/demands/{there}/draft")
    assert changed.address == f"/firm/demands/{there}/edit/check"
    assert "77.5 万元" in changed.words
    assert fang.sends(f"/firm/demands/{there}/edit").address == f"/firm/demands/{there}"
    with database.transaction(the_platform("test")) as tx:
        (demand,) = rows_of(tx, "demand", uscc=FANG)
        assert (demand["amount_fen"], demand["version"]) == (77_500_000, 2)
        assert rows_of(tx, "draft") == []


def test_another_firms_demand_is_simply_not_there(app, database, world) -> None:
    with database.transaction(the_platform("test")) as tx:
        demand_id = a_demand(tx, FANG, (world.bank,), world.tools)
    feng = Browser(app, database, FENG_HIMSELF)
    assert feng.opens(f"/firm/demands/{demand_id}").status == 404
    assert Browser(app, database, CITY).opens(f"/firm/demands/{demand_id}").status == 403


def test_a_firm_reads_its_reasons_and_what_would_change_them_with_a_caution(
    fang, world, database, settings, tmp_path
) -> None:
    tools = replace(world.tools, model=a_kept_model(settings, tmp_path, per_delay=0.7))
    with database.transaction(the_platform("test")) as tx:
        late = {"code": "cit", "amount_fen": 100_000, "quantity": 20, "status": "late"}
        a_record(tx, FANG, "tax_payment", "2026-02|cit", date(2026, 2, 28), **late)
        a_record(tx, FANG, "tax_payment", "2026-03|cit", date(2026, 3, 31), **late)
        a_changed_fact(tx, FANG, "tax_payment", "2026-04|cit", date(2026, 4, 30), **late)
        demand_id = a_demand(tx, FANG, (world.bank,), tools)
    page = fang.opens(f"/firm/demands/{demand_id}")
    assert "风险评估" in page.words
    assert "怎样会改变评估" in page.words
    assert "今后按期缴税" in page.words
    assert "不是承诺" in page.words
    fang.client.headers["accept-language"] = "en"
    english = fang.opens(f"/firm/demands/{demand_id}")
    assert "Pay tax on time from now on" in english.words
    assert "no promise" in english.words
    fang.opens(f"/firm/demands/{demand_id}/withdrawal")
    fang.sends(f"/firm/demands/{demand_id}/withdrawal")
    assert "Pay tax on time" not in fang.opens(f"/firm/demands/{demand_id}").words


def test_a_demand_is_withdrawn_and_repeated_in_one_step_each(fang, world, database) -> None:
    with database.transaction(the_platform("test")) as tx:
        demand_id = a_demand(tx, FANG, (world.bank,), world.tools)
    fang.opens(f"/firm/demands/{demand_id}/withdrawal")
    withdrawn = fang.sends(f"/firm/demands/{demand_id}/withdrawal")
    assert "已撤回" in withdrawn.words
    again = fang.sends(f"/firm/demands/{demand_id}/repetition")
    assert again.address != f"/firm/demands/{demand_id}"


@pytest.mark.parametrize("state", ["granted", "drawn", "repaid"])
def test_what_was_paid_once_can_be_asked_for_again(fang, world, database, state) -> None:
    with database.transaction(the_platform("test")) as tx:
        demand_id = a_demand(tx, FANG, (world.bank,), world.tools)
        tx.execute(text("UPDATE demand SET state = :state WHERE id = :id"), {"state": state, "id": demand_id})
    fang.opens(f"/firm/demands/{demand_id}")
    again = fang.sends(f"/firm/demands/{demand_id}/repetition")
    assert again.address.startswith("/firm/demands/")
    assert again.address != f"/firm/demands/{demand_id}"


def test_a_consent_is_withdrawn_as_easily_as_it_was_given(fang, world, database) -> None:
    with database.transaction(the_platform("test")) as tx:
        a_demand(tx, FANG, (world.bank,), world.tools)
    (link,) = [one for one in fang.opens("/firm/consents").links if one == f"/firm/consents/{world.bank}/withdrawal"]
    fang.opens(link)
    page = fang.sends(link)
    assert "已撤回" in page.words
    with database.transaction(the_platform("test")) as tx:
        assert len(rows_of(tx, "consent_withdrawal", uscc=FANG)) == 1


@pytest.mark.parametrize("address", ["/firm/consents", "/firm/records", "/firm/notices", "/products"])
def test_the_firms_other_pages_open(fang, world, database, address) -> None:
    with database.transaction(the_platform("test")) as tx:
        a_demand(tx, FANG, (world.bank,), world.tools)
    assert fang.opens(address).status == 200


def test_a_person_is_asked_to_look(fang, world, database) -> None:
    with database.transaction(the_platform("test")) as tx:
        demand_id = a_demand(tx, FANG, (world.bank,), world.tools)
    fang.opens(f"/firm/demands/{demand_id}")
    fang.sends(f"/firm/demands/{demand_id}/review")
    with database.transaction(the_platform("test")) as tx:
        assert [row["cause"] for row in rows_of(tx, "review", demand_id=demand_id)] == ["asked"]


def test_a_form_without_its_token_does_nothing(fang, world, database) -> None:
    with database.transaction(the_platform("test")) as tx:
        demand_id = a_demand(tx, FANG, (world.bank,), world.tools)
    assert fang.client.post(f"/firm/demands/{demand_id}/withdrawal").status_code == 403
    with database.transaction(the_platform("test")) as tx:
        assert rows_of(tx, "demand", id=demand_id)[0]["state"] != "withdrawn"
