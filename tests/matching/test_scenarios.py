"""The policy by example: every line of scenarios.yaml, and that no criterion goes without its examples."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from matching.facts import FACTS
from matching.judge import judge
from matching.policy import INVOICES_POLICY_FILE, POLICY_FILE, load_policy
from matching.terms import Fact, Light

FILE = yaml.safe_load(Path(__file__).with_name("scenarios.yaml").read_text(encoding="utf-8"))
SCENARIOS = FILE["scenarios"]
POLICIES = {"city": load_policy(POLICY_FILE), "invoices": load_policy(INVOICES_POLICY_FILE)}
TOLD_ON = date(2026, 5, 20)


def facts_of(scenario):
    told = {**FILE["ordinary_firm"], **scenario.get("facts", {})}
    facts = {}
    for name, value in told.items():
        source = FACTS[name].source
        exact = Decimal(value) if FACTS[name].kind == "share" else value
        if name in scenario.get("missing", []):
            facts[name] = Fact(None, source, None, "missing")
        else:
            facts[name] = Fact(exact, source, TOLD_ON, "stale" if name in scenario.get("stale", []) else "known")
    return facts


def verdict_of(scenario):
    return judge(facts_of(scenario), POLICIES[scenario.get("policy", "city")], scenario["today"])


def said(finding):
    return "unknown" if finding.state != "known" else finding.light.word


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_the_scenario_gives_its_lights(scenario):
    verdict = verdict_of(scenario)
    wanted = scenario.get("lights", {})
    assert {name: said(verdict.finding(name)) for name in wanted} == wanted
    if "overall" in scenario:
        assert verdict.light is Light.of(scenario["overall"])
    if "recommended" in scenario:
        assert verdict.recommended is scenario["recommended"]
    assert set(scenario.get("not_judged", [])) <= {one.criterion for one in verdict.not_judged}


@pytest.mark.parametrize("which", POLICIES)
def test_every_criterion_has_an_example_of_every_light_it_can_give(which):
    shown = {}
    for scenario in SCENARIOS:
        if scenario.get("policy", "city") == which:
            for name, light in scenario.get("lights", {}).items():
                shown.setdefault(name, set()).add(light)
    wanted = {}
    for criterion in POLICIES[which].criteria:
        two_lines = any(step.green != step.yellow for step in criterion.steps)
        lights = {"green", "unknown"} | ({"yellow"} if two_lines or criterion.worst is Light.YELLOW else set())
        wanted[criterion.id] = lights | ({"red"} if criterion.worst is Light.RED else set())
    gaps = {name: lights - shown.get(name, set()) for name, lights in wanted.items()}
    assert {name: lights for name, lights in gaps.items() if lights} == {}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_every_finding_speaks_both_languages_and_says_what_would_change_it(scenario):
    for finding in verdict_of(scenario).findings:
        assert finding.sentence_zh and finding.sentence_en
        assert "{" not in finding.sentence_zh + finding.sentence_en + finding.changes_when_zh + finding.changes_when_en
        assert bool(finding.changes_when_zh) is (finding.light > Light.GREEN) is bool(finding.changes_when_en)
        assert bool(finding.office_zh) is (finding.light is Light.RED) is bool(finding.office_en)


def test_a_young_firm_hears_from_which_day_it_passes():
    verdict = judge(facts_of({"facts": {"established_on": date(2026, 1, 31)}}), POLICIES["city"], date(2026, 6, 1))
    finding = verdict.finding("months_in_business")
    assert finding.value == 4
    assert finding.line == 6
    assert finding.changes_when_en == "8 months to go: met from 2027-01-31."


def test_an_unknown_names_its_source_and_when_it_last_spoke():
    verdict = verdict_of({"today": date(2026, 6, 1), "stale": ["tax_arrears_months"], "missing": ["premises"]})
    assert verdict.finding("tax_arrears").sentence_en == "Tax payments unknown: tax payments stale (last 2026-05-20)."
    assert verdict.finding("tax_arrears").sentence_zh == "纳税信息不明：纳税信息已过时（最近2026-05-20）。"
    assert verdict.finding("premises").sentence_en == "Premises unknown: the market regulator's register missing."
    assert verdict.finding("premises").sources == ("registration",)
