"""Where one is reached, proved by a code that was sent there, and which messages leave by which channel."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlmodel import Session

from service import security
from service.actions.send_messages import ADDRESS, code_of
from service.domain.errors import NotAllowed, NotPossible
from service.domain.outgoing import (
    CHOSEN_BY_FIRMS,
    CHOSEN_BY_OFFICERS,
    CODE_MINUTES,
    MOST_CODE_TRIES,
    MOST_CODES_A_DAY,
    MessageChannel,
    MessageTopic,
    masked_address,
)
from service.domain.people import Role, Who
from service.store import contacts, outgoing, queue, trail
from service.store.trail import Act


def topics_for(who: Who) -> Sequence[MessageTopic]:
    """What one can choose a channel for; nothing where no notices come."""
    if who.role is Role.FIRM:
        return CHOSEN_BY_FIRMS
    return CHOSEN_BY_OFFICERS if who.is_bank or who.role is Role.DISTRICT else ()


def ask_address(
    tx: Session, who: Who, channel: MessageChannel, address: str, secret: str, today: date, now: datetime
) -> None:
    """A code goes to the new address; until it comes back the old one counts. Errors: NotAllowed, NotPossible."""
    person_id = _person(who)
    if outgoing.count_codes(tx, person_id, today) >= MOST_CODES_A_DAY:
        raise NotPossible("今天已发送 {most} 次验证码，请明天再试。", most=MOST_CODES_A_DAY)
    contacts.ask(
        tx, person_id, channel.value, sealed=security.sealed(secret, ADDRESS, address), shown=masked_address(address),
        salt=secrets.token_hex(16), now=now,
    )  # fmt: skip
    outgoing.queue_code(tx, person_id, channel, today, now)
    queue.defer_in(tx, queue.MESSAGES, once=queue.MESSAGES)
    trail.append(tx, who, [_act(who, "address_asked", channel)], now)


def confirm_address(
    tx: Session, who: Who, channel: MessageChannel, code: str, secret: str, now: datetime
) -> NotPossible | None:
    """The code came back: the new address counts. Else why not, handed back so that a wrong try stays counted."""
    person_id = _person(who)
    asked = contacts.lock(tx, person_id, channel.value)
    if asked is None or not asked.asked_sealed:
        return NotPossible("没有等待确认的地址，请先发送验证码。")
    is_old = now - asked.asked_at > timedelta(minutes=CODE_MINUTES)
    if is_old or asked.asked_tries >= MOST_CODE_TRIES:
        return NotPossible("验证码已失效，请重新发送。")
    address = security.unsealed(secret, ADDRESS, asked.asked_sealed) or ""
    if not security.same(code, code_of(secret, person_id, channel, asked.asked_salt, address)):
        contacts.count_try(tx, person_id, channel.value)
        return NotPossible("验证码不对，请核对后再填。")
    contacts.confirm(tx, person_id, channel.value, now)
    trail.append(tx, who, [_act(who, "address_confirmed", channel)], now)
    return None


def remove_address(tx: Session, who: Who, channel: MessageChannel, now: datetime) -> bool:
    """Nothing leaves to this address any more; False where there was none."""
    if not contacts.remove(tx, _person(who), channel.value):
        return False
    trail.append(tx, who, [_act(who, "address_removed", channel)], now)
    return True


def prefer(tx: Session, who: Who, sms: Sequence[str], email: Sequence[str], language: str, now: datetime) -> None:
    """These topics leave by these channels from now on; legal ones always do. The same again changes nothing."""
    person_id, offered = _person(who), set(topics_for(who))
    old = contacts.find_preference(tx, person_id)
    if unknown := (set(sms) | set(email)) - offered:
        raise NotPossible("没有这种消息：{topic}。", topic=", ".join(sorted(unknown)))
    wish = (
        _with_others(old.sms if old else None, sms, offered),
        _with_others(old.email if old else CHOSEN_BY_OFFICERS, email, offered),
    )
    if old is not None and (sorted(old.sms), sorted(old.email), old.language) == (*wish, language):
        return
    contacts.prefer(tx, person_id, *wish, language, now)
    details = {"sms": wish[0], "email": wish[1], "language": language}
    act = Act("preferences_set", "message_preference", person_id, uscc=who.uscc, bank_id=who.bank_id,
              district=who.district, details=details)  # fmt: skip
    trail.append(tx, who, [act], now)


def _with_others(old: Sequence[str] | None, chosen: Sequence[str], offered: set[MessageTopic]) -> list[str]:
    """One person may act for a firm and for a bank: what this page did not ask about stays as it was."""
    everything = [one.value for one in (*CHOSEN_BY_FIRMS, *CHOSEN_BY_OFFICERS)]
    kept = [one for one in (everything if old is None else old) if one not in offered]
    return sorted({*kept, *chosen})


def _person(who: Who) -> int:
    if who.person_id is None:
        raise NotAllowed("请用个人身份登录后设置。")
    return who.person_id


def _act(who: Who, verb: str, channel: MessageChannel) -> Act:
    return Act(
        verb, "contact_address", who.person_id, uscc=who.uscc, bank_id=who.bank_id, district=who.district,
        details={"channel": channel.value},
    )  # fmt: skip
