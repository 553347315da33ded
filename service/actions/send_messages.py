"""Messages leave the platform: claimed and committed before the provider is called, so that a crash sends none twice.

A claim that nobody ended is decided by asking the provider for its key. Where that cannot be asked, it is marked
unknown and waits for the operator: a message that may have left is never sent again by itself.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row
from sqlmodel import Session

from service import security
from service.clock import CITY, Clock, day_of, machine_now
from service.domain.errors import Conflict
from service.domain.outgoing import (
    ADDRESS_CODE,
    CODE_DIGITS,
    CODE_MINUTES,
    DIGEST_FROM,
    LEGAL,
    PASSWORD_CODE,
    Compose,
    Letter,
    MessageChannel,
    MessageFault,
    MessageOutcome,
    MessageState,
    MessageTopic,
    Receipt,
    Told,
    Written,
    is_quiet,
    masked_address,
)
from service.domain.people import Who, the_platform
from service.domain.standards.calendar import CalendarNotPublished
from service.message_providers import Providers
from service.settings import Settings
from service.store import outgoing, trail
from service.store.calendar import calendar
from service.store.database import transaction
from service.store.trail import Act

SENDER = the_platform("messages")
ADDRESS, PASSWORD = "address", "password"
LEASE = timedelta(minutes=3)
"""Longer than any provider may take: a claim older than that has nobody behind it."""
GIVEN_UP = timedelta(hours=24)
"""So long a provider is asked about a claim before a person is."""
WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""Between the tries of a provider that takes nothing; then the message failed."""
TOO_LATE = timedelta(days=3)
FIRST_DIGEST = timedelta(days=1)
AT_ONCE = 2_000
"""In one run of the job: the rest a minute later."""
S, F, O = MessageState, MessageFault, MessageOutcome  # noqa: E741
log = structlog.get_logger("messages")


@dataclass(frozen=True)
class Sending:
    """What a run needs: settings, channel → provider, and whoever writes the words."""

    settings: Settings
    providers: Providers
    compose: Compose


@dataclass(frozen=True)
class Claimed:
    """A message that is this worker's, with what the provider is given."""

    id: int
    channel: MessageChannel
    tries: int
    claimed_at: datetime
    letter: Letter


def send_messages(sending: Sending, clock: Clock) -> Counter[str]:
    """Everything that may leave now; state → how many."""
    ended = decide_left_behind(sending, clock.now())
    with transaction(SENDER) as tx:
        queue_digests(tx, clock.today(), clock.now())
    for _ in range(AT_ONCE):
        with transaction(SENDER) as tx:
            found = claim_next(tx, sending, clock.today(), clock.now())
        if found is None:
            break
        if isinstance(found, Claimed):
            receipt = sending.providers[found.channel].send(found.letter)
            ended[_end(found.id, found.claimed_at, found.tries, receipt, clock.now())] += 1
        else:
            ended[found.value] += 1
    return ended


def queue_digests(tx: Session, today: date, now: datetime) -> int:
    """From half past eight on a working day: one message for each officer with what is new; how many."""
    if now.astimezone(CITY).time() < DIGEST_FROM or not _is_working_day(tx, today):
        return 0
    return outgoing.queue_digests(tx, now - FIRST_DIGEST, today, now)


def _is_working_day(tx: Session, today: date) -> bool:
    """Where the holidays are not published yet, the plain week: a digest on a holiday harms nobody."""
    try:
        return calendar(tx).is_working_day(today)
    except CalendarNotPublished:
        return today.weekday() < 5


def claim_next(tx: Session, sending: Sending, today: date, now: datetime) -> Claimed | MessageState | None:
    """The next message that may leave becomes this worker's with this transaction; SUPPRESSED where it may not leave
    any more; None where nothing waits."""
    row = outgoing.lock_next(tx, now, is_quiet=is_quiet(now.astimezone(CITY).time()))
    if row is None:
        return None
    channel = MessageChannel(row.channel)
    address = address_of(sending.settings.secret_key, row)
    if fault := _hindrance(tx, sending, row, address, now):
        outgoing.suppress(tx, row.id, fault.value)
        return S.SUPPRESSED
    language = row.wished or sending.settings.language
    written = sending.compose(told_of(sending.settings.secret_key, row, address, language))
    claimed_at = machine_now()
    outgoing.claim(
        tx, row.id, claimed_at=claimed_at, today=today, language=language, words=_kept(row, written),
        shown=masked_address(address), digest=security.keyed_digest(sending.settings.secret_key, ADDRESS, address),
        provider=sending.providers[channel].name,
    )  # fmt: skip
    return Claimed(row.id, channel, row.tries + 1, claimed_at, Letter(str(row.key), address, written))


def _hindrance(tx: Session, sending: Sending, row: Row[Any], address: str, now: datetime) -> MessageFault | None:
    topic, today = MessageTopic(row.topic), day_of(now)
    if not sending.providers[MessageChannel(row.channel)].is_connected:
        return F.NOT_CONNECTED
    if not address:
        return F.NO_ADDRESS
    if today - row.made_on > TOO_LATE or (row.kind == PASSWORD_CODE and not _still_fits(row, now)):
        return F.TOO_LATE
    if topic is MessageTopic.CODE or topic in LEGAL:
        return None
    is_over = outgoing.count_today(tx, row.person_id, today) >= sending.settings.messages_a_day
    return F.TOO_MANY if is_over else None


def _still_fits(row: Row[Any], now: datetime) -> bool:
    """Whether a code for a password would still be taken, and is this message's: nobody asked once more meanwhile."""
    return row.code_salt is not None and now - row.made_at <= timedelta(minutes=CODE_MINUTES)


def address_of(secret: str, row: Row[Any]) -> str:
    """Where it goes: an address's code to the one that is asked about, all else to the confirmed one; '' for nowhere.

    Who gave a mobile number as they registered is reached there until they say otherwise: it was checked with the name.
    """
    kept = row.asked_sealed if row.kind == ADDRESS_CODE else row.sealed
    if kept:
        return security.unsealed(secret, ADDRESS, kept) or ""
    is_registered = row.channel == MessageChannel.SMS and row.kind != ADDRESS_CODE
    return (row.phone or "") if is_registered else ""


def told_of(secret: str, row: Row[Any], address: str, language: str) -> Told:
    """What its words are made of."""
    channel = MessageChannel(row.channel)
    if row.kind == PASSWORD_CODE:
        code = password_code_of(secret, row.person_id, row.code_salt, row.password_hash)
        return Told(row.kind, channel, language, "", code=code)
    if row.topic == MessageTopic.CODE:
        code = code_of(secret, row.person_id, channel, row.asked_salt, address)
        return Told(row.kind, channel, language, "", code=code)
    if row.topic == MessageTopic.DIGEST:
        path = "/bank/notices" if row.bank_id else "/district/notices"
        return Told(row.kind, channel, language, path, counts=row.counts)
    return Told(row.kind, channel, language, f"/n/{row.notice_id}")


def code_of(secret: str, person_id: int, channel: MessageChannel, salt: str, address: str) -> str:
    """Six digits that follow from whom, where and when it was asked; they are kept nowhere."""
    return security.short_code(secret, ADDRESS, f"{person_id}|{channel}|{salt}|{address}", CODE_DIGITS)


def password_code_of(secret: str, person_id: int, salt: str, password_hash: str) -> str:
    """Six digits for whoever forgot a password; another password makes every such code another."""
    return security.short_code(secret, PASSWORD, f"{person_id}|{salt}|{password_hash}", CODE_DIGITS)


def _kept(row: Row[Any], written: Written) -> str:
    """The words beside the row; a code's are written down nowhere."""
    return "" if row.topic == MessageTopic.CODE else written.body[: outgoing.WORDS_KEPT]


def decide_left_behind(sending: Sending, now: datetime) -> Counter[str]:
    """Claims whose worker died or heard no answer: what became of them is the provider's to say."""
    with transaction(SENDER) as tx:
        left = outgoing.list_left_behind(tx, machine_now() - LEASE, AT_ONCE)
    ended: Counter[str] = Counter()
    for row in left:
        receipt = sending.providers[MessageChannel(row.channel)].find(str(row.key))
        if receipt.outcome in {O.UNCERTAIN, O.UNAVAILABLE} and machine_now() - row.claimed_at > GIVEN_UP:
            receipt = Receipt(O.UNASKABLE)
        ended[_end(row.id, row.claimed_at, row.tries, receipt, now)] += 1
    return ended


def _end(message_id: int, claimed_at: datetime, tries: int, receipt: Receipt, now: datetime) -> str:
    """Write down what the provider said; UNCERTAIN leaves the claim for whoever asks about it later."""
    state, said = _follows(receipt, tries, now)
    if state is S.SENDING:
        return state.value
    with transaction(SENDER) as tx:
        outgoing.end(tx, message_id, claimed_at, state, reference=receipt.reference or None, **said)
    log.info("message", message=message_id, state=state.value, fault=said.get("fault"))
    return state.value


def _follows(receipt: Receipt, tries: int, now: datetime) -> tuple[MessageState, Mapping[str, Any]]:
    match receipt.outcome:
        case O.ACCEPTED:
            return S.SENT, {"sent_at": now}
        case O.REFUSED:
            return S.FAILED, {"fault": receipt.fault or F.REFUSED}
        case O.UNASKABLE:
            return S.UNKNOWN, {"fault": F.CANNOT_BE_ASKED}
        case O.UNCERTAIN:
            return S.SENDING, {}
        case _:
            if tries > len(WAITS):
                return S.FAILED, {"fault": F.NO_ANSWER}
            return S.WAITING, {"not_before": now + WAITS[tries - 1]}


def send_again(tx: Session, who: Who, message_id: int, today: date, now: datetime) -> None:
    """The operator lets a failed or unknown message wait again. Errors: NotFound, Conflict."""
    old = outgoing.get(tx, message_id)
    if not outgoing.send_again(tx, message_id, today):
        raise Conflict("只有失败或去向不明的消息可以重发。")
    trail.append(tx, who, [_act("sent_again", old, S.WAITING)], now)


def settle(tx: Session, who: Who, message_id: int, now: datetime) -> None:
    """The operator found out that an unknown message did leave. Errors: NotFound, Conflict."""
    old = outgoing.get(tx, message_id)
    if not outgoing.settle(tx, message_id, now):
        raise Conflict("只有去向不明的消息需要核实。")
    trail.append(tx, who, [_act("settled", old, S.SENT)], now)


def _act(verb: str, old: Row[Any], new: MessageState) -> Act:
    return Act(
        verb, "outgoing_message", old.id, uscc=old.uscc, bank_id=old.bank_id, district=old.district, old=old.state,
        new=new.value,
    )  # fmt: skip
