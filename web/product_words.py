"""A product's versions in words: what each one changed of the one before."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from web import words
from web.formats import count, day, money, percent
from web.language import Phrase, gettext
from web.language import lazy as _

Say = Callable[[Any], str]


def _months(value: Any) -> str:
    return gettext("%(n)s 个月") % {"n": value}


def _listed(say: Say) -> Say:
    return lambda values: gettext("、").join(say(value) for value in values)


TERMS: Mapping[str, tuple[Phrase, Say]] = {
    "name": (_("产品名称"), str),
    "name_en": (_("英文名称"), str),
    "amount_min_fen": (_("最低金额"), money),
    "amount_max_fen": (_("最高金额"), money),
    "term_min_months": (_("最短期限"), _months),
    "term_max_months": (_("最长期限"), _months),
    "rate_min": (_("最低年利率"), percent),
    "rate_max": (_("最高年利率"), percent),
    "loan_types": (_("贷款方式"), _listed(lambda code: words.of("loan_type", code))),
    "places_per_day": (_("每天最多接几户"), count),
    "quota_fen": (_("总额度"), money),
    "from_on": (_("开始日期"), lambda value: day(date.fromisoformat(value))),
    "until_on": (_("结束日期"), lambda value: day(date.fromisoformat(value))),
    "min_months_in_business": (_("成立至少"), _months),
    "min_tax_grade": (_("纳税信用等级不低于"), lambda code: words.of("tax_grade", code)),
    "min_yearly_sales_fen": (_("近 12 个月销售额至少"), money),
    "min_tax_paid_fen": (_("近 12 个月纳税至少"), money),
    "min_employees": (_("参保人数至少"), count),
    "max_probability": (_("违约概率不高于"), lambda value: percent(Decimal(str(value)))),
    "max_overdue_days": (_("逾期天数不超过"), count),
    "max_tax_arrears_months": (_("欠税月数不超过"), count),
    "max_enforcement_open_fen": (_("未结执行金额不超过"), money),
    "firm_kinds": (_("企业类型"), _listed(lambda code: words.of("firm_kind", code))),
    "sizes": (_("企业规模"), _listed(lambda code: words.of("size_class", code))),
    "districts": (_("区县"), _listed(words.district)),
    "industries": (_("只做这些行业"), _listed(words.industry)),
    "excluded_industries": (_("不做这些行业"), _listed(words.industry)),
}
"""A term or criterion → its name and how its stored value reads; a term that is not here is not told."""


@dataclass(frozen=True)
class Change:
    """One term before and after; '' where it was or is not set."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class VersionSaid:
    number: int
    changed_at: datetime
    by: str
    changes: Sequence[Change]


def tell_versions(rows: Sequence[Row[Any]]) -> list[VersionSaid]:
    """The versions (`store.products.list_versions`), the latest first; the first one tells all its terms."""
    told: list[VersionSaid] = []
    before: dict[str, Any] = {}
    for row in rows:
        after = _flat(before | row.terms)
        told.append(VersionSaid(row.version, row.changed_at, row.person_name or "", _changes(before, after)))
        before = after
    return told[::-1]


def _flat(terms: Mapping[str, Any]) -> dict[str, Any]:
    """Terms with their criteria beside them; a version that names its criteria replaces those before it."""
    if "criteria" not in terms:
        return dict(terms)
    kept = {name: value for name, value in terms.items() if name != "criteria" and name not in CRITERIA}
    return {**kept, **terms["criteria"]}


CRITERIA = frozenset(list(TERMS)[list(TERMS).index("min_months_in_business") :])


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    pairs = ((name, _said(name, before), _said(name, after)) for name in TERMS)
    return [Change(str(TERMS[name][0]), old, new) for name, old, new in pairs if old != new]


def _said(name: str, terms: Mapping[str, Any]) -> str:
    value = terms.get(name)
    return "" if value in (None, "", []) else TERMS[name][1](value)
