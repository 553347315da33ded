"""A firm registers itself: what is filled in is kept, the person is checked by real name, then it is sent, once.

A representative whom the provider confirms acts for the firm at once, whether or not somebody acts for it already:
the law makes them its voice. A deputy's authority is a claim; whoever acts for the firm already, or an office, says
yes (`admit_person`). The answers at the door are the same for a firm with people and for one without.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service import security
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import THE_DOOR, Person, Role, Who
from service.domain.real_name import Capacity, Claim, Finding, RealNameOutcome
from service.domain.registration import Decider, RegistrationState
from service.domain.standards import identity
from service.domain.standards.uscc import CodeState, state_of
from service.store import notices, people, registrations, trail
from service.store.notices import Message
from service.store.trail import Act

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGUN_PER_ADDRESS = 60
CHECKS_PER_PERSON, CHECKS_PER_REGISTRATION, CHECKS_PER_ADDRESS = 5, 10, 60
"""Of one person and one registration a day, of one address (an outlet, a government hall) an hour."""
PROVED_FOR = timedelta(days=7)
"""A check that was passed serves a registration that is sent within these days."""
ABOUT_THE_CLAIM = frozenset({"firm", "person"})
"""Steps whose answers the provider was asked about."""


@dataclass(frozen=True)
class Proof:
    """What is asked of a provider, by whose key it is remembered, in which words the person agreed."""

    claim: Claim
    answers: Mapping[str, Any]
    """The answers the claim was made of, as they were kept then."""
    digest: str
    provider: str
    consent_hash: str


@dataclass(frozen=True)
class Sending:
    """All answers, read once more as the registration is sent."""

    claim_name: str
    mobile: str
    capacity: Capacity
    authority: str
    uscc: str
    firm_name: str
    kind: str
    login: str


def begin(tx: Session, token: str, address: str, now: datetime, at: datetime) -> None:
    """An empty draft for a browser that has none; `at` is the machine's time, by which tries are counted."""
    _count(tx, f"registration:{address}", BEGUN_PER_ADDRESS, HOUR, at)
    registrations.start(tx, security.hash_token(token), now)


def begin_another(tx: Session, token: str, who: Who, address: str, now: datetime, at: datetime) -> None:
    """The signed-in person registers for one more firm: what this browser has begun keeps its firm and becomes theirs.

    Asked twice is asked once. Errors: NotAllowed for anyone but a firm's person.
    """
    if who.role is not Role.FIRM or who.person_id is None:
        raise NotAllowed("只有企业用户可以为另一家企业登记。")
    found = registrations.find(tx, security.hash_token(token))
    if found is None:
        begin(tx, token, address, now, at)
    found = _draft(tx, token)
    if found.person_id != who.person_id:
        firm = {step: typed for step, typed in found.answers.items() if step == "firm"}
        registrations.adopt(tx, found.id, who.person_id, firm, now)


def check_is_another(tx: Session, person_id: int, uscc: str, today: date) -> None:
    """Errors: Conflict where they act for this firm already."""
    if any(row.uscc == uscc for row in people.list_memberships(tx, person_id, today)):
        raise Conflict("您已经能为这家企业办事，直接切换过去就行。", field="uscc")


def keep_answers(tx: Session, token: str, step: str, typed: Mapping[str, Any], now: datetime) -> None:
    """Keep one page; a check made of other answers than these no longer holds."""
    found = _draft(tx, token)
    if step in ABOUT_THE_CLAIM and found.proved_by is not None and found.answers.get(step) != typed:
        registrations.unprove(tx, found.id)
    registrations.keep(tx, found.id, {**found.answers, step: typed}, now)


def keep_account(tx: Session, token: str, login: str, password: str, terms_hash: str, now: datetime) -> None:
    """Keep the sign-in name, the password's hash and the terms agreed to.

    Errors: NotPossible for a weak password, Conflict for a name in use.
    """
    found = _draft(tx, token)
    weakness = security.weakness_of(password, login)
    if weakness is not None:
        raise NotPossible(weakness, field="password")
    if people.find_by_login(tx, login) is not None:
        raise Conflict("登录名 {login} 已有人使用。", field="login", login=login)
    registrations.keep_account(tx, found.id, security.hash_password(password), terms_hash, now)
    registrations.keep(tx, found.id, {**found.answers, "account": {"login": [login]}}, now)


def keep_terms(tx: Session, token: str, login: str, terms_hash: str, now: datetime) -> None:
    """The terms agreed to, of an account that is there already."""
    found = _draft(tx, token)
    registrations.keep_account(tx, found.id, None, terms_hash, now)
    registrations.keep(tx, found.id, {**found.answers, "account": {"login": [login]}}, now)


def allow_check(tx: Session, token: str, digest: str, address: str, at: datetime) -> None:
    """Count a check before it is made, committed before the provider is asked.

    Errors: NotAllowed where there were too many, NotPossible for another person's number than the account's own.
    """
    found = _draft(tx, token)
    if not _is_their_own(tx, found, digest):
        raise NotPossible("这不是账号本人的身份证号；别人请用自己的账号登记。", field="number")
    for subject, most, within in (
        (f"real-name:{digest}", CHECKS_PER_PERSON, DAY),
        (f"real-name-of:{found.id}", CHECKS_PER_REGISTRATION, DAY),
        (f"real-name-from:{address}", CHECKS_PER_ADDRESS, HOUR),
    ):
        _count(tx, subject, most, within, at)


def note_finding(tx: Session, token: str, proof: Proof, finding: Finding, today: date, now: datetime) -> None:
    """What the provider said, kept; a person who passed need not be asked again.

    It proves nothing of a draft whose answers changed while the provider was asked: of another firm, say.
    """
    found = _draft(tx, token)
    check_id = registrations.add_check(
        tx,
        {
            "registration_id": found.id,
            "identity_digest": proof.digest,
            "capacity": proof.claim.capacity.value,
            "provider": proof.provider,
            "outcome": finding.outcome.value,
            "code": finding.code.value if finding.code else None,
            "reference": finding.reference,
            "consent_hash": proof.consent_hash,
            "asked_at": now,
        },
    )
    if finding.outcome is RealNameOutcome.PASSED and _claimed(found.answers) == _claimed(proof.answers):
        shown = identity.masked(proof.claim.number)
        passed = {"check_id": check_id, "on": today, "digest": proof.digest, "shown": shown, "now": now}
        registrations.prove(tx, found.id, passed)
    what = {"registration": found.id} | ({"code": finding.code.value} if finding.code else {})
    trail.append(tx, THE_DOOR, [Act("check", "real_name", check_id, new=finding.outcome.value, details=what)], now)


def send_registration(tx: Session, token: str, sending: Sending, today: date, now: datetime) -> Row[Any]:
    """Send it: the representative acts for the firm from now on, a deputy waits. Sent twice is sent once.

    A draft that is an account's own joins the firm to it: no second account, no other firm's role changes.
    Errors: NotPossible without a fresh check, a password and the terms; Conflict for a name in use, or for one who
    has registered for this firm already.
    """
    found = registrations.lock(tx, security.hash_token(token))
    if found.state != RegistrationState.FILLING:
        return found
    _check_whole(found, today)
    is_joined = found.person_id is not None
    person = _joined(tx, found, sending, today) if is_joined else _added(tx, found, sending, now)
    opens = sending.capacity is Capacity.REPRESENTATIVE
    state = RegistrationState.OPENED if opens else RegistrationState.WAITING
    registrations.send(tx, found.id, _row(sending, person, state, today, now))
    _tell(tx, registrations.enter(tx, found.id), sending, opens, today, now)
    what: dict[str, Any] = {
        "capacity": sending.capacity.value,
        "wrong_code": state_of(sending.uscc) is CodeState.WRONG_CHECK,
    }
    what |= {"joined": True} if is_joined else {}
    act = Act("register", "registration", found.id, uscc=sending.uscc, old=found.state, new=state.value, details=what)
    trail.append(tx, replace(THE_DOOR, person_id=person.id) if is_joined else THE_DOOR, [act], now)
    return registrations.lock(tx, security.hash_token(token))


def _added(tx: Session, found: Row[Any], sending: Sending, now: datetime) -> Person:
    return people.add_person(
        tx,
        Person(
            login=sending.login,
            name=sending.claim_name,
            phone=sending.mobile,
            password_hash=found.password_hash,
            identity_digest=found.identity_digest,
            created_at=now,
        ),
    )


def _joined(tx: Session, found: Row[Any], sending: Sending, today: date) -> Person:
    """The account the draft is of. Errors: NotPossible where another person was checked; Conflict as above."""
    person = people.get_person(tx, found.person_id)
    if not _is_their_own(tx, found, found.identity_digest) or not person.is_active:
        raise NotPossible("请先完成实名核验。")
    check_is_another(tx, found.person_id, sending.uscc, today)
    people.note_identity(tx, found.person_id, found.identity_digest, sending.mobile)
    return person


def _is_their_own(tx: Session, found: Row[Any], digest: str) -> bool:
    """Whether a number is the account's own, as far as it was ever checked; a draft without an account is anybody's."""
    if found.person_id is None:
        return True
    return people.get_person(tx, found.person_id).identity_digest in {None, digest}


def _claimed(answers: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of the answers a provider is asked about."""
    return {step: answers.get(step) for step in ABOUT_THE_CLAIM}


def _draft(tx: Session, token: str) -> Row[Any]:
    found = registrations.lock(tx, security.hash_token(token))
    if found.state != RegistrationState.FILLING:
        raise Conflict("这份登记已经提交，不能再改。")
    return found


def _count(tx: Session, subject: str, most: int, within: timedelta, at: datetime) -> None:
    """One more try of this subject, or NotAllowed."""
    if people.failures_since(tx, subject, at - within) >= most:
        if within > HOUR:
            raise NotAllowed("尝试次数过多，请明天再试；填好的内容会保留。")
        raise NotAllowed("尝试次数过多，请一小时后再试。")
    people.note_attempt(tx, subject, at, succeeded=False)


def _check_whole(found: Row[Any], today: date) -> None:
    if found.proved_on is None or found.proved_on < today - PROVED_FOR:
        raise NotPossible("请先完成实名核验。")
    if (found.password_hash is None and found.person_id is None) or found.terms_hash is None:
        raise NotPossible("请先设置登录名和密码。")


def _row(sending: Sending, person: Person, state: RegistrationState, today: date, now: datetime) -> dict[str, Any]:
    return {
        "state": state.value,
        "uscc": sending.uscc,
        "firm_name": sending.firm_name,
        "kind": sending.kind,
        "wrong_code": state_of(sending.uscc) is CodeState.WRONG_CHECK,
        "name": sending.claim_name,
        "mobile": sending.mobile,
        "capacity": sending.capacity.value,
        "authority": sending.authority,
        "person_id": person.id,
        "on": today,
        "opened_on": today if state is RegistrationState.OPENED else None,
        "now": now,
    }


def _tell(tx: Session, entered: Row[Any], sending: Sending, opens: bool, today: date, now: datetime) -> None:
    """One message in every case: to the firm's people, or to the district team (the city looks at its own list)."""
    if opens:
        message = Message("person_joined", uscc=sending.uscc, values={"name": sending.claim_name})
    elif entered.asks == Decider.FIRM:
        message = Message("person_asks", uscc=sending.uscc, values={"name": sending.claim_name})
    else:
        message = Message("person_asks", district=entered.district or None, values={"firm": sending.firm_name})
    notices.add(tx, [message], today, now)
