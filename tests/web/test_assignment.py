"""Lines change hands within their bank, many at once, with a trace; nobody outside it is asked or seen."""

import pytest
from sqlalchemy import text

from service.actions.add_account import NewAccount, add_account
from service.actions.assign_line import assign_lines
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.errors import Conflict, NotAllowed, NotFound
from service.domain.people import Role, Who, the_platform
from tests.browser import Browser, Page, an_app
from tests.builders import (
    CITY,
    FANG,
    FENG,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_small_world,
    bai,
    bo,
    row_of,
    rows_of,
)  # fmt: skip


@pytest.fixture
def world(database):
    """Fang and Feng are pushed to Bai's bank, which has a colleague Lin."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        for uscc in (FANG, FENG):
            a_demand(tx, uscc, (made.bank,), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
        add_account(tx, PLATFORM, NewAccount("lin", "林", "officer", "long enough 1", bank="BAI"), NOW)
        add_account(tx, PLATFORM, NewAccount("zhao", "赵", "officer", "long enough 1", bank="BO"), NOW)
    return made


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


def of(database, table: str, **where) -> list:
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, table, **where)


def the_admin(world) -> Who:
    return Who(Role.BANK_ADMIN, 8, "白总", bank_id=world.bank)


def test_an_admin_gives_several_lines_to_a_colleague_at_once(app, database, world) -> None:
    ids = [line["id"] for line in of(database, "push_line")]
    (lin,) = of(database, "person", login="lin")
    browser = Browser(app, database, the_admin(world))
    form = browser.opens(f"/push-lines/{ids[0]}").form("/push-lines/assignment")["fields"]
    browser.page = Page(browser.client.post("/push-lines/assignment", data={**form, "line": [str(one) for one in ids]}))
    assert "郑州方记商贸有限公司" in browser.page.words
    assert "郑州冯氏机械有限公司" in browser.page.words
    assert "林" in browser.page.words
    assert "赵" not in browser.page.words
    browser.page = Page(
        browser.client.post(
            "/push-lines/assignment",
            data={**form, "line": [str(one) for one in ids], "person": str(lin["id"])},
            follow_redirects=False,
        )
    )
    assert browser.page.status == 303
    assert {line["assigned_to"] for line in of(database, "push_line")} == {lin["id"]}
    assert "经办人 林" in browser.opens(f"/push-lines/{ids[0]}").words


def test_an_officer_takes_a_line_and_gives_it_back(app, database, world) -> None:
    (line, _other) = of(database, "push_line")
    browser = Browser(app, database, bai(world.bank))
    browser.opens(f"/push-lines/{line['id']}")
    page = browser.sends("/push-lines/assignment")
    assert "林" not in page.words
    browser.sends("/push-lines/assignment", person="3")
    assert of(database, "push_line", id=line["id"])[0]["assigned_to"] == 3
    browser.opens(f"/push-lines/{line['id']}")
    browser.sends("/push-lines/assignment")
    browser.sends("/push-lines/assignment", person="nobody")
    assert of(database, "push_line", id=line["id"])[0]["assigned_to"] is None


def test_a_choice_that_is_none_is_told_beside_the_question(app, database, world) -> None:
    (line, _other) = of(database, "push_line")
    browser = Browser(app, database, bai(world.bank))
    browser.opens(f"/push-lines/{line['id']}")
    browser.sends("/push-lines/assignment")
    page = browser.sends("/push-lines/assignment", person="x")
    assert page.status == 422
    assert "请选择由谁经办" in page.words


def test_others_are_refused(database, world) -> None:
    ids = [line["id"] for line in of(database, "push_line")]
    (lin,), (zhao,) = of(database, "person", login="lin"), of(database, "person", login="zhao")
    refusals = (
        (bai(world.bank), ids, lin["id"], NotAllowed),
        (CITY, ids, None, NotAllowed),
        (bo(world.other_bank), ids, None, NotFound),
        (the_admin(world), ids, zhao["id"], NotFound),
        (the_admin(world), [*ids, 999_999], lin["id"], NotFound),
    )
    for who, lines, person, error in refusals:
        with pytest.raises(error), database.transaction(who) as tx:
            assign_lines(tx, who, lines, person, TODAY, NOW)
    assert {line["assigned_to"] for line in of(database, "push_line")} == {None}


def test_a_closed_line_keeps_who_worked_on_it(database, world) -> None:
    (line, _other) = of(database, "push_line")
    with database.transaction(the_platform("test")) as tx:
        tx.execute(text("UPDATE push_line SET closed_on = :d WHERE id = :id"), {"d": TODAY, "id": line["id"]})
    admin = the_admin(world)
    with pytest.raises(Conflict), database.transaction(admin) as tx:
        assign_lines(tx, admin, [line["id"]], None, TODAY, NOW)


def test_said_twice_it_is_done_once_and_leaves_one_entry_a_line(database, world) -> None:
    ids, admin = [line["id"] for line in of(database, "push_line")], the_admin(world)
    (lin,) = of(database, "person", login="lin")
    for moved in (2, 0):
        with database.transaction(admin) as tx:
            assert assign_lines(tx, admin, ids, lin["id"], TODAY, NOW) == moved
    entries = of(database, "trail", noun="push_line", verb="assign")
    assert sorted(one["noun_id"] for one in entries) == ids
    assert entries[0]["details"] == {"from": None, "to": lin["id"]}
    with database.transaction(the_platform("test")) as tx:
        assert row_of(tx, "push_line", ids[0])["state"] == "pushed"
