"""An officer's own filters and columns: named, counted, first if one likes, and nobody else's."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from service.actions.arrange_list import save_filter
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.errors import Conflict, NotAllowed
from service.domain.list_view import MOST_FILTERS
from tests.browser import Browser, Page, an_app
from tests.builders import CITY, FANG, FENG, NOW, PLATFORM, TODAY, a_demand, a_small_world, bai, bo, rows_of

FANGS, FENGS = "郑州方记商贸有限公司", "郑州冯氏机械有限公司"


@pytest.fixture
def world(database):
    """Fang in 中原区 and Feng in 登封市 on the list of Bai's bank."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        for uscc in (FANG, FENG):
            a_demand(tx, uscc, (made.bank,), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
        tx.execute(text("UPDATE push_line SET district = '410185' WHERE uscc = :u"), {"u": FENG})
    return made


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def officer(app, database, world) -> Browser:
    return Browser(app, database, bai(world.bank))


def kept(officer: Browser, name: str, address: str) -> Page:
    officer.opens(address)
    return officer.sends("/bank/filters", name=name)


def ids_of(database) -> dict[str, int]:
    with database.transaction(PLATFORM) as tx:
        return {one["name"]: one["id"] for one in rows_of(tx, "saved_filter")}


def test_a_filter_is_kept_under_a_name_counted_renamed_and_forgotten(officer, database) -> None:
    address = "/push-lists?only=all&district=410185&sort=-amount_fen"
    page = kept(officer, "登封", address)
    assert page.address == "/push-lists"
    assert "登封 1" in page.words
    assert FANGS not in page.words
    kept(officer, "全部", "/push-lists?only=all")
    assert "全部 2" in officer.opens("/push-lists").words
    number = ids_of(database)["登封"]
    named = officer.opens(f"/push-lists?filter={number}")
    assert FENGS in named.words
    assert FANGS not in named.words
    officer.opens("/bank/filters")
    taken = officer.sends(f"/bank/filters/{number}/name", name="全部")
    assert taken.status == 422
    assert "您已有一个叫“全部”的筛选" in taken.words
    assert "登封市" in officer.sends(f"/bank/filters/{number}/name", name="登封市").words
    officer.sends(f"/bank/filters/{number}/removal")
    assert set(ids_of(database)) == {"全部"}


def test_said_twice_under_one_name_it_is_kept_once_with_the_later_wishes(officer, database) -> None:
    kept(officer, "今天", "/push-lists?only=waiting")
    kept(officer, "今天", "/push-lists?only=overdue")
    with database.transaction(PLATFORM) as tx:
        (one,) = rows_of(tx, "saved_filter")
    assert one["query"] == {"only": "overdue", "sort": "due_on"}


def test_the_list_opens_with_the_filter_one_likes_best_until_one_asks_for_another(officer, database) -> None:
    kept(officer, "登封", "/push-lists?only=all&district=410185")
    kept(officer, "逾期", "/push-lists?only=overdue")
    for name in ("逾期", "登封"):
        officer.opens("/bank/filters")
        officer.sends(f"/bank/filters/{ids_of(database)[name]}/default", is_default="yes")
    page = officer.opens("/push-lists")
    assert FENGS in page.words
    assert FANGS not in page.words
    assert FANGS in officer.opens("/push-lists?only=open").words
    officer.opens("/bank/filters")
    officer.sends(f"/bank/filters/{ids_of(database)['登封']}/default", is_default="no")
    assert FANGS in officer.opens("/push-lists").words


def test_columns_are_chosen_for_the_account_and_the_order_by_a_hidden_one_still_holds(officer, app, database, world):
    officer.opens("/bank/filters")
    officer.sends("/bank/columns", columns=["district", "due_on", "evil"])
    page = Browser(app, database, bai(world.bank)).opens("/push-lists?only=all&sort=-amount_fen")
    assert '<th scope="col">区县' in page.html
    assert "产品</th>" not in page.html
    with database.transaction(PLATFORM) as tx:
        assert [one["columns"] for one in rows_of(tx, "list_columns")] == [["district", "due_on"]]


def test_a_name_is_needed_and_there_is_an_end_of_filters(officer, database, world) -> None:
    assert "请给筛选起个名字" in kept(officer, " ", "/push-lists").words
    with database.transaction(PLATFORM) as tx:
        (membership,) = rows_of(tx, "membership", bank_id=world.bank)
    who = replace(bai(world.bank), person_id=membership["person_id"])
    with database.transaction(who) as tx:
        for number in range(MOST_FILTERS):
            save_filter(tx, who, f"筛选{number}", {}, NOW)
        save_filter(tx, who, "筛选0", {"only": "all"}, NOW)
    with pytest.raises(Conflict), database.transaction(who) as tx:
        save_filter(tx, who, "多一个", {}, NOW)
    with pytest.raises(NotAllowed), database.transaction(CITY) as tx:
        save_filter(tx, CITY, "全部", {}, NOW)


def test_a_colleague_and_another_bank_neither_see_nor_touch_it(officer, app, database, world) -> None:
    kept(officer, "我的登封", "/push-lists?district=410185")
    number = ids_of(database)["我的登封"]
    other = Browser(app, database, bo(world.other_bank))
    assert "我的登封" not in other.opens("/bank/filters").words
    fields = {"form_token": other.opens("/push-lists").form("/bank/filters")["fields"]["form_token"]}
    for act in ("name", "default", "removal"):
        assert other.client.post(f"/bank/filters/{number}/{act}", data=fields | {"name": "x"}).status_code == 404
    with database.transaction(bo(world.other_bank)) as tx:
        assert rows_of(tx, "saved_filter") == rows_of(tx, "list_columns") == []
