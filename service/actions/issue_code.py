"""Issue a code to be scanned, and withdraw it: the city for all, a district and a bank for themselves."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.domain.errors import NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.domain.scan_code import CodeKind
from service.domain.standards.regions import REGIONS
from service.security import new_code_key
from service.store import accounts, intake_codes, trail
from service.store.trail import Act

MAY_ISSUE: dict[Role, tuple[CodeKind, ...]] = {
    Role.CITY: (CodeKind.CITY, CodeKind.DISTRICT),
    Role.DISTRICT: (CodeKind.DISTRICT, CodeKind.OFFICER),
    Role.OFFICER: (CodeKind.OUTLET, CodeKind.OFFICER),
    Role.BANK_ADMIN: (CodeKind.OUTLET, CodeKind.OFFICER),
}


@dataclass(frozen=True)
class CodeForm:
    """What the code is for. `person_id` is whose it is: one's own, or any colleague's for a bank's admin."""

    kind: CodeKind
    campaign: str
    from_on: date
    until_on: date | None = None
    district: str | None = None
    outlet: str = ""
    person_id: int | None = None


def issue_code(tx: Session, who: Who, form: CodeForm, today: date, now: datetime) -> int:
    """Issue a code; its id. Conflict where one for the same and by the same name holds already."""
    _check(tx, who, form, today)
    row: dict[str, Any] = {
        "key": new_code_key(),
        "kind": form.kind.value,
        "district": _district_of(who, form),
        "bank_id": who.bank_id,
        "person_id": (form.person_id or who.person_id) if form.kind is CodeKind.OFFICER else None,
        "outlet": form.outlet if who.is_bank else "",
        "campaign": form.campaign,
        "from_on": form.from_on,
        "until_on": form.until_on,
        "made_by": who.person_id,
        "made_at": now,
    }
    code_id = intake_codes.add(tx, row)
    trail.append(tx, who, [_act("issued_code", code_id, row["bank_id"], row["district"], {"kind": row["kind"]})], now)
    return code_id


def withdraw_code(tx: Session, who: Who, code_id: int, today: date, now: datetime) -> None:
    """It leads nowhere from now on; who scans it reads where to turn instead. Withdrawn before: nothing happens."""
    code = intake_codes.get(tx, who, code_id)
    if not may_withdraw(who, code):
        raise NotAllowed("只有制作人、码上的人和本行管理员可以停用这个码。")
    if intake_codes.withdraw(tx, code_id, today):
        trail.append(tx, who, [_act("withdrew_code", code_id, code.bank_id, code.district)], now)


def may_withdraw(who: Who, code: Row[Any]) -> bool:
    """An officer only what is theirs; everybody else what their place has."""
    return who.role is not Role.OFFICER or who.person_id in (code.made_by, code.person_id)


def _check(tx: Session, who: Who, form: CodeForm, today: date) -> None:
    if form.kind not in MAY_ISSUE.get(who.role, ()):
        raise NotAllowed("您的身份不能制作这种二维码。")
    if form.until_on is not None and form.until_on < max(form.from_on, today):
        raise NotPossible("截止日期不能早于开始日期，也不能早于今天。", field="until_on")
    if _district_of(who, form) is None and form.kind is not CodeKind.CITY:
        raise NotPossible("请选择区县：企业的意向由这个区县的专班一起跟进。", field="district")
    if form.kind is CodeKind.OUTLET and not form.outlet:
        raise NotPossible("请填写网点名称。", field="outlet")
    if form.kind is CodeKind.OFFICER and form.person_id not in (None, who.person_id):
        _check_colleague(tx, who, form.person_id, today)


def _check_colleague(tx: Session, who: Who, person_id: int | None, today: date) -> None:
    if who.role is not Role.BANK_ADMIN or person_id not in accounts.names_of_bank(tx, who, today):
        raise NotPossible("请选择本行的一位同事。", field="person_id")


def _district_of(who: Who, form: CodeForm) -> str | None:
    if form.kind is CodeKind.CITY:
        return None
    wished = who.district if who.role is Role.DISTRICT else form.district
    return wished if wished in REGIONS else None


def _act(
    verb: str, code_id: int, bank_id: int | None, district: str | None, details: dict[str, Any] | None = None
) -> Act:
    return Act(verb, "intake_code", code_id, bank_id=bank_id, district=district, details=details or {})
