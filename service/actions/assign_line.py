"""Lines of a bank are given to a colleague, taken, or given back; whoever works on one answers for the bank."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who
from service.store import accounts, push_lists, trail
from service.store.bulk import change_rows
from service.store.trail import Act


def assign_lines(
    tx: Session, who: Who, line_ids: Sequence[int], person_id: int | None, today: date, now: datetime
) -> int:
    """Give open lines to a person of the same bank, or to nobody (None); how many changed hands.

    An admin gives to any colleague, an officer takes lines or gives them back. All or none.
    Errors: NotAllowed, NotFound for a line or a person of another bank, Conflict for a line that is closed.
    """
    if not who.is_bank:
        raise NotAllowed("只有银行可以指定经办人。")
    if who.role is not Role.BANK_ADMIN and person_id not in (None, who.person_id):
        raise NotAllowed("只有本行管理员可以把推送项交给别人。")
    wanted = frozenset(line_ids)
    if not wanted:
        raise NotPossible("请先勾选推送项。", field="line")
    lines = push_lists.lock_lines_of_bank(tx, who, wanted)
    if frozenset(line.id for line in lines) != wanted:
        raise NotFound("没有找到这个推送项。")
    if any(line.closed_on is not None for line in lines):
        raise Conflict("有推送项已经办结，不能再改经办人。")
    if person_id is not None and person_id not in accounts.names_of_bank(tx, who, today):
        raise NotFound("本行没有这位经办人。")
    moving = [line for line in lines if line.assigned_to != person_id]
    if moving:
        change_rows(tx, "push_line", "id", [{"id": line.id, "assigned_to": person_id} for line in moving])
        trail.append(tx, who, [_act(line, person_id) for line in moving], now)
    return len(moving)


def _act(line: Row[Any], person_id: int | None) -> Act:
    whose = {"demand_id": line.demand_id, "uscc": line.uscc, "bank_id": line.bank_id, "district": line.district}
    details = {"from": line.assigned_to, "to": person_id}
    return Act("assign", "push_line", line.id, details=details, **whose)
