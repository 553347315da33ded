"""The features of a firm: one list for training and serving, each an Ibis expression with its meaning and its words."""

# ruff: noqa: E501 (tables of words, read line by line; a Chinese character counts as two)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from risk.build import build
from risk.facts import FACTS
from risk.invoice_features import INVOICE_FEATURES
from risk.terms import FactSpec, Feature, Words

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

__all__ = ["FACTS", "FEATURES", "INVOICE_FEATURES", "FactSpec", "Feature", "build"]

SAFER, FREE, RISKIER = -1, 0, 1
NONE, UNKNOWN = "none", "unknown"
"""What a missing record means: none happened (the feed lives), or nobody knows."""

CAP = 5.0
"""Ratios and changes are capped here, so that one odd denominator does not rule a firm."""


def yuan(measure: str) -> Callable[[Any], Any]:
    """A measure in fen, as yuan."""
    return lambda m: m[measure] / 100


def plain(measure: str) -> Callable[[Any], Any]:
    """A measure as it is."""
    return lambda m: m[measure]


def ratio(top: str, below: str, cap: float = CAP) -> Callable[[Any], Any]:
    """One measure per another; unknown where the denominator is not positive."""
    return lambda m: (m[top] / (m[below] > 0).ifelse(m[below], None)).clip(0, cap)


def change(now: str, before: str) -> Callable[[Any], Any]:
    """Relative change from `before` to `now`: -1 gone, 0 level, 1 doubled; unknown without a positive start."""
    return lambda m: (m[now] / (m[before] > 0).ifelse(m[before], None) - 1).clip(-1, CAP)


def sector(*letters: str) -> Callable[[Any], Any]:
    """1 where the GB/T 4754 section is one of the letters."""
    return lambda m: m.industry.substr(0, 1).isin(letters).cast("int64")


def rank(measure: str, *best_first: str) -> Callable[[Any], Any]:
    """A letter or colour as a number, the best highest; unknown where unrated."""
    import ibis

    def value(m: Any) -> Any:
        last = len(best_first) - 1
        return ibis.cases(*((m[measure] == grade, last - place) for place, grade in enumerate(best_first)))

    return value


def feature(
    name: str, words: tuple[str, str], unit: str, item: str, direction: int, group: str, value: Callable[[Any], Any],
    adverse: tuple[str, str], favourable: tuple[str, str], meaning: tuple[str, str], missing: str = UNKNOWN,
    *, actionable: bool = False, also: tuple[str, ...] = (),
) -> Feature:  # fmt: skip
    """One line of the list below."""
    return Feature(name, Words(*words), unit, item, direction, group, value, Words(*adverse), Words(*favourable),
                   Words(*meaning), missing, actionable, also)  # fmt: skip


FEATURES: list[Feature] = [
    # Registration and people
    feature("months_in_business", ("成立时长", "time in business"), "months", "registration", SAFER, "tenure",
            lambda m: m.age_days / 30.4375,
            ("成立时间较短，为{value}", "In business for only {value}"),
            ("成立时间较长，为{value}", "In business for {value}"),
            ("自成立之日起的月数", "Months since the firm was established")),
    feature("registered_capital", ("注册资本", "registered capital"), "yuan", "registration", SAFER, "size",
            yuan("registered_capital_fen"),
            ("注册资本较低，为{value}", "Registered capital is low at {value}"),
            ("注册资本为{value}", "Registered capital is {value}"),
            ("登记的注册资本", "Registered capital")),
    feature("in_trade", ("批发零售业", "in wholesale or retail"), "flag", "registration", FREE, "industry",
            sector("F"), ("所在行业近年违约较多", "The firm's industry has had more defaults"),
            ("所在行业近年违约较少", "The firm's industry has had fewer defaults"),
            ("行业门类为F 批发和零售业", "GB/T 4754 section F")),
    feature("in_manufacturing", ("制造业", "in manufacturing"), "flag", "registration", FREE, "industry",
            sector("C"), ("所在行业近年违约较多", "The firm's industry has had more defaults"),
            ("所在行业近年违约较少", "The firm's industry has had fewer defaults"),
            ("行业门类为C 制造业", "GB/T 4754 section C")),
    feature("in_construction", ("建筑和房地产业", "in construction or real estate"), "flag", "registration", FREE,
            "industry", sector("E", "K"), ("所在行业近年违约较多", "The firm's industry has had more defaults"),
            ("所在行业近年违约较少", "The firm's industry has had fewer defaults"),
            ("行业门类为E 建筑业或K 房地产业", "GB/T 4754 section E or K")),
    feature("in_catering", ("住宿餐饮和居民服务业", "in lodging, catering or personal services"), "flag",
            "registration", FREE, "industry", sector("H", "O", "R"),
            ("所在行业近年违约较多", "The firm's industry has had more defaults"),
            ("所在行业近年违约较少", "The firm's industry has had fewer defaults"),
            ("行业门类为H 住宿餐饮业、O 居民服务业或R 文体娱乐业", "GB/T 4754 section H, O or R")),
    feature("fixed_premises", ("经营场所稳定程度", "hold on the premises"), "grade", "registration", SAFER, "premises",
            rank("premises", "owned", "rented", "online", "none"),
            ("经营场所的稳定程度偏低", "The hold on the premises is weak"),
            ("经营场所较为稳定", "The hold on the premises is firm"),
            ("自有3、租赁2、网络经营1、无固定场所0", "Owned 3, rented 2, online 1, none 0")),
    feature("legal_persons_left", ("近24个月法定代表人更换", "changes of legal representative in 24 months"), "times",
            "people", RISKIER, "management", plain("legal_persons_left_24m"),
            ("近24个月更换法定代表人{value}", "The legal representative changed {value} in 24 months"),
            ("近24个月未更换法定代表人", "No change of legal representative in 24 months"),
            ("近24个月离任的法定代表人人次", "Legal representatives who left within 24 months"), NONE),
    # Annual report
    feature("employees", ("从业人数", "employees"), "persons", "annual_report", SAFER, "size", plain("employees"),
            ("从业人数较少，为{value}", "Few employees: {value}"),
            ("从业人数为{value}", "Employees: {value}"),
            ("最近一份年报的从业人数", "Employees in the latest annual report")),
    feature("revenue", ("年营业收入", "yearly revenue"), "yuan", "annual_report", SAFER, "revenue",
            yuan("revenue_fen"),
            ("年营业收入较低，为{value}", "Yearly revenue is low at {value}"),
            ("年营业收入为{value}", "Yearly revenue is {value}"),
            ("最近一份年报的营业收入", "Revenue in the latest annual report")),
    feature("revenue_change", ("营业收入变化", "change in revenue"), "change", "annual_report", SAFER, "revenue_trend",
            change("revenue_fen", "revenue_before_fen"),
            ("营业收入较上年{value}", "Revenue {value} on the year before"),
            ("营业收入较上年{value}", "Revenue {value} on the year before"),
            ("最近两份年报营业收入之比减一", "Latest annual report's revenue against the one before")),
    # Tax
    feature("tax_grade", ("纳税信用等级", "tax credit grade"), "grade", "tax_grade", SAFER, "tax_grade",
            rank("tax_grade", "A", "B", "M", "C", "D"),
            ("纳税信用等级偏低", "The tax credit grade is on the low side"),
            ("纳税信用等级良好", "The tax credit grade is good"),
            ("A 4、B 3、M 2、C 1、D 0；未评级为缺失，不作D级", "A 4, B 3, M 2, C 1, D 0; unrated is missing, never D"),
            actionable=True),
    feature("tax_paid_12m", ("近12个月纳税额", "tax paid in 12 months"), "yuan", "tax_payment", SAFER, "tax_scale",
            yuan("tax_paid_12m_fen"),
            ("近12个月纳税额较低，为{value}", "Tax paid in 12 months is low at {value}"),
            ("近12个月纳税{value}", "Tax paid in 12 months: {value}"),
            ("近12个月实缴税款合计", "Sum of taxes paid in 12 months")),
    feature("vat_change", ("增值税同比变化", "change in VAT on a year ago"), "change", "tax_payment", SAFER, "tax_trend",
            change("vat_recent", "vat_year_ago"),
            ("近一季增值税同比{value}", "VAT of the last quarter {value} on a year ago"),
            ("近一季增值税同比{value}", "VAT of the last quarter {value} on a year ago"),
            ("近92天月均增值税与上年同期之比减一", "Mean monthly VAT of 92 days against a year earlier")),
    feature("tax_change", ("纳税额年度变化", "change in yearly tax"), "change", "tax_payment", SAFER, "tax_trend",
            change("tax_paid_12m_fen", "tax_paid_before_fen"),
            ("近12个月纳税额较上一年度{value}", "Tax of 12 months {value} on the 12 before"),
            ("近12个月纳税额较上一年度{value}", "Tax of 12 months {value} on the 12 before"),
            ("近12个月与再前12个月纳税额之比减一", "Tax of 12 months against the 12 before")),
    feature("vat_volatility", ("增值税波动", "swings in VAT"), "ratio", "tax_payment", RISKIER, "tax_volatility",
            ratio("vat_spread", "vat_mean"),
            ("各月增值税起伏较大（变异系数{value}）", "Monthly VAT swings widely (variation {value})"),
            ("各月增值税平稳（变异系数{value}）", "Monthly VAT is steady (variation {value})"),
            ("近12个月各月增值税标准差与均值之比", "Standard deviation of monthly VAT over its mean, 12 months")),
    feature("vat_nil_months", ("增值税零申报月数", "months of nil VAT"), "months", "tax_payment", RISKIER, "tax_scale",
            plain("vat_nil_months_12m"),
            ("近12个月有{value}增值税为零", "VAT was nil in {value} of the last 12"),
            ("近12个月没有增值税为零的月份", "No month of nil VAT in the last 12"),
            ("近12个月增值税为零的月数", "Months with VAT of zero in 12 months")),
    feature("tax_late", ("逾期缴税次数", "late tax payments"), "times", "tax_payment", RISKIER, "tax_discipline",
            plain("tax_late_12m"),
            ("近12个月逾期缴税{value}", "Tax was paid late {value} in 12 months"),
            ("近12个月均按期缴税", "Tax was always paid on time in 12 months"),
            ("近12个月逾期或欠缴的税款笔数", "Late or unpaid tax payments in 12 months"), actionable=True),
    feature("tax_days_late", ("最长逾期缴税天数", "longest delay in paying tax"), "days", "tax_payment", RISKIER,
            "tax_discipline", plain("tax_days_late_12m"),
            ("近12个月缴税最长逾期{value}", "The longest delay in paying tax in 12 months was {value}"),
            ("近12个月缴税没有长时间逾期", "No long delay in paying tax in 12 months"),
            ("近12个月单笔最长逾期天数", "Longest delay of one payment in 12 months"), actionable=True),
    feature("tax_arrears_months", ("欠税月数", "months of tax owed"), "months", "tax_payment", RISKIER,
            "tax_discipline", plain("tax_arrears_months_12m"),
            ("近12个月有{value}税款尚未缴清", "Tax is still owed for {value} of the last 12"),
            ("近12个月没有欠税", "No tax owed in 12 months"),
            ("近12个月仍欠税的所属期数", "Periods of the last 12 months with tax still owed"), actionable=True),
    # Staff
    feature("insured_persons", ("参保人数", "insured persons"), "persons", "social_insurance", SAFER, "size",
            plain("insured_persons"),
            ("参保人数较少，为{value}", "Few insured persons: {value}"),
            ("参保人数为{value}", "Insured persons: {value}"),
            ("近92天月均参保人数", "Mean insured persons over 92 days")),
    feature("insured_change", ("参保人数同比变化", "change in insured persons"), "change", "social_insurance", SAFER,
            "staff_trend", change("insured_persons", "insured_year_ago"),
            ("参保人数同比{value}", "Insured persons {value} on a year ago"),
            ("参保人数同比{value}", "Insured persons {value} on a year ago"),
            ("近92天月均参保人数与上年同期之比减一", "Mean insured persons of 92 days against a year earlier")),
    feature("insurance_months", ("社保正常缴纳月数", "months of social insurance paid"), "months", "social_insurance",
            SAFER, "staff_discipline", plain("insurance_months_12m"),
            ("近12个月社保只正常缴纳{value}", "Social insurance was paid in only {value} of 12"),
            ("近12个月社保正常缴纳{value}", "Social insurance was paid in {value} of 12"),
            ("近12个月正常缴纳社保的月数", "Months of 12 with social insurance paid"), actionable=True),
    feature("insurance_arrears", ("社保欠缴月数", "months of social insurance owed"), "months", "social_insurance",
            RISKIER, "staff_discipline", plain("insurance_arrears_months_12m"),
            ("近12个月社保欠缴{value}", "Social insurance is owed for {value} of the last 12"),
            ("近12个月没有欠缴社保", "No social insurance owed in 12 months"),
            ("近12个月欠缴社保的月数", "Months of 12 with social insurance owed"), actionable=True),
    feature("fund_persons", ("公积金缴存人数", "persons in the housing fund"), "persons", "housing_fund", SAFER, "size",
            plain("fund_persons"),
            ("公积金缴存人数较少，为{value}", "Few persons in the housing fund: {value}"),
            ("为{value}缴存公积金", "Persons in the housing fund: {value}"),
            ("近92天月均公积金缴存人数", "Mean persons in the housing fund over 92 days")),
    feature("fund_arrears", ("公积金欠缴月数", "months of housing fund owed"), "months", "housing_fund", RISKIER,
            "staff_discipline", plain("fund_arrears_months_12m"),
            ("近12个月公积金欠缴{value}", "Housing fund is owed for {value} of the last 12"),
            ("近12个月没有欠缴公积金", "No housing fund owed in 12 months"),
            ("近12个月欠缴公积金的月数", "Months of 12 with housing fund owed"), actionable=True),
    # Energy
    feature("power_change", ("用电量同比变化", "change in electricity use"), "change", "utility", SAFER, "energy",
            change("power_recent", "power_year_ago"),
            ("近一季用电量同比{value}", "Electricity use of the last quarter {value} on a year ago"),
            ("近一季用电量同比{value}", "Electricity use of the last quarter {value} on a year ago"),
            ("近92天月均用电量与上年同期之比减一", "Mean monthly electricity of 92 days against a year earlier")),
    feature("power_volatility", ("用电量波动", "swings in electricity use"), "ratio", "utility", FREE, "energy",
            ratio("power_spread", "power_mean"),
            ("各月用电量的起伏（变异系数{value}）提高了评估的风险", "Swings in electricity use (variation {value}) raise the risk"),
            ("各月用电量的起伏（变异系数{value}）降低了评估的风险", "Swings in electricity use (variation {value}) lower the risk"),
            ("近12个月各月用电量标准差与均值之比", "Standard deviation of monthly electricity over its mean")),
    feature("utility_late", ("水电气逾期缴费次数", "late utility bills"), "times", "utility", RISKIER,
            "utility_discipline", plain("utility_late_12m"),
            ("近12个月水电气逾期缴费{value}", "Utility bills were late {value} in 12 months"),
            ("近12个月水电气均按期缴费", "Utility bills were always paid on time in 12 months"),
            ("近12个月逾期或欠缴的水电气账单数", "Late or unpaid utility bills in 12 months"), actionable=True),
    # Property, permits, standing
    feature("property_free", ("未抵押不动产价值", "real estate free of mortgage"), "yuan", "real_estate", SAFER,
            "property", yuan("property_free_fen"),
            ("没有或很少有未抵押的不动产", "Little or no real estate free of mortgage"),
            ("有未抵押的不动产，评估价值{value}", "Real estate free of mortgage, assessed at {value}"),
            ("无他项权利的不动产评估价值合计", "Assessed value of real estate without encumbrance"), NONE),
    feature("property_seized", ("被查封不动产", "seized real estate"), "count", "real_estate", RISKIER, "court",
            plain("property_seized"),
            ("有{value}不动产被查封", "Pieces of real estate seized: {value}"),
            ("没有不动产被查封", "No real estate seized"),
            ("状态为查封的不动产数", "Pieces of real estate with a seizure"), NONE, actionable=True),
    feature("permits_valid", ("有效行政许可", "valid permits"), "count", "permit", SAFER, "standing",
            plain("permits_valid"),
            ("有效的行政许可较少", "Few valid permits"), ("有{value}有效的行政许可", "Valid permits: {value}"),
            ("在有效期内的行政许可数", "Permits within their validity"), NONE),
    feature("penalties_graver", ("一般及严重行政处罚", "general and serious penalties"), "count", "penalty", RISKIER,
            "penalties", plain("penalties_graver"),
            ("公示期内有{value}一般或严重行政处罚", "General or serious penalties still published: {value}"),
            ("公示期内没有一般或严重行政处罚", "No general or serious penalty still published"),
            ("公示期内一般和严重失信行政处罚数", "Penalties of class general or serious still published"), NONE,
            actionable=True),
    feature("fines", ("行政处罚罚款", "fines"), "yuan", "penalty", RISKIER, "penalties", yuan("fines_fen"),
            ("公示期内行政处罚罚款合计{value}", "Fines still published add up to {value}"),
            ("公示期内没有罚款", "No fines still published"),
            ("公示期内行政处罚罚款合计", "Sum of fines still published"), NONE),
    feature("court_cases", ("未结司法案件", "open court cases"), "count", "court_enforcement", RISKIER, "court",
            plain("court_cases_open"),
            ("有{value}未结的司法执行或裁判记录", "Court records still open: {value}"),
            ("没有未结的司法执行或裁判记录", "No open court record"),
            ("未结的被执行、限制高消费和判决记录数", "Open enforcement, consumption-limit and judgment records"), NONE,
            actionable=True),
    feature("enforcement_open", ("未结执行标的额", "open enforcement claims"), "yuan", "court_enforcement", RISKIER,
            "court", yuan("enforcement_open_fen"),
            ("未结执行标的额{value}", "Open enforcement claims of {value}"),
            ("没有未结的执行标的", "No open enforcement claims"),
            ("未结被执行案件标的额合计", "Sum of open enforcement claims"), NONE, actionable=True),
    feature("dishonesty_listings", ("严重失信名单", "serious-dishonesty listings"), "count", "dishonesty_listing",
            RISKIER, "listings", plain("dishonesty_listings"),
            ("在{value}严重失信主体名单中", "Serious-dishonesty lists that name the firm: {value}"),
            ("不在严重失信主体名单中", "On no serious-dishonesty list"),
            ("当前所在严重失信主体名单数", "Serious-dishonesty lists that name the firm"), NONE, actionable=True),
    feature("abnormal_listings", ("经营异常名录", "abnormal-operation listings"), "count", "abnormal_operation", RISKIER,
            "listings", plain("abnormal_listings"),
            ("被列入经营异常名录{value}", "Abnormal-operation entries still standing: {value}"),
            ("不在经营异常名录中", "Not on the abnormal-operation register"),
            ("当前经营异常名录记录数", "Abnormal-operation entries still standing"), NONE, actionable=True),
    feature("honours", ("诚信荣誉", "honours"), "count", "honour", SAFER, "standing", plain("honours"),
            ("有效的诚信荣誉较少", "Few or no honours in force"), ("有{value}有效的诚信荣誉", "Honours in force: {value}"),
            ("在有效期内的荣誉数", "Honours in force"), NONE),
    feature("property_rights", ("知识产权", "intellectual property"), "count", "intellectual_property", SAFER,
            "innovation", plain("property_rights"),
            ("没有或很少有知识产权", "Little or no intellectual property"),
            ("有{value}有效的知识产权", "Patents, trademarks and software rights in force: {value}"),
            ("在有效期内的专利、商标和软件著作权数", "Patents, trademarks and software rights in force"), NONE),
    feature("contracts_breached", ("合同违约", "contracts breached"), "count", "contract", RISKIER, "contracts",
            plain("contracts_breached_24m"),
            ("近24个月有{value}合同违约", "Contracts breached in 24 months: {value}"),
            ("近24个月没有合同违约", "No contract breached in 24 months"),
            ("近24个月签订且违约的合同数", "Contracts of 24 months that were breached"), NONE),
    feature("contracts_performed", ("已履行合同金额", "contracts performed"), "yuan", "contract", SAFER, "contracts",
            yuan("contracts_performed_24m_fen"),
            ("近24个月履行的合同较少", "Few contracts performed in 24 months"),
            ("近24个月履行合同{value}", "Contracts of {value} performed in 24 months"),
            ("近24个月签订且已履行的合同金额", "Value of contracts of 24 months that were performed"), NONE),
    feature("exports", ("近12个月出口额", "exports in 12 months"), "yuan", "trade", SAFER, "trade",
            yuan("exports_12m_fen"),
            ("近12个月没有或很少有出口", "Little or no exports in 12 months"),
            ("近12个月出口{value}", "Exports of {value} in 12 months"),
            ("近12个月出口额合计", "Sum of exports in 12 months"), NONE),
    feature("environment_rating", ("环保信用等级", "environmental rating"), "grade", "environment_rating", SAFER,
            "environment", rank("environment_rating", "green", "blue", "yellow", "red"),
            ("环保信用等级偏低", "The environmental rating is on the low side"),
            ("环保信用等级良好", "The environmental rating is good"),
            ("绿3、蓝2、黄1、红0；未评级为缺失", "Green 3, blue 2, yellow 1, red 0; unrated is missing"), actionable=True),
    # Loans held
    feature("loans_late_now", ("当前逾期贷款", "loans overdue now"), "count", "loan_performance", RISKIER, "loan_late",
            plain("loans_late_now"),
            ("当前有{value}贷款逾期", "Loans overdue now: {value}"), ("当前没有贷款逾期", "No loan overdue now"),
            ("最近一期表现为逾期的贷款数", "Loans whose latest month shows days overdue"), NONE, actionable=True),
    feature("days_overdue", ("近24个月最长逾期", "longest overdue in 24 months"), "days", "loan_performance", RISKIER,
            "loan_late", plain("days_overdue_24m"),
            ("近24个月贷款最长逾期{value}", "Loans were up to {value} overdue in 24 months"),
            ("近24个月贷款没有逾期", "No loan overdue in 24 months"),
            ("近24个月贷款逾期天数最大值", "Most days overdue on any loan in 24 months"), NONE),
    feature("loans_settled", ("已结清贷款", "loans repaid"), "count", "loan", SAFER, "loan_history",
            plain("loans_settled"),
            ("没有或很少有已结清的贷款记录", "Little or no record of loans repaid"),
            ("有{value}贷款已按约结清", "Loans repaid as agreed: {value}"),
            ("状态为结清的贷款数", "Loans with status settled"), NONE),
    feature("debt_to_revenue", ("贷款余额与营收之比", "loan balance to revenue"), "share", "loan", RISKIER, "debt",
            ratio("loan_principal_open_fen", "revenue_fen"),
            ("在贷金额相当于年营收的{value}", "Loans outstanding equal {value} of yearly revenue"),
            ("在贷金额只相当于年营收的{value}", "Loans outstanding equal only {value} of yearly revenue"),
            ("未结清贷款本金与最近年报营收之比", "Principal of open loans over latest reported revenue"),
            also=("annual_report",)),
    # The demand itself
    feature("amount_to_revenue", ("申请金额与营收之比", "amount asked to revenue"), "share", "annual_report", RISKIER,
            "demand", ratio("amount_fen", "revenue_fen"),
            ("申请金额相当于年营收的{value}", "The amount asked equals {value} of yearly revenue"),
            ("申请金额只相当于年营收的{value}", "The amount asked equals only {value} of yearly revenue"),
            ("申请金额与最近年报营收之比", "Amount asked over latest reported revenue"), actionable=True),
    feature("term_asked", ("申请期限", "term asked"), "months", "demand", FREE, "demand", plain("term_months"),
            ("申请期限{value}提高了评估的风险", "The term asked, {value}, raises the risk"),
            ("申请期限{value}降低了评估的风险", "The term asked, {value}, lowers the risk"),
            ("申请的贷款期限", "Term of the loan asked"), actionable=True),
]  # fmt: skip
"""The features of the platform's own model."""


def with_demand(frame: pd.DataFrame, amount_fen: Any = None, term_months: Any = None) -> pd.DataFrame:
    """Recompute the demand's own features (amount_to_revenue, term_asked) on stored features.

    For a report: yesterday's stored features plus the demand's own, without asking the records again. Amount and term
    are one value, a column, or (None) the frame's own amount_fen and term_months; `revenue` must be in the frame.
    """
    asked = frame.assign(**{name: value for name, value in (("amount_fen", amount_fen), ("term_months", term_months))
                            if value is not None})  # fmt: skip
    amount, term = asked["amount_fen"].astype("Float64"), asked["term_months"].astype("Float64")
    revenue = asked["revenue"].where(asked["revenue"] > 0)
    share = (amount.to_numpy(dtype="float64", na_value=float("nan")) / 100 / revenue).clip(0, CAP).round(6)
    return asked.assign(amount_to_revenue=share, term_asked=term.to_numpy(dtype="float64", na_value=float("nan")))
