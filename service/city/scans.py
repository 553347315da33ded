"""Codes that hang in the demo city, and what came by them: called and not, become demands, closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.actions.answer_enquiry import Call, close_enquiry, join_enquiries, note_call
from service.actions.enquire import EnquiryForm, From, enquire
from service.actions.issue_code import CodeForm, issue_code
from service.city.opening import CONSENT_HASH, DEMO
from service.clock import instant_on
from service.domain.people import THE_DOOR, Role, Who
from service.domain.scan_code import CloseReason, CodeKind
from service.store import intake_codes, people

JINSHUI, NEW_AREA, ZHONGMU = "410105", "ZDXQ", "410122"
HUNG_UP_DAYS_AGO = 90
WAN_FEN = 1_000_000


@dataclass(frozen=True)
class Scan:
    """Somebody scanned a code so many days before the last one and asked to be called."""

    code: str
    days_ago: int
    firm: str
    contact: str
    wan: int
    use: str
    uscc: str | None = None
    district: str | None = None
    ends: str = ""
    """Reached, missed, or the reason for which it was closed."""


SCANS = (
    Scan("market", 6, "金水区老郑家粮油店", "郑老板", 20, "working_capital", ends="reached"),
    Scan("market", 4, "金水区顺发五金经营部", "孙女士", 15, "trade", ends=CloseReason.WRONG_NUMBER),
    Scan("market", 1, "金水区鲜多多果蔬商行", "马先生", 30, "trade"),
    Scan("market", 0, "金水区晨光文具批发部", "李女士", 10, "working_capital"),
    Scan("city", 3, "郑东云启软件工作室", "周先生", 80, "research", district=NEW_AREA, ends="missed"),
    Scan("city", 0, "中牟绿野蔬菜种植合作社", "田社长", 50, "agriculture", district=ZHONGMU),
    Scan("outlet", 1, "金水区佳禾餐饮店", "吴女士", 25, "premises"),
    Scan("officer", 0, "金水区恒通汽修厂", "韩先生", 60, "equipment"),
)


def hang_up_codes(tx: Session, day: date, firms: Sequence[Row[Any]]) -> None:
    """Four codes of the cast's, and what came by them up to `day`; `firms` have reported demands since they scanned."""
    since = day - timedelta(days=HUNG_UP_DAYS_AGO)
    keys = _issue(tx, since, day)
    for number, firm in enumerate(firms):
        _scan(tx, keys, number, Scan("outlet", HUNG_UP_DAYS_AGO, firm.name, "财务", 50, "trade", firm.uscc), day)
    join_enquiries(tx, DEMO, [firm.uscc for firm in firms], day, instant_on(day, 18))
    for number, scan in enumerate(SCANS, len(firms)):
        _act(tx, _scan(tx, keys, number, scan, day), scan, day)


def _issue(tx: Session, since: date, day: date) -> Mapping[str, str]:
    """Code → its key."""
    gao, cheng, bai = (_who(tx, login, day) for login in ("demo-jinshui", "demo-city", "demo-bai"))
    wanted = {
        "market": (gao, CodeForm(CodeKind.DISTRICT, "走进批发市场", since, day + timedelta(days=180))),
        "city": (cheng, CodeForm(CodeKind.CITY, "千企万户大走访", since)),
        "outlet": (bai, CodeForm(CodeKind.OUTLET, "网点大堂", since, district=JINSHUI, outlet="花园路支行")),
        "officer": (bai, CodeForm(CodeKind.OFFICER, "上门名片", since, district=JINSHUI)),
    }
    keys = {}
    for name, (who, form) in wanted.items():
        code_id = issue_code(tx, who, form, since, instant_on(since))
        keys[name] = intake_codes.get(tx, who, code_id).key
    return keys


def _who(tx: Session, login: str, day: date) -> Who:
    """One of the cast, as what they are here."""
    person = people.find_by_login(tx, login)
    assert person is not None
    assert person.id is not None
    (row,) = people.list_memberships(tx, person.id, day)
    return Who(Role(row.role), person.id, person.name, row.uscc, row.bank_id, row.district)


def _scan(tx: Session, keys: Mapping[str, str], number: int, scan: Scan, day: date) -> int:
    """The form is opened a few times and sent once."""
    on = day - timedelta(days=scan.days_ago)
    now = instant_on(on, 7, number)
    for _ in range(2 + number % 3):
        intake_codes.count_scan(tx, keys[scan.code])
    told = EnquiryForm(
        receipt=f"demo-scan-{number:012d}",
        firm_name=scan.firm,
        contact_name=scan.contact,
        mobile=f"1390000{number:04d}",
        amount_fen=scan.wan * WAN_FEN,
        use=scan.use,
        consent_hash=CONSENT_HASH,
        uscc=scan.uscc,
        district=scan.district,
    )
    return enquire(tx, THE_DOOR, keys[scan.code], told, From("demo", now), on, now).id


def _act(tx: Session, enquiry_id: int, scan: Scan, day: date) -> None:
    """What the team did about it the day after."""
    if not scan.ends:
        return
    on = day - timedelta(days=scan.days_ago - 1)
    team, now = _who(tx, "demo-zdxq" if scan.district == NEW_AREA else "demo-jinshui", day), instant_on(on, 10)
    if scan.ends == "reached":
        note_call(tx, team, enquiry_id, Call(True, "想旺季前进货，约好来专班一起申报", day), on, now)
    elif scan.ends == "missed":
        note_call(tx, team, enquiry_id, Call(False, "", day), on, now)
    else:
        close_enquiry(tx, team, enquiry_id, CloseReason(scan.ends), on, now)
