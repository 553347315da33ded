"""A shadow scores what the model in use has judged, once, from the same snapshots; no light changes, outcomes tell."""

from datetime import date, timedelta

import pytest

from service.actions.shadow_models import score_unscored, start_shadow, stop_shadow
from service.actions.train_model import register_model, use_model
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.jobs.tasks import do_shadows
from service.profiles.shadow import compare
from service.store import models, runs
from tests.builders import (
    CITY,
    FANG,
    FENG,
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
from tests.kept_models import a_kept_model, a_repaid_or_lost_loan, an_estimate, an_operator
from tests.lending import Lending


@pytest.fixture
def pair(database, settings, tmp_path):
    """The model in use and a shadow that counts late payments."""
    champion = a_kept_model(settings, tmp_path)
    shadow = a_kept_model(settings, tmp_path, 0.05, per_delay=0.5)
    with database.transaction(PLATFORM) as tx:
        use_model(tx, PLATFORM, champion, NOW)
        register_model(tx, PLATFORM, shadow, NOW)
    return champion, shadow


def begins(database, settings, version: str, since: date | None = None, who=PLATFORM) -> date:
    with database.transaction(who) as tx:
        return start_shadow(tx, who, settings.models, version, since, TODAY, NOW)


def scores(database, settings, most: int = 2_000) -> int:
    with database.transaction(PLATFORM) as tx:
        return score_unscored(tx, PLATFORM, settings.models, TODAY, NOW, most).scored


def judged(database, champion, uscc: str = FANG) -> int:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        return a_demand(tx, uscc, (small.bank,), some_tools(tx, model=champion))


def test_a_shadow_scores_each_judged_demand_once_from_its_snapshot(database, settings, pair) -> None:
    champion, shadow = pair
    begins(database, settings, shadow.version)
    key = judged(database, champion)
    assert [scores(database, settings), scores(database, settings)] == [1, 0]
    with database.transaction(PLATFORM) as tx:
        (row,) = rows_of(tx, "shadow_estimate")
        (estimate,) = rows_of(tx, "estimate")
    assert (row["demand_id"], row["estimate_id"], row["uscc"]) == (key, estimate["id"], FANG)
    assert row["probability"] == pytest.approx(0.05)
    assert (row["grade"], row["missing_inputs"]) == ("C1", 0)


def test_no_light_no_demand_and_no_verdict_changes_by_a_shadow(database, settings, pair) -> None:
    champion, shadow = pair
    judged(database, champion)
    tables = ("demand", "verdict", "light_change", "estimate", "follow_up", "notice")
    with database.transaction(PLATFORM) as tx:
        before = {table: rows_of(tx, table) for table in tables}
    begins(database, settings, shadow.version)
    assert scores(database, settings) == 1
    with database.transaction(PLATFORM) as tx:
        assert {table: rows_of(tx, table) for table in tables} == before


def test_a_demand_judged_again_is_scored_again_and_compared_by_its_latest(database, settings, pair) -> None:
    champion, shadow = pair
    begins(database, settings, shadow.version)
    judged(database, champion)
    scores(database, settings)
    with database.transaction(PLATFORM) as tx:
        a_changed_fact(
            tx, FANG, "tax_payment", "2026-06|vat", date(2026, 6, 20), code="vat", amount_fen=1, status="late"
        )
        from service.actions.judge_demand import judge_changed

        judge_changed(tx, PLATFORM, some_tools(tx, model=champion), TODAY, NOW)
    assert scores(database, settings) == 1
    with database.transaction(PLATFORM) as tx:
        found = compare(tx, models.find(tx, shadow.version).id, champion.version, TODAY)
    assert (found.demands, found.riskier, found.safer) == (1, 1, 0)
    assert found.challenger_mean > 0.07


def test_inputs_the_snapshot_does_not_hold_count_as_unknown_and_are_counted(database, settings, pair, tmp_path) -> None:
    champion, _ = pair
    wider = a_kept_model(settings, tmp_path, 0.06, names=("tax_late", "revenue", "court_cases", "honours"))
    with database.transaction(PLATFORM) as tx:
        register_model(tx, PLATFORM, wider, NOW)
    begins(database, settings, wider.version)
    judged(database, champion)
    scores(database, settings)
    with database.transaction(PLATFORM) as tx:
        assert [row["missing_inputs"] for row in rows_of(tx, "shadow_estimate")] == [2]
        assert compare(tx, models.find(tx, wider.version).id, champion.version, TODAY).with_missing_inputs == 1


def test_a_shadow_may_not_look_at_days_it_has_learnt_from_or_that_are_yet_to_come(database, settings, pair) -> None:
    _, shadow = pair
    for since in (date(2026, 5, 31), date(2026, 1, 1), TODAY + timedelta(days=1)):
        with pytest.raises(NotPossible):
            begins(database, settings, shadow.version, since)
    assert begins(database, settings, shadow.version, date(2026, 6, 1)) == date(2026, 6, 1)


def test_begun_twice_is_begun_once_and_ended_twice_is_ended_once(database, settings, pair) -> None:
    champion, shadow = pair
    assert begins(database, settings, shadow.version) == begins(database, settings, shadow.version) == TODAY
    for _ in range(2):
        with database.transaction(PLATFORM) as tx:
            stop_shadow(tx, PLATFORM, shadow.version, NOW)
    with database.transaction(PLATFORM) as tx:
        verbs = [row["verb"] for row in rows_of(tx, "trail", noun="model")]
        assert verbs == ["registered", "uses", "registered", "shadowed", "unshadowed"]
        assert models.find(tx, shadow.version).state == "candidate"
    judged(database, champion)
    assert scores(database, settings) == 0


def test_the_model_in_use_is_no_shadow_and_only_those_who_look_after_models_begin_one(database, settings, pair) -> None:
    champion, shadow = pair
    with pytest.raises(Conflict):
        begins(database, settings, champion.version)
    with pytest.raises(NotFound):
        begins(database, settings, "0123456789abcdef")
    for who in (CITY, GAO, bai(1)):
        with pytest.raises(NotAllowed):
            begins(database, settings, shadow.version, who=who)
        with database.transaction(who) as tx, pytest.raises(NotAllowed):
            score_unscored(tx, who, settings.models, TODAY, NOW)
    with database.transaction(PLATFORM) as tx:
        otto = an_operator(tx, "otto", "欧")
    assert begins(database, settings, shadow.version, who=otto) == TODAY


def test_the_job_scores_batch_by_batch_shows_it_and_finds_nothing_the_second_time(database, settings, pair) -> None:
    champion, shadow = pair
    begins(database, settings, shadow.version)
    judged(database, champion)
    with database.transaction(PLATFORM) as tx:
        a_demand(tx, FENG, (rows_of(tx, "bank")[0]["id"],), some_tools(tx, model=champion))
    assert [do_shadows(settings, 1), do_shadows(settings, 1)] == [2, 0]
    with database.transaction(PLATFORM) as tx:
        run = runs.find_latest(tx, "shadow")
    assert (run.state, run.done, run.total, run.message) == ("done", 2, 2, "2 scored; 0 unreadable")


def test_a_shadow_whose_files_are_damaged_is_passed_by_and_said(database, settings, pair) -> None:
    champion, shadow = pair
    begins(database, settings, shadow.version)
    judged(database, champion)
    from service.profiles import model_files

    card = settings.models / shadow.version / "card.md"
    card.write_text("touched")
    model_files._model.cache_clear()
    assert do_shadows(settings) == 0
    with database.transaction(PLATFORM) as tx:
        assert runs.find_latest(tx, "shadow").message == "0 scored; 1 unreadable"
    card.write_text("# Model card\n")
    assert do_shadows(settings) == 1


def lent(tx, champion, size: int, lost: int) -> None:
    """So many loans drawn a year and a half ago; the lost ones had paid taxes late, which only the shadow looks at."""
    city = Lending(tx)
    product = city.product(city.bank(), places_per_day=1000)
    for number in range(size):
        uscc = city.firm()
        demand = city.demand(uscc)
        late = 3.0 if number < lost else float(number % 2)
        facts = {"months_in_business": 60.0, "tax_late": late, "revenue": 1e6, "insured_persons": 5.0}
        on = date(2025, 1, 10)
        an_estimate(tx, demand, uscc, champion.version, facts, on, probability=0.02 + 0.0001 * (number % 7))
        a_repaid_or_lost_loan(city, product, demand, uscc, date(2025, 1, 20), 120 if number < lost else 0)


@pytest.fixture
def old_pair(database, settings, tmp_path):
    """Both learnt before 2025."""
    champion = a_kept_model(settings, tmp_path, as_of=date(2024, 6, 30))
    shadow = a_kept_model(settings, tmp_path, 0.05, per_delay=0.5, as_of=date(2024, 9, 30))
    with database.transaction(PLATFORM) as tx:
        use_model(tx, PLATFORM, champion, NOW)
        register_model(tx, PLATFORM, shadow, NOW)
    begins(database, settings, shadow.version, date(2025, 1, 1))
    return champion, shadow


def test_where_loans_have_ended_both_models_are_measured_on_the_same_ones_in_pairs(
    database, settings, old_pair
) -> None:
    champion, shadow = old_pair
    with database.transaction(PLATFORM) as tx:
        lent(tx, champion, 40, 12)
    assert scores(database, settings) == 40
    with database.transaction(PLATFORM) as tx:
        found = compare(tx, models.find(tx, shadow.version).id, champion.version, TODAY)
    assert (found.demands, found.outcomes.loans, found.outcomes.known, found.outcomes.defaults) == (40, 40, 40, 12)
    auc, brier = found.outcomes.measures
    assert (auc.name, brier.name) == ("auc", "brier")
    assert auc.challenger == 1.0
    assert auc.challenger - auc.champion == pytest.approx(auc.difference)
    assert 0 < auc.low <= auc.difference <= auc.high
    assert brier.difference < 0


def test_too_few_outcomes_say_so_and_give_no_figure(database, settings, old_pair) -> None:
    champion, shadow = old_pair
    with database.transaction(PLATFORM) as tx:
        lent(tx, champion, 20, 5)
    scores(database, settings)
    with database.transaction(PLATFORM) as tx:
        found = compare(tx, models.find(tx, shadow.version).id, champion.version, TODAY).outcomes
        young = compare(tx, models.find(tx, shadow.version).id, champion.version, date(2025, 12, 31)).outcomes
    assert (found.known, found.defaults, found.measures) == (20, 5, ())
    assert (young.loans, young.known) == (20, 0)
