"""The platform's features once more, slowly, in plain Python: what the Ibis expressions must equal."""

# ruff: noqa: E501 (one feature a line or two)

import math
import statistics
from collections.abc import Callable, Iterable
from datetime import date

from risk.records import ADVERSE, EVENTS
from tests.risk.worlds import Row

YEAR, QUARTER = 365, 92


def features(rows: Iterable[Row], firm: str, today: date, amount_fen: int, term_months: int) -> dict[str, float | None]:
    """The features of one firm on one day."""
    return {name: count(Sight(list(rows), firm, today, amount_fen, term_months)) for name, count in COUNTS.items()}


class Sight:
    """What may be seen of one firm on one day."""

    def __init__(self, rows: list[Row], firm: str, today: date, amount_fen: int, term_months: int) -> None:
        self.everything, self.firm, self.today = rows, firm, today
        self.amount_fen, self.term_months = amount_fen, term_months

    def rows(self, item: str, days: int | None = None, since: int = 0, **equal: str) -> list[Row]:
        found = [one for one in self.everything if one["item"] == item and one["uscc"] == self.firm and self._seen(one)]
        found = [one for one in found if all(one.get(name) == value for name, value in equal.items())]
        return [one for one in found if since <= self.age(one) < (days or 10**9)]

    def _seen(self, one: Row) -> bool:
        gone = [one.get("superseded_on"), one.get("withdrawn_on")]
        gone += [one.get("ends_on")] if one["item"] in ADVERSE else []
        return max(one["known_on"], one["happened_on"]) <= self.today and all(
            day is None or day > self.today for day in gone
        )

    def age(self, one: Row) -> int:
        return (self.today - one["happened_on"]).days

    def running(self, one: Row) -> bool:
        return one.get("ends_on") is None or one["ends_on"] > self.today

    def lives(self, item: str) -> bool:
        return any(one["item"] == item and one["known_on"] <= self.today for one in self.everything)

    def latest(self, item: str, column: str, before: int = 0) -> float | str | None:
        """The column of the row with the greatest key, or of the one `before` it."""
        found = sorted(self.rows(item), key=lambda one: one["key"])
        return found[-1 - before][column] if len(found) > before else None


def _count(item: str, test: Callable[[Sight, Row], bool], days: int | None = None) -> Callable[[Sight], float | None]:
    """How many rows fulfil a test; nothing known: zero for living event feeds, unknown otherwise."""

    def count(sight: Sight) -> float | None:
        found = sight.rows(item, days)
        if not found and (item not in EVENTS or not sight.lives(item)):
            return None
        return sum(test(sight, one) for one in found)

    return count


def _sum(item: str, test: Callable[[Sight, Row], bool], days: int | None = None) -> Callable[[Sight], float | None]:
    def total(sight: Sight) -> float | None:
        found = [one["amount_fen"] for one in sight.rows(item, days) if test(sight, one)]
        if not found:
            return 0 if item in EVENTS and sight.lives(item) else None
        return sum(found) / 100

    return total


def _mean(sight: Sight, item: str, column: str, days: int, since: int = 0, **equal: str) -> float | None:
    found = [one[column] for one in sight.rows(item, days, since, **equal)]
    return statistics.fmean(found) if found else None


def _spread(sight: Sight, item: str, column: str, **equal: str) -> float | None:
    found = [one[column] for one in sight.rows(item, YEAR, **equal)]
    return statistics.stdev(found) if len(found) > 1 else None


def _ratio(top: float | None, below: float | None, cap: float = 5) -> float | None:
    return None if top is None or below is None or below <= 0 else max(0, min(cap, top / below))


def _change(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None or before <= 0 else max(-1, min(5, now / before - 1))


def _year_on_year(item: str, column: str, **equal: str) -> Callable[[Sight], float | None]:
    return lambda s: _change(
        _mean(s, item, column, QUARTER, **equal), _mean(s, item, column, YEAR + QUARTER, YEAR, **equal)
    )


def _place(grade: object, *worst_first: str) -> float | None:
    return worst_first.index(str(grade)) if grade in worst_first else None


def _registered(sight: Sight, column: str) -> object:
    found = sight.rows("registration")
    return found[0].get(column) if found else None


def _sector(letters: str) -> Callable[[Sight], float | None]:
    return lambda s: None if (code := _registered(s, "code")) is None else float(str(code)[0] in letters)


def _premises(sight: Sight) -> float | None:
    details = str(_registered(sight, "details") or "")
    word = details.rsplit('"premises": "', 1)[-1].split('"', 1)[0] if '"premises"' in details else None
    return _place(word, "none", "online", "rented", "owned")


def _arrears_months(sight: Sight) -> float | None:
    found = sight.rows("tax_payment", YEAR)
    return len({one["happened_on"] for one in found if one["status"] == "arrears"}) if found else None


def _tax_sum(sight: Sight, days: int, since: int = 0) -> float | None:
    found = [one["amount_fen"] for one in sight.rows("tax_payment", days, since)]
    return sum(found) if found else None


def _loans(sight: Sight) -> dict[str, list[Row]]:
    loans: dict[str, list[Row]] = {}
    for one in sorted(sight.rows("loan_performance"), key=lambda one: one["happened_on"]):
        loans.setdefault(one["party"], []).append(one)
    return loans


def _late_now(sight: Sight) -> float | None:
    loans = [months[-1] for months in _loans(sight).values()]
    if not loans and not sight.lives("loan_performance"):
        return None
    return sum(last["quantity"] > 0 and sight.age(last) < YEAR for last in loans)


def _most_overdue(sight: Sight) -> float | None:
    found = [one["quantity"] for one in sight.rows("loan_performance", 2 * YEAR)]
    return max(found, default=0 if sight.lives("loan_performance") else None)


def _open_principal(sight: Sight) -> float | None:
    found = [one["amount_fen"] for one in sight.rows("loan")
             if one["status"] == "overdue" or (one["status"] == "normal" and sight.running(one))]  # fmt: skip
    return sum(found) if found else (0 if sight.lives("loan") else None)


def _late(_: Sight, one: Row) -> bool:
    return one["status"] in ("late", "arrears")


COUNTS: dict[str, Callable[[Sight], float | None]] = {
    "months_in_business": lambda s: max((s.age(one) for one in s.rows("registration")), default=math.nan) / 30.4375,
    "registered_capital": lambda s: None if (fen := _registered(s, "amount_fen")) is None else fen / 100,
    "in_trade": _sector("F"), "in_manufacturing": _sector("C"), "in_construction": _sector("EK"), "in_catering": _sector("HOR"),
    "fixed_premises": _premises,
    "legal_persons_left": _count("people", lambda s, one: one["code"] == "legal_person" and one["ends_on"] is not None
                                 and 0 <= (s.today - one["ends_on"]).days < 2 * YEAR),
    "employees": lambda s: s.latest("annual_report", "quantity"),
    "revenue": lambda s: None if (fen := s.latest("annual_report", "amount_fen")) is None else fen / 100,
    "revenue_change": lambda s: _change(s.latest("annual_report", "amount_fen"), s.latest("annual_report", "amount_fen", 1)),
    "tax_grade": lambda s: _place(s.latest("tax_grade", "code"), "D", "C", "M", "B", "A"),
    "tax_paid_12m": _sum("tax_payment", lambda s, one: True, YEAR),
    "vat_change": _year_on_year("tax_payment", "amount_fen", code="vat"),
    "tax_change": lambda s: _change(_tax_sum(s, YEAR), _tax_sum(s, 2 * YEAR, YEAR)),
    "vat_volatility": lambda s: _ratio(_spread(s, "tax_payment", "amount_fen", code="vat"),
                                       _mean(s, "tax_payment", "amount_fen", YEAR, code="vat")),
    "vat_nil_months": _count("tax_payment", lambda s, one: one["code"] == "vat" and one["amount_fen"] == 0, YEAR),
    "tax_late": _count("tax_payment", _late, YEAR),
    "tax_days_late": lambda s: max((one["quantity"] for one in s.rows("tax_payment", YEAR)), default=None),
    "tax_arrears_months": _arrears_months,
    "insured_persons": lambda s: _mean(s, "social_insurance", "quantity", QUARTER),
    "insured_change": _year_on_year("social_insurance", "quantity"),
    "insurance_months": _count("social_insurance", lambda s, one: one["status"] == "paid", YEAR),
    "insurance_arrears": _count("social_insurance", lambda s, one: one["status"] == "arrears", YEAR),
    "fund_persons": lambda s: _mean(s, "housing_fund", "quantity", QUARTER),
    "fund_arrears": _count("housing_fund", lambda s, one: one["status"] == "arrears", YEAR),
    "power_change": _year_on_year("utility", "quantity", code="electricity"),
    "power_volatility": lambda s: _ratio(_spread(s, "utility", "quantity", code="electricity"),
                                         _mean(s, "utility", "quantity", YEAR, code="electricity")),
    "utility_late": _count("utility", _late, YEAR),
    "property_free": _sum("real_estate", lambda s, one: one["status"] == "free"),
    "property_seized": _count("real_estate", lambda s, one: one["status"] == "seized"),
    "permits_valid": _count("permit", lambda s, one: one["status"] == "valid" and s.running(one)),
    "penalties_graver": _count("penalty", lambda s, one: one["code"] in ("serious", "general")),
    "fines": _sum("penalty", lambda s, one: True),
    "court_cases": _count("court_enforcement", lambda s, one: one["status"] == "open"),
    "enforcement_open": _sum("court_enforcement", lambda s, one: (one["status"], one["code"]) == ("open", "enforcement")),
    "dishonesty_listings": _count("dishonesty_listing", lambda s, one: True),
    "abnormal_listings": _count("abnormal_operation", lambda s, one: True),
    "honours": _count("honour", lambda s, one: s.running(one)),
    "property_rights": _count("intellectual_property", lambda s, one: s.running(one)),
    "contracts_breached": _count("contract", lambda s, one: one["status"] == "breached" and s.age(one) < 2 * YEAR),
    "contracts_performed": _sum("contract", lambda s, one: one["status"] == "performed" and s.age(one) < 2 * YEAR),
    "exports": _sum("trade", lambda s, one: one["code"] == "export" and s.age(one) < YEAR),
    "environment_rating": lambda s: _place(s.latest("environment_rating", "code"), "red", "yellow", "blue", "green"),
    "loans_late_now": _late_now,
    "days_overdue": _most_overdue,
    "loans_settled": _count("loan", lambda s, one: one["status"] == "settled"),
    "debt_to_revenue": lambda s: _ratio(_open_principal(s), s.latest("annual_report", "amount_fen")),
    "amount_to_revenue": lambda s: _ratio(s.amount_fen, s.latest("annual_report", "amount_fen")),
    "term_asked": lambda s: s.term_months,
}  # fmt: skip
