"""What the demo's city official does beside looking: sets the year's targets, and urges banks that let firms wait."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlmodel import Session

from service.actions.set_targets import set_targets
from service.actions.urge_bank import UrgingForm, answer_urging, read_urging, urge_bank
from service.city.days import Life
from service.clock import instant_on
from service.domain.people import Role, Who
from service.domain.standards.regions import REGIONS
from service.domain.target import CITY_WIDE, TargetKind, elapsed
from service.domain.urging import UrgingGround
from service.store import pace, people, statistics, urgings

MONTH = timedelta(days=29)
OVERDUE_BEFORE, ANSWERED_BEFORE, FRESH_BEFORE = 9, 6, 1
"""Days before the demo's last one on which an urging goes out: one nobody answers, one that is answered, a new one."""
ANSWERED_AFTER = 2
WORDS = "请逐项查明原因，尽快联系企业并反馈。回复时写明已经做了什么、其余何时办结。"
DONE = "已逐户联系，漏收清单的网点已补设专人，每天上午查收。"
CARD = "demo-city"
PULLS = (Decimal("0.85"), Decimal("1.20"), Decimal("1.00"), Decimal("1.60"))
"""What an area is asked for, as a multiple of what it would reach at the pace it has."""
OF_THE_CARD = 11
"""The place of the bank whose officers have sign-in cards (`opening.open_banks`)."""


def set_year(tx: Session, day: date) -> None:
    """The year's targets, from what there is on the demo's last day: some areas ahead of the year, some behind it."""
    city, now = official(tx), instant_on(day, 17)
    passed = elapsed(day.year, day)
    cells = {cell.key: cell for cell in statistics.figures(tx, city, day.replace(month=1, day=1), day, "district")}
    for place, area in enumerate(sorted(REGIONS)):
        cell = cells.get(area)
        if cell is not None:
            pull = PULLS[place % len(PULLS)] / passed
            wanted = {
                TargetKind.DEMANDS: cell.reported.events * pull,
                TargetKind.GRANTED: cell.granted.amount_fen * pull,
            }
            _set(tx, city, area, wanted, day, now)
    whole = {
        TargetKind.DEMANDS: sum(cell.reported.events for cell in cells.values()) / passed,
        TargetKind.GRANTED: sum(cell.granted.amount_fen for cell in cells.values()) * PULLS[1] / passed,
    }
    _set(tx, city, CITY_WIDE, whole, day, now)
    set_targets(tx, city, day.year, CITY_WIDE, {TargetKind.IN_TIME: Decimal("0.95")}, day, now)


def _set(
    tx: Session, city: Who, area: str, wanted: Mapping[TargetKind, Decimal], day: date, now: datetime
) -> None:  # fmt: skip
    """Round numbers, as people set them; what would be nothing is not asked for."""
    rounded = {kind: _round(value) for kind, value in wanted.items() if value >= 1}
    set_targets(tx, city, day.year, area, rounded, day, now)


def _round(value: Decimal) -> Decimal:
    """Two figures that count, of a whole number."""
    left_out = max(value.adjusted() - 1, 0)
    return Decimal(int(value.scaleb(-left_out).to_integral_value())).scaleb(left_out)


def official(tx: Session) -> Who:
    """The city official of the cast."""
    card = people.find_by_login(tx, CARD)
    return Who(Role.CITY, card.id if card else None, card.name if card else "")


def urge(tx: Session, life: Life, day: date) -> None:
    """This day's urgings and answers; on most days none."""
    before = (life.city.when.end - day).days
    city = official(tx)
    if before in (OVERDUE_BEFORE, ANSWERED_BEFORE):
        _urge(tx, city, _most_silent(tx, day), (UrgingGround.SILENT,), day)
    elif before == FRESH_BEFORE:
        known = [life.bank_ids[OF_THE_CARD], *_most_silent(tx, day)]
        _urge(tx, city, known, (UrgingGround.SILENT, UrgingGround.LATE), day)
    elif before == ANSWERED_BEFORE - ANSWERED_AFTER:
        _answer(tx, city, day)


def _most_silent(tx: Session, day: date) -> list[int]:
    found = [bank for bank in pace.of_banks(tx, day - MONTH, day, day) if bank.silent]
    return [bank.bank_id for bank in sorted(found, key=lambda bank: (-bank.silent, bank.bank_id))]


def _urge(tx: Session, city: Who, banks: Sequence[int], grounds: Sequence[UrgingGround], day: date) -> None:
    """The first of the banks that one of the grounds speaks for and that has none open yet."""
    taken = urgings.open_of_banks(tx, day)
    for bank in banks:
        for ground in grounds:
            if bank not in taken and urgings.evidence(tx, ground, bank, (day - MONTH, day), day):
                form = UrgingForm(bank, ground, day - MONTH, day, 3, WORDS)
                urge_bank(tx, city, form, day, instant_on(day, 16))
                return


def _answer(tx: Session, city: Who, day: date) -> None:
    """The bank urged two days ago answers."""
    rows, _total = urgings.list_of(tx, city, "open", day)
    for row in rows:
        if row.sent_on == day - timedelta(days=ANSWERED_AFTER):
            bank, now = Who(Role.OFFICER, bank_id=row.bank_id), instant_on(day, 15)
            read_urging(tx, bank, row.id, now)
            answer_urging(tx, bank, row.id, DONE, day + timedelta(days=7), day, now)
