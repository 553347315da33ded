"""A forgotten password: a code to one's own mobile sets another, once; strangers, guesses and clicks get nowhere."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from service import security
from service.actions import send_messages as sending
from service.actions.recover_password import (
    ASKED_PER_ADDRESS,
    AlreadyUsed,
    Forgetful,
    NewOne,
    ask_code,
    set_forgotten,
)
from service.actions.send_messages import Sending
from service.actions.sign_in import sign_in
from service.clock import instant_on, machine_now
from service.domain.errors import NotAllowed, NotPossible
from service.domain.outgoing import MOST_CODE_TRIES, MOST_CODES_A_DAY, Letter, MessageChannel, Receipt
from service.domain.outgoing import MessageOutcome as Outcome
from service.domain.people import THE_DOOR, Membership, Person
from service.jobs.forgetting import forget_old_codes
from service.store import people
from service.store.database import transaction
from tests.builders import FANG, FENG, PLATFORM, TODAY, a_bank, a_firm, rows_of
from web.message_words import compose

MOBILE, OLD, NEW = "13800000001", "long enough 1", "longer than before 2"
NOON = instant_on(TODAY, 12)
AT = machine_now()


class Noon:
    """The demo's day at noon."""

    def now(self) -> datetime:
        return NOON

    def today(self) -> Any:
        return TODAY


@dataclass
class Phone:
    """A provider whose letters are read."""

    letters: list[Letter] = field(default_factory=list)
    name: str = "phone"
    is_connected: bool = True

    def send(self, letter: Letter) -> Receipt:
        self.letters.append(letter)
        return Receipt(Outcome.ACCEPTED)

    def find(self, _key: str) -> Receipt:
        return Receipt(Outcome.ACCEPTED)

    @property
    def code(self) -> str:
        said = self.letters[-1].words.body.replace("，", " ").split()
        return next(word for word in said if word.isdigit() and len(word) == 6)


@pytest.fixture
def fang(database) -> int:
    """Fang, of two firms, who registered with her mobile; her key."""
    with transaction(PLATFORM) as tx:
        a_firm(tx)
        a_firm(tx, FENG, name="冯氏")
        person = Person(login="fang", name="方", phone=MOBILE, password_hash=security.hash_password(OLD), created_at=AT)
        roles = [Membership(person_id=0, role="firm", uscc=code, since_on=TODAY) for code in (FANG, FENG)]
        return people.add_person(tx, person, *roles).id or 0


@pytest.fixture
def phone() -> Phone:
    return Phone()


def asks(settings, named: str = "fang", token: str = "t", at: datetime = AT, address: str = "10.0.0.1") -> None:
    with transaction(THE_DOOR) as tx:
        ask_code(tx, token, Forgetful(named, address, at), settings.secret_key, TODAY, NOON)


def delivers(settings, phone: Phone) -> dict[str, int]:
    hands = Sending(settings, dict.fromkeys(MessageChannel, phone), partial(compose, settings))
    return dict(sending.send_messages(hands, Noon()))


def sets(settings, code: str, password: str = NEW, token: str = "t", at: datetime = AT) -> Any:
    with transaction(THE_DOOR) as tx:
        return set_forgotten(tx, token, NewOne(code, password), settings.secret_key, TODAY, NOON, at)


def enters(login: str, password: str) -> Any:
    with transaction(THE_DOOR) as tx:
        return sign_in(tx, login, password, "10.0.0.2", TODAY, machine_now(), timedelta(hours=1))


def of(table: str, **where: Any) -> list[Any]:
    with transaction(PLATFORM) as tx:
        return rows_of(tx, table, **where)


def wrong(code: str) -> str:
    return "111111" if code != "111111" else "222222"


def test_the_code_sets_another_password_ends_every_session_tells_the_firms_and_leaves_one_entry(
    settings, fang, phone
) -> None:
    assert enters("fang", OLD)
    asks(settings, MOBILE)  # by her number as by her name
    assert delivers(settings, phone) == {"sent": 1}
    assert (phone.letters[0].to, len(phone.letters[0].words.body) <= 70) == (MOBILE, True)
    assert sets(settings, phone.code) == "fang"
    assert [one["ended_at"] is not None for one in of("sign_in", person_id=fang)] == [True]
    assert enters("fang", OLD) is None
    assert enters("fang", NEW)
    assert sorted((one["kind"], one["uscc"]) for one in of("notice")) == [
        ("password_reset", FANG), ("password_reset", FENG),
    ]  # fmt: skip
    assert [(one["noun"], one["noun_id"], one["actor_id"]) for one in of("trail", verb="password_reset")] == [
        ("person", fang, fang)
    ]
    assert phone.code not in str([dict(row) for row in of("outgoing_message") + of("password_code")])


def test_used_once_it_sets_nothing_more_and_no_code_sent_before_fits_any_longer(settings, fang, phone) -> None:
    asks(settings, token="elsewhere")
    delivers(settings, phone)
    older = phone.code
    asks(settings)
    delivers(settings, phone)
    assert isinstance(sets(settings, older), NotPossible)  # another browser's
    assert sets(settings, phone.code) == "fang"
    with pytest.raises(AlreadyUsed):
        sets(settings, phone.code, "a third password 3")
    assert "不对" in str(sets(settings, older, "a third password 3", "elsewhere"))
    assert enters("fang", NEW)
    assert len(of("trail", verb="password_reset")) == 1


def test_ten_minutes_or_five_tries_end_a_code_and_a_weak_password_costs_no_try(settings, fang, phone) -> None:
    asks(settings)
    delivers(settings, phone)
    assert "失效" in str(sets(settings, phone.code, at=AT + timedelta(minutes=11)))
    for weak in ("short", "password1", "fang"):
        with pytest.raises(NotPossible):
            sets(settings, phone.code, weak)
    for _ in range(MOST_CODE_TRIES):
        assert "不对" in str(sets(settings, wrong(phone.code)))
    assert "失效" in str(sets(settings, phone.code))
    assert enters("fang", OLD)


def test_two_clicks_ask_for_one_code_and_a_minute_later_there_is_another(settings, fang, phone) -> None:
    asks(settings)
    asks(settings)
    assert delivers(settings, phone) == {"sent": 1}
    first = phone.code
    asks(settings, at=AT + timedelta(minutes=2))
    assert delivers(settings, phone) == {"sent": 1}
    assert first != phone.code
    assert sets(settings, phone.code, at=AT + timedelta(minutes=3)) == "fang"


def test_nobody_a_bank_an_office_and_who_is_more_than_a_firms_person_are_sent_none(settings, fang, phone) -> None:
    with transaction(PLATFORM) as tx:
        bank = a_bank(tx)
        for login, role, scope in (("lin", "officer", {"bank_id": bank}), ("yun", "operator", {})):
            person = Person(login=login, name=login, phone="13800000009", password_hash="x", created_at=AT)
            people.add_person(tx, person, Membership(person_id=0, role=role, since_on=TODAY, **scope))
    for number, named in enumerate(("nobody", "lin", "yun", "13800000009")):
        asks(settings, named, f"t{number}")
        assert "不对" in str(sets(settings, "123456", token=f"t{number}"))
    with transaction(PLATFORM) as tx:
        tx.add(Membership(person_id=fang, role="city", since_on=TODAY))
    asks(settings)
    assert delivers(settings, phone) == {}
    assert of("outgoing_message") == []
    assert len(of("trail", verb="code_asked")) == 5


def test_names_people_and_addresses_ask_a_few_times_a_day_whether_they_exist_or_not(settings, fang, phone) -> None:
    for named in ("fang", "nobody"):
        for number in range(MOST_CODES_A_DAY):
            asks(settings, named, f"{named}{number}")
        with pytest.raises(NotAllowed):
            asks(settings, named, "more")
    asks(settings, MOBILE, "by number")  # the same person under another name: the same page, and no message
    assert delivers(settings, phone) == {"sent": MOST_CODES_A_DAY}
    with transaction(PLATFORM) as tx:
        for _ in range(ASKED_PER_ADDRESS):
            people.note_attempt(tx, "password-code-from:10.0.0.9", AT, succeeded=False)
    with pytest.raises(NotAllowed):
        asks(settings, "someone", "s", address="10.0.0.9")


def test_a_late_or_overtaken_code_does_not_leave_and_what_was_asked_is_forgotten_after_a_day(
    settings, fang, phone
) -> None:
    asks(settings)
    with transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE outgoing_message SET made_at = made_at - interval '11 minutes'"))
    asks(settings, token="other")
    asks(settings, token="other", at=AT + timedelta(minutes=2))
    assert delivers(settings, phone) == {"suppressed": 2, "sent": 1}
    with transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE password_code SET asked_at = asked_at - interval '25 hours' WHERE id = ANY(:ids)"),
                   {"ids": [one["id"] for one in of("password_code")][:1]})  # fmt: skip
    assert forget_old_codes() == 1
    assert len(of("password_code")) == 1


def test_the_door_sees_no_other_browsers_code_and_queues_no_other_message(settings, fang) -> None:
    asks(settings)
    with transaction(THE_DOOR) as tx:
        assert rows_of(tx, "password_code") == []
    with pytest.raises(Exception, match="row-level security"), transaction(THE_DOOR) as tx:
        tx.execute(
            text(
                "INSERT INTO outgoing_message (person_id, channel, kind, topic, state, made_on, made_at)"
                " VALUES (:id, 'sms', 'address_code', 'code', 'waiting', :today, now())"
            ),
            {"id": fang, "today": TODAY},
        )
