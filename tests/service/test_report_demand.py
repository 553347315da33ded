"""Reporting a demand: what is taken, what is refused and in which words, and what can be done with it afterwards."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Thread

import pytest
from sqlalchemy import text
from sqlmodel import Session

from service.actions.end_demand import expire_demands, withdraw_demand
from service.actions.report_demand import (
    Naming,
    confirm_demand,
    edit_demand,
    name_banks,
    name_banks_each,
    repeat_demand,
    report_demand,
    report_demands,
    report_each,
)
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.people import Who
from service.store import demands
from service.store.database import Database
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    FENG_HIMSELF,
    GAO,
    NOW,
    OU,
    PLATFORM,
    TODAY,
    a_bank,
    a_consent,
    a_demand,
    a_form,
    a_small_world,
    bai,
    row_of,
    rows_of,
    some_tools,
)


def test_a_report_is_numbered_counted_receipted_and_on_the_trail(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools, rate_ceiling=Decimal("0.06"), guarantees=("mortgage",))
    demand = row_of(tx, "demand", key)
    assert demand["number"] == f"20260630-{key:06d}"
    assert (demand["amount_fen"], demand["district"], demand["guarantees"]) == (50_000_000, "410102", ["mortgage"])
    assert rows_of(tx, "figure_event", kind="reported")[0]["amount_fen"] == 50_000_000
    assert rows_of(tx, "notice", kind="demand_reported")[0]["values"] == {"number": demand["number"]}
    (entry,) = rows_of(tx, "trail", verb="report")
    assert (entry["old"], entry["new"], entry["demand_id"]) == (None, "reported", key)
    (wanted,) = rows_of(tx, "wanted_bank", demand_id=key)
    assert (wanted["bank_id"], wanted["is_intended"], wanted["rank"]) == (small.bank, True, 1)


def test_without_any_bank_a_demand_may_be_reported(tx: Session) -> None:
    small = a_small_world(tx)
    assert row_of(tx, "demand", a_demand(tx, FANG, (), small.tools))["light"] == "green"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"amount_fen": 0}, "amount"),
        ({"amount_fen": -5}, "amount"),
        ({"amount_fen": 10**17}, "amount"),
        ({"term_months": 0}, "term_months"),
        ({"term_months": 361}, "term_months"),
        ({"use": "yacht"}, "use"),
        ({"use_text": "货" * 501}, "use_text"),
        ({"rate_ceiling": Decimal(0)}, "rate_ceiling"),
        ({"guarantees": ("my word",)}, "guarantees"),
        ({"channel": "pigeon"}, "channel"),
        ({"intended": (1, 2, 3, 4)}, "intended"),
        ({"intended": (1,), "reserve": (1,)}, "intended"),
        ({"intended": (999,)}, "intended"),
        ({"consents": ()}, "profile_consent"),
        ({"consents": (a_consent(FENG),)}, "consents"),
    ],
)
def test_a_wrong_wish_is_refused_in_a_sentence_for_its_field(tx: Session, wrong: dict, field: str) -> None:
    small = a_small_world(tx)
    with pytest.raises(NotPossible) as refused:
        report_demand(tx, PLATFORM, replace(a_form(FANG, ()), **wrong), small.tools, TODAY, NOW)
    assert refused.value.field == field
    assert rows_of(tx, "demand") == []


def test_an_intended_bank_without_its_own_consent_is_refused(tx: Session) -> None:
    small = a_small_world(tx)
    form = replace(a_form(FANG, (small.bank,)), intended=(small.bank, small.other_bank))
    with pytest.raises(NotPossible) as refused:
        report_demand(tx, PLATFORM, form, small.tools, TODAY, NOW)
    assert refused.value.values == {"bank_id": small.other_bank}


def test_an_expired_consent_does_not_carry_a_bank(tx: Session) -> None:
    small = a_small_world(tx)
    brief = a_consent(FANG, small.bank, until_on=TODAY)
    first = a_form(FANG, (), intended=(small.bank,), consents=(a_consent(FANG), brief))
    report_demand(tx, PLATFORM, first, small.tools, TODAY, NOW)
    tomorrow = TODAY + timedelta(days=1)
    second = a_form(FANG, (), intended=(small.bank,), use="trade", consents=())
    with pytest.raises(NotPossible) as refused:
        report_demand(tx, PLATFORM, second, some_tools(tx, tomorrow), tomorrow, NOW)
    assert refused.value.field == "consents"


@pytest.mark.parametrize(
    ("who", "error"), [(FENG_HIMSELF, NotFound), (bai(1), NotAllowed), (OU, NotFound), (CITY, NotAllowed)]
)
def test_nobody_reports_for_a_firm_that_is_not_theirs(tx: Session, who: Who, error: type[DomainError]) -> None:
    small = a_small_world(tx)
    with pytest.raises(error):
        report_demand(tx, who, a_form(FANG, ()), small.tools, TODAY, NOW)


def test_a_district_visit_reports_without_banks_and_the_next_run_judges(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
    with database.transaction(GAO) as tx:
        visit = a_form(FANG, (), consents=(), channel="visit")
        key = report_demand(tx, GAO, visit, small.tools, TODAY, NOW)
        assert (row_of(tx, "demand", key)["light"], row_of(tx, "demand", key)["next_step"]) == (None, "judge")
        with pytest.raises(NotAllowed):
            report_demand(tx, GAO, replace(visit, use="trade", intended=(small.bank,)), small.tools, TODAY, NOW)


def test_a_duplicate_of_an_open_demand_is_refused_and_names_the_one_to_edit(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    with pytest.raises(Conflict) as refused:
        a_demand(tx, FANG, (small.bank,), small.tools)
    assert refused.value.values["demand_id"] == key
    assert refused.value.values["number"] == row_of(tx, "demand", key)["number"]
    a_demand(tx, FANG, (small.bank,), small.tools, use="equipment")
    with pytest.raises(Conflict):
        report_demands(tx, PLATFORM, [a_form(FENG), a_form(FENG)], small.tools, TODAY, NOW)


def test_a_double_click_reports_once(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
    outcomes: list[str] = []

    def click() -> None:
        try:
            with database.transaction(FANG_HERSELF) as tx:
                report_demand(tx, FANG_HERSELF, a_form(FANG, (small.bank,)), small.tools, TODAY, NOW)
            outcomes.append("reported")
        except Conflict:
            outcomes.append("conflict")

    clicks = [Thread(target=click) for _ in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert sorted(outcomes) == ["conflict", "reported"]
    with database.transaction(PLATFORM) as tx:
        assert len(rows_of(tx, "demand")) == 1


def test_a_whole_city_may_ask_at_once(tx: Session) -> None:
    demands.queue_for(tx, [f"91410199MA{number:08d}" for number in range(30_000)])
    own = "pid = pg_backend_pid() AND locktype = 'advisory' AND classid = 7416002"
    assert tx.execute(text(f"SELECT count(*) FROM pg_locks WHERE {own}")).scalar_one() == 1024


def test_a_batch_is_taken_whole_or_not_at_all(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
    with pytest.raises(NotPossible), database.transaction(PLATFORM) as tx:
        report_demands(tx, PLATFORM, [a_form(FANG), a_form(FENG, amount_fen=0)], small.tools, TODAY, NOW)
    with database.transaction(PLATFORM) as tx:
        assert rows_of(tx, "demand") == []
        assert len(report_demands(tx, PLATFORM, [a_form(FANG), a_form(FENG)], small.tools, TODAY, NOW)) == 2


def test_in_a_batch_of_many_each_form_stands_for_itself(tx: Session) -> None:
    small = a_small_world(tx)
    forms = [a_form(FANG), a_form(FENG, amount_fen=0), a_form(FANG), a_form(FENG, (small.bank,))]
    first, second, third, fourth = report_each(tx, PLATFORM, forms, small.tools, TODAY, NOW)
    assert [one["id"] for one in rows_of(tx, "demand")] == [first.demand_id, fourth.demand_id]
    assert (second.demand_id, second.error.field) == (None, "amount")
    assert isinstance(third.error, Conflict)


def test_an_edit_counts_versions_judges_again_and_meets_a_stale_form_with_a_conflict(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        key = a_demand(tx, FANG, (small.bank,), small.tools)
    with database.transaction(FANG_HERSELF) as tx:
        more = a_form(FANG, (small.other_bank,), amount_fen=900_000_000)
        edit_demand(tx, FANG_HERSELF, key, more, 1, small.tools, TODAY, NOW)
        demand = row_of(tx, "demand", key)
        assert (demand["version"], demand["amount_fen"], demand["light"]) == (2, 900_000_000, "red")
        assert demand["state"] == "reported"
        assert [row.bank_id for row in demands.wanted(tx, [key])] == [small.other_bank]
        with pytest.raises(Conflict):
            edit_demand(tx, FANG_HERSELF, key, more, 1, small.tools, TODAY, NOW)
    with database.transaction(PLATFORM) as tx:
        assert len(rows_of(tx, "trail", verb="edit")) == 1
        with pytest.raises(NotFound):
            edit_demand(tx, FENG_HIMSELF, key, more, 2, small.tools, TODAY, NOW)


def test_a_demand_that_was_pushed_is_edited_no_more(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    tx.execute(text("UPDATE demand SET state = 'pushed'"))
    with pytest.raises(Conflict):
        edit_demand(tx, FANG_HERSELF, key, a_form(FANG), 1, small.tools, TODAY, NOW)


def test_withdrawing_ends_the_demand_with_its_work_and_twice_is_once(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (), small.tools, amount_fen=900_000_000)
    withdraw_demand(tx, FANG_HERSELF, key, TODAY, NOW)
    withdraw_demand(tx, FANG_HERSELF, key, TODAY, NOW)
    demand = row_of(tx, "demand", key)
    assert (demand["state"], demand["closed_on"], demand["next_by"]) == ("withdrawn", TODAY, "nobody")
    assert {row["outcome"] for row in rows_of(tx, "follow_up")} == {"demand_withdrawn"}
    assert [(row["old"], row["new"]) for row in rows_of(tx, "trail", verb="withdraw")] == [("reported", "withdrawn")]
    with pytest.raises(NotFound):
        withdraw_demand(tx, FENG_HIMSELF, key, TODAY, NOW)
    with pytest.raises(NotAllowed):
        withdraw_demand(tx, GAO, key, TODAY, NOW)


def test_an_ended_demand_is_repeated_in_one_step_with_the_banks_whose_consent_still_lives(tx: Session) -> None:
    small = a_small_world(tx)
    brief = a_consent(FANG, small.bank, until_on=TODAY)
    ticked = (a_consent(FANG), brief, a_consent(FANG, small.other_bank))
    key = a_demand(tx, FANG, (), small.tools, intended=(small.bank, small.other_bank), consents=ticked)
    with pytest.raises(Conflict):
        repeat_demand(tx, FANG_HERSELF, key, small.tools, TODAY, NOW)
    withdraw_demand(tx, FANG_HERSELF, key, TODAY, NOW)
    tomorrow = TODAY + timedelta(days=1)
    again = repeat_demand(tx, FANG_HERSELF, key, some_tools(tx, tomorrow), tomorrow, NOW)
    assert row_of(tx, "demand", again)["amount_fen"] == row_of(tx, "demand", key)["amount_fen"]
    assert [row.bank_id for row in demands.wanted(tx, [again])] == [small.other_bank]


def test_banks_are_added_to_an_open_demand_each_with_its_own_consent(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    for _ in range(2):
        name_banks(tx, FANG_HERSELF, key, [a_consent(FANG, small.other_bank)], TODAY, NOW)
    wanted = [(row.bank_id, row.is_intended) for row in demands.wanted(tx, [key])]
    assert wanted == [(small.bank, True), (small.other_bank, False)]
    with pytest.raises(NotPossible):
        name_banks(tx, FANG_HERSELF, key, [a_consent(FANG)], TODAY, NOW)


def test_many_firms_name_banks_in_one_go_and_nothing_of_a_refused_answer_stays(tx: Session) -> None:
    small = a_small_world(tx)
    third = a_bank(tx, "CAI")
    fangs = a_demand(tx, FANG, (small.bank,), small.tools)
    fengs = a_demand(tx, FENG, (), small.tools)
    ended = a_demand(tx, FENG, (), small.tools, use="equipment")
    withdraw_demand(tx, FENG_HIMSELF, ended, TODAY, NOW)
    until = TODAY + timedelta(days=90)
    to_bo, to_cai = a_consent(FANG, small.other_bank, until_on=until), a_consent(FANG, third, until_on=until)
    over, fengs_own = a_consent(FANG, third, until_on=TODAY - timedelta(days=1)), a_consent(FENG, third, until_on=until)
    asked = [
        Naming(FANG_HERSELF, fangs, (to_bo,)),
        Naming(FANG_HERSELF, fangs, (to_cai, over)),
        Naming(FENG_HIMSELF, fangs, (to_cai,)),
        Naming(bai(small.bank), fangs, (to_cai,)),
        Naming(FENG_HIMSELF, ended, (fengs_own,)),
        Naming(FENG_HIMSELF, fengs, (a_consent(FENG),)),
        Naming(FENG_HIMSELF, fengs, (fengs_own,)),
        Naming(PLATFORM, fangs, (to_bo, to_cai)),
    ]
    found = name_banks_each(tx, asked, TODAY, NOW)
    assert [type(refusal).__name__ for refusal in found] == [
        "NoneType", "NotPossible", "NotFound", "NotAllowed", "Conflict", "NotPossible", "NoneType", "NoneType",
    ]  # fmt: skip
    wanted = [(row.bank_id, row.rank) for row in demands.wanted(tx, [fangs])]
    assert wanted == [(small.bank, 1), (small.other_bank, 2), (third, 3)]
    assert [row.bank_id for row in demands.wanted(tx, [fengs, ended])] == [third]
    entered = [(row["uscc"], row["bank_id"], row["given_by"]) for row in rows_of(tx, "consent", until_on=until)]
    assert sorted(entered) == [
        (FANG, small.other_bank, FANG_HERSELF.person_id),
        (FANG, third, PLATFORM.person_id),
        (FENG, third, FENG_HIMSELF.person_id),
    ]
    said = {
        (row["demand_id"], row["actor_id"], tuple(row["details"]["banks"]))
        for row in rows_of(tx, "trail", verb="name_banks")
    }
    assert said == {
        (fangs, FANG_HERSELF.person_id, (small.other_bank,)),
        (fengs, FENG_HIMSELF.person_id, (third,)),
        (fangs, PLATFORM.person_id, (third,)),
    }
    assert name_banks_each(tx, [], TODAY, NOW) == []


def test_no_batch_names_more_banks_than_a_demand_may_have(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    tx.execute(text("UPDATE wanted_bank SET rank = 199"))
    banks = [a_bank(tx, f"B{n}") for n in range(2)]
    one, other = (Naming(FANG_HERSELF, key, (a_consent(FANG, bank),)) for bank in banks)
    taken, refused = name_banks_each(tx, [one, other], TODAY, NOW)
    assert (taken, type(refused).__name__) == (None, "NotPossible")
    assert [row.bank_id for row in demands.wanted(tx, [key])] == [small.bank, banks[0]]
    assert rows_of(tx, "consent", bank_id=banks[1]) == []


def test_silence_is_warned_of_first_and_ends_the_demand_only_a_full_warning_later(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    early, warned = TODAY + timedelta(days=22), TODAY + timedelta(days=23)
    assert expire_demands(tx, PLATFORM, small.tools, early, NOW) == (0, 0)
    assert expire_demands(tx, PLATFORM, small.tools, warned, NOW) == (1, 0)
    assert expire_demands(tx, PLATFORM, small.tools, warned, NOW) == (0, 0)
    assert rows_of(tx, "notice", kind="demand_expires")[0]["values"] == {"on": "2026-07-30"}
    assert expire_demands(tx, PLATFORM, small.tools, warned + timedelta(days=6), NOW) == (0, 0)
    assert expire_demands(tx, PLATFORM, small.tools, warned + timedelta(days=7), NOW) == (0, 1)
    assert row_of(tx, "demand", key)["state"] == "expired"
    assert [(row["old"], row["new"]) for row in rows_of(tx, "trail", verb="expire")] == [("recommended", "expired")]


def test_a_firm_that_still_wants_it_is_not_silent(tx: Session) -> None:
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools)
    warned = TODAY + timedelta(days=23)
    expire_demands(tx, PLATFORM, small.tools, warned, NOW)
    confirm_demand(tx, FANG_HERSELF, key, warned, NOW)
    assert expire_demands(tx, PLATFORM, small.tools, warned + timedelta(days=10), NOW) == (0, 0)
    assert row_of(tx, "demand", key)["warned_on"] is None


def test_only_the_platform_lets_demands_expire(tx: Session) -> None:
    small = a_small_world(tx)
    with pytest.raises(NotAllowed):
        expire_demands(tx, FANG_HERSELF, small.tools, TODAY, NOW)
