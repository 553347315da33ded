"""One account for several firms: joined by a registration of its own, chosen one at a time, never somebody else's."""

from typing import Any

import pytest
from sqlalchemy import text

from service.actions import register_firm
from service.actions.admit_person import decide_registration
from service.actions.register_firm import Proof
from service.actions.sign_in import act_as, open_session
from service.clock import machine_now
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import THE_DOOR, Membership, Person, Role, Who
from service.domain.real_name import Capacity, Claim
from service.domain.registration import RegistrationState
from service.store import people
from service.store.database import Database
from tests.builders import FANG, FANG_HERSELF, FENG, GAO, NOW, PLATFORM, TODAY, a_firm, rows_of
from tests.registering import DAI, NEWS, PASSED, SHI, a_sending, fills, sends


def rows(database: Database, table: str, **where: Any) -> list[Any]:
    with database.transaction(PLATFORM) as tx:
        return rows_of(tx, table, **where)


@pytest.fixture
def shi(database: Database) -> Who:
    """Shi, who registered herself for a new firm."""
    with database.transaction(PLATFORM) as tx:
        a_firm(tx, FANG)
        person = Person(login="fang", name="方", password_hash="x", created_at=NOW)
        people.add_person(tx, person, Membership(person_id=0, role="firm", uscc=FANG, since_on=TODAY))
    return Who(Role.FIRM, sends(database, a_sending(), fills(database, a_sending())).person_id, "石鸣", uscc=NEWS)


def joins(database: Database, who: Who, code: str, number: str = SHI[1], token: str = "second", **other: Any) -> Any:
    """Everything a signed-in person answers for one more firm, sent."""
    sending = a_sending(code, **other)
    claim = Claim(sending.claim_name, number, sending.mobile, code, sending.firm_name, sending.capacity)
    kept = {"firm": {"uscc": [code]}}
    proof = Proof(claim, kept, f"digest of {number}", "sandbox", "0" * 64)
    with database.transaction(THE_DOOR) as tx:
        register_firm.begin_another(tx, token, who, "10.0.0.1", NOW, machine_now())
        register_firm.keep_answers(tx, token, "firm", kept["firm"], NOW)
        register_firm.keep_terms(tx, token, "shiming", "1" * 64, NOW)
    with database.transaction(THE_DOOR) as tx:
        register_firm.note_finding(tx, token, proof, PASSED, TODAY, NOW)
    return sends(database, sending, token)


def acts_for(database: Database, who: Who) -> list[str]:
    with database.transaction(THE_DOOR) as tx:
        return [row.uscc for row in people.list_memberships(tx, who.person_id or 0, TODAY)]


def test_a_representative_of_a_second_firm_acts_for_both_with_one_account(database: Database, shi: Who) -> None:
    found = joins(database, shi, FANG)
    assert (found.state, found.person_id) == (RegistrationState.OPENED, shi.person_id)
    assert acts_for(database, shi) == [NEWS, FANG]
    assert [row["login"] for row in rows(database, "person") if row["name"] == "石鸣"] == ["shiming"]
    assert [(row["kind"], row["uscc"]) for row in rows(database, "notice")][-1] == ("person_joined", FANG)
    (entry,) = rows(database, "trail", noun="registration", uscc=FANG)
    assert (entry["verb"], entry["new"], entry["actor_id"], entry["details"]["joined"]) == (
        "register", "opened", shi.person_id, True,
    )  # fmt: skip
    assert sends(database, a_sending(FANG), "second").id == found.id  # sent twice is sent once
    assert acts_for(database, shi) == [NEWS, FANG]
    with pytest.raises(Conflict):
        joins(database, shi, FANG, token="third")


def test_nobody_registers_under_an_account_with_another_persons_number(database: Database, shi: Who) -> None:
    with database.transaction(THE_DOOR) as tx:
        register_firm.begin_another(tx, "second", shi, "10.0.0.1", NOW, machine_now())
        register_firm.begin_another(tx, "second", shi, "10.0.0.1", NOW, machine_now())
    with database.transaction(THE_DOOR) as tx, pytest.raises(NotPossible):
        register_firm.allow_check(tx, "second", f"digest of {DAI[1]}", "10.0.0.1", machine_now())
    with pytest.raises(NotPossible):  # even where it was checked all the same
        joins(database, shi, FANG, DAI[1], claim_name=DAI[0])
    assert acts_for(database, shi) == [NEWS]
    for other in (GAO, Who(Role.OFFICER, 7, "白", bank_id=1)):
        with database.transaction(THE_DOOR) as tx, pytest.raises(NotAllowed):
            register_firm.begin_another(tx, "third", other, "10.0.0.1", NOW, machine_now())


def test_a_deputy_of_a_second_firm_waits_for_its_yes_and_acts_for_the_first_meanwhile(
    database: Database, shi: Who
) -> None:
    found = joins(database, shi, FANG, capacity=Capacity.DEPUTY, authority="6 月 1 日授权书")
    assert found.state == RegistrationState.WAITING
    assert acts_for(database, shi) == [NEWS]
    (fang,) = [row["id"] for row in rows(database, "person", login="fang")]
    her = Who(Role.FIRM, fang, "方", uscc=FANG)
    with database.transaction(her) as tx:
        decide_registration(tx, her, found.id, True, TODAY, NOW)
    assert acts_for(database, shi) == [NEWS, FANG]


def test_a_role_that_ended_holds_again_from_the_day_it_is_opened_anew(database: Database, shi: Who) -> None:
    with database.transaction(PLATFORM) as tx:
        ended = Membership(person_id=shi.person_id, role="firm", uscc=FANG, since_on=TODAY, until_on=TODAY)
        tx.add(ended)
    assert acts_for(database, shi) == [NEWS]
    joins(database, shi, FANG)
    assert acts_for(database, shi) == [NEWS, FANG]


def test_one_switches_to_ones_own_roles_of_today_alone_and_each_switch_has_one_entry(
    database: Database, shi: Who
) -> None:
    joins(database, shi, FANG)
    with database.transaction(PLATFORM) as tx:
        a_firm(tx, FENG, name="冯氏")
        ended = Membership(person_id=shi.person_id, role="firm", uscc=FENG, since_on=TODAY, until_on=TODAY)
        tx.add(ended)
    mine = {row["uscc"]: row["id"] for row in rows(database, "membership", person_id=shi.person_id)}
    (hers,) = [row["id"] for row in rows(database, "membership", uscc=FANG) if row["person_id"] != shi.person_id]
    with database.transaction(THE_DOOR) as tx:
        open_session(tx, people.get_person(tx, shi.person_id or 0), TODAY, machine_now(), NOW - NOW)
    (session,) = rows(database, "sign_in", person_id=shi.person_id)
    for stranger in (hers, mine[FENG], 999_999):
        with database.transaction(THE_DOOR) as tx, pytest.raises(NotAllowed):
            act_as(tx, shi, (session["id"], mine[NEWS]), stranger, TODAY, machine_now())
    for present in (mine[NEWS], mine[FANG]):
        with database.transaction(THE_DOOR) as tx:
            act_as(tx, shi, (session["id"], present), mine[FANG], TODAY, machine_now())
    assert rows(database, "sign_in", person_id=shi.person_id)[0]["membership_id"] == mine[FANG]
    (entry,) = rows(database, "trail", verb="acts_as")
    assert (entry["actor_id"], entry["uscc"]) == (shi.person_id, FANG)


def test_the_door_gives_no_role_by_itself_even_to_an_account_it_names(database: Database, shi: Who) -> None:
    for who in (THE_DOOR, shi, FANG_HERSELF):
        with pytest.raises(Exception, match="row-level security"), database.transaction(who) as tx:
            tx.execute(
                text("INSERT INTO membership (person_id, role, uscc, since_on) VALUES (:id, 'firm', :uscc, :on)"),
                {"id": shi.person_id, "uscc": FANG, "on": TODAY},
            )
