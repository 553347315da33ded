"""The judgement of a demand: facts to light, everything kept, everything replayable."""

import json
from datetime import date, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session

from matching.evidence import facts_to_json, to_json
from matching.judge import judge
from matching.policy import load_policy
from matching.terms import Fact
from service.actions.judge_demand import _needs_review, judge_changed, judge_demands, replay_verdict
from service.actions.report_demand import report_demand
from service.domain.errors import NotAllowed
from service.profiles.documents import content_hash, facts_document, findings_document
from service.profiles.tools import Tools
from service.store import verdicts
from service.store.database import Database
from tests.builders import (
    FANG,
    FANG_HERSELF,
    FENG,
    GAO,
    JINSHUI,
    NOW,
    PLATFORM,
    TODAY,
    a_bank,
    a_changed_fact,
    a_demand,
    a_firm_with_records,
    a_form,
    a_model,
    a_product,
    a_small_world,
    row_of,
    rows_of,
    some_tools,
)

FULL_REVIEW = "410182"
LISTED = {"item": "abnormal_operation", "key": "A-1", "happened_on": date(2026, 6, 1), "code": "address"}


def test_a_sound_firm_with_a_fitting_product_gets_green_and_is_recommended_at_once(tx: Session) -> None:
    small = a_small_world(tx)
    demand = row_of(tx, "demand", a_demand(tx, FANG, (small.bank,), small.tools))
    verdict = verdicts.get(tx, demand["verdict_id"])
    assert [one["criterion"] for one in verdict.findings if one["light"] not in ("green", None)] == []
    assert (demand["light"], demand["state"], demand["recommended_on"]) == ("green", "recommended", TODAY)
    assert (demand["next_step"], demand["next_by"]) == ("push", "platform")
    assert verdict.fitting_products == 2
    assert verdict.probability == pytest.approx(0.02, abs=1e-6)


def test_the_firm_itself_may_have_its_demand_judged_under_row_security(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
    with database.transaction(FANG_HERSELF) as tx:
        key = report_demand(tx, FANG_HERSELF, a_form(FANG, (small.bank,)), small.tools, TODAY, NOW)
        assert row_of(tx, "demand", key)["light"] == "green"
        assert len(rows_of(tx, "verdict")) == 1
    with database.transaction(PLATFORM) as tx:
        assert [row["kind"] for row in rows_of(tx, "figure_event")] == ["reported", "recommended"]


def test_a_red_criterion_is_red_with_a_follow_up_an_office_and_a_date(tx: Session) -> None:
    small = a_small_world(tx)
    a_changed_fact(tx, FANG, **LISTED)
    demand = row_of(tx, "demand", a_demand(tx, FANG, (small.bank,), small.tools))
    (work,) = rows_of(tx, "follow_up", demand_id=demand["id"])
    assert (demand["light"], demand["state"]) == ("red", "reported")
    assert (work["obstacle"], work["office"], work["owner"]) == ("abnormal_operation", "市场监督管理局", "district")
    assert work["next_on"] == demand["next_on"]
    assert work["next_on"] >= TODAY + timedelta(days=30)
    assert small.tools.calendar.is_working_day(work["next_on"])


def test_an_unknown_source_is_yellow_is_named_and_keeps_the_demand_reported(tx: Session) -> None:
    small = a_small_world(tx)
    tx.execute(text("DELETE FROM record WHERE item = 'social_insurance'"))
    demand = row_of(tx, "demand", a_demand(tx, FANG, (small.bank,), small.tools))
    verdict = verdicts.get(tx, demand["verdict_id"])
    (unknown,) = [one for one in verdict.findings if one["state"] == "missing"]
    assert (demand["light"], demand["state"]) == ("yellow", "reported")
    assert unknown["criterion"] == "insurance_arrears"
    assert unknown["sources"] == ["social_insurance"]


def test_without_a_trained_model_the_estimate_is_unknown_and_yellow(tx: Session) -> None:
    small = a_small_world(tx)
    demand = row_of(tx, "demand", a_demand(tx, FANG, (small.bank,), some_tools(tx, trained=False)))
    verdict = verdicts.get(tx, demand["verdict_id"])
    assert demand["light"] == "yellow"
    assert [one["criterion"] for one in verdict.findings if one["state"] == "missing"] == ["estimate"]
    assert verdict.estimate_id is None


def test_green_without_a_fitting_product_is_yellow_with_a_dated_plan(tx: Session) -> None:
    a_firm_with_records(tx, FANG)
    a_product(tx, a_bank(tx), amount_max_fen=10_000_000)
    demand = row_of(tx, "demand", a_demand(tx))
    (plan,) = rows_of(tx, "follow_up", demand_id=demand["id"])
    assert (demand["light"], demand["state"]) == ("yellow", "recommended")
    assert (plan["obstacle"], plan["owner"]) == ("no_product_fits", "platform")
    assert plan["next_on"] == date(2026, 7, 7)
    (change,) = rows_of(tx, "light_change")
    assert (change["old"], change["new"], change["reason"]) == (None, "yellow", "no_product_fits")


def test_an_estimate_that_decides_the_light_keeps_its_reasons(tx: Session) -> None:
    small = a_small_world(tx)
    tools = some_tools(tx, model=a_model(0.15))
    demand = row_of(tx, "demand", a_demand(tx, FANG, (small.bank,), tools))
    other = row_of(tx, "demand", a_demand(tx, FENG, (small.bank,), small.tools))
    assert demand["light"] == "yellow"
    assert verdicts.get(tx, demand["verdict_id"]).reasons is not None
    assert verdicts.get(tx, other["verdict_id"]).reasons is None


def test_without_a_live_consent_to_a_profile_nothing_of_the_firm_is_read(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    later = TODAY + timedelta(days=366)
    judge_demands(tx, PLATFORM, [key], "cycle", some_tools(tx, later), later, NOW)
    verdict = verdicts.get(tx, row_of(tx, "demand", key)["verdict_id"])
    assert {fact["state"] for name, fact in verdict.facts.items() if fact["source"] != "demand"} == {"missing"}
    assert row_of(tx, "demand", key)["light"] == "yellow"


def test_full_review_waits_for_the_district_with_a_due_date(tx: Session) -> None:
    small = a_small_world(tx, district=FULL_REVIEW)
    demand = row_of(tx, "demand", a_demand(tx, FANG, (small.bank,), small.tools))
    (review,) = rows_of(tx, "review", demand_id=demand["id"])
    assert (demand["state"], demand["light"], demand["next_by"]) == ("reported", "green", "district")
    assert review["due_on"] == date(2026, 7, 7)


def test_sampling_draws_the_same_demands_every_time_and_about_the_share(tx: Session) -> None:
    tools = some_tools(tx)
    cases = [SimpleNamespace(demand=SimpleNamespace(number=f"20260630-{n:06d}", district=JINSHUI)) for n in range(4000)]
    drawn = [_needs_review(case, tools, TODAY) for case in cases]
    assert drawn == [_needs_review(case, tools, TODAY) for case in cases]
    assert 0.08 < sum(drawn) / len(drawn) < 0.12


def test_a_changed_fact_turns_the_light_and_the_state_and_a_repair_turns_them_back(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    a_changed_fact(tx, FANG, **LISTED)
    assert judge_changed(tx, PLATFORM, small.tools, TODAY, NOW) == 1
    assert (row_of(tx, "demand", key)["light"], row_of(tx, "demand", key)["state"]) == ("red", "reported")
    tx.execute(text("UPDATE record SET withdrawn_on = :today WHERE item = 'abnormal_operation'"), {"today": TODAY})
    tx.execute(text("INSERT INTO firm_stale (uscc, marked_at, reason) VALUES (:u, now(), 'repair')"), {"u": FANG})
    assert judge_changed(tx, PLATFORM, small.tools, TODAY, NOW) == 1
    assert (row_of(tx, "demand", key)["light"], row_of(tx, "demand", key)["state"]) == ("green", "recommended")
    (work,) = rows_of(tx, "follow_up", demand_id=key)
    assert (work["closed_on"], work["outcome"]) == (TODAY, "resolved")
    assert [row["new"] for row in rows_of(tx, "light_change", demand_id=key)] == ["green", "red", "green"]


def test_whoever_is_judged_with_the_latest_records_is_not_judged_again_for_them(tx: Session) -> None:
    small = a_small_world(tx)
    a_changed_fact(tx, FANG, **LISTED)
    first = a_demand(tx, FANG, (small.bank,), small.tools)
    assert row_of(tx, "demand", first)["light"] == "red"
    assert judge_changed(tx, PLATFORM, small.tools, TODAY, NOW) == 0
    tx.execute(text("UPDATE record SET withdrawn_on = :today WHERE item = 'abnormal_operation'"), {"today": TODAY})
    tx.execute(text("INSERT INTO firm_stale VALUES (:u, now(), 'repair')"), {"u": FANG})
    second = a_demand(tx, FANG, (small.bank,), small.tools, use="equipment")
    assert row_of(tx, "demand", second)["light"] == "green"
    assert judge_changed(tx, PLATFORM, small.tools, TODAY, NOW) == 2, "the mark stays for the firm's other demand"
    assert row_of(tx, "demand", first)["light"] == "green"


def test_judging_again_without_a_change_writes_nothing(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    tables = ("verdict", "estimate", "light_change", "trail", "notice", "follow_up", "figure_event", "review")
    before = {table: len(rows_of(tx, table)) for table in tables}
    judge_demands(tx, PLATFORM, [key], "cycle", small.tools, TODAY, NOW)
    assert judge_changed(tx, PLATFORM, small.tools, TODAY, NOW) == 0
    assert {table: len(rows_of(tx, table)) for table in tables} == before


def test_a_stored_verdict_is_replayed_to_the_same_bytes_and_a_touched_one_is_not(tx: Session) -> None:
    small = a_small_world(tx)
    a_changed_fact(tx, FANG, **LISTED)
    demand = row_of(tx, "demand", a_demand(tx, FANG, (small.bank,), small.tools, rate_ceiling=None))
    stored = verdicts.get(tx, demand["verdict_id"])
    assert replay_verdict(stored, load_policy())
    touched = dict(stored._mapping) | {"facts": stored.facts | {"abnormal_listings": stored.facts["serious_listings"]}}
    assert not replay_verdict(type("Row", (), touched)(), load_policy())


def test_only_the_platform_and_the_firm_have_demands_judged(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    with pytest.raises(NotAllowed):
        judge_demands(tx, GAO, [key], "asked", small.tools, TODAY, NOW)
    with pytest.raises(NotAllowed):
        judge_changed(tx, FANG_HERSELF, small.tools, TODAY, NOW)


def test_a_batch_is_judged_like_its_members_one_by_one(tx: Session) -> None:
    small = a_small_world(tx)
    a_changed_fact(tx, FENG, **LISTED)
    wishes = [(uscc, use) for uscc in (FANG, FENG) for use in ("trade", "research")]
    keys = [a_demand(tx, uscc, (small.bank,), small.tools, use=use) for uscc, use in wishes]
    alone = {row["demand_id"]: row["content_hash"] for row in rows_of(tx, "verdict")}
    tx.execute(text("UPDATE demand SET verdict_id = NULL"))
    judge_demands(tx, PLATFORM, keys, "cycle", small.tools, TODAY, NOW)
    rows = rows_of(tx, "verdict")
    assert len(rows) == 2 * len(keys)
    assert {row["demand_id"]: row["content_hash"] for row in rows[len(keys) :]} == alone


steps = st.lists(st.sampled_from(["listed", "repaired", "judged", "asked_anew"]), max_size=5)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_every_change_of_state_and_of_light_has_exactly_one_entry_in_the_trail(
    database: Database, steps: list[str]
) -> None:
    with database.transaction(PLATFORM) as tx:
        if not rows_of(tx, "firm"):
            a_demand(tx, FANG, (a_small_world(tx).bank,))
        key, tools = rows_of(tx, "demand")[0]["id"], some_tools(tx)
        seen = [row_of(tx, "demand", key)]
        told = {noun: len(rows_of(tx, "trail", noun=noun, noun_id=key)) for noun in ("demand", "light")}
        for step in steps:
            take(tx, key, step, tools)
            seen.append(row_of(tx, "demand", key))
        for noun, column in (("demand", "state"), ("light", "light")):
            written = rows_of(tx, "trail", noun=noun, noun_id=key)[told[noun] :]
            happened = [(old[column], new[column]) for old, new in pairwise(seen) if old[column] != new[column]]
            assert [(entry["old"], entry["new"]) for entry in written] == happened


def take(tx: Session, key: int, step: str, tools: Tools) -> None:
    if step == "listed":
        tx.execute(text("DELETE FROM record WHERE item = 'abnormal_operation'"))
        tx.execute(text("DELETE FROM firm_stale"))
        a_changed_fact(tx, FANG, **LISTED)
    if step == "repaired":
        tx.execute(text("UPDATE record SET withdrawn_on = :today WHERE item = 'abnormal_operation'"), {"today": TODAY})
        tx.execute(text("INSERT INTO firm_stale VALUES (:u, now(), 'x') ON CONFLICT DO NOTHING"), {"u": FANG})
    if step == "asked_anew":
        judge_demands(tx, PLATFORM, [key], "asked", tools, TODAY, NOW, anew=[FANG])
    else:
        judge_changed(tx, PLATFORM, tools, TODAY, NOW)


def test_documents_of_a_judgement_say_what_the_evidence_module_says(tx: Session) -> None:
    facts = {"amount_fen": Fact(5, "demand", TODAY), "probability": Fact(None, "estimate", None, "missing")}
    verdict = judge(facts, load_policy(), TODAY)
    found = findings_document(verdict)
    assert facts_document(facts) == json.loads(facts_to_json(facts))
    assert found[: len(verdict.findings)] == json.loads(to_json(verdict.findings))
    told = facts_document(facts)
    assert content_hash(told, found, verdict, 0) != content_hash(told, found, verdict, 1)
