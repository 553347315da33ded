"""Outlets of a bank and who stands in for whom: kept by the bank alone, found in the list, ended by themselves."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.actions.add_account import NewAccount, add_account
from service.actions.assign_line import assign_lines
from service.actions.keep_outlets import end_outlet, open_outlet, place_person, set_intake
from service.actions.push_lists import push_missing
from service.actions.stand_in import end_stand_in, name_stand_in
from service.clock import Clock
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who, the_platform
from service.store import bank_desk, outlets
from service.store.bank_desk import Wanted
from tests.browser import Browser, an_app
from tests.builders import (
    CITY,
    FANG,
    FENG,
    NOW,
    PLATFORM,
    TODAY,
    ZHONGMU,
    ZHONGYUAN,
    a_demand,
    a_small_world,
    bo,
    rows_of,
)  # fmt: skip

TOMORROW, NEXT_WEEK = TODAY + timedelta(days=1), TODAY + timedelta(days=7)


class Cast:
    """Fang's and Feng's lines lie with Bai's bank; Lin and Wang are officers there, Zhao is the other bank's."""

    def __init__(self, database) -> None:
        self.database = database
        with database.transaction(the_platform("test")) as tx:
            self.world = a_small_world(tx)
            for uscc in (FANG, FENG):
                a_demand(tx, uscc, (self.world.bank,), self.world.tools)
            push_missing(tx, PLATFORM, TODAY, NOW, self.world.tools)
            made = {}
            for login, name, role, bank in (
                ("lin", "林", "officer", "BAI"),
                ("wang", "王", "officer", "BAI"),
                ("zong", "白总", "bank_admin", "BAI"),
                ("zhao", "赵", "officer", "BO"),
            ):
                made[login] = add_account(tx, PLATFORM, NewAccount(login, name, role, "long enough 1", bank=bank), NOW)
            self.lines = [row["id"] for row in rows_of(tx, "push_line")]
        self.lin, self.wang, self.zhao = (made[login].id for login in ("lin", "wang", "zhao"))
        self.admin = Who(Role.BANK_ADMIN, made["zong"].id, "白总", bank_id=self.world.bank)

    def officer(self, person: int) -> Who:
        return Who(Role.OFFICER, person, {self.lin: "林", self.wang: "王"}[person], bank_id=self.world.bank)

    def does(self, who: Who, act, *given):
        with self.database.transaction(who) as tx:
            return act(tx, who, *given)

    def found(self, who: Who, day=TODAY, **wanted) -> list[int]:
        with self.database.transaction(who) as tx:
            return sorted(bank_desk.list_ids(tx, who, Wanted(**wanted), day))

    def of(self, table: str, **where) -> list:
        with self.database.transaction(PLATFORM) as tx:
            return rows_of(tx, table, **where)


@pytest.fixture
def cast(database) -> Cast:
    return Cast(database)


@pytest.fixture
def app(cast, settings, database):
    return an_app(settings, database, Clock(demo_on=TODAY))


def browser(app, cast: Cast, login: str) -> Browser:
    """Signed in as the account itself."""
    made = Browser(app, cast.database)
    made.opens("/sign-in")
    made.sends("/sign-in", login=login, password="long enough 1")
    return made


def test_an_admin_opens_an_outlet_places_people_and_gives_it_the_districts_new_lines(app, cast) -> None:
    admin = browser(app, cast, "zong")
    assert "还没有网点" in admin.opens("/bank/outlets").words
    admin.sends("/bank/outlets", name="中原支行", district=ZHONGYUAN)
    (outlet,) = cast.of("outlet")
    admin.opens("/bank/outlets")
    admin.sends("/bank/outlets/people", person=cast.lin, outlet=outlet["id"])
    lin = browser(app, cast, "lin")
    assert cast.found(cast.officer(cast.lin), is_of_my_outlet=True) == []
    assert "我的网点（中原支行）" in lin.opens("/push-lists").words
    assert "没有符合这些条件" in lin.opens("/push-lists?outlet=mine").words
    admin.opens("/bank/outlets")
    assert "归本网点" in admin.sends(f"/bank/outlets/{outlet['id']}/intake").words
    assert "方记" in lin.opens("/push-lists?outlet=mine").words
    assert "中原支行" in lin.opens(f"/push-lines/{cast.lines[0]}").words
    assert cast.found(cast.officer(cast.wang), is_of_my_outlet=True) == []
    cast.does(cast.admin, assign_lines, cast.lines[:1], cast.wang, TODAY, NOW)
    assert cast.found(cast.officer(cast.lin), is_of_my_outlet=True) == cast.lines[1:]
    cast.does(cast.admin, assign_lines, cast.lines[:1], cast.lin, TODAY, NOW)
    assert cast.found(cast.officer(cast.lin), is_of_my_outlet=True) == cast.lines
    page = admin.opens(f"/push-lines/{cast.lines[0]}")
    assert "林（中原支行）" in admin.sends("/push-lines/assignment").words
    assert page.status == 200
    admin.opens("/bank/outlets")
    admin.sends(f"/bank/outlets/{outlet['id']}/end")
    assert cast.found(cast.officer(cast.lin), is_of_my_outlet=True) == []
    assert cast.of("outlet_member") == []
    verbs = [row["verb"] for row in cast.of("trail", bank_id=cast.world.bank) if row["noun"] in ("outlet", "person")]
    assert verbs[-4:] == ["outlet_opened", "placed", "outlet_takes", "outlet_ended"]


def test_only_new_lines_of_the_district_are_the_outlets(cast) -> None:
    outlet = cast.does(cast.admin, open_outlet, "中原支行", ZHONGYUAN, TODAY, NOW)
    cast.does(cast.admin, place_person, cast.lin, outlet, TODAY, NOW)
    cast.does(cast.admin, set_intake, outlet, True, TOMORROW, NOW)
    assert cast.found(cast.officer(cast.lin), is_of_my_outlet=True) == []
    other = cast.does(cast.admin, open_outlet, "中牟支行", ZHONGMU, TODAY, NOW)
    cast.does(cast.admin, set_intake, other, True, TODAY, NOW)
    cast.does(cast.admin, place_person, cast.wang, other, TODAY, NOW)
    assert cast.found(cast.officer(cast.wang), is_of_my_outlet=True) == []


def test_names_and_districts_are_given_once_and_said_twice_is_done_once(cast) -> None:
    outlet = cast.does(cast.admin, open_outlet, "中原支行", ZHONGYUAN, TODAY, NOW)
    with pytest.raises(Conflict):
        cast.does(cast.admin, open_outlet, "中原支行", ZHONGYUAN, TODAY, NOW)
    second = cast.does(cast.admin, open_outlet, "中原二支行", ZHONGYUAN, TODAY, NOW)
    for _ in range(2):
        cast.does(cast.admin, set_intake, outlet, True, TODAY, NOW)
        cast.does(cast.admin, place_person, cast.lin, outlet, TODAY, NOW)
    with pytest.raises(Conflict):
        cast.does(cast.admin, set_intake, second, True, TODAY, NOW)
    verbs = [row["verb"] for row in cast.of("trail", noun="outlet")]
    assert verbs == ["outlet_opened", "outlet_opened", "outlet_takes"]
    assert len(cast.of("trail", verb="placed")) == 1


def test_outlets_are_kept_by_the_banks_admin_and_seen_by_nobody_else(cast) -> None:
    outlet = cast.does(cast.admin, open_outlet, "中原支行", ZHONGYUAN, TODAY, NOW)
    stranger = Who(Role.BANK_ADMIN, cast.zhao, "赵", bank_id=cast.world.other_bank)
    with pytest.raises(NotAllowed):
        cast.does(cast.officer(cast.lin), open_outlet, "我的", ZHONGYUAN, TODAY, NOW)
    for act, given in (
        (end_outlet, (outlet, TODAY, NOW)),
        (set_intake, (outlet, True, TODAY, NOW)),
        (place_person, (cast.zhao, outlet, TODAY, NOW)),
        (place_person, (cast.lin, None, TODAY, NOW)),
    ):
        with pytest.raises(NotFound):
            cast.does(stranger, act, *given)
    assert cast.does(bo(cast.world.other_bank), outlets.list_outlets) == []
    for who in (CITY, bo(cast.world.other_bank)):
        with cast.database.transaction(who) as tx:
            assert tx.execute(text("SELECT count(*) FROM outlet")).scalar_one() == 0


def test_whoever_stands_in_finds_the_absent_ones_lines_among_their_own_until_it_ends_by_itself(app, cast) -> None:
    cast.does(cast.admin, assign_lines, cast.lines[:1], cast.lin, TODAY, NOW)
    assert cast.found(cast.officer(cast.wang), is_mine=True) == []
    lin, wang = browser(app, cast, "lin"), browser(app, cast, "wang")
    lin.opens("/bank/stand-ins")
    lin.sends("/bank/stand-ins", deputy=cast.wang, from_on=TODAY.isoformat(), until_on=NEXT_WEEK.isoformat())
    assert "您的推送项由王代办" in lin.opens("/push-lists").words
    page = wang.opens("/push-lists?mine=yes")
    assert "您正在代林办理" in page.words
    assert "方记" in page.html
    assert "由王代办" in wang.opens(f"/push-lines/{cast.lines[0]}").words
    assert "林 的推送项由 王 代办" in wang.opens("/bank/notices").words
    assert cast.found(cast.officer(cast.lin), is_mine=True) == cast.lines[:1]
    assert cast.found(cast.officer(cast.wang), NEXT_WEEK, is_mine=True) == cast.lines[:1]
    assert cast.found(cast.officer(cast.wang), NEXT_WEEK + timedelta(days=1), is_mine=True) == []
    admin = browser(app, cast, "zong")
    admin.opens(f"/push-lines/{cast.lines[1]}")
    assert "林 不在，由 王 代办至" in admin.sends("/push-lines/assignment").words
    assert "林 不在，由 王 代办至" in admin.sends("/push-lines/assignment", person=cast.lin).words
    (row,) = cast.of("stand_in")
    lin.opens("/bank/stand-ins")
    lin.sends(f"/bank/stand-ins/{row['id']}/end")
    assert cast.found(cast.officer(cast.wang), is_mine=True) == []
    assert [one["verb"] for one in cast.of("trail", noun="stand_in")] == ["stand_in_named", "stand_in_ended"]


def test_a_stand_in_is_named_rightly_or_not_at_all(cast) -> None:
    lin = cast.officer(cast.lin)
    week = (TODAY, NEXT_WEEK)
    refusals = (
        (lin, (cast.wang, cast.lin, week), NotAllowed),
        (CITY, (cast.lin, cast.wang, week), NotAllowed),
        (lin, (cast.lin, cast.zhao, week), NotFound),
        (lin, (cast.lin, cast.lin, week), NotPossible),
        (lin, (cast.lin, cast.wang, (NEXT_WEEK, TODAY)), NotPossible),
        (lin, (cast.lin, cast.wang, (TODAY - timedelta(days=9), TODAY - timedelta(days=2))), NotPossible),
        (lin, (cast.lin, cast.wang, (TODAY, TODAY + timedelta(days=400))), NotPossible),
    )
    for who, given, error in refusals:
        with pytest.raises(error):
            cast.does(who, name_stand_in, *given, TODAY, NOW)
    key = cast.does(lin, name_stand_in, cast.lin, cast.wang, week, TODAY, NOW)
    with pytest.raises(Conflict):
        cast.does(cast.admin, name_stand_in, cast.lin, cast.admin.person_id, (NEXT_WEEK, NEXT_WEEK), TODAY, NOW)
    for who, error in ((cast.officer(cast.wang), NotAllowed), (bo(cast.world.other_bank), NotFound)):
        with pytest.raises(error):
            cast.does(who, end_stand_in, key, NOW)
    for _ in range(2):
        cast.does(cast.admin, end_stand_in, key, NOW)
    assert len(cast.of("trail", verb="stand_in_ended")) == 1
    cast.does(cast.admin, name_stand_in, cast.lin, cast.admin.person_id, (NEXT_WEEK, NEXT_WEEK), TODAY, NOW)


def test_the_database_keeps_one_stand_in_at_a_time(cast) -> None:
    row = "INSERT INTO stand_in (bank_id, absent_id, deputy_id, from_on, until_on, made_at)"
    values = {"bank": cast.world.bank, "a": cast.lin, "d": cast.wang, "from": TODAY, "until": NEXT_WEEK, "now": NOW}
    with pytest.raises(IntegrityError), cast.database.transaction(PLATFORM) as tx:
        for _ in range(2):
            tx.execute(text(f"{row} VALUES (:bank, :a, :d, :from, :until, :now)"), values)
