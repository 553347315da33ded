"""A bank becomes a partner of the platform."""

from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlmodel import Session

from service.domain.bank import BankKind
from service.domain.errors import NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.store import partners, trail
from service.store.trail import Act


@dataclass(frozen=True)
class BankForm:
    """A bank and its terms of work; days tighten the policy's clock, never loosen it."""

    code: str
    name: str
    kind: str
    joined_on: date
    name_en: str = ""
    contact_days: int | None = None
    decide_days: int | None = None


def admit_bank(tx: Session, who: Who, form: BankForm, now: datetime) -> int:
    """The bank's key; a bank with this code already there is left as it is."""
    if not (who.is_platform or who.role is Role.OPERATOR):
        raise NotAllowed("只有运行人员可以添加银行。")
    if form.kind not in frozenset(BankKind):
        raise NotPossible("没有这种机构类型。", field="kind")
    if not form.code.strip() or not form.name.strip():
        raise NotPossible("请填写机构代码与名称。", field="name")
    there = partners.find_id(tx, form.code)
    if there is not None:
        return there
    key = partners.add(tx, asdict(form))
    trail.append(tx, who, [Act("admitted", "bank", key, bank_id=key, new=form.kind)], now)
    return key
