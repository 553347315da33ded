"""What the synthetic city is like: every number put into it, in one place; nothing here is fitted to its output.

The shares are plausible for a provincial capital of central China, not measured; the health process is invented. A
hidden health per firm and month causes both the public records and the default of loans, so that a model has something
true to find.
"""

from dataclasses import dataclass, field

DISTRICTS: dict[str, float] = {
    # weight of firms; the centre and the new area carry most firms, the western county-level cities the fewest
    "410105": 0.17,
    "ZDXQ": 0.12,
    "410102": 0.10,
    "410103": 0.09,
    "410104": 0.08,
    "410172": 0.08,
    "410184": 0.06,
    "410171": 0.05,
    "410108": 0.05,
    "410122": 0.04,
    "410173": 0.04,
    "410182": 0.03,
    "410181": 0.03,
    "410183": 0.03,
    "410185": 0.02,
    "410106": 0.01,
}
KINDS: dict[str, float] = {"enterprise": 0.47, "individual": 0.48, "cooperative": 0.04, "village": 0.01}


@dataclass(frozen=True)
class Trade:
    """One industry: weight among firms, yearly revenue of the median enterprise and per head (万元), power use
    (kWh per 万元 of revenue), how much worse (+) its firms fare, and the word its firms carry in their names."""

    code: str
    weight: float
    revenue: float
    per_head: float
    power: float
    strain: float
    word: str


TRADES: tuple[Trade, ...] = (
    Trade("A01", 0.025, 180, 25, 60, 0.05, "农业种植"),
    Trade("A03", 0.012, 220, 28, 55, 0.10, "牧业养殖"),
    Trade("B10", 0.004, 900, 70, 300, 0.15, "矿产品"),
    Trade("C13", 0.014, 700, 75, 120, 0.05, "粮油食品"),
    Trade("C14", 0.016, 520, 60, 110, 0.00, "食品"),
    Trade("C18", 0.012, 380, 35, 60, 0.20, "服饰"),
    Trade("C21", 0.008, 420, 45, 70, 0.15, "家具"),
    Trade("C23", 0.008, 360, 45, 80, 0.05, "印务"),
    Trade("C26", 0.008, 850, 90, 220, 0.05, "化工材料"),
    Trade("C27", 0.005, 1100, 95, 110, -0.25, "药业"),
    Trade("C29", 0.010, 560, 60, 190, 0.05, "塑业"),
    Trade("C30", 0.014, 780, 80, 260, 0.20, "耐火材料"),
    Trade("C33", 0.016, 520, 60, 150, 0.05, "金属制品"),
    Trade("C34", 0.016, 600, 65, 100, -0.05, "机械"),
    Trade("C35", 0.015, 650, 65, 95, -0.10, "专用设备"),
    Trade("C38", 0.012, 720, 70, 90, -0.05, "电气"),
    Trade("C39", 0.010, 900, 75, 85, -0.20, "电子"),
    Trade("D44", 0.002, 1200, 150, 60, -0.20, "热力"),
    Trade("E47", 0.020, 1300, 90, 20, 0.30, "建筑工程"),
    Trade("E50", 0.030, 420, 50, 15, 0.25, "装饰工程"),
    Trade("F51", 0.175, 620, 110, 8, 0.00, "商贸"),
    Trade("F52", 0.215, 210, 55, 18, 0.10, "百货"),
    Trade("G54", 0.035, 420, 45, 10, 0.15, "货运"),
    Trade("G59", 0.010, 520, 55, 60, -0.05, "仓储"),
    Trade("H61", 0.012, 260, 18, 130, 0.20, "酒店"),
    Trade("H62", 0.075, 150, 15, 90, 0.25, "餐饮"),
    Trade("I64", 0.015, 320, 40, 25, -0.10, "网络科技"),
    Trade("I65", 0.035, 340, 32, 25, -0.20, "软件科技"),
    Trade("K7010", 0.004, 1500, 120, 12, 0.50, "置业"),
    Trade("K7020", 0.010, 260, 12, 40, 0.00, "物业"),
    Trade("L71", 0.015, 260, 45, 12, 0.05, "租赁"),
    Trade("L72", 0.050, 220, 30, 10, 0.05, "企业服务"),
    Trade("M74", 0.020, 280, 32, 20, -0.15, "检测技术"),
    Trade("M75", 0.015, 240, 30, 20, -0.15, "科技推广"),
    Trade("N77", 0.008, 420, 45, 45, -0.05, "环保"),
    Trade("O80", 0.040, 110, 15, 40, 0.15, "生活服务"),
    Trade("O81", 0.020, 130, 20, 30, 0.05, "维修服务"),
    Trade("R90", 0.010, 120, 18, 80, 0.30, "文娱"),
)


@dataclass(frozen=True)
class Health:
    """health(firm, month) = standing of the firm − strain of its trade + own AR(1) + trade's AR(1) + city's AR(1).

    Standing lasts, the AR(1)s come and go. One unit is about the spread between firms.
    """

    standing: float = 0.75
    own_memory: float = 0.92
    own_shock: float = 0.24
    trade_memory: float = 0.90
    trade_shock: float = 0.07
    city_memory: float = 0.92
    city_shock: float = 0.04
    youth: float = 0.35
    """Firms under three years old stand this much lower."""


@dataclass(frozen=True)
class Lending:
    """Earlier loans, before the platform's days. Monthly chance of falling behind: logistic(base − slope × health)."""

    months: int = 24
    share_of_firms: float = 0.42
    second_loan: float = 0.10
    choosiness: float = 0.8
    """How much healthier than others the firms are that banks had lent to: weight ∝ logistic(choosiness × health)."""
    base: float = -5.1
    slope: float = 1.35
    leverage: float = 0.5
    """Added per unit of log(principal ÷ a tenth of revenue)."""
    cure: float = 0.25
    """Of the loans that fall behind, the share that recovers before 90 days."""
    slips: float = 0.012
    """Chance per month of a slip of a few days that means little."""


@dataclass(frozen=True)
class Asking:
    """Live demands: how many a day per thousand firms, what is asked, which banks are named."""

    per_thousand_firms: float = 5.0
    share_of_revenue: float = 0.10
    spread: float = 0.7
    smallest_fen: int = 5_000_000
    largest_fen: int = 1_000_000_000
    unlawful_use: float = 0.006
    vague_use: float = 0.04
    intended: tuple[float, ...] = (0.18, 0.42, 0.26, 0.14)
    """Chances of naming 0, 1, 2 or 3 intended banks."""
    reserve: tuple[float, ...] = (0.30, 0.25, 0.20, 0.15, 0.10)
    consents_to_proposal: float = 0.55
    """Chance that a firm, asked which further banks may see it, consents."""
    withdraws: float = 0.0015
    """Chance per open demand and day that a firm ends it, or ends one bank's consent."""
    uploads_papers: float = 0.85
    draws_share: tuple[float, float] = (0.70, 1.00)
    draws_at_all: float = 0.93


@dataclass(frozen=True)
class Faults:
    """What goes wrong in the departments' files, on purpose."""

    wrong_codes_per_firm: float = 1 / 10_000
    wrong_codes_least: int = 3
    bad_rows_per_file: int = 7
    sent_late: float = 0.03


@dataclass(frozen=True)
class Character:
    """The whole city."""

    health: Health = field(default_factory=Health)
    lending: Lending = field(default_factory=Lending)
    asking: Asking = field(default_factory=Asking)
    faults: Faults = field(default_factory=Faults)
    history_months: int = 15
    """Monthly records before the first live day, or before a firm's first loan where that is earlier."""
    invoices_share: float = 0.03
    new_firms_per_week: float = 0.0006
    """Newly registered, as a share of all firms."""
