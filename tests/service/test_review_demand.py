"""The district's look and a person's own light: who may, what it does, and what it leaves behind."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from service.actions.judge_demand import judge_changed, judge_demands
from service.actions.override_light import override_light
from service.actions.review_demand import Look, ask_for_a_person, review_demand, review_demands
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.store import verdicts
from service.store.database import Database
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG_HIMSELF,
    NOW,
    OU,
    PLATFORM,
    TODAY,
    Small,
    a_demand,
    a_small_world,
    bai,
    row_of,
    rows_of,
)

XINGYANG = "410182"
"""荥阳市, where every recommendation is reviewed."""
GAO_THERE = Who(Role.DISTRICT, 5, "高", district=XINGYANG)


def a_waiting_demand(tx: Session) -> tuple[Small, int]:
    """A sound demand that waits for the district's full review."""
    small = a_small_world(tx, district=XINGYANG)
    return small, a_demand(tx, FANG, (small.bank,), small.tools)


def test_the_district_recommends_with_a_sentence_and_the_demand_is_counted(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small, key = a_waiting_demand(tx)
        assert rows_of(tx, "figure_event", kind="recommended") == []
    with database.transaction(GAO_THERE) as tx:
        assert [row.demand_id for row in verdicts.list_waiting(tx, GAO_THERE)] == [key]
        review_demand(tx, GAO_THERE, key, "recommended", "已上门核实。", small.tools, TODAY, NOW)
    with database.transaction(PLATFORM) as tx:
        demand = row_of(tx, "demand", key)
        (review,) = rows_of(tx, "review")
        assert (demand["state"], demand["recommended_on"], demand["next_step"]) == ("recommended", TODAY, "push")
        assert (review["decision"], review["sentence"], review["decided_by"]) == ("recommended", "已上门核实。", 5)
        assert len(rows_of(tx, "figure_event", kind="recommended")) == 1
        assert len(rows_of(tx, "trail", noun="demand", new="recommended")) == 1
        assert len(rows_of(tx, "trail", noun="review", new="recommended")) == 1


def test_a_batch_of_looks_is_taken_whole_or_not_at_all(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small, key = a_waiting_demand(tx)
        other = a_demand(tx, FANG, (small.bank,), small.tools, use="securities")
    looks = [Look(key, "recommended", "可以。"), Look(other, "recommended", "可以。")]
    with pytest.raises(NotPossible), database.transaction(CITY) as tx:
        review_demands(tx, CITY, looks, small.tools, TODAY, NOW)
    with database.transaction(CITY) as tx:
        assert row_of(tx, "demand", key)["state"] == "reported"
        review_demands(tx, CITY, looks[:1], small.tools, TODAY, NOW)
        assert row_of(tx, "demand", key)["state"] == "recommended"


def test_the_same_decision_twice_is_a_conflict_and_counts_once(tx: Session) -> None:
    small, key = a_waiting_demand(tx)
    review_demand(tx, GAO_THERE, key, "recommended", "可以。", small.tools, TODAY, NOW)
    entries = len(rows_of(tx, "trail"))
    with pytest.raises(Conflict):
        review_demand(tx, GAO_THERE, key, "recommended", "可以。", small.tools, TODAY, NOW)
    assert len(rows_of(tx, "trail")) == entries


@pytest.mark.parametrize(("who", "error"), [(FANG_HERSELF, NotAllowed), (bai(1), NotAllowed), (OU, NotFound)])
def test_nobody_but_officials_of_the_place_review_or_override(tx: Session, who: Who, error: type[DomainError]) -> None:
    small, key = a_waiting_demand(tx)
    with pytest.raises(error):
        review_demand(tx, who, key, "recommended", "可以。", small.tools, TODAY, NOW)
    with pytest.raises(error):
        override_light(tx, who, key, "yellow", "待核。", TODAY + timedelta(days=9), TODAY, NOW)


@pytest.mark.parametrize(("decision", "sentence"), [("recommended", " "), ("granted", "好。"), ("noted", "长" * 501)])
def test_a_decision_needs_a_known_word_and_a_sentence(tx: Session, decision: str, sentence: str) -> None:
    small, key = a_waiting_demand(tx)
    with pytest.raises(NotPossible):
        review_demand(tx, GAO_THERE, key, decision, sentence, small.tools, TODAY, NOW)


def test_a_returned_demand_stays_reported_and_the_firm_is_told(tx: Session) -> None:
    small, key = a_waiting_demand(tx)
    review_demand(tx, GAO_THERE, key, "returned", "请补充用途说明。", small.tools, TODAY, NOW)
    assert row_of(tx, "demand", key)["state"] == "reported"
    assert rows_of(tx, "notice", kind="demand_reviewed")[0]["values"] == {"decision": "returned"}


def test_a_person_confirms_what_no_source_tells_and_the_next_judgement_respects_it(tx: Session) -> None:
    small = a_small_world(tx)
    tx.execute(text("DELETE FROM record WHERE item = 'social_insurance'"))
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    assert row_of(tx, "demand", key)["state"] == "reported"
    review_demand(tx, CITY, key, "recommended", "已查看缴费凭证。", small.tools, TODAY, NOW)
    judge_demands(tx, PLATFORM, [key], "cycle", small.tools, TODAY + timedelta(days=1), NOW)
    assert (row_of(tx, "demand", key)["state"], row_of(tx, "demand", key)["light"]) == ("recommended", "yellow")


def test_a_failed_criterion_is_not_lifted_by_a_review_alone(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools, use="securities")
    assert row_of(tx, "demand", key)["light"] == "red"
    with pytest.raises(NotPossible):
        review_demand(tx, CITY, key, "recommended", "可以。", small.tools, TODAY, NOW)
    override_light(tx, CITY, key, "yellow", "用途填写有误，已核。", TODAY + timedelta(days=9), TODAY, NOW)
    review_demand(tx, CITY, key, "recommended", "已核。", small.tools, TODAY, NOW)
    assert row_of(tx, "demand", key)["state"] == "recommended"


def test_the_firm_asks_for_a_person_once_and_a_date_is_set(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        key = a_demand(tx, FANG, (small.bank,), small.tools, use="securities")
    with database.transaction(FANG_HERSELF) as tx:
        first = ask_for_a_person(tx, FANG_HERSELF, key, small.tools, TODAY, NOW)
        assert first == ask_for_a_person(tx, FANG_HERSELF, key, small.tools, TODAY, NOW)
        (review,) = rows_of(tx, "review")
        assert (review["cause"], review["due_on"] is not None) == ("asked", True)
    with database.transaction(PLATFORM) as tx:
        assert len(rows_of(tx, "trail", noun="review")) == 1
        with pytest.raises(NotFound):
            ask_for_a_person(tx, FENG_HIMSELF, key, small.tools, TODAY, NOW)


def test_an_override_stands_beside_the_verdict_with_name_sentence_and_end(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small, key = a_waiting_demand(tx)
        verdict = row_of(tx, "demand", key)["verdict_id"]
    until = TODAY + timedelta(days=9)
    with database.transaction(GAO_THERE) as tx:
        for _ in range(2):
            override_light(tx, GAO_THERE, key, "yellow", "经营场所正在搬迁。", until, TODAY, NOW)
    with database.transaction(PLATFORM) as tx:
        (override,) = rows_of(tx, "override")
        assert (override["made_by"], override["sentence"], override["until_on"]) == (5, "经营场所正在搬迁。", until)
        assert (row_of(tx, "demand", key)["light"], row_of(tx, "demand", key)["verdict_id"]) == ("yellow", verdict)
        assert row_of(tx, "verdict", verdict)["light"] == "green"
        assert len(rows_of(tx, "trail", noun="override")) == len(rows_of(tx, "trail", noun="light", new="yellow")) == 1
        judge_changed(tx, PLATFORM, small.tools, until + timedelta(days=1), NOW)
        assert row_of(tx, "demand", key)["light"] == "green"


@pytest.mark.parametrize(("light", "sentence", "days"), [("blue", "好。", 9), ("green", "", 9), ("green", "好。", 0)])
def test_an_override_needs_a_light_a_sentence_and_an_end(tx: Session, light: str, sentence: str, days: int) -> None:
    _, key = a_waiting_demand(tx)
    with pytest.raises(NotPossible):
        override_light(tx, CITY, key, light, sentence, TODAY + timedelta(days=days), TODAY, NOW)
