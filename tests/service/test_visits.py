"""Visits: planned once, recorded once, corrected with the old words kept, and what they find stands in the ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from service.actions.follow_visit import follow_visit
from service.actions.plan_visits import PlanForm, assign_visits, plan_visits
from service.actions.record_visits import Heard, record_visit, record_visits, try_visits
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.obstacle import DEPARTMENT_OF, KIND_OF
from service.domain.people import Who, the_platform
from service.store import visits
from service.store.visits import Chosen
from tests.browser import session_of
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    GAO,
    NOW,
    OU,
    PLATFORM,
    TODAY,
    ZHONGYUAN,
    a_demand,
    a_small_world,
    bai,
    rows_of,
)  # fmt: skip

SOON = TODAY + timedelta(days=5)
RED = "91410199MA0000031F"


@pytest.fixture
def gao(database) -> Who:
    """Gao, with Fang and Feng in the district; Fang's demand is for a forbidden use, and red."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        a_demand(tx, FANG, (made.bank,), made.tools, use="securities")
    session_of(database, GAO, TODAY)
    with database.transaction(the_platform("test")) as tx:
        (row,) = rows_of(tx, "person", name="高")
    return replace(GAO, person_id=row["id"])


def a_plan(who: Who, **other) -> PlanForm:
    form = PlanForm("建设路街道", TODAY, who.person_id or 0, (FANG, FENG), Chosen(), "key-1")
    return replace(form, **other)


def heard(visit_id: int, **other) -> Heard:
    said = Heard(
        visit_id, 0, TODAY, "owner", True, 30_000_000, ("mortgage_unreleased",), "登记中心本周答复", SOON, "好"
    )
    return replace(said, **other)


def planned(database, gao) -> dict[str, int]:
    with database.transaction(gao) as tx:
        plan = plan_visits(tx, gao, a_plan(gao), TODAY, NOW)
        return {row.uscc: row.id for row in visits.list_of_plan(tx, gao, plan)}


def of(database, table: str, **where) -> list:
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, table, **where)


def test_a_plan_sent_twice_is_one_with_one_trail_entry(database, gao) -> None:
    with database.transaction(gao) as tx:
        keys = {plan_visits(tx, gao, a_plan(gao), TODAY, NOW) for _ in range(2)}
    assert len(keys) == 1
    assert [row["uscc"] for row in of(database, "visit")] == [FANG, FENG]
    assert len(of(database, "trail", verb="planned")) == 1


def test_whoever_is_not_the_districts_team_plans_and_records_nothing(database, gao) -> None:
    ids = planned(database, gao)
    for who in (CITY, FANG_HERSELF, bai(1)):
        with pytest.raises(NotAllowed), database.transaction(who) as tx:
            plan_visits(tx, who, a_plan(gao, form_key="other"), TODAY, NOW)
        with pytest.raises(NotAllowed), database.transaction(who) as tx:
            record_visit(tx, who, heard(ids[FANG]), TODAY, NOW)
    with pytest.raises(NotFound), database.transaction(OU) as tx:
        record_visit(tx, OU, heard(ids[FANG]), TODAY, NOW)
    with pytest.raises(NotFound), database.transaction(gao) as tx:
        plan_visits(tx, gao, a_plan(gao, form_key="o", person_id=999), TODAY, NOW)


def test_what_was_heard_is_written_once_and_what_was_found_enters_the_ledger_once(database, gao) -> None:
    visit = planned(database, gao)[FANG]
    for is_repeat in (False, True):
        with database.transaction(gao) as tx:
            assert record_visit(tx, gao, heard(visit), TODAY, NOW).is_repeat is is_repeat
    (row,) = of(database, "visit", id=visit)
    assert (row["state"], row["version"], row["amount_fen"]) == ("made", 1, 30_000_000)
    (found,) = of(database, "obstacle")
    assert (found["kind"], found["department"], found["visit_id"]) == ("mortgage_unreleased", "land_registry", visit)
    assert [one["uscc"] for one in of(database, "trail", verb="visited")] == [FANG]


def test_what_a_verdict_found_already_is_not_entered_again(database, gao) -> None:
    visit = planned(database, gao)[FANG]
    with database.transaction(gao) as tx:
        record_visit(tx, gao, heard(visit, obstacles=("need_unclear",)), TODAY, NOW)
    assert of(database, "obstacle") == []
    assert of(database, "visit", id=visit)[0]["obstacles"] == ["need_unclear"]


def test_a_correction_keeps_the_old_words_and_a_stale_page_overwrites_nothing(database, gao) -> None:
    visit = planned(database, gao)[FENG]
    with database.transaction(gao) as tx:
        record_visit(tx, gao, heard(visit), TODAY, NOW)
        record_visit(tx, gao, heard(visit, version=1, amount_fen=50_000_000), TODAY, NOW)
    with pytest.raises(Conflict), database.transaction(gao) as tx:
        record_visit(tx, gao, heard(visit, version=1, amount_fen=10_000_000), TODAY, NOW)
    (old,) = of(database, "visit_version")
    assert (old["version"], old["said"]["amount_fen"], old["recorded_by"]) == (1, 30_000_000, gao.person_id)
    assert of(database, "visit", id=visit)[0]["version"] == 2
    assert len(of(database, "trail", verb="visit_corrected")) == 1
    with pytest.raises(Exception, match="permission denied"), database.transaction(gao) as tx:
        tx.execute(text("UPDATE visit_version SET version = 9"))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"visited_on": SOON}, "visited_on"),
        ({"met": "a ghost"}, "met"),
        ({"met": "nobody"}, "met"),
        ({"has_need": None}, "has_need"),
        ({"amount_fen": None}, "amount_fen"),
        ({"has_need": False}, "amount_fen"),
        ({"obstacles": ("weather",)}, "obstacles"),
        ({"next_on": None}, "next_on"),
        ({"next_on": TODAY}, "next_on"),
        ({"promised": "字" * 501}, "promised"),
    ],
)
def test_a_record_that_cannot_be_so_is_refused_at_its_field(database, gao, wrong, field) -> None:
    visit = planned(database, gao)[FANG]
    with pytest.raises(NotPossible) as refusal, database.transaction(gao) as tx:
        record_visit(tx, gao, heard(visit, **wrong), TODAY, NOW)
    assert refusal.value.field == field


def test_of_many_records_a_wrong_one_takes_nothing_with_it_and_a_trial_leaves_nothing(database, gao) -> None:
    ids = planned(database, gao)
    batch = [
        heard(ids[FANG]),
        heard(ids[FENG], met="nobody", has_need=None, amount_fen=None, obstacles=(), promised="", next_on=None),
        heard(ids[FENG]),
        heard(999_999),
    ]
    for act in (try_visits, record_visits):
        with database.transaction(gao) as tx:
            done = act(tx, gao, batch, TODAY, NOW)
        assert [type(one.error).__name__ for one in done] == ["NoneType", "NoneType", "Conflict", "NotFound"]
        assert len(of(database, "trail", noun="visit", verb="visited")) == (0 if act is try_visits else 2)
    assert [row["state"] for row in of(database, "visit")] == ["made", "not_met"]


def test_a_base_list_holds_the_firms_asked_for_and_none_that_is_planned_already(database, gao) -> None:
    with database.transaction(gao) as tx:
        found = {
            group: [row.uscc for row in visits.list_candidates(tx, ZHONGYUAN, Chosen(group), TODAY)[0]]
            for group in visits.GROUPS
        }
    assert found == {
        "any": [FANG, FENG], "unvisited": [FANG, FENG], "quiet": [FENG], "red": [FANG], "yellow": [], "new": [],
    }  # fmt: skip
    planned(database, gao)
    with database.transaction(gao) as tx:
        assert visits.list_candidates(tx, ZHONGYUAN, Chosen("any"), TODAY) == ([], 0)


def test_what_was_agreed_becomes_a_follow_up_of_the_open_demand_once(database, gao) -> None:
    ids = planned(database, gao)
    with database.transaction(gao) as tx:
        record_visits(tx, gao, [heard(ids[FANG]), heard(ids[FENG], obstacles=())], TODAY, NOW)
        first = follow_visit(tx, gao, ids[FANG], TODAY, NOW)
    with database.transaction(gao) as tx:
        assert follow_visit(tx, gao, ids[FANG], TODAY, NOW) == first
        with pytest.raises(NotPossible, match="没有进行中的需求"):
            follow_visit(tx, gao, ids[FENG], TODAY, NOW)
    (row,) = of(database, "follow_up", id=first)
    assert (row["obstacle"], row["measure"], row["next_on"]) == ("agreed_on_visit", "登记中心本周答复", SOON)
    assert row["owner_person_id"] == gao.person_id
    assert len(of(database, "trail", noun="follow_up", noun_id=first)) == 1


def test_a_visit_is_given_to_a_colleague_and_one_that_was_made_is_not(database, gao) -> None:
    ids = planned(database, gao)
    with database.transaction(gao) as tx:
        record_visit(tx, gao, heard(ids[FANG]), TODAY, NOW)
        assert assign_visits(tx, gao, [ids[FENG]], None, TODAY, NOW) == 1
        with pytest.raises(Conflict):
            assign_visits(tx, gao, [ids[FANG]], None, TODAY, NOW)
    assert len(of(database, "trail", noun="visit", verb="assign")) == 1


def test_another_district_a_bank_and_the_firm_see_no_visit_and_no_obstacle_by_the_database_itself(
    database, gao
) -> None:
    visit = planned(database, gao)[FANG]
    with database.transaction(gao) as tx:
        record_visit(tx, gao, heard(visit), TODAY, NOW)
        record_visit(tx, gao, heard(visit, version=1, note="改"), TODAY, NOW)
    tables = ("visit_plan", "visit", "visit_version", "obstacle")
    for who, sees in ((gao, True), (CITY, True), (OU, False), (bai(1), False), (FANG_HERSELF, False)):
        with database.transaction(who) as tx:
            assert [bool(rows_of(tx, table)) for table in tables] == [sees] * 4, who


def test_every_criterion_of_the_policy_has_its_kind_and_its_office_is_the_department(policy_offices) -> None:
    assert set(policy_offices) <= set(KIND_OF)
    assert {name: str(DEPARTMENT_OF[name]) for name in policy_offices} == policy_offices


@pytest.fixture
def policy_offices() -> dict[str, str]:
    """Criterion → its office's code, as the policy says."""
    from importlib.resources import files

    import yaml

    told = yaml.safe_load((files("matching") / "policy.yaml").read_text("utf-8"))
    return {one["id"]: one["office"] for one in told["criteria"]}
