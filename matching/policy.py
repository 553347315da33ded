"""The policy as the code sees it: dated criteria, clocks, numbers and review, and the same in words for a page."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal

from matching.criteria import Measure
from matching.speech import UNIT_WORDS, say
from matching.terms import Light, NotJudged, Words

POLICY_FILE = Path(__file__).with_name("policy.yaml")
INVOICES_POLICY_FILE = Path(__file__).with_name("policy.invoices.yaml")

Sure = Literal["document", "practice", "assumption"]


class PolicyError(ValueError):
    """A policy that cannot be used; the message is one sentence for the person who edits it."""


@dataclass(frozen=True)
class Step:
    """One dated line of a criterion, as written and in the measure's whole numbers."""

    since: date
    green: Decimal
    yellow: Decimal
    green_number: int
    yellow_number: int


@dataclass(frozen=True)
class Criterion:
    """One criterion with everything an official may ask about it."""

    id: str
    group: str
    name: Words
    question: Words
    basis: Words
    sure: Sure
    measure: Measure
    unit: str
    more_is_better: bool
    worst: Light
    optional: bool
    reason: Words
    steps: tuple[Step, ...]
    district_steps: Mapping[str, tuple[Step, ...]]
    sentences: Mapping[str, Words]
    repair: Words
    office: Words
    values: Mapping[Decimal, Words]
    one_of_five: bool

    def step(self, day: date, district: str | None) -> Step:
        """The line in force on a day, the district's own where it has one; PolicyError before the first."""
        for steps in (self.district_steps.get(district or "", ()), self.steps):
            position = bisect_right([step.since for step in steps], day)
            if position:
                return steps[position - 1]
        raise PolicyError(f"criterion '{self.id}' has no line in force on {day}")


@dataclass(frozen=True)
class Series:
    """A dated number or clock: name, basis, and its value from each date on."""

    id: str
    name: Words
    basis: Words
    sure: Sure
    values: tuple[tuple[date, Decimal], ...]
    unit: str = ""
    starts: str = ""

    def on(self, day: date) -> Decimal:
        """The value in force; PolicyError before the first."""
        position = bisect_right([since for since, _ in self.values], day)
        if not position:
            raise PolicyError(f"'{self.id}' has no value in force on {day}")
        return self.values[position - 1][1]


@dataclass(frozen=True)
class Clock:
    """A limit in force: so many `working_days` or `calendar_days` from the event `starts`."""

    id: str
    length: int
    unit: str
    starts: str


@dataclass(frozen=True)
class Review:
    """How a district turns reported into recommended: automatic, sampled (a share) or full, and in how many days."""

    mode: str
    share: Decimal
    deadline_working_days: int


@dataclass(frozen=True)
class Rule:
    """A criterion with the step in force."""

    criterion: Criterion
    step: Step


@dataclass(frozen=True)
class InWords:
    """One criterion as the page 'the policy in words' shows it, on one day in one district."""

    id: str
    group: Words
    name: Words
    question: Words
    basis: Words
    sure: Sure
    since: date
    green_line: Words
    yellow_line: Words
    sentences: Mapping[str, Words]
    repair: Words
    office: Words


@dataclass(frozen=True, eq=False)
class PolicyDay:
    """What holds on one day in one district."""

    policy: "Policy"
    day: date
    district: str | None
    rules: tuple[Rule, ...]
    review: Review

    def clock(self, name: str) -> Clock:
        """A clock in force, e.g. clock('contact').length; PolicyError for an unknown name."""
        series = self.policy.find(self.policy.clocks, name)
        return Clock(name, int(series.on(self.day)), series.unit, series.starts)

    def number(self, name: str) -> Decimal:
        """A number in force, e.g. number('max_open_lines'); PolicyError for an unknown name."""
        return self.policy.find(self.policy.numbers, name).on(self.day)

    def in_words(self) -> tuple[InWords, ...]:
        """Every criterion with its texts and lines, in the policy's order."""
        return tuple(_in_words(self.policy, rule) for rule in self.rules)


@dataclass(frozen=True, eq=False)
class Policy:
    """A policy file, read and checked. `hash` is the SHA-256 of the file's bytes (and of the file it is based on)."""

    version: str
    hash: str
    name: Words
    criteria: tuple[Criterion, ...]
    clocks: Mapping[str, Series]
    numbers: Mapping[str, Series]
    groups: Mapping[str, Words]
    sources: Mapping[str, Words]
    default_review: tuple[tuple[date, Review], ...]
    district_reviews: Mapping[str, tuple[tuple[date, Review], ...]]
    not_judged_here: tuple[NotJudged, ...]

    def on(self, day: date, district: str | None = None) -> PolicyDay:
        """The lines in force on a day, with the district's own where it has them."""
        return _policy_day(self, day, district)

    @staticmethod
    def find(series: Mapping[str, Series], name: str) -> Series:
        """One clock or number by its id."""
        if name not in series:
            raise PolicyError(f"the policy has no '{name}'; it has: {', '.join(sorted(series))}")
        return series[name]


def load_policy(path: Path | str | None = None) -> Policy:
    """Read and check a policy file (the built-in one by default); PolicyError says in a sentence what is wrong."""
    from matching.policy_file import read_policy

    return read_policy(Path(path) if path is not None else POLICY_FILE)


@lru_cache(maxsize=4)
def kept_policy(path: Path | None) -> Policy:
    """`load_policy`, read once by this process: an edited file is followed from the next start on."""
    return load_policy(path)


@lru_cache(maxsize=4096)
def _policy_day(policy: Policy, day: date, district: str | None) -> PolicyDay:
    rules = tuple(Rule(criterion, criterion.step(day, district)) for criterion in policy.criteria)
    return PolicyDay(policy, day, district, rules, _review(policy, day, district))


def _review(policy: Policy, day: date, district: str | None) -> Review:
    for series in (policy.district_reviews.get(district or "", ()), policy.default_review):
        position = bisect_right([since for since, _ in series], day)
        if position:
            return series[position - 1][1]
    raise PolicyError(f"no way of review is in force on {day}")


def _in_words(policy: Policy, rule: Rule) -> InWords:
    criterion, step = rule.criterion, rule.step
    return InWords(
        id=criterion.id,
        group=policy.groups[criterion.group],
        name=criterion.name,
        question=criterion.question,
        basis=criterion.basis,
        sure=criterion.sure,
        since=step.since,
        green_line=_line_words(criterion, step.green),
        yellow_line=_line_words(criterion, step.yellow),
        sentences=criterion.sentences,
        repair=criterion.repair,
        office=criterion.office,
    )


def _line_words(criterion: Criterion, line: Decimal) -> Words:
    spoken = say(line, criterion.unit, criterion.values)
    if criterion.unit == "kind":
        return spoken
    zh, en = ("不低于", "at least ") if criterion.more_is_better else ("不高于", "at most ")
    unit = UNIT_WORDS.get(criterion.unit, Words("", ""))
    return Words(zh + spoken.zh + unit.zh, en + spoken.en + unit.en)
