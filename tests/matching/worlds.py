"""Random products, demands and facts that meet every admission criterion's line, its neighbours and its gaps."""

import random
from datetime import date, timedelta
from decimal import Decimal

from matching.facts import FIRM_KINDS, GUARANTEES, SIZES, TAX_GRADES, USES
from matching.terms import Asked, Fact, Product

TODAY = date(2026, 6, 1)
INDUSTRIES = ("F52", "F51", "H61", "H62", "C13", "C1310", "I65", "Z99")
PREFIXES = ("F", "F5", "F52", "H62", "C", "C131", "I65", "Z")
DISTRICTS = ("410105", "410122", "410173", "ZDXQ")
WAN_FEN = 1_000_000


def _some(draw: random.Random, choices: tuple[str, ...], most: int = 3) -> frozenset[str]:
    return frozenset(draw.sample(choices, draw.randint(0, most))) if draw.random() < 0.25 else frozenset()


def _maybe(draw: random.Random, line, chance=0.25):
    return line() if draw.random() < chance else None


def a_product(draw: random.Random, key: int) -> Product:
    least, shortest = draw.randint(0, 3) * WAN_FEN, draw.randint(1, 6)
    rate = Decimal(draw.randint(20, 60)) / 1000
    return Product(
        id=key,
        bank_id=draw.randint(1, 6),
        name=f"p{key}",
        amount_min_fen=least,
        amount_max_fen=least + draw.randint(0, 9) * WAN_FEN,
        term_min_months=shortest,
        term_max_months=shortest + draw.randint(0, 30),
        rate_min=rate,
        rate_max=rate,
        guarantees=frozenset(draw.sample(GUARANTEES, draw.randint(1, 2))) | _some(draw, ("credit",), 1),
        firm_kinds=_some(draw, FIRM_KINDS),
        districts=_some(draw, DISTRICTS),
        sizes=_some(draw, SIZES),
        uses=_some(draw, USES[:6], 5),
        industries=_some(draw, PREFIXES),
        excluded_industries=_some(draw, PREFIXES, 2),
        min_months_in_business=_maybe(draw, lambda: draw.randint(0, 30)),
        max_probability=_maybe(draw, lambda: Decimal(draw.randint(0, 9)) / 100),
        min_tax_grade=_maybe(draw, lambda: draw.choice(TAX_GRADES)),
        min_yearly_sales_fen=_maybe(draw, lambda: draw.randint(0, 9) * WAN_FEN),
        min_tax_paid_fen=_maybe(draw, lambda: draw.randint(0, 9) * WAN_FEN),
        min_employees=_maybe(draw, lambda: draw.randint(0, 9)),
        max_overdue_days=_maybe(draw, lambda: draw.randint(0, 9)),
        max_tax_arrears_months=_maybe(draw, lambda: draw.randint(0, 4)),
        max_enforcement_open_fen=_maybe(draw, lambda: draw.randint(0, 9) * WAN_FEN),
        decision_days=draw.randint(1, 40),
    )


def a_demand(draw: random.Random, key: int) -> Asked:
    return Asked(
        demand_id=key,
        amount_fen=draw.randint(0, 9) * WAN_FEN + draw.choice((-1, 0, 0, 0, 1)),
        term_months=draw.randint(1, 36),
        use=draw.choice(USES[:7]),
        rate_ceiling=_maybe(draw, lambda: Decimal(draw.randint(20, 80)) / 1000, 0.6),
        guarantees=frozenset(draw.sample(GUARANTEES, draw.randint(0, 3))),
        excluded_banks=frozenset(draw.sample(range(1, 7), 1)) if draw.random() < 0.2 else frozenset(),
    )


def some_facts(draw: random.Random) -> dict[str, Fact]:
    values = {
        "firm_kind": draw.choice(FIRM_KINDS),
        "size": draw.choice(SIZES),
        "district": draw.choice((*DISTRICTS, "410199")),
        "industry": draw.choice(INDUSTRIES),
        "established_on": TODAY - timedelta(days=draw.randint(-5, 1000)),
        "probability": Decimal(draw.randint(0, 90_001)) / 1_000_000,
        "tax_grade": draw.choice(TAX_GRADES),
        "yearly_sales_fen": draw.randint(-1, 9) * WAN_FEN + draw.choice((-1, 0, 1)),
        "tax_paid_fen": draw.randint(0, 9) * WAN_FEN,
        "employees": draw.randint(0, 9),
        "overdue_days": draw.randint(0, 9),
        "tax_arrears_months": draw.randint(0, 4),
        "enforcement_open_fen": draw.randint(0, 9) * WAN_FEN,
    }
    return {name: _fact(draw, value) for name, value in values.items() if draw.random() < 0.95}


def _fact(draw: random.Random, value) -> Fact:
    state = draw.choices(("known", "stale", "missing"), (88, 7, 5))[0]
    return Fact(None if state == "missing" else value, "x", None, state)
