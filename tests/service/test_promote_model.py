"""A model comes into use by two persons: one proposes, another confirms, the database insists; the trail tells both."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from risk.model import RiskModel
from service.actions.promote_model import (
    VALID_DAYS,
    confirm_promotion,
    expire_promotions,
    operator_named,
    promote_model,
    withdraw_promotion,
    withdraw_waiting,
)
from service.actions.train_model import register_kept, register_model, use_first_model, use_model
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.profiles.tools import load_tools
from service.store import models, offers_of_banks
from tests.builders import CITY, GAO, NOW, PLATFORM, TODAY, bai, rows_of
from tests.kept_models import a_kept_model, an_operator

WHY = "新模型在最近一季的检验里区分能力更好。"


@dataclass(frozen=True)
class Cast:
    """A model in use, a candidate, and two operators."""

    champion: RiskModel
    challenger: RiskModel
    otto: Who
    oda: Who


@pytest.fixture
def cast(database, settings, tmp_path) -> Cast:
    champion, challenger = a_kept_model(settings, tmp_path), a_kept_model(settings, tmp_path, 0.03)
    with database.transaction(PLATFORM) as tx:
        use_model(tx, PLATFORM, champion, NOW)
        register_model(tx, PLATFORM, challenger, NOW)
        return Cast(champion, challenger, an_operator(tx, "otto", "欧"), an_operator(tx, "oda", "奥"))


def states(database) -> dict[str, str]:
    with database.transaction(PLATFORM) as tx:
        return {row["version"]: row["state"] for row in rows_of(tx, "model")}


def promote(database, settings, who: Who, version: str, why: str = WHY, today=TODAY):
    with database.transaction(who) as tx:
        return promote_model(tx, who, settings.models, version, why, today, NOW)


def acts(database, noun: str) -> list[tuple[str, str, int | None]]:
    with database.transaction(PLATFORM) as tx:
        return [(row["verb"], row["new"], row["actor_id"]) for row in rows_of(tx, "trail", noun=noun)]


def test_the_first_model_goes_into_use_at_once_and_the_next_one_is_a_candidate(database, settings, cast) -> None:
    assert states(database) == {cast.champion.version: "in_use", cast.challenger.version: "candidate"}
    with database.transaction(PLATFORM) as tx:
        assert not use_first_model(tx, PLATFORM, cast.challenger, NOW)
        assert not use_first_model(tx, PLATFORM, cast.champion, NOW)
        with pytest.raises(Conflict, match="两名"):
            use_model(tx, PLATFORM, cast.challenger, NOW)
        use_model(tx, PLATFORM, cast.champion, NOW)
    assert states(database)[cast.challenger.version] == "candidate"


def test_one_proposes_another_confirms_and_the_model_before_retires_but_stays_loadable(
    database, settings, cast
) -> None:
    proposed = promote(database, settings, cast.otto, cast.challenger.version)
    assert (proposed.step, proposed.until_on) == ("proposed", TODAY + timedelta(days=VALID_DAYS))
    assert states(database)[cast.champion.version] == "in_use"
    assert promote(database, settings, cast.oda, cast.challenger.version).step == "confirmed"
    assert states(database) == {cast.champion.version: "retired", cast.challenger.version: "in_use"}
    with database.transaction(PLATFORM) as tx:
        tools = load_tools(tx, settings, TODAY)
        assert tools.model is not None
        assert tools.model.version == cast.challenger.version == models.find_in_use(tx).version
        former = tools.model_of(cast.champion.version)
        assert former is not None
        assert former.version == cast.champion.version


def test_each_step_leaves_its_entry_with_its_own_person(database, settings, cast) -> None:
    promote(database, settings, cast.otto, cast.challenger.version)
    promote(database, settings, cast.oda, cast.challenger.version)
    otto, oda = cast.otto.person_id, cast.oda.person_id
    assert acts(database, "promotion") == [("proposed", "waiting", otto), ("confirmed", "confirmed", oda)]
    assert acts(database, "model")[-2:] == [("retired", "retired", oda), ("uses", cast.challenger.version, oda)]


def test_the_same_person_twice_is_refused_and_nothing_changes(database, settings, cast) -> None:
    promote(database, settings, cast.otto, cast.challenger.version)
    with pytest.raises(NotAllowed, match="两个人"):
        promote(database, settings, cast.otto, cast.challenger.version)
    with database.transaction(cast.otto) as tx:
        waiting = models.find_waiting(tx)
        with pytest.raises(NotAllowed):
            confirm_promotion(tx, cast.otto, settings.models, waiting.id, TODAY, NOW)
    assert states(database)[cast.champion.version] == "in_use"


def test_the_database_itself_refuses_one_person_s_two_words_and_a_changed_proposal(database, settings, cast) -> None:
    promote(database, settings, cast.otto, cast.challenger.version)
    alone = text("UPDATE promotion SET state = 'confirmed', confirmed_by = proposed_by, ended_at = now()")
    with pytest.raises(IntegrityError, match="promotion_by_two_persons"), database.transaction(cast.otto) as tx:
        tx.execute(alone)
    with pytest.raises(ProgrammingError, match="permission denied"), database.transaction(cast.oda) as tx:
        tx.execute(text("UPDATE promotion SET proposed_by = :me"), {"me": cast.oda.person_id})
    with pytest.raises(IntegrityError, match="model_one_in_use"), database.transaction(cast.otto) as tx:
        tx.execute(text("UPDATE model SET state = 'in_use'"))


@pytest.mark.parametrize("who", [CITY, GAO, bai(1), PLATFORM, Who(Role.OPERATOR, None, "key")])
def test_only_an_operator_in_person_proposes(database, settings, cast, who) -> None:
    with pytest.raises(NotAllowed):
        promote(database, settings, who, cast.challenger.version)


@pytest.mark.parametrize("who", [CITY, GAO, bai(1)])
def test_nobody_else_sees_models_proposals_or_what_shadows_say(database, settings, cast, who) -> None:
    promote(database, settings, cast.otto, cast.challenger.version)
    with database.transaction(who) as tx:
        assert [rows_of(tx, table) for table in ("model", "promotion", "shadow_estimate")] == [[], [], []]


def test_a_proposal_needs_a_sentence_a_known_version_and_files_that_open(database, settings, cast) -> None:
    wrong: dict[str, tuple[str, type[DomainError]]] = {
        cast.challenger.version: (" ", NotPossible), "0123456789abcdef": (WHY, NotFound),
        cast.champion.version: (WHY, Conflict),
    }  # fmt: skip
    for version, (why, refusal) in wrong.items():
        with pytest.raises(refusal):
            promote(database, settings, cast.otto, version, why)
    damaged = settings.models / cast.challenger.version / "card.md"
    damaged.write_text("a better card")
    from service.profiles import model_files

    model_files._model.cache_clear()
    with pytest.raises(NotPossible, match="读不出来"):
        promote(database, settings, cast.otto, cast.challenger.version)
    damaged.write_text("# Model card\n")


def test_a_model_whose_inputs_the_platform_cannot_work_out_is_not_proposed(database, settings, cast, tmp_path) -> None:
    strange = a_kept_model(settings, tmp_path, 0.05, names=("tax_late", "star_sign"))
    with database.transaction(PLATFORM) as tx:
        register_model(tx, PLATFORM, strange, NOW)
    with pytest.raises(NotPossible, match="star_sign"):
        promote(database, settings, cast.otto, strange.version)


def test_one_proposal_waits_at_a_time(database, settings, cast, tmp_path) -> None:
    third = a_kept_model(settings, tmp_path, 0.04)
    with database.transaction(PLATFORM) as tx:
        register_model(tx, PLATFORM, third, NOW)
    promote(database, settings, cast.otto, cast.challenger.version)
    with pytest.raises(Conflict, match="已有一项"):
        promote(database, settings, cast.oda, third.version)


def test_a_proposal_is_withdrawn_once_and_then_cannot_be_confirmed(database, settings, cast) -> None:
    key = promote(database, settings, cast.otto, cast.challenger.version).promotion_id
    for _ in range(2):
        with database.transaction(cast.otto) as tx:
            withdraw_promotion(tx, cast.otto, key, NOW)
    with database.transaction(cast.oda) as tx:
        with pytest.raises(Conflict, match="已经结束"):
            confirm_promotion(tx, cast.oda, settings.models, key, TODAY, NOW)
        with pytest.raises(NotFound):
            withdraw_waiting(tx, cast.oda, cast.challenger.version, NOW)
    assert [verb for verb, *_ in acts(database, "promotion")] == ["proposed", "proposal_withdrawn"]


def test_a_proposal_nobody_confirmed_in_time_expires_and_a_new_one_can_be_made(database, settings, cast) -> None:
    first = promote(database, settings, cast.otto, cast.challenger.version)
    late = TODAY + timedelta(days=VALID_DAYS + 1)
    with database.transaction(cast.oda) as tx, pytest.raises(Conflict, match="过期"):
        confirm_promotion(tx, cast.oda, settings.models, first.promotion_id, late, NOW)
    again = promote(database, settings, cast.oda, cast.challenger.version, today=late)
    assert again.step == "proposed"
    with database.transaction(PLATFORM) as tx:
        assert [row["state"] for row in rows_of(tx, "promotion")] == ["expired", "waiting"]
        assert expire_promotions(tx, PLATFORM, late, NOW) == 0


def test_a_proposal_made_against_another_model_in_use_is_not_confirmed(database, settings, tmp_path) -> None:
    first, second = a_kept_model(settings, tmp_path), a_kept_model(settings, tmp_path, 0.03)
    with database.transaction(PLATFORM) as tx:
        register_model(tx, PLATFORM, second, NOW)
        otto, oda = an_operator(tx, "otto", "欧"), an_operator(tx, "oda", "奥")
    promote(database, settings, otto, second.version)
    with database.transaction(PLATFORM) as tx:
        assert use_first_model(tx, PLATFORM, first, NOW)
    with pytest.raises(Conflict, match="已经换过"):
        promote(database, settings, oda, second.version)


def test_the_register_takes_up_what_lies_in_the_folder_and_what_was_used_before(database, settings, cast) -> None:
    (settings.models / "no-model").mkdir(exist_ok=True)
    with database.transaction(PLATFORM) as tx:
        tx.execute(text("DELETE FROM model"))
        assert register_kept(tx, PLATFORM, settings, NOW) >= 2
        assert register_kept(tx, PLATFORM, settings, NOW) == 0
        assert models.find_in_use(tx).version == offers_of_banks.model_in_use(tx) == cast.champion.version
        assert models.find(tx, cast.challenger.version).summary["measures"]["auc"] == 0.744
    with database.transaction(CITY) as tx, pytest.raises(NotAllowed):
        register_kept(tx, CITY, settings, NOW)


def test_a_command_acts_as_the_operator_it_names_and_as_nobody_else(database, cast) -> None:
    with database.transaction(PLATFORM) as tx:
        assert operator_named(tx, "otto", TODAY) == cast.otto
        with pytest.raises(NotFound):
            operator_named(tx, "nobody", TODAY)
        tx.execute(text("UPDATE membership SET until_on = :day WHERE person_id = :id"),
                   {"day": TODAY, "id": cast.oda.person_id})  # fmt: skip
        with pytest.raises(NotAllowed):
            operator_named(tx, "oda", TODAY)
