"""The city sets what a year is to bring, for itself or for a district: each change with its trail."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session

from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import Role, Who
from service.domain.standards.regions import REGIONS
from service.domain.target import CITY_WIDE, SHARES, TargetKind, stands
from service.store import targets, trail
from service.store.trail import Act

YEARS_AHEAD, YEARS_BACK = 5, 1
LARGEST = Decimal(10) ** 15


def set_targets(
    tx: Session, who: Who, year: int, district: str, wanted: Mapping[TargetKind, Decimal | None], today: date,
    now: datetime, *, stood: str | None = None,
) -> int:  # fmt: skip
    """Set the named targets of an area, None asks no more for one; how many changed. What stays leaves no trace.

    `district` '' is the whole city. Shares are 0 to 1, money in fen. `stood`: how the area stood for the writer, where
    that may be a while ago (domain.target.stands).
    Errors: NotAllowed, NotPossible for a year out of reach, an unknown area or a value out of bounds, Conflict where
    it stands otherwise by now.
    """
    _check(who, year, district, wanted, today)
    before, acts = targets.lock(tx, year, district), list[Act]()
    values = {kind: row.value for kind, row in before.items()}
    if all(values.get(kind.value) == value for kind, value in wanted.items()):
        return 0
    if stood is not None and stood != stands(values):
        raise Conflict("这一区域的目标在下载以后改过，请重新下载后再填。")
    for kind, value in wanted.items():
        old = before.get(kind.value)
        if (old.value if old else None) == value:
            continue
        if value is None:
            assert old is not None
            key = int(old.id)
            targets.remove(tx, key)
        else:
            key = targets.put(tx, year, district, kind, value, who, now)
        said = {"year": year, "kind": kind.value}
        told = (
            None if old is None else f"{old.value.normalize():f}",
            None if value is None else f"{value.normalize():f}",
        )
        acts.append(Act("target_set", "target", key, district=district or None, old=told[0], new=told[1], details=said))
    trail.append(tx, who, acts, now)
    return len(acts)


def _check(who: Who, year: int, district: str, wanted: Mapping[TargetKind, Decimal | None], today: date) -> None:
    if who.role is not Role.CITY:
        raise NotAllowed("目标由市级人员设定。")
    if not today.year - YEARS_BACK <= year <= today.year + YEARS_AHEAD:
        raise NotPossible("只能设定去年到五年后的目标。", field="year")
    if district != CITY_WIDE and district not in REGIONS:
        raise NotPossible("请选择全市或一个区域。", field="district")
    for kind, value in wanted.items():
        if value is not None and not 0 < value <= (1 if kind in SHARES else LARGEST):
            raise NotPossible("目标应大于零；比例不超过 100%。", field=kind.value)
