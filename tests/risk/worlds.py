"""Small worlds of records for the tests of risk: rows by hand, random rows, and a table to ask."""

# ruff: noqa: E501 (one record a line or two)

import random
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from risk.features import FEATURES
from risk.records import COLUMNS

SHAPE = ibis.schema(COLUMNS).to_pyarrow()
TODAY = date(2026, 6, 15)
FANG, FENG = "91410199MA0000001F", "91410199MA0000002G"

Row = dict[str, Any]


def row(item: str, key: str, on: date, *, uscc: str = FANG, **more: Any) -> Row:
    """One record, known on the day it happened unless said otherwise."""
    return {"item": item, "uscc": uscc, "key": key, "happened_on": on, "known_on": on, **more}


def table(rows: Iterable[Row]) -> Any:
    """The rows as an Ibis table in a DuckDB of its own."""
    return ibis.duckdb.connect().create_table("record", arrow(rows))


def arrow(rows: Iterable[Row]) -> pa.Table:
    return pa.Table.from_pylist([{name: one.get(name) for name in COLUMNS} for one in rows], schema=SHAPE)


def cohort(*firms: str, as_of: date = TODAY, **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"uscc": list(firms), "as_of": as_of, **more})


def month_end(today: date, ago: int) -> date:
    """The last day of the month `ago` months before today's."""
    place = today.year * 12 + today.month - 1 - ago
    return (pd.Timestamp(place // 12, place % 12 + 1, 1) + pd.offsets.MonthEnd(0)).date()


CODES = {
    "penalty": ["minor", "general", "serious"], "court_enforcement": ["enforcement", "consumption_limit", "judgment"],
    "people": ["legal_person", "shareholder", "manager"], "trade": ["import", "export"],
    "intellectual_property": ["invention", "design"], "environment_rating": ["green", "blue", "yellow", "red"],
    "tax_grade": list("ABMCD"),
}  # fmt: skip
STATUSES = {
    "penalty": ["open", "done"], "court_enforcement": ["open", "closed"], "contract": ["performed", "breached", "ongoing"],
    "real_estate": ["free", "mortgaged", "seized"], "permit": ["valid", "revoked"],
}  # fmt: skip


def random_world(seed: int, firms: Sequence[str], today: date = TODAY) -> list[Row]:
    """Records of every item, with corrections, withdrawals, expiries and delays, some after today."""
    chance = random.Random(seed)
    rows = [made for firm in firms for made in (*_standing(chance, firm, today), *_monthly(chance, firm, today),
                                                *_loans(chance, firm, today))]  # fmt: skip
    for one in rows:
        one["known_on"] = one["happened_on"] + timedelta(days=chance.randrange(25))
        if chance.random() < 0.08:
            one["superseded_on"] = one["known_on"] + timedelta(days=chance.randrange(1, 300))
        if chance.random() < 0.04:
            one["withdrawn_on"] = one["known_on"] + timedelta(days=chance.randrange(1, 300))
    return rows


def _standing(chance: random.Random, firm: str, today: date) -> list[Row]:
    def some_day(most: int) -> date:
        return today - timedelta(days=chance.randrange(-20, most))

    rows: list[Row] = []
    add = rows.append
    if chance.random() < 0.9:
        premises = chance.choice(["owned", "rented", "online", "none"])
        details = f'{{"name": "甲", "kind": "enterprise", "district":"410105", "premises": "{premises}"}}'
        add(row("registration", firm, some_day(5000), uscc=firm, amount_fen=chance.randrange(10**10),
                        code=chance.choice(["F52", "C13", "E47", "H62", "I65"]), status="active", details=details))  # fmt: skip
    for year in (2022, 2023, 2024, 2025):
        if chance.random() < 0.7:
            add(row("annual_report", str(year), date(year + 1, 6, chance.randrange(1, 30)), uscc=firm,
                            amount_fen=chance.randrange(10**9), quantity=float(chance.randrange(90))))  # fmt: skip
    for item in ("penalty", "court_enforcement", "dishonesty_listing", "abnormal_operation", "honour", "people", "contract",
                 "intellectual_property", "real_estate", "permit", "trade", "environment_rating", "tax_grade"):  # fmt: skip
        for number in range(chance.randrange(4)):
            on = some_day(1500)
            ends = on + timedelta(days=chance.randrange(1, 1200)) if chance.random() < 0.5 else None
            add(row(item, f"{2020 + number}", on, uscc=firm, ends_on=ends, amount_fen=chance.randrange(10**8),
                            code=chance.choice(CODES.get(item, ["x"])), status=chance.choice(STATUSES.get(item, ["x"])),
                            party=f"P{number}", quantity=1.0))  # fmt: skip
    return rows


def _monthly(chance: random.Random, firm: str, today: date) -> list[Row]:
    rows: list[Row] = []
    add = rows.append
    for ago in range(-1, 28):
        end = month_end(today, ago)
        period = f"{end:%Y-%m}"
        for tax in ("vat", "cit"):
            if chance.random() < 0.8:
                add(row("tax_payment", f"{period}|{tax}", end, uscc=firm, code=tax,
                                amount_fen=chance.choice([0, chance.randrange(10**7)]), quantity=float(chance.randrange(30)),
                                status=chance.choice(["on_time"] * 6 + ["late", "arrears"])))  # fmt: skip
        for item in ("social_insurance", "housing_fund"):
            if chance.random() < 0.8:
                add(row(item, period, end, uscc=firm, quantity=float(chance.randrange(40)), amount_fen=1,
                                status=chance.choice(["paid"] * 5 + ["arrears"])))  # fmt: skip
        if chance.random() < 0.8:
            add(row("utility", f"{period}|electricity", end, uscc=firm, code="electricity", amount_fen=1,
                            quantity=chance.random() * 500, status=chance.choice(["paid"] * 5 + ["late", "arrears"])))  # fmt: skip
        for direction in ("in", "out"):
            for number in range(chance.randrange(3)):
                add(row("invoice", f"{direction}|{ago}|{number}", end - timedelta(days=chance.randrange(28)), uscc=firm,
                                code=direction, status=chance.choice(["valid"] * 5 + ["void"]),
                                amount_fen=chance.randrange(-(10**5), 10**7), party=f"P{chance.randrange(5)}"))  # fmt: skip
    return rows


def _loans(chance: random.Random, firm: str, today: date) -> list[Row]:
    rows: list[Row] = []
    add = rows.append
    for number in range(chance.randrange(4)):
        drawn = today - timedelta(days=chance.randrange(-10, 1100))
        add(row("loan", f"L{number}", drawn, uscc=firm, code="credit", amount_fen=chance.randrange(1, 99) * 10**6,
                        quantity=0.04, party="B1", status=chance.choice(["normal", "settled", "overdue"]),
                        ends_on=drawn + timedelta(days=365)))  # fmt: skip
        ends = pd.date_range(drawn, today, freq="ME")
        overdue = [0, 0, 12, 95] if chance.random() < 0.3 else [0, 0, 0, 12]
        rows += [row("loan_performance", f"L{number}|{end:%Y-%m}", end.date(), uscc=firm, party=f"L{number}",
                     quantity=float(chance.choice(overdue)), amount_fen=chance.randrange(10**7)) for end in ends]  # fmt: skip
    return rows


def learnable(size: int, seed: int = 7, days: int = 700) -> tuple[pd.DataFrame, np.ndarray]:
    """A features frame with a true signal and its labels: three told features, missing values, drawdown days."""
    random_ = np.random.default_rng(seed)
    tenure, late, revenue = random_.gamma(2, 30, size), random_.poisson(1, size), random_.lognormal(14, 1, size)
    odds = -1.2 - 0.02 * (tenure - 60) + 0.7 * late - 0.5 * (np.log(revenue) - 14)
    labels = (random_.random(size) < 1 / (1 + np.exp(-odds))).astype(int)
    frame = pd.DataFrame({
        "uscc": [f"U{number:06d}" for number in range(size)],
        "as_of": np.datetime64("2023-01-01", "s") + random_.integers(0, days, size) * np.timedelta64(86400, "s"),
        "months_in_business": tenure, "tax_late": late.astype(float), "revenue": revenue,
    })  # fmt: skip
    frame.loc[random_.random(size) < 0.2, "revenue"] = np.nan
    return frame, labels


def firms_of_all_kinds(size: int, seed: int = 7) -> tuple[pd.DataFrame, np.ndarray]:
    """A frame of every feature of the platform's own model and labels that follow the promised directions."""
    random_ = np.random.default_rng(seed)
    draws = {"yuan": lambda: random_.lognormal(13, 1.5, size), "share": lambda: random_.gamma(1, 0.3, size),
             "ratio": lambda: random_.gamma(1, 0.5, size), "change": lambda: random_.normal(0, 0.3, size),
             "grade": lambda: random_.integers(0, 4, size).astype(float),
             "flag": lambda: random_.integers(0, 2, size).astype(float),
             "persons": lambda: random_.poisson(8, size).astype(float)}  # fmt: skip
    frame, odds = pd.DataFrame(index=range(size)), np.full(size, -2.5)
    for one in FEATURES:
        column = draws.get(one.unit, lambda: random_.poisson(0.7, size).astype(float))()
        if one.name in ("months_in_business", "insurance_months"):
            column = random_.poisson(10, size).astype(float)
        column[random_.random(size) < (0.1 if one.missing == "unknown" else 0.0)] = np.nan
        frame[one.name] = column
        ranks = frame[one.name].rank(pct=True).fillna(0.5).to_numpy() - 0.5
        odds += one.direction * ranks * (0.9 if one.actionable else 0.4)
    return frame, (random_.random(size) < 1 / (1 + np.exp(-odds))).astype(float)
