"""Someone stands in for a colleague who is away: from a day to a day, ended by itself, seen by both."""

from datetime import date, datetime, timedelta

from sqlmodel import Session

from service.domain.errors import NotAllowed, NotFound, NotPossible
from service.domain.outlet import LONGEST_DAYS
from service.domain.people import Role, Who
from service.store import accounts, notices, outlets, trail
from service.store.notices import Message
from service.store.trail import Act


def name_stand_in(
    tx: Session, who: Who, absent_id: int, deputy_id: int, days: tuple[date, date], today: date, now: datetime
) -> int:
    """`deputy_id` stands in for `absent_id` on these days, first and last included; the key.

    An officer names someone for themselves, an admin for anyone of the bank.
    Errors: NotAllowed, NotFound for people of another bank, NotPossible for wrong days, Conflict for days that are
    taken.
    """
    _may(who, absent_id)
    names = accounts.colleagues_of(tx, who, today)
    if absent_id not in names or deputy_id not in names:
        raise NotFound("本行没有这位同事。")
    if absent_id == deputy_id:
        raise NotPossible("代办人不能是本人。", field="deputy")
    from_on, until_on = days
    if until_on < from_on or until_on < today:
        raise NotPossible("结束日期不能早于开始日期和今天。", field="until_on")
    if until_on - from_on > timedelta(days=LONGEST_DAYS):
        raise NotPossible("一次最多安排 {most} 天。", field="until_on", most=LONGEST_DAYS)
    key = outlets.add_stand_in(tx, who, absent_id, deputy_id, days, now)
    told = {"from": from_on.isoformat(), "until": until_on.isoformat()}
    people = {"absent": absent_id, "deputy": deputy_id}
    trail.append(tx, who, [Act("stand_in_named", "stand_in", key, bank_id=who.bank_id, details=people | told)], now)
    said = {"absent": names[absent_id], "deputy": names[deputy_id], **told}
    notices.add(tx, [Message("stand_in_named", bank_id=who.bank_id, values=said)], today, now)
    return key


def end_stand_in(tx: Session, who: Who, stand_in_id: int, now: datetime) -> None:
    """Take it back before its time; taken back twice is once. Errors: NotAllowed, NotFound."""
    row = outlets.lock_stand_in(tx, who, stand_in_id)
    _may(who, row.absent_id)
    if row.ended_at is not None:
        return
    outlets.end_stand_in(tx, stand_in_id, now)
    people = {"absent": row.absent_id, "deputy": row.deputy_id}
    trail.append(tx, who, [Act("stand_in_ended", "stand_in", row.id, bank_id=who.bank_id, details=people)], now)


def _may(who: Who, absent_id: int) -> None:
    if not who.is_bank or (who.role is not Role.BANK_ADMIN and absent_id != who.person_id):
        raise NotAllowed("您只能为自己安排代办人；为别人安排请找本行管理员。")
