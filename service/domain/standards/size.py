"""Size classes of firms by the standard of 2011 (工信部联企业〔2011〕300号) on GB/T 4754-2017 codes; a dated table.

A firm is large, medium or small when it reaches **every** bound of the class, else one class lower; micro is what
reaches no small one. Without the figures its sector asks for a firm is unclassified, never micro. Finance, education,
health, rail and public bodies have standards of their own: outside. The announced revision becomes a second table.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

WAN_FEN = 1_000_000  # 1 万元 in fen


class SizeClass(StrEnum):
    """大型 中型 小型 微型 未划型 标准外."""

    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"
    MICRO = "micro"
    UNCLASSIFIED = "unclassified"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class Bounds:
    """What a class asks for at least: people, revenue and assets in 万元; None where the sector does not ask."""

    employees: int | None = None
    revenue: int | None = None
    assets: int | None = None


@dataclass(frozen=True)
class Sector:
    """One line of the standard; `codes` are the beginnings of GB/T 4754 codes it speaks of, the longest wins."""

    zh: str
    codes: tuple[str, ...]
    large: Bounds
    medium: Bounds
    small: Bounds


def _people_and_revenue(zh: str, codes: str, *pairs: tuple[int, int]) -> Sector:
    large, medium, small = (Bounds(employees=people, revenue=revenue) for people, revenue in pairs)
    return Sector(zh, tuple(codes.split()), large, medium, small)


STANDARD_2011 = (
    Sector("农、林、牧、渔业", ("A",), Bounds(revenue=20000), Bounds(revenue=500), Bounds(revenue=50)),
    _people_and_revenue("工业", "B C D", (1000, 40000), (300, 2000), (20, 300)),
    Sector(
        "建筑业",
        ("E",),
        Bounds(revenue=80000, assets=80000),
        Bounds(revenue=6000, assets=5000),
        Bounds(revenue=300, assets=300),
    ),
    _people_and_revenue("批发业", "F51", (200, 40000), (20, 5000), (5, 1000)),
    _people_and_revenue("零售业", "F52", (300, 20000), (50, 500), (10, 100)),
    _people_and_revenue("交通运输业", "G54 G55 G56 G57 G58", (1000, 30000), (300, 3000), (20, 200)),
    _people_and_revenue("仓储业", "G59", (200, 30000), (100, 1000), (20, 100)),
    _people_and_revenue("邮政业", "G60", (1000, 30000), (300, 2000), (20, 100)),
    _people_and_revenue("住宿业", "H61", (300, 10000), (100, 2000), (10, 100)),
    _people_and_revenue("餐饮业", "H62", (300, 10000), (100, 2000), (10, 100)),
    _people_and_revenue("信息传输业", "I63 I64", (2000, 100000), (100, 1000), (10, 100)),
    _people_and_revenue("软件和信息技术服务业", "I65", (300, 10000), (100, 1000), (10, 50)),
    Sector(
        "房地产开发经营",
        ("K7010", "K701"),
        Bounds(revenue=200000, assets=10000),
        Bounds(revenue=1000, assets=5000),
        Bounds(revenue=100, assets=2000),
    ),
    _people_and_revenue("物业管理", "K7020 K702", (1000, 5000), (300, 1000), (100, 500)),
    Sector(
        "租赁和商务服务业",
        ("L",),
        Bounds(employees=300, assets=120000),
        Bounds(employees=100, assets=8000),
        Bounds(employees=10, assets=100),
    ),
    Sector(
        "其他未列明行业",
        ("K703", "K704", "K709", "M", "N", "O", "Q85", "R"),
        Bounds(employees=300),
        Bounds(employees=100),
        Bounds(employees=10),
    ),
)
STANDARDS: dict[date, tuple[Sector, ...]] = {date(2011, 6, 18): STANDARD_2011}


def sector_of(industry: str, on: date) -> Sector | None:
    """The standard's line for a GB/T 4754 code on a day; None where the standard does not speak of it."""
    in_force = max((since for since in STANDARDS if since <= on), default=None)
    lines = STANDARDS[in_force] if in_force else ()
    fitting = ((len(code), line) for line in lines for code in line.codes if industry.startswith(code))
    return max(fitting, key=lambda pair: pair[0], default=(0, None))[1]


def size_class(
    industry: str, employees: int | None, revenue_fen: int | None, assets_fen: int | None, on: date
) -> SizeClass:
    """The class of a firm on a day. A bare 'K70' does not say which real-estate line applies: unclassified."""
    sector = sector_of(industry, on)
    if sector is None:
        return SizeClass.UNCLASSIFIED if industry.startswith("K") else SizeClass.OUTSIDE
    measured = {
        "employees": employees,
        "revenue": revenue_fen,
        "assets": assets_fen,
    }
    classes = (
        (SizeClass.LARGE, sector.large),
        (SizeClass.MEDIUM, sector.medium),
        (SizeClass.SMALL, sector.small),
    )
    for name, bounds in classes:
        asked = {key: bound * _UNIT[key] for key, bound in vars(bounds).items() if bound is not None}
        if any(measured[key] is None for key in asked):
            return SizeClass.UNCLASSIFIED
        if all((measured[key] or 0) >= bound for key, bound in asked.items()):
            return name
    return SizeClass.MICRO


_UNIT = {"employees": 1, "revenue": WAN_FEN, "assets": WAN_FEN}
