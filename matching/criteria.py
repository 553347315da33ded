"""How each criterion is measured: plain whole-number arithmetic, the same for one demand and for a column of them.

A measure's parameters name the facts it needs (after `today`); each arrives encoded by `matching.facts.encode`, as an
int or as an int64 array, so a measure uses operators only. The result is a whole number of 10^-places units.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from matching.facts import FACTS, FORBIDDEN_USES, LONG_USES, TAX_GRADES, USES

Whole = Any
"""An int, or an int64 array of the same."""

RATIO_PLACES = 4
RATIO_CAP = 9_999 * 10**RATIO_PLACES
"""What a ratio to nothing counts as; policy.yaml has a word for it."""

LONGEST_WORKING_LOAN = 36
LONGEST_INVESTMENT_LOAN = 120


@dataclass(frozen=True)
class Measure:
    """One way to measure: its name, decimal places, the facts it needs, and the function."""

    name: str
    places: int
    needs: tuple[str, ...]
    of: Callable[..., Whole]
    since: str | None = None


MEASURES: dict[str, Measure] = {}


def measure(places: int = 0, since: str | None = None) -> Callable[[Callable[..., Whole]], Callable[..., Whole]]:
    """Register a measure. `since` names the date fact from which the measure grows by one each month."""

    def register(function: Callable[..., Whole]) -> Callable[..., Whole]:
        needs = tuple(inspect.signature(function).parameters)[1:]
        unknown = [need for need in needs if need not in FACTS]
        if unknown:
            raise ValueError(f"measure '{function.__name__}' needs facts nobody knows: {', '.join(unknown)}")
        name = function.__name__
        MEASURES[name] = Measure(name, places, needs, function, since)
        return function

    return register


def day_number(day: date) -> int:
    """A date as measures see it: yyyymmdd."""
    return day.year * 10_000 + day.month * 100 + day.day


def whole_months(start: Whole, today: Whole) -> Whole:
    """Full months from start to today, both yyyymmdd; the day of the month itself counts as full. Never below zero."""
    months = (today // 10_000 - start // 10_000) * 12 + today // 100 % 100 - start // 100 % 100
    months = months - (today % 100 < start % 100)
    return months * (months > 0)


def days_between(start: Whole, today: Whole) -> Whole:
    """Calendar days from start to today, both yyyymmdd, by the civil-day count of Fliegel and Van Flandern (1968)."""
    days = _civil_day(today) - _civil_day(start)
    return days * (days > 0)


def _civil_day(number: Whole) -> Whole:
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    early = 1 * (month <= 2)
    year, month = year - early, month + 12 * early
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day


def ratio(part: Whole, whole: Whole) -> Whole:
    """part ÷ whole in ten-thousandths, rounded up so that 'at most' lines are exact; capped, also for a whole of 0."""
    positive = 1 * (whole > 0)
    exact = -(-(part * 10**RATIO_PLACES) // (whole * positive + (1 - positive)))
    capped = exact * (exact < RATIO_CAP) + RATIO_CAP * (exact >= RATIO_CAP)
    return capped * positive + RATIO_CAP * (1 - positive)


@measure(since="established_on")
def months_in_business(today: Whole, established_on: Whole) -> Whole:
    """Full months since establishment."""
    return whole_months(established_on, today)


@measure()
def registration(today: Whole, registration_status: Whole) -> Whole:  # noqa: ARG001
    """0 active, 1 moved out of the city, 2 cancelled, 3 revoked."""
    return registration_status + 0


@measure()
def serious_dishonesty(today: Whole, serious_listings: Whole) -> Whole:  # noqa: ARG001
    """Serious dishonesty entries of the firm in force today; repaired and expired ones have left."""
    return serious_listings + 0


@measure()
def legal_person_dishonesty(today: Whole, legal_person_listings: Whole) -> Whole:  # noqa: ARG001
    """Serious dishonesty entries of the legal representative in force today."""
    return legal_person_listings + 0


@measure()
def abnormal_operation(today: Whole, abnormal_listings: Whole) -> Whole:  # noqa: ARG001
    """Entries in the list of abnormal operation in force today."""
    return abnormal_listings + 0


@measure()
def months_without_activity(today: Whole, last_activity_on: Whole) -> Whole:
    """Full months since the last sign of business (tax, insurance, utility, invoice)."""
    return whole_months(last_activity_on, today)


@measure()
def fixed_premises(today: Whole, premises: Whole) -> Whole:  # noqa: ARG001
    """0 owned, rented or a platform's network place; 1 none."""
    return 1 * (premises == 3)


@measure(places=RATIO_PLACES)
def amount_to_sales(today: Whole, amount_fen: Whole, yearly_sales_fen: Whole) -> Whole:  # noqa: ARG001
    """Amount asked ÷ sales of the last 12 months."""
    return ratio(amount_fen, yearly_sales_fen)


@measure()
def gaps_in_need(today: Whole, amount_fen: Whole, term_months: Whole, use: Whole) -> Whole:  # noqa: ARG001
    """2 without an amount or a term; 1 when the use is only 'other' and a plan is still to be stated; 0 complete."""
    nothing = 1 * ((amount_fen <= 0) + (term_months <= 0) > 0)
    return 2 * nothing + (1 - nothing) * (use == USES.index("other"))


@measure()
def enforcement_open(today: Whole, enforcement_open_fen: Whole) -> Whole:  # noqa: ARG001
    """Fen under open court enforcement."""
    return enforcement_open_fen + 0


@measure()
def penalties(today: Whole, serious_penalties: Whole) -> Whole:  # noqa: ARG001
    """Serious administrative penalties still inside their publication window."""
    return serious_penalties + 0


@measure()
def tax_arrears(today: Whole, tax_arrears_months: Whole) -> Whole:  # noqa: ARG001
    """Months with unpaid tax among the last twelve."""
    return tax_arrears_months + 0


@measure()
def insurance_arrears(today: Whole, insurance_arrears_months: Whole) -> Whole:  # noqa: ARG001
    """Months with unpaid social insurance among the last twelve."""
    return insurance_arrears_months + 0


@measure()
def days_overdue(today: Whole, overdue_days: Whole) -> Whole:  # noqa: ARG001
    """Days the worst of the firm's loans is overdue now."""
    return overdue_days + 0


@measure()
def tax_credit(today: Whole, tax_grade: Whole) -> Whole:  # noqa: ARG001
    """0 for A, B, M and unrated (which is never D), 1 for C, 2 for D."""
    return 1 * (tax_grade == TAX_GRADES.index("C")) + 2 * (tax_grade == TAX_GRADES.index("D"))


@measure()
def forbidden_use(today: Whole, use: Whole) -> Whole:  # noqa: ARG001
    """1 where the use is on the list of prohibited uses."""
    return 1 * _one_of(use, FORBIDDEN_USES)


@measure()
def term_over_use(today: Whole, term_months: Whole, use: Whole) -> Whole:  # noqa: ARG001
    """Months asked beyond what the use allows: 36 for working capital, 120 for investment in fixed assets."""
    long = 1 * _one_of(use, LONG_USES)
    over = term_months - LONGEST_WORKING_LOAN - long * (LONGEST_INVESTMENT_LOAN - LONGEST_WORKING_LOAN)
    return over * (over > 0)


def _one_of(use: Whole, uses: frozenset[str]) -> Whole:
    return sum(1 * (use == USES.index(one)) for one in sorted(uses)) > 0


@measure(places=6)
def default_probability(today: Whole, probability: Whole) -> Whole:  # noqa: ARG001
    """Estimated probability of default, a share."""
    return probability + 0


@measure()
def days_since_heard(today: Whole, heard_on: Whole) -> Whole:
    """Days since a monthly source last spoke of this firm."""
    return days_between(heard_on, today)


@measure(since="first_sale_on")
def months_since_first_sale(today: Whole, first_sale_on: Whole) -> Whole:
    """Full months since the first sales invoice: a lower bound of the time in business where no register is at hand."""
    return whole_months(first_sale_on, today)


@measure()
def months_without_sale(today: Whole, last_sale_on: Whole) -> Whole:
    """Full months since the last valid sales invoice."""
    return whole_months(last_sale_on, today)


@measure()
def months_with_sales(today: Whole, active_months: Whole) -> Whole:  # noqa: ARG001
    """Months with valid sales among the last twelve."""
    return active_months + 0


@measure(places=6)
def void_invoices(today: Whole, void_share: Whole) -> Whole:  # noqa: ARG001
    """Share of sales invoices made void, by number."""
    return void_share + 0


@measure(places=6)
def negative_invoices(today: Whole, negative_share: Whole) -> Whole:  # noqa: ARG001
    """Share of red-letter (reversal) invoices in sales, by amount."""
    return negative_share + 0
