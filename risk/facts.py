"""The facts an official's rule asks about, from the same scan as the features."""

# ruff: noqa: E501 (tables of words, read line by line; a Chinese character counts as two)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from risk.terms import FactSpec, Words

if TYPE_CHECKING:
    from collections.abc import Callable

MONTHLY = ("tax_payment", "social_insurance", "utility", "invoice")
"""Sources that speak every month about a firm at work."""


def _fact(
    name: str, item: str, unit: str, zh: str, en: str, value: str | Callable[[Any], Any] | None = None, *also: str
) -> FactSpec:
    measure = name if value is None else value
    of = (lambda m: m[measure]) if isinstance(measure, str) else measure
    return FactSpec(name, item, unit, Words(zh, en), of, also)


def _whole(measure: str) -> Callable[[Any], Any]:
    return lambda m: m[measure].round().cast("int64")


def _tax_grade(m: Any) -> Any:
    """The letter; 'unrated' for a firm without one while the feed lives (DOMAIN.md: unrated, never D)."""
    import ibis

    return ibis.coalesce(m.tax_grade, ibis.ifelse(m.live_tax_grade, "unrated", ibis.null("string")))


def _latest(*measures: str) -> Callable[[Any], Any]:
    """The latest of several dates, where any is known."""

    def value(m: Any) -> Any:
        import ibis

        nothing = ibis.date(1900, 1, 1)
        return ibis.greatest(*(m[measure].fill_null(nothing) for measure in measures)).nullif(nothing)

    return value


def _loans_overdue(m: Any) -> Any:
    """By the bank's own mark or by the latest month, whichever shows more."""
    import ibis

    most = ibis.greatest(m.loans_late_now.fill_null(0), m.loans_marked_overdue.fill_null(0))
    return ibis.ifelse(m.loans_marked_overdue.notnull(), most, ibis.null("int64"))


def _yearly_sales(m: Any) -> Any:
    """By invoices where the firm has authorised them, else the latest annual report's revenue."""
    import ibis

    return ibis.coalesce(m.sales_12m_fen, m.revenue_fen)


def _void_share(m: Any) -> Any:
    """Void sales invoices over all sales invoices, by number."""
    return m.out_void / m.out_all.nullif(0)


def _negative_share(m: Any) -> Any:
    """Red-letter sales over all valid sales, by absolute amount."""
    red = -m.out_red_fen.fill_null(0)
    return red / (m.out_positive_fen.fill_null(0) + red).nullif(0)


FACTS: list[FactSpec] = [
    _fact("established_on", "registration", "date", "成立日期", "date of establishment"),
    _fact("registration_status", "registration", "code", "登记状态", "registration status"),
    _fact("firm_kind", "registration", "code", "主体类型", "kind of firm"),
    _fact("industry", "registration", "code", "行业代码", "industry, GB/T 4754"),
    _fact("district", "registration", "code", "所属区县", "reporting area"),
    _fact("premises", "registration", "code", "经营场所", "premises"),
    _fact("registered_capital_fen", "registration", "fen", "注册资本", "registered capital"),
    _fact("reported_employees", "annual_report", "persons", "年报从业人数", "employees in the annual report", _whole("employees")),
    _fact("revenue_fen", "annual_report", "fen", "年报营业收入", "yearly revenue in the annual report"),
    _fact("abnormal_listings", "abnormal_operation", "count", "经营异常记录", "abnormal-operation entries in force"),
    _fact("serious_listings", "dishonesty_listing", "count", "严重失信记录", "serious dishonesty entries in force", "dishonesty_listings"),
    _fact("enforcement_open_fen", "court_enforcement", "fen", "未结执行金额", "open court enforcement"),
    _fact("enforcement_open_count", "court_enforcement", "count", "未结被执行案件数", "open enforcement cases"),
    _fact("consumption_limits", "court_enforcement", "count", "限制高消费", "open consumption limits", "consumption_limits_open"),
    _fact("serious_penalties", "penalty", "count", "严重行政处罚", "serious penalties still published"),
    _fact("penalties", "penalty", "count", "行政处罚", "penalties still published"),
    _fact("tax_arrears_months", "tax_payment", "months", "近12个月欠税月数", "months with tax arrears of the last 12", "tax_arrears_months_12m"),
    _fact("tax_late", "tax_payment", "times", "近12个月逾期缴税次数", "late tax payments of the last 12 months", "tax_late_12m"),
    _fact("tax_paid_fen", "tax_payment", "fen", "近12个月纳税额", "tax paid in the last 12 months", "tax_paid_12m_fen"),
    _fact("tax_grade", "tax_grade", "code", "纳税信用等级", "tax credit grade", _tax_grade),
    _fact("insurance_arrears_months", "social_insurance", "months", "近12个月社保欠费月数",
          "months with social insurance arrears of the last 12", "insurance_arrears_months_12m"),
    _fact("employees", "social_insurance", "persons", "参保人数", "insured persons, latest month", _whole("insured_latest")),
    _fact("utility_arrears_months", "utility", "months", "近12个月水电气欠费月数", "months with utility arrears of the last 12",
          "utility_arrears_months_12m"),
    _fact("overdue_days", "loan_performance", "days", "当前贷款逾期天数", "days overdue now, worst loan", _whole("days_overdue_now")),
    _fact("loans_overdue", "loan", "count", "当前逾期贷款数", "loans overdue now", _loans_overdue, "loan_performance"),
    _fact("loans_ever", "loan", "count", "历史贷款数", "loans ever held"),
    _fact("loans_open", "loan", "count", "在贷笔数", "loans open"),
    _fact("loan_balance_fen", "loan_performance", "fen", "贷款余额", "loan balance"),
    _fact("property_free_fen", "real_estate", "fen", "未抵押不动产价值", "real estate free of mortgage"),
    _fact("permits_valid", "permit", "count", "有效行政许可数", "valid permits"),
    _fact("environment_rating", "environment_rating", "code", "环保信用等级", "environmental rating"),
    _fact("honours", "honour", "count", "有效荣誉数", "honours in force"),
    _fact("inventions", "intellectual_property", "count", "有效发明专利数", "invention patents in force"),
    _fact("last_activity_on", "tax_payment", "date", "最近经营活动日期", "last day of any sign of business",
          _latest("tax_last_on", "insurance_last_on", "power_last_on", "invoice_last_on"), *MONTHLY[1:]),
    _fact("heard_on", "tax_payment", "date", "最近收到数据日期", "day the last monthly source was received",
          _latest(*(f"known_{item}" for item in MONTHLY)), *MONTHLY[1:]),
    _fact("yearly_sales_fen", "invoice", "fen", "近12个月销售额", "sales of the last 12 months", _yearly_sales, "annual_report"),
    _fact("first_sale_on", "invoice", "date", "首张销项发票日期", "day of the first valid sales invoice"),
    _fact("last_sale_on", "invoice", "date", "最近销项发票日期", "day of the last valid sales invoice"),
    _fact("active_months", "invoice", "months", "近12个月有销售的月数", "months with sales of the last 12", "sales_months_12m"),
    _fact("void_share", "invoice", "share", "作废发票占比", "share of void sales invoices, by number", _void_share),
    _fact("negative_share", "invoice", "share", "负数发票金额占比", "share of red-letter sales, by amount", _negative_share),
]  # fmt: skip
"""Facts by the names the policy uses; each value's source is `item`, its date the frame's `known_on.<item>`."""
