"""The words of the judgement as frozen values: lights, facts, findings, verdicts, products, wishes, lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from matching.facts import Value

FactState = Literal["known", "missing", "stale"]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Light(IntEnum):
    """Ordered so that the whole is the worst (max) of its parts."""

    GREEN = 0
    YELLOW = 1
    RED = 2

    @property
    def word(self) -> str:
        """How a light is stored: green, yellow, red."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Light":
        """The light of a stored word; KeyError on any other word."""
        return cls[word.upper()]


@dataclass(frozen=True)
class Fact:
    """One value as a source told it. A missing one has no value; a stale one keeps its last, and is not judged."""

    value: Value
    source: str
    known_on: date | None = None
    state: FactState = "known"


Facts = Mapping[str, Fact]


@dataclass(frozen=True)
class Words:
    """The same sentence in the two languages of the house."""

    zh: str
    en: str


@dataclass(frozen=True)
class Finding:
    """What one criterion says of one demand. `line` decided: the yellow one beyond it, else the green one."""

    criterion: str
    group: str
    light: Light
    state: FactState
    value: Decimal | None
    line: Decimal | None
    sentence_zh: str
    sentence_en: str
    changes_when_zh: str = ""
    changes_when_en: str = ""
    office_zh: str = ""
    office_en: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotJudged:
    """A criterion this run has no way to measure, and why; it says neither yes nor no."""

    criterion: str
    name_zh: str
    name_en: str
    reason_zh: str
    reason_en: str


@dataclass(frozen=True)
class Verdict:
    """The light of one demand with everything that made it; what was not judged stands first on every page."""

    light: Light
    recommended: bool
    findings: tuple[Finding, ...]
    not_judged: tuple[NotJudged, ...]
    policy_version: str
    policy_hash: str
    judged_on: date

    def finding(self, criterion: str) -> Finding:
        """The finding of one criterion; KeyError where it was not judged."""
        for finding in self.findings:
            if finding.criterion == criterion:
                return finding
        raise KeyError(criterion)


@dataclass(frozen=True)
class Product:
    """A bank's loan product with its admission criteria; None or an empty set means the bank sets no such line.

    Money in fen, rates as yearly shares, `decision_days` promised working days, `industries` and `excluded_industries`
    are prefixes of GB/T 4754 codes ('F', 'F52'). A bank may be stricter than the policy, never laxer.
    """

    id: int
    bank_id: int
    name: str
    amount_min_fen: int
    amount_max_fen: int
    term_min_months: int
    term_max_months: int
    rate_min: Decimal
    rate_max: Decimal
    guarantees: frozenset[str] = frozenset({"credit"})
    firm_kinds: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    sizes: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    industries: frozenset[str] = frozenset()
    excluded_industries: frozenset[str] = frozenset()
    min_months_in_business: int | None = None
    max_probability: Decimal | None = None
    min_tax_grade: str | None = None
    min_yearly_sales_fen: int | None = None
    min_tax_paid_fen: int | None = None
    min_employees: int | None = None
    max_overdue_days: int | None = None
    max_tax_arrears_months: int | None = None
    max_enforcement_open_fen: int | None = None
    decision_days: int = 10
    places_per_day: int = 0
    quota_left_fen: int | None = None


@dataclass(frozen=True)
class Asked:
    """What one demand wants. `guarantees` are the modes the firm can give; plain credit needs none."""

    demand_id: int
    amount_fen: int
    term_months: int
    use: str
    rate_ceiling: Decimal | None = None
    guarantees: frozenset[str] = frozenset()
    intended_banks: tuple[int, ...] = ()
    excluded_banks: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Line:
    """One demand on one bank's list; rank 1 is the demand's best line of the day by value."""

    demand_id: int
    product_id: int
    bank_id: int
    rank: int


@dataclass(frozen=True, eq=False)
class Lines:
    """The lists of a day as columns of equal length, in order of demand and rank."""

    demand_id: Ints
    product_id: Ints
    bank_id: Ints
    rank: Ints

    def __len__(self) -> int:
        return len(self.demand_id)

    def rows(self) -> tuple[Line, ...]:
        """The same, line by line."""
        columns = (self.demand_id, self.product_id, self.bank_id, self.rank)
        return tuple(Line(*row) for row in zip(*(column.tolist() for column in columns), strict=True))


@dataclass(frozen=True, eq=False)
class Problem:
    """One day's sharing out, as columns. Lengths: demands n, products m, banks b, pairs k. Ids are unique.

    `lines_left` = three minus the lines already open. `quota_fen` < 0 means no money line. `bank_places` < 0 means no
    line for the bank. Pairs point at positions (not ids) of demands and products. `urgent_days` None = no such rule.
    """

    demand_id: Ints
    amount_fen: Ints
    waited_days: Ints
    lines_left: Ints
    product_id: Ints
    product_bank: Ints
    places: Ints
    quota_fen: Ints
    floor: Ints
    bank_id: Ints
    bank_places: Ints
    pair_demand: Ints
    pair_product: Ints
    value: Floats
    p_grant: Floats
    intended: Flags
    excluded: Flags
    max_banks: int = 3
    urgent_days: int | None = None


@dataclass(frozen=True, eq=False)
class Prices:
    """Dual prices of one stage: per place of a product, per fen of its quota, per place of a bank; all ≥ 0."""

    product: Floats
    quota: Floats
    bank: Floats


@dataclass(frozen=True, eq=False)
class Allocation:
    """The lists of a day: chosen pairs (positions), the lines, one set of prices per stage, value and bound."""

    pairs: Ints
    lines: Lines
    prices: tuple[Prices, ...]
    value: float
    bound: float
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def gap(self) -> float:
        """How far the value may be from the optimum, as a share of the bound."""
        return max(0.0, (self.bound - self.value) / self.bound) if self.bound > 0 else 0.0
