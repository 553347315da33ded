"""The cast and what they have: firms Fang and Feng, bank officers Bai and Bo, district official Gao, outsider Ou.

Each builder makes one thing that is in order; a test changes only what it is about.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from matching.policy import kept_policy
from risk.calibration import Calibration
from risk.features import FEATURES
from risk.model import RiskModel
from risk.scorecard import Curve, Scorecard
from risk.terms import Input
from service.actions.give_consent import ConsentForm
from service.actions.report_demand import ReportForm, report_demand
from service.domain.people import Role, Who, the_platform
from service.domain.standards.calendar import Calendar
from service.profiles.compute import Profiler
from service.profiles.tools import Tools, profiler_of
from service.store import held_answers, list_views
from service.store.bulk import add_rows, next_ids
from service.store.held_answers import Batch
from service.store.offers_of_banks import list_matching

TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 2, tzinfo=UTC)
SEEN = sha256(b"the words that were shown").hexdigest()

FANG, FENG = "91410199MA0000015Q", "91410199MA0000023K"
JINSHUI, ZHONGYUAN, ZHONGMU = "410105", "410102", "410122"

FANG_HERSELF = Who(Role.FIRM, 1, "方", uscc=FANG)
FENG_HIMSELF = Who(Role.FIRM, 2, "冯", uscc=FENG)
GAO = Who(Role.DISTRICT, 5, "高", district=ZHONGYUAN)
OU = Who(Role.DISTRICT, 6, "欧", district=ZHONGMU)
CITY = Who(Role.CITY, 7, "市")
PLATFORM = the_platform("test")


def _remembering(profiler: Profiler) -> Profiler:
    """The same answers, worked out once per process: nearly all tests' firms have the very same records."""
    known: dict[object, Any] = {}

    def from_rows(csv: bytes, cohort: Any, came: Any) -> Any:
        asked = (csv, *cohort["uscc"], *cohort["as_of"], *sorted(came.items()))
        if asked not in known:
            known[asked] = worked_out(csv, cohort, came)
        return known[asked]

    worked_out, profiler._from_rows = profiler._from_rows, from_rows  # type: ignore[method-assign]
    return profiler


PROFILER = _remembering(profiler_of(tuple(FEATURES), None))
"""The process's own: its queries take two seconds to write."""


def bai(bank_id: int) -> Who:
    """Officer Bai of the first bank."""
    return Who(Role.OFFICER, 3, "白", bank_id=bank_id)


def bo(bank_id: int) -> Who:
    """Officer Bo of the other bank."""
    return Who(Role.OFFICER, 4, "薄", bank_id=bank_id)


def a_model(probability: float = 0.02) -> RiskModel:
    """A scorecard that gives every firm the same probability; a higher one where tax was paid late."""
    inputs = tuple(Input.of(feature) for feature in FEATURES)
    odds = float(Decimal(str(probability)).ln() - (1 - Decimal(str(probability))).ln())
    curves = tuple(
        Curve((0.0, 10.0), (0.0, 7.0), 0.0) if one.name == "tax_late" else Curve((), (), 0.0) for one in inputs
    )
    card = Scorecard(tuple(one.name for one in inputs), odds, curves)
    return RiskModel(f"scorecard-{probability}", inputs, card, Calibration("platt", probability, (1.0, 0.0)), {}, {})


def some_tools(tx: Session, today: date = TODAY, model: RiskModel | None = None, *, trained: bool = True) -> Tools:
    """Policy, a model, today's products, the plain calendar."""
    chosen = (model or a_model()) if trained else None
    return Tools(kept_policy(None), chosen, list_matching(tx, today), PROFILER, Calendar())


def a_bank(tx: Session, code: str = "BAI", **other: Any) -> int:
    """A partner bank; its key."""
    key = next_ids(tx, "bank", 1)[0]
    row = {"id": key, "code": code, "name": f"{code}银行", "name_en": f"{code} Bank", "kind": "city"}
    add_rows(tx, "bank", [row | {"joined_on": date(2024, 1, 1)} | other])
    return key


def a_product(tx: Session, bank_id: int, code: str = "P1", **other: Any) -> int:
    """A credit product from 10,000 to 5,000,000 yuan, without admission criteria; its key."""
    key = next_ids(tx, "product", 1)[0]
    row = {
        "id": key, "bank_id": bank_id, "code": code, "version": 1, "name": "信用贷", "name_en": "",
        "amount_min_fen": 1_000_000, "amount_max_fen": 500_000_000, "term_min_months": 1, "term_max_months": 36,
        "rate_min": "0.0345", "rate_max": "0.0600", "loan_types": ["credit"], "criteria": {}, "places_per_day": 10,
        "quota_fen": 10_000_000_000, "reserved_fen": 0, "granted_fen": 0, "from_on": "2025-01-01", "changed_at": NOW,
    }  # fmt: skip
    add_rows(tx, "product", [row | other])
    terms = {name: value for name, value in row.items() if name not in ("id", "changed_at")}
    version = {"product_id": key, "version": 1, "terms": terms, "changed_at": NOW}
    add_rows(tx, "product_version", [{"id": next_ids(tx, "product_version", 1)[0]} | version])
    return key


def a_firm(tx: Session, uscc: str = FANG, **other: Any) -> str:
    """A registered firm without any record."""
    row = {
        "uscc": uscc, "name": "郑州方记商贸有限公司", "kind": "enterprise", "district": ZHONGYUAN, "industry": "F52",
        "established_on": "2018-03-01", "status": "active", "size_class": "micro", "employees": 8, "wrong_code": False,
    }  # fmt: skip
    add_rows(tx, "firm", [row | other])
    return uscc


def a_firm_with_records(tx: Session, uscc: str = FANG, today: date = TODAY, **other: Any) -> str:
    """A firm every source speaks well of: no criterion fails, nothing is missing or stale."""
    a_firm(tx, uscc, **other)
    sources_spoke(tx, today)
    district = other.get("district", ZHONGYUAN)
    details = {"name": "方", "kind": "enterprise", "district": district, "premises": "rented"}
    capital = {"amount_fen": 10**8, "details": details}
    rows = [
        _record(uscc, "registration", uscc, date(2018, 3, 1), code="F52", status="active", **capital),
        _record(uscc, "annual_report", "2025", date(2026, 4, 10), quantity=8, amount_fen=500_000_000),
        _record(uscc, "tax_grade", "2025", date(2026, 4, 20), code="B"),
    ]
    vat = {"code": "vat", "amount_fen": 2_000_000, "quantity": 0, "status": "on_time"}
    power = {"code": "electricity", "amount_fen": 70_000, "quantity": 900, "status": "paid"}
    staff = {"quantity": 8, "amount_fen": 900_000, "status": "paid"}
    months = {
        (today.replace(day=1) - timedelta(days=30 * back)).replace(day=1) - timedelta(days=1) for back in range(14)
    }
    for end in sorted(months, reverse=True):
        period = f"{end:%Y-%m}"
        rows.append(_record(uscc, "tax_payment", f"{period}|vat", end, **vat))
        rows.append(_record(uscc, "utility", f"{period}|electricity", end, **power))
        rows.append(_record(uscc, "social_insurance", period, end, **staff))
    there = {(row["item"], row["key"]) for row in rows_of(tx, "record", uscc=uscc) if row["superseded_on"] is None}
    new = [row for row in rows if (row["item"], row["key"]) not in there]
    ids = next_ids(tx, "record", len(new))
    add_rows(tx, "record", [row | {"id": key} for key, row in zip(ids, new, strict=True)])
    return uscc


def _record(uscc: str, item: str, key: str, happened_on: date, **other: Any) -> dict[str, Any]:
    """A fact's row without its key: known five days after it happened (or on `known_on`)."""
    return {
        "item": item, "uscc": uscc, "key": key, "happened_on": happened_on, "ends_on": None,
        "known_on": happened_on + timedelta(days=5), "amount_fen": None, "quantity": None, "code": None, "status": None,
        "party": None, "details": None, "feed_id": 1, "line": 2, "superseded_on": None, "withdrawn_on": None,
    } | other  # fmt: skip


def a_record(tx: Session, uscc: str, item: str, key: str, happened_on: date, **other: Any) -> int:
    """One fact, known five days after it happened (or on `known_on`); its key."""
    place = next_ids(tx, "record", 1)[0]
    there = "SELECT 1 FROM record WHERE uscc = :uscc AND item = :item AND key = :key AND superseded_on IS NULL"
    if not tx.execute(text(there), {"uscc": uscc, "item": item, "key": key}).scalar():
        add_rows(tx, "record", [_record(uscc, item, key, happened_on, **other) | {"id": place}])
    return place


def a_changed_fact(tx: Session, uscc: str, item: str, key: str, happened_on: date, **other: Any) -> None:
    """A fact that comes in now and marks its firm for recomputation, as the intake does."""
    a_record(tx, uscc, item, key, happened_on, **other)
    add_rows(tx, "firm_stale", [{"uscc": uscc, "marked_at": NOW, "reason": item}])


def sources_spoke(tx: Session, today: date = TODAY) -> None:
    """Every source's feed came yesterday, so that a source without a record says 'none'."""
    items = (
        "registration", "people", "annual_report", "tax_grade", "tax_payment", "social_insurance", "housing_fund",
        "utility", "real_estate", "permit", "penalty", "court_enforcement", "dishonesty_listing", "abnormal_operation",
        "honour", "intellectual_property", "contract", "trade", "invoice", "loan", "loan_performance",
    )  # fmt: skip
    came = {"first_on": date(2024, 1, 1), "latest_on": today - timedelta(days=1)}
    tx.execute(text("DELETE FROM source_day"))
    add_rows(tx, "source_day", [{"item": item} | came for item in items])


def a_consent(uscc: str = FANG, bank_id: int | None = None, **other: Any) -> ConsentForm:
    """One consent as ticked: to a bank for credit review, or (without a bank) to the platform for the profile."""
    purpose = "profile" if bank_id is None else "credit_review"
    form = ConsentForm(uscc, bank_id, purpose, ("public", "shared", "authorised"), SEEN, TODAY + timedelta(days=365))
    return replace(form, **other)


def a_form(uscc: str = FANG, banks: tuple[int, ...] = (), **other: Any) -> ReportForm:
    """500,000 yuan for twelve months of working capital, with the consents it needs."""
    ticked = (a_consent(uscc), *(a_consent(uscc, bank) for bank in banks))
    form = ReportForm(uscc, 50_000_000, 12, "working_capital", "进货", consents=ticked)
    return replace(form, **{"intended": banks[:3], "reserve": banks[3:], **other})


def a_demand(
    tx: Session, uscc: str = FANG, banks: tuple[int, ...] = (), tools: Tools | None = None, today: date = TODAY,
    now: datetime = NOW, **other: Any,
) -> int:  # fmt: skip
    """A demand reported and judged by the platform on the firm's behalf; its key."""
    return report_demand(tx, PLATFORM, a_form(uscc, banks, **other), tools or some_tools(tx, today), today, now)


@dataclass(frozen=True)
class Small:
    """A small world: Fang's firm with good records, two banks with a product each, and the tools of the day."""

    bank: int
    other_bank: int
    product: int
    other_product: int
    tools: Tools


def a_small_world(tx: Session, **firm: Any) -> Small:
    """Fang (in 中原区, where recommendation is automatic) and Feng, both in order; banks Bai and Bo."""
    a_firm_with_records(tx, FANG, **firm)
    a_firm_with_records(tx, FENG, name="郑州冯氏机械有限公司")
    bank, other = a_bank(tx, "BAI"), a_bank(tx, "BO")
    product, second = a_product(tx, bank), a_product(tx, other)
    return Small(bank, other, product, second, some_tools(tx))


def row_of(tx: Session, table: str, key: int) -> Mapping[str, Any]:
    """One row as it stands."""
    return tx.execute(text(f'SELECT * FROM "{table}" WHERE id = :id'), {"id": key}).mappings().one()


def rows_of(tx: Session, table: str, **where: Any) -> list[Mapping[str, Any]]:
    """The rows with these values, in the order of their keys."""
    rule = " AND ".join(f'"{name}" = :{name}' for name in where) or "true"
    return list(tx.execute(text(f'SELECT * FROM "{table}" WHERE {rule} ORDER BY 1'), where).mappings())


def a_list_at_work(tx: Session, who: Who, line_id: int) -> dict[str, object]:
    """An officer's list in use: an answer held for one of its lines, and a filter kept; their keys."""
    held_answers.hold(tx, who, Batch("f" * 32, "received", (), "", TODAY, NOW, NOW + timedelta(minutes=1)), [line_id])
    list_views.save(tx, who, "我的", {"only": "open"}, NOW)
    return {"batch": "f" * 32, "filter_id": list_views.list_filters(tx, who)[0].id}
