"""Someone without an account asks to be called: taken once for each form, throttled by address, due by the calendar."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from service.domain.clocks import clock
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import Who
from service.domain.scan_code import LAWFUL_USES, EnquiryState
from service.domain.standards.regions import REGIONS
from service.security import hash_token
from service.store import enquiries, people, trail
from service.store.calendar import calendar
from service.store.enquiries import Taken
from service.store.trail import Act

CLOCK = "enquiry"
WINDOW = timedelta(minutes=10)
FROM_ONE_ADDRESS = 60
"""A hall full of firms comes from one address, and so do the telephones of a whole mobile network."""


@dataclass(frozen=True)
class EnquiryForm:
    """What was asked on the telephone. `receipt` is the form's own random number: sent twice, it is one enquiry."""

    receipt: str
    firm_name: str
    contact_name: str
    mobile: str
    amount_fen: int
    use: str
    consent_hash: str
    uscc: str | None = None
    district: str | None = None
    """Where the firm works; asked only where neither the code nor the register says it."""


@dataclass(frozen=True)
class From:
    """Where a form comes from and when by the machine's clock, which no demo's calendar may stretch."""

    address: str
    at: datetime

    @property
    def subject(self) -> str:
        return f"enquiry:{self.address}"


def enquire(tx: Session, who: Who, key: str, form: EnquiryForm, sender: From, today: date, now: datetime) -> Taken:
    """Take an enquiry by the code with this key.

    Errors: Conflict where the code does not hold (any more); NotAllowed where too many came from one address.
    """
    _check(form)
    said = {name: value for name, value in vars(form).items() if name != "receipt"} | {
        "receipt_hash": hash_token(form.receipt),
        "came_on": today,
        "came_at": now,
        "due_on": clock(CLOCK, today).surely_after(today, calendar(tx)),
    }
    if people.failures_since(tx, sender.subject, sender.at - WINDOW) >= FROM_ONE_ADDRESS:
        raise NotAllowed("这个网络刚才提交得太多，请十分钟后再试。您填的内容还在。")
    taken = enquiries.take(tx, key, said)
    if taken is None:
        raise Conflict("这个二维码已经停用。")
    if taken.is_new:
        people.note_attempt(tx, sender.subject, sender.at, succeeded=False)
        whose: dict[str, Any] = {"uscc": form.uscc, "bank_id": taken.bank_id, "district": taken.district}
        trail.append(tx, who, [Act("enquired", "enquiry", taken.id, new=EnquiryState.OPEN, **whose)], now)
    return taken


def take_back(tx: Session, who: Who, key: str, receipt: str, today: date, now: datetime) -> None:
    """The sender withdraws the consent: name, code and telephone go at once. Done before: nothing happens."""
    erased = enquiries.erase(tx, key, hash_token(receipt), today)
    if erased is None:
        return
    moved: dict[str, Any] = (
        {"old": EnquiryState.OPEN, "new": EnquiryState.CLOSED} if erased.old_state == EnquiryState.OPEN else {}
    )
    whose: dict[str, Any] = {"bank_id": erased.bank_id, "district": erased.district}
    trail.append(tx, who, [Act("took_back", "enquiry", erased.id, **moved, **whose)], now)


def _check(form: EnquiryForm) -> None:
    if form.use not in LAWFUL_USES:
        raise NotPossible("请选择用途", field="use")
    if form.district is not None and form.district not in REGIONS:
        raise NotPossible("请选择区县", field="district")
