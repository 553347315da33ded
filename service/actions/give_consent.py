"""A firm lets one recipient see its data for one purpose until one day, and takes it back as easily."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.end_demand import end_demands
from service.actions.settle_demand import close_lines, settle_demands
from service.domain.consent import DataClass, Purpose
from service.domain.demand import DemandState
from service.domain.errors import NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.domain.push_list import LineState
from service.store import consents, demands, notices, standing, trail
from service.store.notices import Message
from service.store.trail import Act

SHA256 = re.compile(r"[0-9a-f]{64}")
KNOWN_CLASSES = frozenset(DataClass)


@dataclass(frozen=True)
class ConsentForm:
    """What the person ticked: one recipient (`bank_id`, or the platform where empty), one purpose, until when.

    `text_hash` is the SHA-256 of the words that were shown; `words` are these words, kept so that they can be read
    again. Whoever only brings the hash keeps them elsewhere.
    """

    uscc: str
    bank_id: int | None
    purpose: str
    data_classes: tuple[str, ...]
    text_hash: str
    until_on: date
    words: str = ""


def give_consent(tx: Session, who: Who, form: ConsentForm, today: date, now: datetime) -> int:
    """One consent; its key."""
    return give_consents(tx, who, [form], today, now)[0]


def give_consents(tx: Session, who: Who, forms: Sequence[ConsentForm], today: date, now: datetime) -> list[int]:
    """Enter the consents; each one's key. What is live in the same words is not entered again."""
    if not forms:
        return []
    banks = demands.partner_banks(tx, today)
    for form in forms:
        check_consent(form, who, banks, today)
    return enter_consents(tx, [(who, form) for form in forms], today, now)


def enter_consents(tx: Session, given: Sequence[tuple[Who, ConsentForm]], today: date, now: datetime) -> list[int]:
    """Enter consents of several people that were checked; each one's key, as `give_consents`."""
    if not given:
        return []
    usccs = sorted({form.uscc for _, form in given})
    keys = {_terms_of(row): int(row.id) for row in consents.list_live(tx, usccs, today)}
    fresh: dict[tuple[object, ...], tuple[Who, ConsentForm]] = {}
    for who, form in given:
        if _terms(form) not in keys:
            fresh.setdefault(_terms(form), (who, form))
    keys |= _enter(tx, fresh, today, now)
    return [keys[_terms(form)] for _, form in given]


def _enter(
    tx: Session, fresh: Mapping[tuple[object, ...], tuple[Who, ConsentForm]], today: date, now: datetime
) -> dict[tuple[object, ...], int]:
    """Terms → key of the consents entered; the demands of firms that named a bank look for banks again today."""
    if not fresh:
        return {}
    entered = list(fresh.values())
    ids = consents.add(tx, [_row(form, who, today, now) for who, form in entered])
    consents.keep_words(tx, {form.text_hash: form.words for _, form in entered if form.words}, now)
    standing.wake_firms(tx, sorted({form.uscc for _, form in entered if form.bank_id is not None}), today)
    said = [(who, _given(form, key)) for (who, form), key in zip(entered, ids, strict=True)]
    trail.append_each(tx, said, now)
    return dict(zip(fresh, ids, strict=True))


def withdraw_consent(tx: Session, who: Who, uscc: str, bank_id: int | None, today: date, now: datetime) -> list[int]:
    """End every live consent to this recipient: its view closes, its open lines end, their money is free again.

    Without the platform's own consent nothing can be judged, so with it the firm's open demands end too.
    Returns the demands it touched. A second call finds nothing live and says so.
    """
    _check_own(who, uscc)
    open_demands = demands.lock_open_of(tx, [uscc])  # the push of a list queues for the same rows
    ending = [row for row in consents.list_live(tx, [uscc], today) if row.bank_id == bank_id]
    if not ending:
        raise NotFound("没有可撤回的授权。")
    consents.add_withdrawals(tx, [_withdrawal(row, who, today, now) for row in ending])
    if bank_id is None:
        touched = end_demands(tx, who, open_demands, DemandState.WITHDRAWN, "consent_withdrawn", today, now)
    else:
        lines = consents.close_view(tx, uscc, bank_id)
        touched = close_lines(tx, who, lines, LineState.WITHDRAWN, today, now, "consent_withdrawn")
        notices.add(tx, [Message("consent_withdrawn", bank_id=bank_id, values={"lines": len(lines)})], today, now)
    settle_demands(tx, who, touched, today, now, "consent_withdrawn")
    trail.append(tx, who, [_withdrawn(row) for row in ending], now)
    return touched


def _check_own(who: Who, uscc: str) -> None:
    """A consent is the firm's own word; the platform enters one that was given on paper."""
    if who.role not in (Role.FIRM, Role.SYSTEM):
        raise NotAllowed("只有企业本人可以授权或撤回授权。")
    if who.role is Role.FIRM and who.uscc != uscc:
        raise NotFound("没有这家企业。")


def check_consent(form: ConsentForm, who: Who, banks: Collection[int], today: date) -> None:
    """Raise what is wrong with a consent, for the field it belongs to."""
    _check_own(who, form.uscc)
    if form.purpose not in frozenset(Purpose):
        raise NotPossible("授权用途不明。", field="purpose")
    if form.purpose == Purpose.CREDIT_REVIEW and form.bank_id is None:
        raise NotPossible("授权须逐家银行作出，不能一次授权所有银行。", field="bank_id")
    if form.purpose == Purpose.PROFILE and form.bank_id is not None:
        raise NotPossible("画像授权只给平台，不给银行。", field="bank_id")
    if form.bank_id is not None and form.bank_id not in banks:
        raise NotPossible("没有这家合作银行。", field="bank_id", bank_id=form.bank_id)
    if not form.data_classes or not KNOWN_CLASSES.issuperset(form.data_classes):
        raise NotPossible("请勾选授权的数据类别。", field="data_classes")
    if not SHA256.fullmatch(form.text_hash) or (form.words and hash_of(form.words) != form.text_hash):
        raise NotPossible("请重新打开页面，阅读授权书后再确认。", field="text_hash")
    if form.until_on < today:
        raise NotPossible("授权到期日 {until_on} 已过，请重新选择。", field="until_on", until_on=form.until_on)


def hash_of(words: str) -> str:
    """What proves which words were read."""
    return hashlib.sha256(words.encode()).hexdigest()


def _terms(form: ConsentForm) -> tuple[object, ...]:
    return (form.uscc, form.bank_id, form.purpose, frozenset(form.data_classes), form.text_hash, form.until_on)


def _terms_of(row: Row[Any]) -> tuple[object, ...]:
    return (row.uscc, row.bank_id, row.purpose, frozenset(row.data_classes), row.text_hash, row.until_on)


def _row(form: ConsentForm, who: Who, today: date, now: datetime) -> dict[str, Any]:
    return {
        "uscc": form.uscc,
        "bank_id": form.bank_id,
        "purpose": form.purpose,
        "data_classes": sorted(form.data_classes),
        "text_hash": form.text_hash,
        "from_on": today,
        "until_on": form.until_on,
        "given_by": who.person_id,
        "given_at": now,
    }


def _withdrawal(row: Row[Any], who: Who, today: date, now: datetime) -> dict[str, Any]:
    by = {"withdrawn_on": today, "withdrawn_at": now, "withdrawn_by": who.person_id}
    return {"consent_id": row.id, "uscc": row.uscc} | by


def _given(form: ConsentForm, key: int) -> Act:
    what = {"purpose": form.purpose, "until_on": form.until_on.isoformat(), "text_hash": form.text_hash}
    return Act("give", "consent", key, uscc=form.uscc, bank_id=form.bank_id, new="live", details=what)


def _withdrawn(row: Row[Any]) -> Act:
    return Act("withdraw", "consent", row.id, uscc=row.uscc, bank_id=row.bank_id, old="live", new="withdrawn")
