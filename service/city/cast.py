"""Who may sign in to the demo without a password: one card per role, two where a second view is worth having."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from service import security
from service.actions.sign_in import add_person
from service.domain.people import Membership, Person, Role, Who


@dataclass(frozen=True)
class Card:
    """One person of the cast."""

    login: str
    name: str
    role: Role
    uscc: str | None = None
    bank_id: int | None = None
    district: str | None = None


def add_cast(tx: Session, who: Who, cards: Sequence[Card], since_on: date, now: datetime) -> list[int]:
    """Persons who come in by their card only: their passwords are thrown away."""
    hashed = security.hash_password(secrets.token_urlsafe(24))
    return [_add(tx, who, card, hashed, since_on, now) for card in cards]


def _add(tx: Session, who: Who, card: Card, hashed: str, since_on: date, now: datetime) -> int:
    person = Person(login=card.login, name=card.name, password_hash=hashed, is_demo=True, created_at=now)
    scope: dict[str, Any] = {"uscc": card.uscc, "bank_id": card.bank_id, "district": card.district}
    membership = Membership(person_id=0, role=card.role.value, since_on=since_on, **scope)
    added = add_person(tx, who, person, membership, now)
    assert added.id is not None
    return added.id


def officials() -> list[Card]:
    """The teams of two districts, the city, the operator."""
    return [
        Card("demo-jinshui", "高专班（金水区）", Role.DISTRICT, district="410105"),
        Card("demo-zdxq", "葛专班（郑东新区）", Role.DISTRICT, district="ZDXQ"),
        Card("demo-city", "程主任（市级）", Role.CITY),
        Card("demo-operator", "欧运维（平台运行）", Role.OPERATOR),
        Card("demo-jinshui-xu", "徐专班（金水区）", Role.DISTRICT, district="410105"),
    ]


def bankers(first: int, second: int) -> list[Card]:
    """Officers of two banks and an administrator of the first."""
    return [
        Card("demo-bai", "白经理", Role.OFFICER, bank_id=first),
        Card("demo-bao", "鲍主管", Role.BANK_ADMIN, bank_id=first),
        Card("demo-bo", "薄经理", Role.OFFICER, bank_id=second),
    ]
