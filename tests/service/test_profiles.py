"""What is known of a firm on a day: for people, for the policy, for the model; stored, stale, missing."""

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import ibis
import pandas as pd
import pytest
from sqlalchemy import text
from sqlmodel import Session

from matching.facts import FACTS as MEANINGS
from matching.facts import USES as KNOWN_USES
from matching.facts import encode
from risk.features import FACTS as SPECS
from risk.features import FEATURES, build
from risk.records import BY_FEED, COLUMNS, FRESH_DAYS, Records
from service.actions.give_consent import give_consent
from service.actions.look_after_profiles import prospect_for, reasons_for, refresh_profiles
from service.domain.demand import UseOfLoan
from service.domain.errors import NotAllowed
from service.intake.catalogue import load_catalogue
from service.profiles.estimate import estimate_many, prospect_of, reasons_of
from service.profiles.facts import ITEMS, USES, facts_for
from service.profiles.firm_days import known_today
from service.profiles.profile import profile_on
from service.store import verdicts
from service.store.bulk import add_rows
from service.store.database import Database
from tests.builders import (
    FANG,
    FANG_HERSELF,
    FENG,
    FENG_HIMSELF,
    NOW,
    PLATFORM,
    PROFILER,
    TODAY,
    a_changed_fact,
    a_consent,
    a_demand,
    a_firm,
    a_firm_with_records,
    a_model,
    a_record,
    a_small_world,
    row_of,
    rows_of,
)

ASKED = {
    "amount_fen": 50_000_000, "term_months": 12, "use": "working_capital", "rate_ceiling": Decimal("0.06"),
    "guarantees": [], "reported_on": TODAY,
}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """Of a verdict's row what the question 'what would change it' reads."""

    estimate_id: int | None
    model_version: str
    probability: float
    features: dict[str, float | None]


def test_every_use_a_form_offers_is_one_the_policy_knows(tx: Session) -> None:
    assert set(USES) == set(UseOfLoan)
    assert set(USES.values()) <= set(KNOWN_USES)


def test_the_policys_facts_of_a_sound_firm_are_all_known_and_of_their_kind(tx: Session) -> None:
    a_firm_with_records(tx)
    facts = facts_for(known_today(tx, PROFILER, [FANG], TODAY, NOW)[FANG], "micro", ASKED, 0.02)
    for name, fact in facts.items():
        if fact.value is not None:
            encode(name, fact.value)
    invoices = {"first_sale_on", "last_sale_on", "active_months", "void_share", "negative_share"}
    assert {name for name, fact in facts.items() if fact.state != "known"} == invoices
    assert facts["established_on"].value == date(2018, 3, 1)
    assert facts["serious_penalties"].value == 0
    assert set(ITEMS) & set(MEANINGS) <= set(facts)


def test_a_stored_result_says_what_a_fresh_one_says(tx: Session) -> None:
    a_firm_with_records(tx)
    fresh = known_today(tx, PROFILER, [FANG], TODAY, NOW)[FANG]
    assert len(rows_of(tx, "firm_day")) == 1
    stored = known_today(tx, PROFILER, [FANG], TODAY, NOW)[FANG]
    assert stored == fresh
    assert facts_for(stored, "micro", ASKED, 0.02) == facts_for(fresh, "micro", ASKED, 0.02)


def test_stored_results_hold_for_their_own_day_and_only_while_no_record_changes(tx: Session) -> None:
    a_firm_with_records(tx)
    known_today(tx, PROFILER, [FANG], TODAY, NOW)
    a_record(tx, FANG, "penalty", "P-1", date(2026, 6, 1), code="serious", status="open")
    assert known_today(tx, PROFILER, [FANG], TODAY, NOW)[FANG].facts["serious_penalties"] == 0
    later = NOW + timedelta(hours=1)
    tx.execute(text("INSERT INTO firm_stale VALUES (:u, :at, 'penalty')"), {"u": FANG, "at": later})
    assert known_today(tx, PROFILER, [FANG], TODAY, later)[FANG].facts["serious_penalties"] == 1
    assert known_today(tx, PROFILER, [FANG], TODAY + timedelta(days=1), NOW)[FANG].as_of == TODAY + timedelta(days=1)


def test_nothing_known_later_or_withdrawn_or_superseded_enters(tx: Session) -> None:
    a_firm_with_records(tx)
    for key, other in {
        "later": {"known_on": TODAY + timedelta(days=1)},
        "repaired": {"withdrawn_on": TODAY},
        "corrected": {"superseded_on": TODAY},
        "run out": {"ends_on": TODAY},
    }.items():
        a_record(tx, FANG, "abnormal_operation", key, date(2026, 6, 1), code="address", **other)
    assert known_today(tx, PROFILER, [FANG], TODAY, NOW)[FANG].facts["abnormal_listings"] == 0
    assert "abnormal_operation" not in {section.item.id for section in profile_on(tx, FANG, TODAY).held}


def test_a_source_that_fell_silent_is_stale_and_one_without_a_record_is_missing(tx: Session) -> None:
    a_firm_with_records(tx)
    later = TODAY + timedelta(days=60)
    facts = facts_for(known_today(tx, PROFILER, [FANG], later, NOW)[FANG], "micro", ASKED, 0.02)
    assert facts["tax_arrears_months"].state == "stale"
    assert facts["heard_on"].state == "known"
    a_firm(tx, FENG)
    alone = facts_for(known_today(tx, PROFILER, [FENG], TODAY, NOW)[FENG], "micro", ASKED, 0.02)
    assert alone["tax_arrears_months"].state == "missing"
    assert (alone["serious_listings"].state, alone["serious_listings"].value) == ("known", 0)
    assert alone["tax_grade"].value == "unrated"


def test_before_any_feed_came_no_record_means_nobody_knows(tx: Session) -> None:
    a_firm(tx)
    facts = facts_for(known_today(tx, PROFILER, [FANG], TODAY, NOW)[FANG], "micro", ASKED, 0.02)
    assert facts["serious_listings"].state == "missing"


def test_the_days_of_the_sources_follow_the_feeds(tx: Session) -> None:
    for number, day in enumerate((date(2026, 5, 2), date(2026, 6, 2), date(2026, 4, 2)), 1):
        known = {"department": "credit", "file_name": "f.csv", "size": 1, "encoding": "", "catalogue_version": "1"}
        taken = {"is_history": False, "taken_at": NOW, "taken_by": "", "state": "taken", "failure": ""}
        counted = ("received", "valid", "duplicates", "quarantined", "corrected", "wrong_codes", "unregistered")
        nothing = dict.fromkeys((*counted, "on_time", "late"), 0)
        feed = {"id": number, "item": "penalty", "sha256": str(number), "received_on": day}
        add_rows(tx, "feed", [feed | known | taken | nothing])
    (days,) = rows_of(tx, "source_day")
    assert (days["first_on"], days["latest_on"]) == (date(2026, 4, 2), date(2026, 6, 2))


def test_the_demands_own_features_are_those_the_training_frame_would_have(tx: Session) -> None:
    a_firm_with_records(tx)
    known = known_today(tx, PROFILER, [FANG], TODAY, NOW)[FANG]
    (estimated,) = estimate_many(a_model(), [known], [ASKED])
    rows = tx.execute(text(f"SELECT {', '.join(COLUMNS)} FROM record")).mappings()
    frame = pd.DataFrame([dict(row) | {"details": json.dumps(row["details"], ensure_ascii=False)} for row in rows])
    table = ibis.duckdb.connect().create_table("all_records", frame, schema=ibis.schema(COLUMNS))
    cohort = pd.DataFrame({"uscc": [FANG], "as_of": [TODAY], "amount_fen": [50_000_000], "term_months": [12]})
    came = {row["item"]: (row["first_on"], row["latest_on"]) for row in rows_of(tx, "source_day")}
    trained = build(Records.of(table), cohort, FEATURES, facts=SPECS, feeds=came).iloc[0]
    for feature in FEATURES:
        expected = None if pd.isna(trained[feature.name]) else trained[feature.name]
        assert estimated.features[feature.name] == pytest.approx(expected), feature.name


def test_reasons_asked_for_later_come_from_the_stored_snapshot(tx: Session) -> None:
    a_firm_with_records(tx)
    known = known_today(tx, PROFILER, [FANG], TODAY, NOW)[FANG]
    (estimated,) = estimate_many(a_model(), [known], [ASKED])
    late = dict(estimated.features) | {"tax_late": 3.0}
    ((reason,),) = reasons_of(a_model(), [(late, estimated.vintage)])
    assert (reason["feature"], reason["kind"], reason["item"]) == ("tax_late", "adverse", "tax_payment")
    undated = estimated.vintage | {"tax_payment": None}
    assert reasons_of(a_model(), [(estimated.features, undated), (late, estimated.vintage)])[1] == [reason]


def test_the_night_prepares_the_firms_that_allow_it_and_stops_when_all_are_ready(tx: Session) -> None:
    small = a_small_world(tx)
    give_consent(tx, PLATFORM, a_consent(FANG), TODAY, NOW)
    assert refresh_profiles(tx, PLATFORM, small.tools, TODAY, NOW) == 1
    assert refresh_profiles(tx, PLATFORM, small.tools, TODAY, NOW) == 0
    assert [row["uscc"] for row in rows_of(tx, "firm_day")] == [FANG]
    later = NOW + timedelta(minutes=1)
    tx.execute(text("INSERT INTO firm_stale VALUES (:u, :at, 'penalty')"), {"u": FANG, "at": later})
    assert refresh_profiles(tx, PLATFORM, small.tools, TODAY, later) == 1
    with pytest.raises(NotAllowed):
        refresh_profiles(tx, FANG_HERSELF, small.tools, TODAY, NOW)


def test_reasons_are_worked_out_on_first_view_and_kept(tx: Session) -> None:
    small = a_small_world(tx)
    verdict_id = row_of(tx, "demand", a_demand(tx, FANG, (), small.tools))["verdict_id"]
    verdict = verdicts.get(tx, verdict_id)
    assert verdict.reasons is None
    told = reasons_for(tx, verdict, small.tools)
    assert told == verdicts.get(tx, verdict_id).reasons
    assert reasons_for(tx, verdict, replace(small.tools, model=None)) is None


def test_what_would_change_an_estimate_comes_from_the_stored_snapshot(tx: Session) -> None:
    a_firm_with_records(tx)
    known = known_today(tx, PROFILER, [FANG], TODAY, NOW)[FANG]
    (estimated,) = estimate_many(a_model(), [known], [ASKED])
    late = dict(estimated.features) | {"tax_late": 3.0}
    told = prospect_of(a_model(), late)
    assert [(one["feature"], one["before"]) for one in told["changes"]] == [("tax_late", 3.0)]
    changed = late | {one["feature"]: one["after"] for one in told["changes"]}
    again = a_model().estimate(pd.DataFrame([changed], dtype="float64"))[0]
    assert (again.grade, again.probability) == (told["grade"], pytest.approx(told["probability"]))
    json.dumps(told, ensure_ascii=False)


def test_above_the_green_line_it_is_the_line_that_is_to_be_reached_and_else_the_next_grade(tx: Session) -> None:
    small = a_small_world(tx)
    verdict = verdicts.get(tx, row_of(tx, "demand", a_demand(tx, FANG, (), small.tools))["verdict_id"])
    assert "B1" in prospect_for(verdict, small.tools, "410105", TODAY)["zh"]
    model = small.tools.model
    late = verdict.features | {"tax_late": 3.0}
    above = Known(verdict.estimate_id, model.version, 0.14, late)
    told = prospect_for(above, small.tools, "410105", TODAY)
    assert told["reached"]
    assert told["probability"] < 0.06
    assert "6.0%" in told["zh"]
    assert prospect_for(replace(above, estimate_id=None), small.tools, "410105", TODAY) is None
    assert prospect_for(replace(above, model_version="gone"), small.tools, "410105", TODAY) is None


def test_people_see_the_records_with_date_and_freshness_and_adverse_ones_apart(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        a_small_world(tx)
        a_changed_fact(tx, FANG, "penalty", "P-1", date(2026, 6, 1), code="minor", amount_fen=100_000, status="done")
    with database.transaction(FANG_HERSELF) as tx:
        profile = profile_on(tx, FANG, TODAY)
    held = {section.item.id: section for section in profile.held}
    tax, penalty = held["tax_payment"], held["penalty"]
    assert (tax.freshness, len(tax.facts)) == ("fresh", 14)
    assert tax.facts[0].record.happened_on > tax.facts[1].record.happened_on
    assert (penalty.item.adverse, penalty.facts[0].record.amount_fen) == (True, 100_000)
    missing = {section.item.id for section in profile.silent if section.freshness == "missing"}
    assert missing == {"housing_fund", "invoice", "environment_rating"}
    with database.transaction(FENG_HIMSELF) as tx:
        assert profile_on(tx, FANG, TODAY).held == []


def test_freshness_limits_are_those_of_the_catalogue() -> None:
    items = load_catalogue().items.values()
    assert {item.id for item in items if item.fresh_by == "feed"} == BY_FEED
    assert {item.id: item.freshness_days for item in items} == FRESH_DAYS
