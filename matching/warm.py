"""Compile the solver's loops ahead of the first day: about ten seconds once, kept beside the modules by numba."""

from datetime import date
from decimal import Decimal

import numpy as np

from matching.allocate import allocate
from matching.appetite import Appetite
from matching.best import best_of, chances_of, traits_of_columns
from matching.fit_many import FEW_ROWS, fit_many
from matching.judge_many import columns_from
from matching.problem import pose
from matching.terms import Product
from matching.value import Weights

DEMANDS, PRODUCTS, BANKS = 120, 12, 4


def warm_up() -> None:
    """Fit, rank and share out a made-up day with every kind of limit, so that every loop is met; nothing is kept."""
    product = Product(1, 1, "", 0, 10**9, 1, 36, Decimal("0.03"), Decimal("0.06"))
    wide = columns_from({"amount_fen": np.full(FEW_ROWS, 10**8), "term_months": np.full(FEW_ROWS, 12)})
    fitting = fit_many(wide, [product], date(2026, 1, 5))
    traits = traits_of_columns(wide, np.zeros(FEW_ROWS, np.int8))
    chances = chances_of(Appetite(), traits, [product], {1: "city"})
    best_of(fitting, [product], chances, wide.values["amount_fen"], Weights(1.0, 0.0, 0.0))
    draw = np.random.default_rng(0)
    demand, own = np.meshgrid(np.arange(DEMANDS), np.arange(PRODUCTS), indexing="ij")
    chance = draw.random(demand.size)
    pairs = {"demand_id": demand.ravel(), "product_id": own.ravel(), "value": chance, "p_grant": chance}
    allocate(
        pose(
            {
                "demand_id": np.arange(DEMANDS),
                "amount_fen": draw.integers(10**7, 10**8, DEMANDS),
                "waited_days": draw.integers(0, 20, DEMANDS),
            },
            {
                "product_id": np.arange(PRODUCTS),
                "bank_id": np.arange(PRODUCTS) % BANKS,
                "places": np.full(PRODUCTS, 9),
                "quota_fen": np.where(np.arange(PRODUCTS) % 2, 4 * 10**8, -1),
                "floor": np.full(PRODUCTS, 2),
            },
            pairs | {"intended": chance < 0.1},
            urgent_days=10,
        )
    )
