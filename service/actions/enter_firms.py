"""Enter firms by hand, of which only name and code are known: everything else stays unknown until a register speaks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session

from service.domain.errors import NotAllowed, NotPossible
from service.domain.firm import FirmKind
from service.domain.people import Role, Who
from service.domain.standards.uscc import CodeState, clean, state_of
from service.store import firm_stubs, trail
from service.store.trail import Act


@dataclass(frozen=True)
class FirmStub:
    """A firm by its code and name; the kind as the name says it."""

    uscc: str
    name: str
    kind: str


def enter_firms(tx: Session, who: Who, stubs: Sequence[FirmStub], now: datetime) -> int:
    """Those not yet there; how many were entered. A wrong check character is flagged, a wrong form refused."""
    if not (who.is_platform or who.role is Role.OPERATOR):
        raise NotAllowed("只有平台和运行人员可以登记企业。")
    rows = []
    for stub in stubs:
        uscc = clean(stub.uscc)
        state = state_of(uscc)
        if state is CodeState.BAD_FORMAT:
            raise NotPossible("统一社会信用代码“{uscc}”格式有误。", field="uscc", uscc=stub.uscc)
        if stub.kind not in frozenset(FirmKind) or not stub.name.strip():
            raise NotPossible("请填写企业名称与主体类型。", field="name")
        rows.append(asdict(stub) | {"uscc": uscc, "wrong_code": state is CodeState.WRONG_CHECK})
    entered = firm_stubs.add(tx, rows)
    if entered:
        trail.append(tx, who, [Act("entered", "firm", details={"firms": entered})], now)
    return entered
