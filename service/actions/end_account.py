"""A person leaves: their role ends today, and with it every session that acts in it."""

from datetime import date, datetime

from sqlmodel import Session

from service.domain.errors import NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.store import accounts, trail
from service.store.trail import Act


def end_account(tx: Session, who: Who, membership_id: int, today: date, now: datetime) -> None:
    """End one role of one person, for the operator or the bank's own admin; ended twice is ended once.

    Errors: NotAllowed for anyone else, NotFound for another bank's, NotPossible for one's own role.
    """
    if who.role not in {Role.OPERATOR, Role.BANK_ADMIN, Role.SYSTEM}:
        raise NotAllowed("您不能停用用户。")
    row = accounts.find_membership(tx, membership_id)
    if row is None or (who.role is Role.BANK_ADMIN and row.bank_id != who.bank_id):
        raise NotFound("没有这个用户。")
    if row.person_id == who.person_id:
        raise NotPossible("不能停用自己的身份，请由同事办理。")
    if row.until_on is not None and row.until_on <= today:
        return
    accounts.end_membership(tx, membership_id, today)
    act = Act("ended", "person", row.person_id, uscc=row.uscc, bank_id=row.bank_id, district=row.district, old=row.role)
    trail.append(tx, who, [act], now)
