"""口径: what each figure means, in one table, printed beside it wherever it is shown."""

from matching.terms import Words

UNIVERSE = Words(
    "平台渠道口径：只统计经本平台办理的业务，不与全市机制口径相加。",
    "Platform channel only; never added to the mechanism-wide campaign.",
)
PERIOD = Words(
    "按业务发生日统计；晚于发生日报送或更正的计入发生日，并标注迟报笔数。",
    "Counted under the day of the event; what was reported or corrected later counts under that day and shows as late.",
)
DEFINITIONS: dict[str, Words] = {
    "reported.households": Words(
        "期间首次申报融资需求的户数（同一主体只计一次）",
        "firms whose first demand was reported in the period, each once",
    ),
    "reported.events": Words("申报的融资需求笔数", "demands reported"),
    "reported.amount_fen": Words("申报金额合计", "sum of the amounts asked"),
    "recommended.households": Words(
        "期间首次进入推荐清单的户数", "firms that came onto the recommended list for the first time in the period"
    ),
    "recommended.events": Words("进入推荐清单的需求笔数", "demands that came onto the recommended list"),
    "recommended.amount_fen": Words("推荐需求的申请金额合计", "sum of the amounts asked by recommended demands"),
    "granted.households": Words("期间首次获得授信的户数", "firms granted credit for the first time in the period"),
    "granted.events": Words("授信笔数", "grants"),
    "granted.amount_fen": Words("授信金额合计（授信不等于放款）", "sum of credit granted (granted is not paid)"),
    "drawn.households": Words("期间首次放款的户数", "firms paid for the first time in the period"),
    "drawn.events": Words("放款笔数（一笔授信可多次放款）", "drawdowns (a grant may be drawn more than once)"),
    "drawn.amount_fen": Words("放款金额合计（放款不等于余额）", "sum of money paid out (paid is not the balance)"),
    "first_loans": Words("首贷放款笔数", "drawdowns of first loans"),
    "credit_loan_share": Words("信用贷款放款金额 ÷ 放款金额", "amount paid as credit loans ÷ amount paid"),
    "first_loan_share": Words(
        "首贷放款金额 ÷ 放款金额；首贷指此前无贷款记录的主体获得的贷款，以银行报送为准",
        "amount paid as first loans ÷ amount paid; first: no loan on record before; as the bank reports it",
    ),
    "renewal_without_repayment_share": Words(
        "无还本续贷放款金额 ÷ 放款金额", "amount paid as renewal without repayment ÷ amount paid"
    ),
    "average_rate": Words("Σ（年利率 × 放款金额）÷ Σ 放款金额", "Σ (annual rate × amount paid) ÷ Σ amount paid"),
    "late_events": Words("晚于发生日报送或更正的笔数", "events reported or corrected after their day"),
}
"""Figure → its definition. By bank, households are firms new to that bank: their sum counts a firm once per bank."""
