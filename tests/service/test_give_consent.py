"""Consents: one recipient each, given and taken back, and what follows at once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from service.actions.give_consent import enter_consents, give_consent, give_consents, withdraw_consent
from service.domain.errors import DomainError, NotAllowed, NotFound, NotPossible
from service.store import consents
from service.store.bulk import add_rows
from service.store.database import Database
from tests.builders import (
    FANG,
    FANG_HERSELF,
    FENG,
    FENG_HIMSELF,
    GAO,
    NOW,
    PLATFORM,
    TODAY,
    Small,
    a_bank,
    a_consent,
    a_demand,
    a_firm,
    a_small_world,
    bai,
    row_of,
    rows_of,
)


def a_line(tx: Session, small: Small, demand_id: int, consent_id: int, state: str = "pushed") -> int:
    """A line on a list of the first bank, with the money it reserves."""
    whose = {"bank_id": small.bank, "demand_id": demand_id, "uscc": FANG, "district": "410102"}
    add_rows(
        tx,
        "certificate",
        [{"id": 1, "on": TODAY, "run": 0, "is_valid": True, "body": {}, "inputs": {}, "made_at": NOW}],
    )
    listed = {"id": 1, "bank_id": small.bank, "on": TODAY, "number": 1, "cause": "morning", "lines": 1, "amount_fen": 1}
    add_rows(tx, "push_list", [listed | {"certificate_id": 1, "content_hash": "x", "published_at": NOW}])
    money = {"amount_fen": 50_000_000, "reserved_fen": 50_000_000, "product_id": small.product, "product_version": 1}
    product = {"rank": 1, "is_intended": True, "consent_id": consent_id, "paused_days": 0}
    clock = {"pushed_on": TODAY, "state": state, "state_at": NOW, "due_step": "contact", "due_on": TODAY}
    flags = {"waits_for_calendar": False, "view_closed": False}
    add_rows(tx, "push_line", [{"id": 1, "list_id": 1} | whose | money | product | clock | flags])
    tx.execute(text("UPDATE product SET reserved_fen = 50000000 WHERE id = :id"), {"id": small.product})
    place = {"product_id": small.product, "on": TODAY, "places": 10, "used": 1}
    add_rows(tx, "place_use", [place])
    tx.execute(text("UPDATE demand SET state = :state WHERE id = :id"), {"id": demand_id, "state": "pushed"})
    return 1


def test_a_firm_gives_one_bank_its_consent_and_it_stands_in_ledger_and_trail(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        bank = a_bank(tx)
        a_firm(tx)
    with database.transaction(FANG_HERSELF) as tx:
        key = give_consent(tx, FANG_HERSELF, a_consent(FANG, bank), TODAY, NOW)
    with database.transaction(PLATFORM) as tx:
        assert consents.live(tx, [FANG], TODAY) == {FANG: {bank: key}}
        (entry,) = rows_of(tx, "trail")
        assert (entry["verb"], entry["noun"], entry["noun_id"], entry["bank_id"]) == ("give", "consent", key, bank)
        assert row_of(tx, "consent", key)["given_by"] == FANG_HERSELF.person_id


def test_consents_of_several_people_are_entered_each_under_its_own_name_and_the_same_words_once(tx: Session) -> None:
    small = a_small_world(tx)
    to_bank = a_consent(FANG, small.bank)
    again = replace(to_bank, data_classes=to_bank.data_classes[::-1])
    given = [(FANG_HERSELF, to_bank), (FENG_HIMSELF, a_consent(FENG, small.bank)), (PLATFORM, again)]
    first, second, third = enter_consents(tx, given, TODAY, NOW)
    assert first == third != second
    assert enter_consents(tx, given, TODAY, NOW) == [first, second, third]
    rows = [(row["id"], row["uscc"], row["given_by"]) for row in rows_of(tx, "consent")]
    assert rows == [(first, FANG, FANG_HERSELF.person_id), (second, FENG, FENG_HIMSELF.person_id)]
    assert [(row["noun_id"], row["actor_id"]) for row in rows_of(tx, "trail", verb="give")] == [
        (first, FANG_HERSELF.person_id),
        (second, FENG_HIMSELF.person_id),
    ]
    assert enter_consents(tx, [], TODAY, NOW) == []


def test_the_same_consent_twice_is_one_row(tx: Session) -> None:
    bank = a_bank(tx)
    a_firm(tx)
    form = a_consent(FANG, bank)
    first = give_consents(tx, PLATFORM, [form, form], TODAY, NOW)
    assert first == give_consents(tx, PLATFORM, [form, form], TODAY, NOW)
    assert len(rows_of(tx, "consent")) == len(rows_of(tx, "trail")) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"bank_id": None}, "bank_id"),
        ({"bank_id": 999}, "bank_id"),
        ({"purpose": "profile"}, "bank_id"),
        ({"purpose": "advertising"}, "purpose"),
        ({"data_classes": ()}, "data_classes"),
        ({"data_classes": ("everything",)}, "data_classes"),
        ({"text_hash": ""}, "text_hash"),
        ({"until_on": TODAY - timedelta(days=1)}, "until_on"),
    ],
)
def test_what_is_no_consent_is_refused_in_a_sentence_for_its_field(tx: Session, wrong: dict, field: str) -> None:
    bank = a_bank(tx)
    a_firm(tx)
    with pytest.raises(NotPossible) as refused:
        give_consent(tx, PLATFORM, replace(a_consent(FANG, bank), **wrong), TODAY, NOW)
    assert refused.value.field == field
    assert rows_of(tx, "consent") == rows_of(tx, "trail") == []


@pytest.mark.parametrize(("who", "error"), [(FENG_HIMSELF, NotFound), (GAO, NotAllowed), (bai(1), NotAllowed)])
def test_nobody_but_the_firm_gives_or_takes_back_its_consent(
    tx: Session, who: object, error: type[DomainError]
) -> None:
    bank = a_bank(tx)
    a_firm(tx)
    with pytest.raises(error):
        give_consent(tx, who, a_consent(FANG, bank), TODAY, NOW)
    with pytest.raises(error):
        withdraw_consent(tx, who, FANG, bank, TODAY, NOW)


def test_a_consent_ends_with_its_last_day(tx: Session) -> None:
    bank = a_bank(tx)
    a_firm(tx)
    give_consent(tx, PLATFORM, a_consent(FANG, bank, until_on=TODAY), TODAY, NOW)
    assert consents.live(tx, [FANG], TODAY)[FANG].keys() == {bank}
    assert consents.live(tx, [FANG], TODAY + timedelta(days=1)) == {}


def test_withdrawal_closes_the_view_ends_the_line_frees_the_money_and_tells_the_bank(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        demand = a_demand(tx, FANG, (small.bank, small.other_bank), small.tools)
        line = a_line(tx, small, demand, consents.live(tx, [FANG], TODAY)[FANG][small.bank])
    with database.transaction(bai(small.bank)) as tx:
        assert [row["uscc"] for row in rows_of(tx, "firm")] == [FANG]
    with database.transaction(FANG_HERSELF) as tx:
        assert withdraw_consent(tx, FANG_HERSELF, FANG, small.bank, TODAY, NOW) == [demand]
    with database.transaction(bai(small.bank)) as tx:
        assert rows_of(tx, "firm") == []
    with database.transaction(PLATFORM) as tx:
        ended = row_of(tx, "push_line", line)
        assert (ended["state"], ended["view_closed"], ended["closed_on"], ended["reserved_fen"]) == (
            "withdrawn",
            True,
            TODAY,
            0,
        )
        assert row_of(tx, "product", small.product)["reserved_fen"] == 0
        assert row_of(tx, "demand", demand)["state"] == "recommended"
        assert list(consents.live(tx, [FANG], TODAY)[FANG]) == [small.other_bank]
        assert "consent_withdrawn" in {row["kind"] for row in rows_of(tx, "notice", bank_id=small.bank)}
        told = [(row["verb"], row["noun"]) for row in rows_of(tx, "trail", old="live")]
        assert told == [("withdraw", "consent")]


def test_a_second_withdrawal_finds_nothing_live_and_changes_nothing(tx: Session) -> None:
    bank = a_bank(tx)
    a_firm(tx)
    give_consent(tx, PLATFORM, a_consent(FANG, bank), TODAY, NOW)
    withdraw_consent(tx, PLATFORM, FANG, bank, TODAY, NOW)
    entries = len(rows_of(tx, "trail"))
    with pytest.raises(NotFound):
        withdraw_consent(tx, PLATFORM, FANG, bank, TODAY, NOW)
    assert len(rows_of(tx, "trail")) == entries
    assert len(rows_of(tx, "consent_withdrawal")) == 1


def test_taking_back_the_profile_ends_the_open_demands(tx: Session) -> None:
    small = a_small_world(tx)
    demand = a_demand(tx, FANG, (small.bank,), small.tools)
    assert withdraw_consent(tx, PLATFORM, FANG, None, TODAY, NOW) == [demand]
    assert (row_of(tx, "demand", demand)["state"], row_of(tx, "demand", demand)["closed_on"]) == ("withdrawn", TODAY)


def test_a_bank_reads_only_the_consents_that_name_it(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        give_consents(
            tx, PLATFORM, [a_consent(FANG), a_consent(FANG, small.bank), a_consent(FANG, small.other_bank)], TODAY, NOW
        )
    with database.transaction(bai(small.bank)) as tx:
        assert {row["bank_id"] for row in rows_of(tx, "consent")} == {small.bank}
