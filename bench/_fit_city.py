"""A city for the bench of fitting: 233 products of 116 banks, firms with what they ask for, banks' earlier answers.

Products come from the made-up banks' shelves (service/city/banks.py), each line moved a little; firms' trades, areas
and kinds from the made-up city's shares (service/city/character.py), a part of their facts missing.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from matching.admission import ADMISSIONS
from matching.appetite import REASONS, Answer, Appetite, Traits
from matching.facts import FIRM_KINDS, SIZES, TAX_GRADES, USES, code_number, guarantee_bits
from matching.judge_many import STATES, FactColumns
from matching.terms import Product
from service.city.banks import SHELF, WAN_FEN
from service.city.character import DISTRICTS, KINDS, TRADES
from service.domain.bank import BankKind

TODAY = date(2026, 6, 30)
BANKS = {
    BankKind.STATE: 6, BankKind.JOINT_STOCK: 13, BankKind.CITY: 14, BankKind.RURAL: 32, BankKind.VILLAGE: 44,
    BankKind.GUARANTEE: 7,
}  # fmt: skip
"""116 banks; with their kinds' shelves 233 products."""

LOCAL = {BankKind.RURAL: 3, BankKind.VILLAGE: 2}
"""Kinds that serve so many areas only."""

ANSWERS = 20_000
SECTIONS = tuple(sorted({trade.code[0] for trade in TRADES}))
LIGHTS = ("green", "yellow", "red")
TERMS, TERM_SHARES = (6, 12, 18, 24, 36), (0.08, 0.60, 0.06, 0.14, 0.12)
GIVES = {"mortgage": 0.17, "pledge": 0.06, "guarantee": 0.30}
USES_ASKED = {"working_capital": 60, "stock": 10, "wages": 5, "order": 5, "renewal": 8, "equipment": 6,
              "premises_building": 2, "research": 2, "green": 1, "other": 4}  # fmt: skip
SHARE_MISSING = {"tax_grade": 0.06, "tax_paid_fen": 0.06, "yearly_sales_fen": 0.12, "employees": 0.05,
                 "probability": 0.02, "industry": 0.01, "rate_ceiling": 0.4}  # fmt: skip


@dataclass(frozen=True)
class City:
    """Firms as columns of facts with their lights; products in the order of their ids; what banks answered so far."""

    columns: FactColumns
    lights: np.ndarray
    products: tuple[Product, ...]
    bank_kinds: dict[int, str]
    appetite: Appetite


def draw_city(firms: int, seed: int) -> City:
    random = np.random.default_rng(seed)
    products, bank_kinds = _products(random)
    columns = _firms(random, firms)
    return City(
        columns=columns,
        lights=np.digitize(columns.values["probability"], [50_000, 150_000]).astype(np.int8),
        products=products,
        bank_kinds=bank_kinds,
        appetite=Appetite().learn(_answers(random, bank_kinds)),
    )


def lines_set(products: tuple[Product, ...]) -> float:
    """Criteria a product sets, on average."""
    return float(np.mean([sum(one.has_line(product) for one in ADMISSIONS) for product in products]))


def _products(random: np.random.Generator) -> tuple[tuple[Product, ...], dict[int, str]]:
    products: list[Product] = []
    kinds = [kind for kind, count in BANKS.items() for _ in range(count)]
    for bank_id, kind in enumerate(kinds, start=1):
        areas = frozenset(random.choice(list(DISTRICTS), LOCAL[kind], replace=False).tolist() if kind in LOCAL else ())
        days = int(random.integers(5, 16))
        for shelf in SHELF[kind]:
            products.append(_product(random, len(products) + 1, bank_id, areas, days, shelf))
    return tuple(products), {bank_id: kind.value for bank_id, kind in enumerate(kinds, start=1)}


def _product(
    random: np.random.Generator, key: int, bank_id: int, areas: frozenset[str], days: int, shelf: tuple[Any, ...]
) -> Product:
    _, name, _, (least, most), (shortest, longest), rates, modes, stated = shelf
    most = max(round(most * float(random.choice([0.5, 0.6, 0.8, 1, 1, 1.5, 2])) / 10) * 10, 20)
    criteria = {one: frozenset(value) if isinstance(value, list) else value for one, value in stated.items()}
    asked = max(int(criteria.get("min_months_in_business", 6)) + int(random.choice([-6, 0, 6, 12, 12])), 0)
    limit = Decimal(criteria["max_probability"]) * int(random.choice([4, 5, 6, 8, 10])) / 10
    criteria |= {"min_months_in_business": asked, "max_probability": limit}
    more: dict[str, Any] = {
        "max_overdue_days": int(random.choice([0, 0, 30])),
        "max_tax_arrears_months": int(random.choice([0, 1, 2])),
        "max_enforcement_open_fen": int(random.choice([0, 10, 50])) * WAN_FEN,
        "min_yearly_sales_fen": int(random.choice([50, 100, 200, 300])) * WAN_FEN,
        "min_employees": int(random.choice([2, 3, 5])),
        "sizes": frozenset({"micro", "small"}),
        "excluded_industries": frozenset(random.choice(["K", "E", "R", "H61", "C30"], 2, replace=False).tolist()),
    }
    chances = (0.6, 0.5, 0.5, 0.6, 0.3, 0.3, 0.25)
    criteria |= {name: line for (name, line), chance in zip(more.items(), chances, strict=True)
                 if random.random() < chance}  # fmt: skip
    base = Decimal(str(rates[0])) + Decimal(int(random.integers(0, 30))) / 10_000
    return Product(
        key, bank_id, name, least * WAN_FEN, most * WAN_FEN, shortest, longest, base,
        max(Decimal(str(rates[1])), base), frozenset(modes), districts=areas, decision_days=days, **criteria,
    )  # fmt: skip


def _firms(random: np.random.Generator, count: int) -> FactColumns:
    def drawn(choices: Any, shares: Any = None) -> np.ndarray:
        weights = None if shares is None else np.array(shares) / np.sum(shares)
        return np.asarray(choices)[random.choice(len(choices), count, p=weights)]

    def money(middle: np.ndarray | float, spread: float) -> np.ndarray:
        return np.round(np.exp(np.log(middle) + spread * random.standard_normal(count))).astype(np.int64) * WAN_FEN

    trade = drawn(range(len(TRADES)), [one.weight for one in TRADES])
    kind = drawn([FIRM_KINDS.index(one) for one in KINDS], list(KINDS.values()))
    scale = np.array([1.0, 0.16, 0.7, 1.5])[kind]
    sales = money(np.array([one.revenue for one in TRADES])[trade] * scale, 1.15)
    per_head = np.array([one.per_head for one in TRADES])[trade]
    start = np.datetime64(TODAY) - np.clip(random.gamma(1.4, 1500, count), 20, 11_000).astype(np.int64)
    month = start.astype("datetime64[M]")
    modes = [guarantee_bits((mode,)) * (random.random(count) < share) for mode, share in GIVES.items()]
    values = {
        "amount_fen": np.clip(sales // 10 * drawn([0.5, 0.8, 1.0, 1.5, 2.5]) // WAN_FEN, 5, 1000) * WAN_FEN,
        "term_months": drawn(TERMS, TERM_SHARES),
        "use": drawn([USES.index(one) for one in USES_ASKED], list(USES_ASKED.values())),
        "rate_ceiling": random.integers(38, 86, count) * 1_000,
        "guarantees": np.sum(modes, axis=0),
        "firm_kind": kind,
        "size": np.digitize(sales / WAN_FEN, [200, 2_000, 20_000]),
        "district": drawn([code_number(one) for one in DISTRICTS], list(DISTRICTS.values())),
        "industry": np.array([code_number(one.code) for one in TRADES])[trade],
        "established_on": _yyyymmdd(start, month),
        "probability": np.clip(np.round(np.exp(-3.4 + 0.8 * random.standard_normal(count)) * 1e6), 1_000, 900_000),
        "tax_grade": drawn(range(len(TAX_GRADES)), [8, 40, 22, 20, 6, 4]),
        "yearly_sales_fen": sales,
        "tax_paid_fen": (sales * random.uniform(0.005, 0.05, count)).astype(np.int64),
        "employees": np.maximum(np.round(sales / WAN_FEN / per_head), 1),
        "overdue_days": np.where(random.random(count) < 0.04, random.integers(1, 200, count), 0),
        "tax_arrears_months": np.where(random.random(count) < 0.08, random.integers(1, 12, count), 0),
        "enforcement_open_fen": np.where(random.random(count) < 0.03, money(20.0, 1.0), 0),
    }
    states = {name: np.where(random.random(count) < SHARE_MISSING.get(name, 0.0), STATES["missing"], 0).astype(np.int8)
              for name in values}  # fmt: skip
    known = {name: np.where(states[name] == 0, value, 0).astype(np.int64) for name, value in values.items()}
    return FactColumns(count, known, states)


def _yyyymmdd(day: np.ndarray, month: np.ndarray) -> np.ndarray:
    number = month.astype(np.int64)
    return (1970 + number // 12) * 10_000 + (number % 12 + 1) * 100 + (day - month).astype(np.int64) + 1


def _answers(random: np.random.Generator, bank_kinds: dict[int, str]) -> list[Answer]:
    banks, reasons = list(bank_kinds), list(REASONS)
    found = []
    for _ in range(ANSWERS):
        bank = int(random.choice(banks))
        traits = Traits(
            section=str(random.choice(SECTIONS)), size=SIZES[random.integers(0, 3)],
            light=LIGHTS[int(random.random() < 0.4)], amount_band=f"a{random.integers(0, 6)}",
            guarantee=("yes", "no")[int(random.random() < 0.6)], district=str(random.choice(list(DISTRICTS))),
        )  # fmt: skip
        granted = bool(random.random() < 0.45)
        found.append(Answer(bank, bank_kinds[bank], traits, granted, () if granted else (str(random.choice(reasons)),)))
    return found
