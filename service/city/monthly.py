"""What departments report every month (and quarter): tax, insurance, housing fund, utilities, trade, invoices.

Level follows revenue, revenue follows health; lateness and arrears grow as health falls. All chances are monthly.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from service.city.character import TRADES, Character
from service.city.firms import ENTERPRISE, INDIVIDUAL, YUAN, Floats
from service.city.health import logistic
from service.city.rows import Panel, Rows, World, after, concatenate, days, fen_of, month_words, words, yuan

DELIVERED = {"tax_payment": 16, "social_insurance": 12, "housing_fund": 14, "utility": 10, "trade": 18, "invoice": 17}
EXEMPT_QUARTER = 300_000 * YUAN  # small taxpayers below it pay no VAT
INSURANCE_PER_HEAD = 1_450 * YUAN
FUND_PER_HEAD = 620 * YUAN
PRICE = {"electricity": 68, "water": 465, "gas": 345}  # fen per kWh or cubic metre


def revenue_by_month(rng: np.random.Generator, world: World) -> Floats:
    """Fen per firm and month: base × health × season × chance."""
    shape = world.health.shape
    month_of_year = world.when.months.astype(int) % 12
    season = np.array([0.9, 0.75, 1.0, 1.0, 1.0, 1.05, 0.98, 0.98, 1.05, 1.0, 1.08, 1.2])[month_of_year]
    base = world.firms.revenue_fen[:, None] / 12
    return np.asarray(base * np.exp(0.30 * world.health) * season * rng.lognormal(0, 0.22, shape))


def tax_payments(rng: np.random.Generator, world: World, revenue: Floats, character: Character) -> Rows:
    """VAT monthly (individuals quarterly), income tax and surcharges quarterly; most arrears are paid months later."""
    panel = world.panel()
    quarter_ends = (world.when.months.astype(int) % 3 == 2)[panel.month]
    small = world.firms.kind[panel.firm] == INDIVIDUAL
    vat = panel.where(~small | quarter_ends)
    quarterly = panel.where(quarter_ends & ~small)
    of_quarter = _three_months(revenue)
    paid_vat = 0.021 * vat.of(revenue) * rng.lognormal(0, 0.25, len(vat.firm))
    own = world.firms.kind[vat.firm] == INDIVIDUAL
    of_individual = np.where(vat.of(of_quarter) < EXEMPT_QUARTER, 0, 0.01 * vat.of(of_quarter))
    profit = np.maximum(0, 0.06 + 0.03 * quarterly.of(world.health)) * quarterly.of(of_quarter)
    parts = [
        _tax(rng, world, vat, 0, np.where(own, of_individual, paid_vat), character),
        _tax(rng, world, quarterly, 1, 0.05 * profit, character),
        _tax(rng, world, quarterly, 2, 0.0025 * quarterly.of(of_quarter), character),
    ]
    return concatenate([part for pair in parts for part in pair])


def _tax(
    rng: np.random.Generator, world: World, panel: Panel, tax: int, amount: Floats, character: Character
) -> tuple[Rows, Rows]:
    health = panel.of(world.health)
    chance = rng.random(len(health))
    owed = (chance < logistic(-5.7 - 1.4 * health)) & (amount > 0)
    late = ~owed & (chance > 1 - logistic(-3.8 - 1.1 * health))
    first = _tax_rows(rng, world, panel, tax, amount, np.where(owed, 2, np.where(late, 1, 0)), character)
    settled = np.flatnonzero(owed & (rng.random(len(health)) < 0.6))
    then = first.where(settled)
    months_later = rng.integers(2, 5, len(settled))
    fields = then.fields | {
        "days_late": pa.array(30 * months_later),
        "amount": yuan(fen_of(amount[settled])),
        "status": words(["late"], np.zeros(len(settled))),
    }
    return first, Rows("tax_payment", then.firm, then.known_on + 30 * months_later, fields)


def _tax_rows(
    rng: np.random.Generator, world: World, panel: Panel, tax: int, amount: Floats, state: Floats, character: Character
) -> Rows:
    count = len(panel.firm)
    late_days = np.where(state == 1, rng.integers(1, 25, count), np.where(state == 2, 30, 0))
    return Rows(
        "tax_payment",
        panel.firm,
        after(world.when, panel.month, DELIVERED["tax_payment"], _sent_late(rng, count, character)),
        {
            "period": month_words(world.when, panel.month),
            "tax": words(["vat", "cit", "other"], np.full(count, tax)),
            "amount": yuan(fen_of(np.where(state == 2, 0, amount))),
            "days_late": pa.array(late_days.astype(np.int64)),
            "status": words(["on_time", "late", "arrears"], state),
        },
    )


def _three_months(revenue: Floats) -> Floats:
    total = revenue.copy()
    total[:, 1:] += revenue[:, :-1]
    total[:, 2:] += revenue[:, :-2]
    return total


def _sent_late(rng: np.random.Generator, count: int, character: Character) -> npt.NDArray[np.bool_]:
    return rng.random(count) < character.faults.sent_late


def staff_by_month(world: World) -> Floats:
    """People at work: they follow health slowly, half a year behind."""
    slow = np.empty_like(world.health)
    slow[:, 0] = world.health[:, 0]
    for month in range(1, world.health.shape[1]):
        slow[:, month] = 0.8 * slow[:, month - 1] + 0.2 * world.health[:, month]
    return np.maximum(1, np.round(world.firms.employees[:, None] * np.exp(0.18 * slow)))


def social_insurance(rng: np.random.Generator, world: World, staff: Floats, character: Character) -> Rows:
    """Enterprises insure most of their people; seven individuals in ten insure somebody."""
    coverage = rng.beta(6, 2, len(world.firms))
    has = (world.firms.kind != INDIVIDUAL) | (rng.random(len(world.firms)) < 0.7)
    panel = world.panel()
    panel = panel.where(has[panel.firm])
    insured = np.maximum(1, np.round(panel.of(staff) * coverage[panel.firm]))
    return _insured(rng, world, panel, insured, "social_insurance", INSURANCE_PER_HEAD, character)


def housing_fund(rng: np.random.Generator, world: World, staff: Floats, character: Character) -> Rows:
    """Some of the firms with ten people and more pay into the fund."""
    has = (world.firms.employees >= 10) & (rng.random(len(world.firms)) < 0.55)
    coverage = rng.beta(4, 3, len(world.firms))
    panel = world.panel()
    panel = panel.where(has[panel.firm])
    insured = np.maximum(1, np.round(panel.of(staff) * coverage[panel.firm]))
    return _insured(rng, world, panel, insured, "housing_fund", FUND_PER_HEAD, character)


def _insured(
    rng: np.random.Generator,
    world: World,
    panel: Panel,
    insured: Floats,
    item: str,
    per_head: int,
    character: Character,
) -> Rows:
    count = len(insured)
    owed = rng.random(count) < logistic(-5.6 - 1.4 * panel.of(world.health))
    return Rows(
        item,
        panel.firm,
        after(world.when, panel.month, DELIVERED[item], _sent_late(rng, count, character)),
        {
            "period": month_words(world.when, panel.month),
            "insured": pa.array(insured.astype(np.int64)),
            "amount": yuan(fen_of(np.where(owed, 0, insured * per_head))),
            "status": words(["paid", "arrears"], owed),
        },
    )


def utilities(rng: np.random.Generator, world: World, revenue: Floats, character: Character) -> Rows:
    """Electricity everywhere there is a place; gas in kitchens; water by the quarter where it is used."""
    placed = np.isin(world.firms.premises, ["owned", "rented"]) | (rng.random(len(world.firms)) < 0.4)
    kitchens = np.array([trade.code == "H62" for trade in TRADES])[world.firms.trade]
    wet = np.array([trade.code[0] in "ACHO" for trade in TRADES])[world.firms.trade]
    panel = world.panel()
    panel = panel.where(placed[panel.firm])
    quarter_ends = (world.when.months.astype(int) % 3 == 2)[panel.month]
    power = np.array([trade.power for trade in TRADES])[world.firms.trade]
    wan = revenue / (10_000 * YUAN)
    parts = (
        (panel, "electricity", panel.of(wan) * power[panel.firm]),
        (panel.where(kitchens[panel.firm]), "gas", 6.0),
        (panel.where(wet[panel.firm] & quarter_ends), "water", 3.5),
    )
    made = []
    for mine, kind, usage in parts:
        used = usage if kind == "electricity" else mine.of(wan) * usage
        made.append(_utility(rng, world, mine, kind, np.asarray(used), character))
    return concatenate(made)


def _utility(
    rng: np.random.Generator, world: World, panel: Panel, kind: str, usage: Floats, character: Character
) -> Rows:
    count = len(panel.firm)
    used = np.round(usage * rng.lognormal(0, 0.15, count) + 5, 1)
    chance, health = rng.random(count), panel.of(world.health)
    state = np.where(chance < logistic(-6.2 - 1.3 * health), 2, np.where(chance > 1 - logistic(-4 - health), 1, 0))
    return Rows(
        "utility",
        panel.firm,
        after(world.when, panel.month, DELIVERED["utility"], _sent_late(rng, count, character)),
        {
            "period": month_words(world.when, panel.month),
            "kind": words([kind], np.zeros(count)),
            "usage": pa.array(used),
            "amount": yuan(fen_of(used * PRICE[kind])),
            "status": words(["paid", "late", "arrears"], state),
        },
    )


def trade(rng: np.random.Generator, world: World, revenue: Floats, character: Character) -> Rows:
    """A few manufacturers and wholesalers export, fewer import."""
    may = np.array([one.code[0] == "C" or one.code == "F51" for one in TRADES])[world.firms.trade]
    exports = may & (world.firms.kind == ENTERPRISE) & (rng.random(len(world.firms)) < 0.07)
    imports = exports & (rng.random(len(world.firms)) < 0.3)
    panel = world.panel()
    out, into = panel.where(exports[panel.firm]), panel.where(imports[panel.firm])
    both = Panel(np.concatenate([out.firm, into.firm]), np.concatenate([out.month, into.month]))
    share = np.where(np.arange(len(both.firm)) < len(out.firm), 0.35, 0.12)
    return Rows(
        "trade",
        both.firm,
        after(world.when, both.month, DELIVERED["trade"], _sent_late(rng, len(both.firm), character)),
        {
            "period": month_words(world.when, both.month),
            "direction": words(["export", "import"], np.arange(len(both.firm)) >= len(out.firm)),
            "amount": yuan(fen_of(share * both.of(revenue) * rng.lognormal(0, 0.4, len(both.firm)))),
        },
    )


def invoices(rng: np.random.Generator, world: World, revenue: Floats, character: Character) -> Rows:
    """A small share of enterprises has authorised its invoices: a dozen a month, some void, some red-letter."""
    has = (world.firms.kind == ENTERPRISE) & (rng.random(len(world.firms)) < character.invoices_share)
    panel = world.panel()
    panel = panel.where(has[panel.firm] & (panel.month >= world.when.first_live - 13))
    sold, bought = rng.poisson(8, len(panel.firm)), rng.poisson(5, len(panel.firm))
    share = np.concatenate([np.repeat(1 / np.maximum(sold, 1), sold), np.repeat(0.7 / np.maximum(bought, 1), bought)])
    mine = Panel(
        np.concatenate([np.repeat(panel.firm, sold), np.repeat(panel.firm, bought)]),
        np.concatenate([np.repeat(panel.month, sold), np.repeat(panel.month, bought)]),
    )
    count = len(mine.firm)
    red = np.where(rng.random(count) < 0.02, -1, 1)
    net = fen_of(red * share * mine.of(revenue) * rng.lognormal(0, 0.3, count))
    tax = fen_of(net * 0.13)
    partner = rng.integers(0, 40, count) * rng.integers(1, 4, count)
    return Rows(
        "invoice",
        mine.firm,
        after(world.when, mine.month, DELIVERED["invoice"], np.zeros(count, bool)),
        {
            "direction": words(["out", "in"], np.arange(count) >= sold.sum()),
            "number": pa.array([f"{place:08d}" for place in range(count)]),
            "issued_on": days(world.when.months[mine.month].astype("datetime64[D]") + rng.integers(0, 28, count)),
            "other_party": pa.array([f"拟对手{place:03d}" for place in partner]),
            "net": yuan(net),
            "tax": yuan(tax),
            "total": yuan(net + tax),
            "status": words(["valid", "void"], rng.random(count) < 0.04),
        },
    )
