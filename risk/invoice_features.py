"""The features of a firm of which only invoices are known: the same kind of expressions, another short list."""

# ruff: noqa: E501 (tables of words, read line by line; a Chinese character counts as two)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from risk.terms import Feature, Words

if TYPE_CHECKING:
    from collections.abc import Callable

CAP = 10.0


def _per(top: str, below: str) -> Callable[[Any], Any]:
    """One measure per another, missing tops counted as nothing; unknown where the denominator is not positive."""
    return lambda m: (m[top].fill_null(0) / (m[below] > 0).ifelse(m[below], None)).clip(-CAP, CAP)


def _change(now: str, before: str) -> Callable[[Any], Any]:
    return lambda m: (m[now].fill_null(0) / (m[before] > 0).ifelse(m[before], None) - 1).clip(-1, CAP)


def _yuan(measure: str) -> Callable[[Any], Any]:
    return lambda m: m[measure] / 100


def _plain(measure: str) -> Callable[[Any], Any]:
    return lambda m: m[measure]


def _pace(m: Any) -> Any:
    """Sales of the last quarter over a quarter of the last twelve months' sales."""
    yearly = m.sales_12m_fen * (92 / 365)
    return (m.sales_recent_fen.fill_null(0) / (yearly > 0).ifelse(yearly, None)).clip(0, CAP)


def _margin(m: Any) -> Any:
    """Sales less purchases, over sales."""
    sales = (m.sales_fen > 0).ifelse(m.sales_fen, None)
    return ((m.sales_fen - m.purchases_fen.fill_null(0)) / sales).clip(-CAP, 1)


def _invoice(
    name: str, words: tuple[str, str], unit: str, direction: int, group: str, value: Callable[[Any], Any],
    meaning: tuple[str, str], adverse: tuple[str, str], favourable: tuple[str, str],
) -> Feature:  # fmt: skip
    return Feature(name, Words(*words), unit, "invoice", direction, group, value, Words(*adverse), Words(*favourable),
                   Words(*meaning))  # fmt: skip


INVOICE_FEATURES: list[Feature] = [
    _invoice("sales_month_median", ("月销售额中位数", "median monthly sales"), "yuan", -1, "sales",
             _yuan("sales_month_median_fen"),
             ("有销售月份的有效销项价税合计中位数", "Median of valid sales over the months with sales"),
             ("月销售额中位数较低，为{value}", "Median monthly sales are low at {value}"),
             ("月销售额中位数为{value}", "Median monthly sales are {value}")),
    _invoice("sales_total", ("销售总额", "total sales"), "yuan", -1, "sales", _yuan("sales_fen"),
             ("全部有效销项发票合计", "Sum of all valid sales invoices"),
             ("销售总额较低，为{value}", "Total sales are low at {value}"),
             ("销售总额为{value}", "Total sales are {value}")),
    _invoice("purchase_month_median", ("月采购额中位数", "median monthly purchases"), "yuan", 0, "purchases",
             _yuan("purchase_month_median_fen"),
             ("有采购月份的有效进项价税合计中位数", "Median of valid purchases over the months with purchases"),
             ("采购规模（月中位数{value}）提高了评估的风险", "The size of purchases (median month {value}) raises the risk"),
             ("采购规模（月中位数{value}）降低了评估的风险", "The size of purchases (median month {value}) lowers the risk")),
    _invoice("sales_change", ("销售额年度变化", "change in yearly sales"), "change", -1, "sales_trend",
             _change("sales_12m_fen", "sales_before_fen"),
             ("近12个月与再前12个月销售额之比减一", "Sales of 12 months against the 12 before"),
             ("近12个月销售额{value}", "Sales of 12 months {value} on the 12 before"),
             ("近12个月销售额{value}", "Sales of 12 months {value} on the 12 before")),
    _invoice("sales_pace", ("近一季销售进度", "pace of the last quarter"), "ratio", -1, "sales_trend", _pace,
             ("近92天销售额与近一年平均92天销售额之比", "Sales of 92 days over the year's mean for 92 days"),
             ("近一季销售为全年平均水平的{value}倍", "Sales of the last quarter run at {value} of the year's pace"),
             ("近一季销售为全年平均水平的{value}倍", "Sales of the last quarter run at {value} of the year's pace")),
    _invoice("sales_volatility", ("月销售额波动", "swings in monthly sales"), "ratio", 1, "sales_volatility",
             _per("sales_month_spread_fen", "sales_month_mean_fen"),
             ("各月销售额标准差与均值之比", "Standard deviation of monthly sales over their mean"),
             ("各月销售额起伏较大（变异系数{value}）", "Monthly sales swing widely (variation {value})"),
             ("各月销售额平稳（变异系数{value}）", "Monthly sales are steady (variation {value})")),
    _invoice("sales_months", ("有销售月数", "months with sales"), "months", -1, "activity", _plain("sales_months"),
             ("有有效销项发票的月数", "Months with valid sales invoices"),
             ("只有{value}开出过销项发票", "Sales invoices in only {value}"),
             ("有{value}开出过销项发票", "Sales invoices in {value}")),
    _invoice("sales_count", ("销项发票张数", "number of sales invoices"), "invoices", -1, "activity", _plain("sales_count"),
             ("有效销项发票张数", "Number of valid sales invoices"),
             ("销项发票较少，共{value}", "Few sales invoices: {value}"),
             ("销项发票共{value}", "Sales invoices: {value}")),
    _invoice("purchase_months", ("有采购月数", "months with purchases"), "months", -1, "activity",
             _plain("purchase_months"),
             ("有有效进项发票的月数", "Months with valid purchase invoices"),
             ("只有{value}取得过进项发票", "Purchase invoices in only {value}"),
             ("有{value}取得过进项发票", "Purchase invoices in {value}")),
    _invoice("days_since_sale", ("距最近一次销售", "days since the last sale"), "days", 1, "recency",
             _plain("sale_last_age"),
             ("距最近一张有效销项发票的天数", "Days since the last valid sales invoice"),
             ("已有{value}没有开出销项发票", "No sales invoice for {value}"),
             ("最近一次销售在{value}前", "The last sale was {value} ago")),
    _invoice("days_since_purchase", ("距最近一次采购", "days since the last purchase"), "days", 1, "recency",
             _plain("purchase_last_age"),
             ("距最近一张有效进项发票的天数", "Days since the last valid purchase invoice"),
             ("已有{value}没有取得进项发票", "No purchase invoice for {value}"),
             ("最近一次采购在{value}前", "The last purchase was {value} ago")),
    _invoice("sales_void_share", ("销项作废占比", "share of void sales invoices"), "share", 1, "void",
             _per("out_void", "out_all"),
             ("作废销项发票张数占比", "Void sales invoices over all, by number"),
             ("销项发票作废占{value}", "{value} of sales invoices are void"),
             ("销项发票作废只占{value}", "Only {value} of sales invoices are void")),
    _invoice("purchase_void_share", ("进项作废占比", "share of void purchase invoices"), "share", 1, "void",
             _per("in_void", "in_all"),
             ("作废进项发票张数占比", "Void purchase invoices over all, by number"),
             ("进项发票作废占{value}", "{value} of purchase invoices are void"),
             ("进项发票作废只占{value}", "Only {value} of purchase invoices are void")),
    _invoice("sales_red_share", ("销项红字占比", "share of red-letter sales invoices"), "share", 1, "red_letter",
             _per("out_red", "sales_count"),
             ("有效销项发票中负数发票的张数占比", "Negative over valid sales invoices, by number"),
             ("红字销项发票占{value}", "{value} of sales invoices are reversals"),
             ("红字销项发票只占{value}", "Only {value} of sales invoices are reversals")),
    _invoice("customers", ("客户数", "number of customers"), "parties", -1, "customers", _plain("customers"),
             ("有有效销项发票的不同对方单位数", "Different counterparties on valid sales invoices"),
             ("客户较少，共{value}", "Few customers: {value}"), ("客户共{value}", "Customers: {value}")),
    _invoice("returning_share", ("回头客占比", "share of returning customers"), "share", -1, "customers",
             _per("customers_returning", "customers"),
             ("在两个及以上月份有销售的客户占比", "Customers with sales in two months or more, over all"),
             ("回头客只占{value}", "Only {value} of customers come back"),
             ("回头客占{value}", "{value} of customers come back")),
    _invoice("top_customer_share", ("最大客户占比", "share of the largest customer"), "share", 0, "concentration",
             _plain("customer_top_share"),
             ("最大客户占销售额的比重", "The largest customer's share of sales"),
             ("最大客户占销售额{value}，提高了评估的风险", "The largest customer's share of {value} raises the risk"),
             ("最大客户占销售额{value}，降低了评估的风险", "The largest customer's share of {value} lowers the risk")),
    _invoice("customer_concentration", ("客户集中度", "customer concentration"), "ratio", 0, "concentration",
             _plain("customer_concentration"),
             ("各客户销售占比平方和", "Sum of squared customer shares (HHI)"),
             ("客户集中度（{value}）提高了评估的风险", "Customer concentration ({value}) raises the risk"),
             ("客户集中度（{value}）降低了评估的风险", "Customer concentration ({value}) lowers the risk")),
    _invoice("suppliers", ("供应商数", "number of suppliers"), "parties", -1, "suppliers", _plain("suppliers"),
             ("有有效进项发票的不同对方单位数", "Different counterparties on valid purchase invoices"),
             ("供应商较少，共{value}", "Few suppliers: {value}"), ("供应商共{value}", "Suppliers: {value}")),
    _invoice("top_supplier_share", ("最大供应商占比", "share of the largest supplier"), "share", 0, "suppliers",
             _plain("supplier_top_share"),
             ("最大供应商占采购额的比重", "The largest supplier's share of purchases"),
             ("最大供应商占采购额{value}，提高了评估的风险", "The largest supplier's share of {value} raises the risk"),
             ("最大供应商占采购额{value}，降低了评估的风险", "The largest supplier's share of {value} lowers the risk")),
    _invoice("margin", ("进销差率", "margin of sales over purchases"), "share", 0, "margin", _margin,
             ("（销售额减采购额）与销售额之比", "Sales less purchases, over sales"),
             ("进销差率{value}提高了评估的风险", "A margin of {value} raises the risk"),
             ("进销差率{value}降低了评估的风险", "A margin of {value} lowers the risk")),
    _invoice("input_output", ("进销比", "purchases per sales"), "ratio", 0, "margin", _per("purchases_fen", "sales_fen"),
             ("有效进项与有效销项金额之比", "Valid purchases over valid sales"),
             ("进销比{value}提高了评估的风险", "Purchases of {value} per sales raise the risk"),
             ("进销比{value}降低了评估的风险", "Purchases of {value} per sales lower the risk")),
]  # fmt: skip
"""Features of the invoice-only world; any outcome, such as a bank's own rating, is not among them."""
