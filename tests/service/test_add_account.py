"""Letting a person sign in: the scope fits the role, a login is given once, the trail has one entry."""

from datetime import UTC, datetime

import pytest
from sqlmodel import Session, func, select

from service.actions.add_account import NewAccount, add_account
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who, the_platform
from service.domain.trail import TrailEntry
from service.store import people

NOW = datetime(2026, 6, 30, 1, 0, tzinfo=UTC)
OPERATOR = NewAccount("ann", "安", "operator", "a long enough word")


def test_a_person_is_let_in_with_one_role_and_one_entry_on_the_trail(tx: Session) -> None:
    person = add_account(tx, the_platform("cli"), OPERATOR, NOW)
    memberships = people.list_memberships(tx, person.id or 0, NOW.date())
    assert [row.role for row in memberships] == ["operator"]
    assert person.password_hash.startswith("$argon2id$")
    entries = tx.exec(select(func.count()).select_from(TrailEntry).where(TrailEntry.noun == "person")).one()
    assert entries == 1


def test_a_login_is_given_once(tx: Session) -> None:
    add_account(tx, the_platform("cli"), OPERATOR, NOW)
    with pytest.raises(Conflict, match="ann"):
        add_account(tx, the_platform("cli"), OPERATOR, NOW)


@pytest.mark.parametrize(
    ("account", "refusal"),
    [
        (NewAccount("bo", "博", "officer", "a long enough word"), NotPossible),
        (NewAccount("bo", "博", "officer", "a long enough word", bank="nowhere"), NotFound),
        (NewAccount("bo", "博", "operator", "a long enough word", district="410105"), NotPossible),
        (NewAccount("bo", "博", "door", "a long enough word"), NotPossible),
        (NewAccount("bo", "博", "emperor", "a long enough word"), NotPossible),
        (NewAccount("bo", "博", "operator", "short"), NotPossible),
    ],
)
def test_what_does_not_fit_is_refused(tx: Session, account: NewAccount, refusal: type[DomainError]) -> None:
    with pytest.raises(refusal):
        add_account(tx, the_platform("cli"), account, NOW)
    assert people.find_by_login(tx, "bo") is None


def test_a_district_official_lets_nobody_in(tx: Session) -> None:
    gao = Who(role=Role.DISTRICT, person_id=1, name="Gao", district="410105")
    with pytest.raises(NotAllowed):
        add_account(tx, gao, OPERATOR, NOW)
