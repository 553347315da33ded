# ruff: noqa: E501
"""Made-up banks: what they publish (products, criteria, places, quotas) and what they keep to themselves.

Every name carries 示范 ('model'), so that none can be taken for a bank that exists. What a bank looks for when it decides
differs on purpose from what it publishes: that difference is what second matching has to cope with.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from service.domain.bank import BankKind

WAN_FEN = 1_000_000


@dataclass(frozen=True)
class Habit:
    """How a bank works, in working days after the push; `answers` = the share of lines it ever speaks on."""

    contact: tuple[int, int]
    decide: tuple[int, int]
    answers: float
    needs_papers: float
    extends: float


HABITS = {
    "prompt": Habit((0, 1), (2, 6), 0.995, 0.10, 0.01),
    "usual": Habit((1, 2), (4, 11), 0.96, 0.18, 0.03),
    "slow": Habit((2, 4), (9, 19), 0.85, 0.28, 0.08),
    "silent": Habit((1, 2), (4, 11), 0.0, 0.0, 0.0),
}


@dataclass(frozen=True)
class CityBank:
    """`appetite` is the log-odds of lending to a firm of average health; `sight` how exactly the bank sees health."""

    code: str
    name: str
    name_en: str
    kind: BankKind
    habit: str
    popularity: float
    appetite: float
    sight: float
    favours: str = ""
    avoids: str = ""
    districts: tuple[str, ...] = ()


def _bank(code: str, name: str, name_en: str, kind: BankKind, habit: str, *rest: Any) -> CityBank:
    return CityBank(code, name, name_en, kind, habit, *rest)


S, J, C, R, V, G = (
    BankKind.STATE, BankKind.JOINT_STOCK, BankKind.CITY, BankKind.RURAL, BankKind.VILLAGE, BankKind.GUARANTEE,
)  # fmt: skip
BANKS: tuple[CityBank, ...] = (
    _bank("SA", "甲字示范国有银行", "Model State Bank A", S, "usual", 1.6, 2.0, 0.7, "C", "K"),
    _bank("SB", "乙字示范国有银行", "Model State Bank B", S, "usual", 1.5, 1.9, 0.6, "", "KR"),
    _bank("SC", "丙字示范国有银行", "Model State Bank C", S, "slow", 1.3, 2.1, 0.6, "A", ""),
    _bank("SD", "丁字示范国有银行", "Model State Bank D", S, "prompt", 1.2, 1.7, 0.8, "IM", "K"),
    _bank("SE", "戊字示范邮储银行", "Model Postal Bank E", S, "usual", 1.1, 2.2, 0.5, "FO", ""),
    _bank("JA", "子字示范股份银行", "Model Joint-Stock Bank A", J, "prompt", 0.9, 1.4, 0.9, "IM", "EK"),
    _bank("JB", "丑字示范股份银行", "Model Joint-Stock Bank B", J, "prompt", 0.8, 1.3, 0.9, "C", "H"),
    _bank("JC", "寅字示范股份银行", "Model Joint-Stock Bank C", J, "usual", 0.7, 1.5, 0.7, "", "EK"),
    _bank("JD", "卯字示范股份银行", "Model Joint-Stock Bank D", J, "usual", 0.6, 1.2, 0.8, "F", ""),
    _bank("JE", "辰字示范股份银行", "Model Joint-Stock Bank E", J, "slow", 0.5, 1.4, 0.6, "", "HR"),
    _bank("JF", "巳字示范股份银行", "Model Joint-Stock Bank F", J, "silent", 0.4, 1.3, 0.6),
    _bank("CA", "郑州示范银行", "Zhengzhou Model Bank", C, "prompt", 1.5, 2.0, 0.8, "F", ""),
    _bank("CB", "商都示范银行", "Shangdu Model Bank", C, "usual", 1.0, 1.8, 0.7, "E", ""),
    _bank("CC", "嵩山示范银行", "Songshan Model Bank", C, "usual", 0.8, 1.9, 0.6, "", "K"),
    _bank("CD", "绿城示范银行", "Greentown Model Bank", C, "slow", 0.6, 1.8, 0.5, "N", "B"),
    _bank("CE", "金水示范银行", "Jinshui Model Bank", C, "prompt", 0.7, 1.6, 0.8, "IL", ""),
    _bank("RA", "中牟示范农商银行", "Zhongmu Model Rural Bank", R, "usual", 0.7, 2.2, 0.6, "A", "K", ("410122", "410173", "ZDXQ")),
    _bank("RB", "新郑示范农商银行", "Xinzheng Model Rural Bank", R, "usual", 0.6, 2.1, 0.6, "AC", "", ("410184", "410173", "410103", "410104")),
    _bank("RC", "巩义示范农商银行", "Gongyi Model Rural Bank", R, "slow", 0.5, 2.0, 0.5, "CB", "", ("410181", "410106", "410182")),
    _bank("RD", "登封示范农商银行", "Dengfeng Model Rural Bank", R, "usual", 0.4, 2.1, 0.5, "AH", "", ("410185", "410183")),
    _bank("VA", "荥阳示范村镇银行", "Xingyang Model Village Bank", V, "prompt", 0.3, 2.3, 0.6, "AF", "", ("410182", "410106", "410172")),
    _bank("VB", "新密示范村镇银行", "Xinmi Model Village Bank", V, "usual", 0.3, 2.2, 0.5, "", "", ("410183", "410184")),
    _bank("VC", "惠济示范村镇银行", "Huiji Model Village Bank", V, "silent", 0.2, 2.0, 0.5, "", "", ("410108", "410105")),
    _bank("GA", "郑州示范融资担保公司", "Zhengzhou Model Guarantee", G, "usual", 0.4, 2.6, 0.5),
)  # fmt: skip
PLACES_PER_DAY = {S: 5, J: 4, C: 4, R: 3, V: 3, G: 3}
QUOTA_WAN = {S: 12_000, J: 8_000, C: 9_000, R: 6_000, V: 3_000, G: 6_000}
"""Of one product for a city of 20,000 firms over 60 days; both scale with the city."""
FULL_CITY, FULL_DAYS = 20_000, 60


@dataclass(frozen=True)
class CityProduct:
    """A published product; `criteria` in the words of `matching.terms.Product`, money in fen."""

    bank: int
    code: str
    name: str
    name_en: str
    amount_wan: tuple[int, int]
    terms: tuple[int, int]
    rates: tuple[Decimal, Decimal]
    loan_types: tuple[str, ...]
    criteria: dict[str, Any]
    places_per_day: int
    quota_fen: int


def _rate(base: float, bank: int) -> Decimal:
    return Decimal(f"{base + 0.0004 * (bank % 5):.4f}")


# kind → (code, name, name_en, least and most 万元, months, lowest and highest rate, security, criteria)
SHELF: dict[BankKind, tuple[tuple[Any, ...], ...]] = {
    S: (
        ("XY", "普惠信用贷", "Inclusive credit loan", (5, 300), (3, 36), (0.0305, 0.0385), ("credit",),
         {"min_months_in_business": 24, "min_tax_grade": "M", "max_probability": "0.05", "max_tax_arrears_months": 0}),
        ("DY", "抵押快贷", "Mortgage quick loan", (30, 1000), (6, 120), (0.0300, 0.0370), ("mortgage",),
         {"min_months_in_business": 12, "max_probability": "0.12"}),
        ("KC", "科创贷", "Technology loan", (20, 500), (6, 36), (0.0300, 0.0360), ("credit", "pledge"),
         {"min_months_in_business": 12, "industries": ["C26", "C27", "C34", "C35", "C38", "C39", "I", "M"], "max_probability": "0.08"}),
    ),
    J: (
        ("SW", "税务信用贷", "Tax-based credit loan", (10, 200), (3, 24), (0.0345, 0.0520), ("credit",),
         {"min_months_in_business": 18, "min_tax_paid_fen": WAN_FEN, "max_probability": "0.06", "max_tax_arrears_months": 0}),
        ("JY", "经营抵押贷", "Business mortgage", (50, 1000), (6, 60), (0.0330, 0.0430), ("mortgage", "pledge"),
         {"min_months_in_business": 12, "max_probability": "0.12", "excluded_industries": ["K"]}),
    ),
    C: (
        ("XY", "小微信用贷", "Small-firm credit loan", (3, 150), (3, 36), (0.0365, 0.0560), ("credit",),
         {"min_months_in_business": 12, "max_probability": "0.08", "max_overdue_days": 0}),
        ("GT", "个体经营贷", "Sole-trader loan", (2, 50), (3, 36), (0.0385, 0.0620), ("credit",),
         {"firm_kinds": ["individual", "cooperative"], "min_months_in_business": 12, "max_probability": "0.10"}),
        ("ZB", "政银担贷", "Guarantee-backed loan", (20, 500), (6, 36), (0.0340, 0.0420), ("guarantee", "mortgage"),
         {"min_months_in_business": 12, "max_probability": "0.20"}),
    ),
    R: (
        ("HN", "惠农贷", "Farm loan", (3, 200), (6, 60), (0.0365, 0.0520), ("credit", "guarantee"),
         {"firm_kinds": ["cooperative", "village", "enterprise", "individual"], "industries": ["A", "C13", "C14", "F51"], "max_probability": "0.12"}),
        ("GT", "商户贷", "Merchant loan", (2, 80), (3, 36), (0.0400, 0.0640), ("credit",),
         {"min_months_in_business": 6, "sizes": ["micro", "small"], "max_probability": "0.10"}),
        ("DY", "房产抵押贷", "Property mortgage", (20, 500), (6, 60), (0.0355, 0.0450), ("mortgage",),
         {"min_months_in_business": 6, "max_probability": "0.20"}),
    ),
    V: (
        ("XE", "小额便民贷", "Small convenience loan", (1, 50), (3, 24), (0.0480, 0.0780), ("credit",),
         {"min_months_in_business": 6, "max_probability": "0.15"}),
    ),
    G: (
        ("DB", "见贷即保", "Loan-linked guarantee", (10, 500), (6, 36), (0.0360, 0.0460), ("guarantee",),
         {"min_months_in_business": 6, "max_probability": "0.25"}),
    ),
}  # fmt: skip


def products(firms: int, days: int) -> list[CityProduct]:
    """Every bank's shelf; places and quotas scaled to the city and the time it lives."""
    made = []
    for place, bank in enumerate(BANKS):
        for code, name, name_en, amount, terms, rates, types, criteria in SHELF[bank.kind]:
            own = {"districts": list(bank.districts)} if bank.districts else {}
            made.append(
                CityProduct(
                    bank=place,
                    code=f"{bank.code}-{code}",
                    name=name,
                    name_en=name_en,
                    amount_wan=amount,
                    terms=terms,
                    rates=(_rate(rates[0], place), _rate(rates[1], place)),
                    loan_types=types,
                    criteria=criteria | own,
                    places_per_day=max(1, round(PLACES_PER_DAY[bank.kind] * firms / FULL_CITY)),
                    quota_fen=max(
                        500 * WAN_FEN, round(QUOTA_WAN[bank.kind] * firms / FULL_CITY * days / FULL_DAYS) * WAN_FEN
                    ),
                )
            )
    return made
