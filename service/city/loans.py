"""Earlier loans and how they were repaid: health decides which firms got one, and which fall behind."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from service.city.character import Character
from service.city.firms import INDIVIDUAL, WAN, Days, Firms, Floats, Ints, Timeline
from service.city.health import logistic
from service.city.rows import Rows, after, concatenate, days, numbered, words, yuan

BAD_DAYS = 90
WRITTEN_OFF_AFTER = 12  # months behind
TYPES = ("credit", "mortgage", "pledge", "guarantee")
DELIVERED = 8
NEVER = 10_000


@dataclass(frozen=True)
class Loans:
    """One place per loan."""

    firm: Ints
    bank: Ints
    drawn_on: Days
    month: Ints
    """The month it was drawn in."""
    term: Ints
    principal_fen: Ints
    rate: Floats
    kind: Ints
    behind: Ints
    """The month it falls behind for good or for a while; NEVER where it does not."""
    cured: Ints
    """The first month in which it is paid up again; NEVER where it goes bad."""


def draw_loans(
    rng: np.random.Generator, firms: Firms, health: Floats, when: Timeline, banks: int, character: Character
) -> Loans:
    """Loans drawn in the months before the first live day, to the healthier firms first."""
    lending = character.lending
    first = when.first_live - lending.months
    month = rng.integers(first, when.first_live, len(firms))
    chance = logistic(lending.choosiness * health[np.arange(len(firms)), month])
    chance = chance * np.where(firms.kind == INDIVIDUAL, 0.55, 1.4)
    old = firms.established + 250 < when.months[month].astype("datetime64[D]")
    firm = np.flatnonzero(old & (rng.random(len(firms)) < chance * lending.share_of_firms / chance.mean()))
    again = firm[rng.random(len(firm)) < lending.second_loan]
    firm = np.concatenate([firm, again])
    month = np.concatenate([month[firm[: len(firm) - len(again)]], rng.integers(first, when.first_live, len(again))])
    count = len(firm)
    principal = np.clip(firms.revenue_fen[firm] * 0.11 * rng.lognormal(0, 0.7, count) // WAN, 3, 1_000).astype(np.int64)
    strain = lending.leverage * np.log(principal * WAN / (0.1 * firms.revenue_fen[firm]))
    behind = _behind(rng, health[firm], month, strain, character)
    cures = rng.random(count) < lending.cure
    day = when.months[month].astype("datetime64[D]") + rng.integers(0, 28, count)
    return Loans(
        firm=firm,
        bank=rng.integers(0, banks, count),
        drawn_on=np.minimum(day, np.datetime64(when.start) - 4),
        month=month,
        term=rng.choice([6, 12, 24, 36], count, p=[0.08, 0.62, 0.18, 0.12]),
        principal_fen=principal * WAN,
        rate=np.round(rng.normal(0.043, 0.008, count).clip(0.03, 0.09), 4),
        kind=rng.choice(4, count, p=[0.45, 0.30, 0.05, 0.20]),
        behind=behind,
        cured=np.where(cures, behind + rng.integers(1, 3, count), NEVER),
    )


def _behind(rng: np.random.Generator, health: Floats, month: Ints, strain: Floats, character: Character) -> Ints:
    """The first month after drawdown in which the loan falls behind."""
    lending = character.lending
    months = np.arange(health.shape[1])
    chance = logistic(lending.base - lending.slope * health + strain[:, None])
    falls = (rng.random(health.shape) < chance) & (months > month[:, None])
    return np.where(falls.any(axis=1), falls.argmax(axis=1), NEVER)


def loan_rows(loans: Loans, when: Timeline, bank_codes: list[str]) -> Rows:
    """Each loan as drawn, and again when it is repaid or has gone bad."""
    count = len(loans.firm)
    ends = loans.drawn_on + np.round(loans.term * 30.44).astype(np.int64)
    first = Rows(
        "loan",
        loans.firm,
        loans.drawn_on + 3,
        {
            "loan_no": numbered("JJ2099", count, 7),
            "bank": words(bank_codes, loans.bank),
            "loan_type": words(list(TYPES), loans.kind),
            "principal": yuan(loans.principal_fen),
            "annual_rate": pa.array([f"{rate:.4f}" for rate in loans.rate], pa.string()),
            "drawn_on": days(loans.drawn_on),
            "matures_on": days(ends),
            "status": words(["normal"], np.zeros(count)),
        },
    )
    bad = (loans.behind < NEVER) & (loans.cured == NEVER) & (loans.behind < loans.month + loans.term)
    months = when.months
    turned = months[0] + np.minimum(loans.behind + 3, 4 * len(months))
    marked = np.where(bad, turned.astype("datetime64[D]") + DELIVERED, ends + 5)
    fields = first.fields | {"status": words(["settled", "overdue"], bad)}
    return concatenate([first, Rows("loan", loans.firm, marked, fields)])


def performance_rows(rng: np.random.Generator, loans: Loans, when: Timeline, character: Character) -> Rows:
    """Month ends from drawdown to the end of the loan: days overdue and balance."""
    months = np.arange(len(when.months))
    ends = loans.month + loans.term
    bad = (loans.cured == NEVER) & (loans.behind < ends)
    last = np.where(bad, loans.behind + WRITTEN_OFF_AFTER, ends - 1)
    loan, month = np.nonzero((months >= loans.month[:, None]) & (months <= last[:, None]))
    behind, cured = loans.behind[loan], loans.cured[loan]
    late = (month >= behind) & (month < cured) & (behind < ends[loan])
    overdue = np.where(late, 30 * (month - behind) + 20 + loan % 11, 0)
    slip = ~late & (rng.random(len(loan)) < character.lending.slips)
    overdue = np.where(slip, rng.integers(1, 13, len(loan)), overdue)
    done = np.clip((month - loans.month[loan]) / loans.term[loan], 0, 1)
    repaid = np.where(loans.term[loan] > 12, np.where(late, 0.4, 1.0) * 0.6 * done, 0.0)
    return Rows(
        "loan_performance",
        loans.firm[loan],
        after(when, month, DELIVERED, np.zeros(len(loan), bool)),
        {
            "loan_no": numbered("JJ2099", len(loans.firm), 7).take(pa.array(loan)),
            "period": words([str(one) for one in when.months], month),
            "days_overdue": pa.array(overdue.astype(np.int64)),
            "balance": yuan(np.round(loans.principal_fen[loan] * (1 - repaid)).astype(np.int64)),
        },
    )
