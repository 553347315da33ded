"""What is counted in the visible records of one item: the aggregates that features and facts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# `t` is the table of one item's rows that a cohort row may see on its day (risk.records.visible): `row`, `as_of`, `age`
# (days since happened_on) and the record's columns. Only operations that DuckDB and Spark both have. Sums of whole
# numbers are cast to int64, because DuckDB's are HUGEINT and land as DOUBLE.
YEAR, QUARTER = 365, 92

Rows = Any
Value = Any
Measures = dict[str, "Callable[[Rows], Value]"]


def as_they_are(t: Rows) -> Rows:
    """The visible rows themselves."""
    return t


@dataclass(frozen=True)
class View:
    """One grouping of one item: `measures` over `rows(visible rows)`, one result per cohort row."""

    item: str
    measures: Mapping[str, Callable[[Rows], Value]]
    rows: Callable[[Rows], Rows] = as_they_are


class OfItem:
    """The rows of one item within a table of all items, as a view's measures see them.

    Elsewhere every column is null, which no aggregate counts; and what counts rows is unknown where the item has none.
    """

    def __init__(self, table: Rows, item: str) -> None:
        self._table, self._own = table, table.item == item

    def __getattr__(self, column: str) -> Value:
        import ibis

        return ibis.ifelse(self._own, self._table[column], ibis.null(self._table[column].type()))

    def count(self, where: Value = None) -> Value:
        """How many rows fulfil `where`."""
        import ibis

        wanted = self._own if where is None else self._own & where
        there = self._table.count(where=self._own) > 0
        return ibis.ifelse(there, self._table.count(where=wanted), ibis.null("int64"))


def fen(t: Rows, where: Value = None) -> Value:
    """Sum of amount_fen; unknown where no row is in the window."""
    return t.amount_fen.sum(where=where).cast("int64")


def times(t: Rows, what: Value, days: int | None = None) -> Value:
    """How many rows fulfil `what`; unknown where the window holds no row at all."""
    return what.cast("int64").sum(where=None if days is None else t.age < days).cast("int64")


def months(t: Rows, what: Value, days: int) -> Value:
    """How many different period ends fulfil `what` in the window; unknown where the window holds no row."""
    import ibis

    return ibis.ifelse(t.age.min() < days, t.happened_on.nunique(where=what & (t.age < days)), ibis.null("int64"))


def field(t: Rows, name: str) -> Value:
    """One coded field of the details (ASCII, no quotes inside), null where absent."""
    return t.details.re_extract(f'"{name}": *"([^"]*)"', 1).nullif("").max()


def recent(t: Rows) -> Value:
    """In the last quarter."""
    return t.age < QUARTER


def year_ago(t: Rows) -> Value:
    """In the same quarter a year earlier."""
    return (t.age >= YEAR) & (t.age < YEAR + QUARTER)


def last_year(t: Rows) -> Value:
    """In the last twelve months."""
    return t.age < YEAR


def year_before(t: Rows) -> Value:
    """In the twelve months before the last twelve."""
    return (t.age >= YEAR) & (t.age < 2 * YEAR)


def running(t: Rows) -> Value:
    """Not ended by the as-of day."""
    return t.ends_on.isnull() | (t.ends_on > t.as_of)


def month_number(day: Value) -> Value:
    """Months since year 0, so that months can be subtracted."""
    return day.year() * 12 + day.month()


def _with_last_key(t: Rows) -> Rows:
    import ibis

    return t.mutate(last_key=t.key.max().over(ibis.window(group_by="row")))


def _per_loan(t: Rows) -> Rows:
    """The latest word on each loan: a cured arrear is no longer open."""
    return t.group_by("row", "party").agg(
        known_on=t.known_on.max(),
        days_now=t.quantity.argmax(t.happened_on),
        days_most=t.quantity.max(where=t.age < 2 * YEAR),
        balance_fen=t.amount_fen.argmax(t.happened_on),
        age=t.age.min(),
    )


def _sales(t: Rows) -> Rows:
    return t.filter((t.status == "valid") & (t.code == "out"))


def _purchases(t: Rows) -> Rows:
    return t.filter((t.status == "valid") & (t.code == "in"))


def _by_month(t: Rows) -> Rows:
    ago = month_number(t.as_of) - month_number(t.happened_on)
    return t.group_by("row", months_ago=ago).agg(month_fen=fen(t))


def _by_party(t: Rows) -> Rows:
    import ibis

    parties = t.group_by("row", "party").agg(
        party_fen=fen(t), bought_months=month_number(t.happened_on).nunique(), age=t.age.min()
    )
    sold = parties.mutate(party_fen=ibis.greatest(parties.party_fen, 0))
    return sold.mutate(all_fen=sold.party_fen.sum().over(ibis.window(group_by="row")).cast("float64"))


def _share_squares(t: Rows) -> Value:
    share = t.party_fen / t.all_fen.nullif(0)
    return (share * share).sum()


_REGISTRATION: Measures = {
    "age_days": lambda t: t.age.max(),
    "established_on": lambda t: t.happened_on.max(),
    "registration_status": lambda t: t.status.max(),
    "industry": lambda t: t.code.max(),
    "registered_capital_fen": lambda t: t.amount_fen.max(),
    "firm_kind": lambda t: field(t, "kind"),
    "district": lambda t: field(t, "district"),
    "premises": lambda t: field(t, "premises"),
}
_PEOPLE: Measures = {
    "legal_persons_left_24m": lambda t: times(
        t, (t.code == "legal_person") & (t.ends_on <= t.as_of)
        & (t.as_of.epoch_days() - t.ends_on.epoch_days() < 2 * YEAR)),
    "shareholders": lambda t: times(t, (t.code == "shareholder") & running(t)),
}  # fmt: skip
_ANNUAL_REPORT: Measures = {
    "employees": lambda t: t.quantity.argmax(t.key),
    "revenue_fen": lambda t: t.amount_fen.argmax(t.key),
    "revenue_before_fen": lambda t: t.amount_fen.argmax(t.key, where=t.key < t.last_key),
}
_TAX_PAYMENT: Measures = {
    "tax_paid_12m_fen": lambda t: fen(t, last_year(t)),
    "tax_paid_before_fen": lambda t: fen(t, year_before(t)),
    "vat_mean": lambda t: t.amount_fen.mean(where=last_year(t) & (t.code == "vat")),
    "vat_spread": lambda t: t.amount_fen.std(where=last_year(t) & (t.code == "vat")),
    "vat_recent": lambda t: t.amount_fen.mean(where=recent(t) & (t.code == "vat")),
    "vat_year_ago": lambda t: t.amount_fen.mean(where=year_ago(t) & (t.code == "vat")),
    "vat_nil_months_12m": lambda t: times(t, (t.code == "vat") & (t.amount_fen == 0), YEAR),
    "tax_late_12m": lambda t: times(t, (t.status == "late") | (t.status == "arrears"), YEAR),
    "tax_days_late_12m": lambda t: t.quantity.max(where=last_year(t)),
    "tax_arrears_months_12m": lambda t: months(t, t.status == "arrears", YEAR),
    "tax_last_on": lambda t: t.happened_on.max(where=t.amount_fen > 0),
}
_SOCIAL_INSURANCE: Measures = {
    "insured_persons": lambda t: t.quantity.mean(where=recent(t)),
    "insured_latest": lambda t: t.quantity.argmax(t.key),
    "insurance_last_on": lambda t: t.happened_on.max(where=t.quantity > 0),
    "insured_year_ago": lambda t: t.quantity.mean(where=year_ago(t)),
    "insurance_months_12m": lambda t: times(t, t.status == "paid", YEAR),
    "insurance_arrears_months_12m": lambda t: times(t, t.status == "arrears", YEAR),
}
_HOUSING_FUND: Measures = {
    "fund_persons": lambda t: t.quantity.mean(where=recent(t)),
    "fund_arrears_months_12m": lambda t: times(t, t.status == "arrears", YEAR),
}
_UTILITY: Measures = {
    "power_recent": lambda t: t.quantity.mean(where=recent(t) & (t.code == "electricity")),
    "power_year_ago": lambda t: t.quantity.mean(where=year_ago(t) & (t.code == "electricity")),
    "power_mean": lambda t: t.quantity.mean(where=last_year(t) & (t.code == "electricity")),
    "power_spread": lambda t: t.quantity.std(where=last_year(t) & (t.code == "electricity")),
    "power_last_on": lambda t: t.happened_on.max(where=t.quantity > 0),
    "utility_late_12m": lambda t: times(t, (t.status == "late") | (t.status == "arrears"), YEAR),
    "utility_arrears_months_12m": lambda t: months(t, t.status == "arrears", YEAR),
}
_REAL_ESTATE: Measures = {
    "property_free_fen": lambda t: fen(t, t.status == "free"),
    "property_fen": fen,
    "property_mortgaged_fen": lambda t: fen(t, t.status == "mortgaged"),
    "property_seized": lambda t: times(t, t.status == "seized"),
}
_PENALTY: Measures = {
    "penalties": lambda t: t.count(),
    "serious_penalties": lambda t: t.count(where=t.code == "serious"),
    "penalties_graver": lambda t: t.count(where=(t.code == "serious") | (t.code == "general")),
    "fines_fen": fen,
}
_COURT: Measures = {
    "enforcement_open_count": lambda t: t.count(where=(t.status == "open") & (t.code == "enforcement")),
    "enforcement_open_fen": lambda t: fen(t, (t.status == "open") & (t.code == "enforcement")),
    "consumption_limits_open": lambda t: t.count(where=(t.status == "open") & (t.code == "consumption_limit")),
    "court_cases_open": lambda t: t.count(where=t.status == "open"),
}
_CONTRACT: Measures = {
    "contracts_performed_24m_fen": lambda t: fen(t, (t.age < 2 * YEAR) & (t.status == "performed")),
    "contracts_breached_24m": lambda t: t.count(where=(t.age < 2 * YEAR) & (t.status == "breached")),
}
_TRADE: Measures = {"exports_12m_fen": lambda t: fen(t, last_year(t) & (t.code == "export"))}
_LOAN: Measures = {
    "loans_ever": lambda t: t.count(),
    "loans_open": lambda t: t.count(where=(t.status == "overdue") | ((t.status == "normal") & running(t))),
    "loans_settled": lambda t: t.count(where=t.status == "settled"),
    "loans_marked_overdue": lambda t: t.count(where=t.status == "overdue"),
    "loan_first_age": lambda t: t.age.max(),
    "loan_principal_open_fen": lambda t: fen(t, (t.status == "overdue") | ((t.status == "normal") & running(t))),
}
_LOAN_PERFORMANCE: Measures = {
    "loans_late_now": lambda t: t.count(where=(t.days_now > 0) & (t.age < YEAR)),
    "days_overdue_now": lambda t: t.days_now.max(where=t.age < YEAR),
    "days_overdue_24m": lambda t: t.days_most.max(),
    "loan_balance_fen": lambda t: t.balance_fen.sum(where=t.age < QUARTER).cast("int64"),
}
_INVOICE: Measures = {
    "invoice_last_on": lambda t: t.happened_on.max(),
    "first_sale_on": lambda t: t.happened_on.min(where=(t.code == "out") & (t.status == "valid")),
    "last_sale_on": lambda t: t.happened_on.max(where=(t.code == "out") & (t.status == "valid")),
    "sales_span_days": lambda t: t.age.max(where=(t.code == "out") & (t.status == "valid")),
    "out_all": lambda t: t.count(where=t.code == "out"),
    "in_all": lambda t: t.count(where=t.code == "in"),
    "out_void": lambda t: t.count(where=(t.code == "out") & (t.status == "void")),
    "in_void": lambda t: t.count(where=(t.code == "in") & (t.status == "void")),
    "out_red": lambda t: t.count(where=(t.code == "out") & (t.status == "valid") & (t.amount_fen < 0)),
    "in_red": lambda t: t.count(where=(t.code == "in") & (t.status == "valid") & (t.amount_fen < 0)),
    "out_red_fen": lambda t: fen(t, (t.code == "out") & (t.status == "valid") & (t.amount_fen < 0)),
    "out_positive_fen": lambda t: fen(t, (t.code == "out") & (t.status == "valid") & (t.amount_fen > 0)),
    "sales_fen": lambda t: fen(t, (t.code == "out") & (t.status == "valid")),
    "purchases_fen": lambda t: fen(t, (t.code == "in") & (t.status == "valid")),
    "sales_count": lambda t: t.count(where=(t.code == "out") & (t.status == "valid")),
    "sales_12m_fen": lambda t: fen(t, last_year(t) & (t.code == "out") & (t.status == "valid")),
    "sales_before_fen": lambda t: fen(t, year_before(t) & (t.code == "out") & (t.status == "valid")),
    "sales_recent_fen": lambda t: fen(t, recent(t) & (t.code == "out") & (t.status == "valid")),
    "sale_last_age": lambda t: t.age.min(where=(t.code == "out") & (t.status == "valid")),
    "purchase_last_age": lambda t: t.age.min(where=(t.code == "in") & (t.status == "valid")),
}
_SALES_MONTHS: Measures = {
    "sales_months": lambda t: t.count(),
    "sales_months_12m": lambda t: t.count(where=t.months_ago < 12),
    "sales_month_median_fen": lambda t: t.month_fen.median(),
    "sales_month_mean_fen": lambda t: t.month_fen.mean(),
    "sales_month_spread_fen": lambda t: t.month_fen.std(),
}
_PURCHASE_MONTHS: Measures = {
    "purchase_months": lambda t: t.count(),
    "purchase_month_median_fen": lambda t: t.month_fen.median(),
}
_CUSTOMERS: Measures = {
    "customers": lambda t: t.count(),
    "customers_12m": lambda t: t.count(where=t.age < YEAR),
    "customers_returning": lambda t: t.count(where=t.bought_months > 1),
    "customer_top_share": lambda t: (t.party_fen / t.all_fen.nullif(0)).max(),
    "customer_concentration": _share_squares,
}
_SUPPLIERS: Measures = {
    "suppliers": lambda t: t.count(),
    "supplier_top_share": lambda t: (t.party_fen / t.all_fen.nullif(0)).max(),
}

VIEWS: dict[str, View] = {
    "registration": View("registration", _REGISTRATION),
    "people": View("people", _PEOPLE),
    "annual_report": View("annual_report", _ANNUAL_REPORT, _with_last_key),
    "tax_grade": View("tax_grade", {"tax_grade": lambda t: t.code.argmax(t.key)}),
    "tax_payment": View("tax_payment", _TAX_PAYMENT),
    "social_insurance": View("social_insurance", _SOCIAL_INSURANCE),
    "housing_fund": View("housing_fund", _HOUSING_FUND),
    "utility": View("utility", _UTILITY),
    "real_estate": View("real_estate", _REAL_ESTATE),
    "permit": View("permit", {"permits_valid": lambda t: t.count(where=(t.status == "valid") & running(t))}),
    "penalty": View("penalty", _PENALTY),
    "court_enforcement": View("court_enforcement", _COURT),
    "dishonesty_listing": View("dishonesty_listing", {"dishonesty_listings": lambda t: t.count()}),
    "abnormal_operation": View("abnormal_operation", {"abnormal_listings": lambda t: t.count()}),
    "honour": View("honour", {"honours": lambda t: t.count(where=running(t))}),
    "intellectual_property": View("intellectual_property", {
        "property_rights": lambda t: t.count(where=running(t)),
        "inventions": lambda t: t.count(where=running(t) & (t.code == "invention"))}),
    "contract": View("contract", _CONTRACT),
    "trade": View("trade", _TRADE),
    "loan": View("loan", _LOAN),
    "loan_performance": View("loan_performance", _LOAN_PERFORMANCE, _per_loan),
    "environment_rating": View("environment_rating", {"environment_rating": lambda t: t.code.argmax(t.key)}),
    "invoice": View("invoice", _INVOICE),
    "sales_month": View("invoice", _SALES_MONTHS, lambda t: _by_month(_sales(t))),
    "purchase_month": View("invoice", _PURCHASE_MONTHS, lambda t: _by_month(_purchases(t))),
    "customer": View("invoice", _CUSTOMERS, lambda t: _by_party(_sales(t))),
    "supplier": View("invoice", _SUPPLIERS, lambda t: _by_party(_purchases(t))),
}  # fmt: skip
"""Every view by name; the names of measures are unique across views."""
