"""The city as a whole: firms, health, loans and every row the departments will ever send, from one seed."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from service.city import happenings, loans, monthly, standing
from service.city.banks import BANKS
from service.city.character import Character
from service.city.firms import Firms, Floats, Ints, Timeline, draw_firms, timeline
from service.city.health import draw_health, logistic
from service.city.loans import Loans
from service.city.rows import Rows, World


@dataclass(frozen=True)
class City:
    """What is behind the feeds. Banks that look closely see some of `health`; the platform never does."""

    seed: int
    character: Character
    firms: Firms
    when: Timeline
    health: Floats
    loans: Loans
    open_until: Ints
    rows: list[Rows]


def draw_city(count: int, start: date, end: date, seed: int, character: Character | None = None) -> City:
    """The city of a seed, live from `start` to `end`. The same arguments give the same city."""
    character = character or Character()
    streams = np.random.default_rng(seed).spawn(20)
    when = timeline(start, end, character)
    firms = draw_firms(streams[0], count, when, character)
    health = draw_health(streams[1], firms, when, character)
    lent = loans.draw_loans(streams[2], firms, health, when, len(BANKS), character)
    world = _world(streams[3], firms, when, health, lent, character)
    return City(
        seed, character, firms, when, health, lent, world.open_until, _rows(streams[4:], world, lent, character)
    )


def _world(
    rng: np.random.Generator, firms: Firms, when: Timeline, health: Floats, lent: Loans, character: Character
) -> World:
    """Monthly records begin fifteen months before the first live day, or before the firm's first loan."""
    count, months = len(firms), len(when.months)
    born = np.clip((firms.established.astype("datetime64[M]") - when.months[0]).astype(int) + 1, 0, None)
    needed = np.full(count, when.first_live)
    np.minimum.at(needed, lent.firm, lent.month)
    gives_up = (rng.random(health.shape) < logistic(-8.2 - 1.3 * health)) & (np.arange(months) > born[:, None] + 3)
    gone = np.where(gives_up.any(axis=1), gives_up.argmax(axis=1), months)
    first = np.maximum(born, needed - character.history_months)
    return World(firms, when, health, first, gone, born)


def _rows(streams: list[np.random.Generator], world: World, lent: Loans, character: Character) -> list[Rows]:
    revenue = monthly.revenue_by_month(streams[0], world)
    staff = monthly.staff_by_month(world)
    codes = [bank.code for bank in BANKS]
    return [
        standing.registrations(world),
        standing.annual_reports(streams[1], world, revenue, staff),
        standing.people(streams[2], world),
        standing.tax_grades(streams[3], world),
        monthly.tax_payments(streams[4], world, revenue, character),
        monthly.social_insurance(streams[5], world, staff, character),
        monthly.housing_fund(streams[5], world, staff, character),
        monthly.utilities(streams[6], world, revenue, character),
        standing.real_estate(streams[7], world),
        standing.permits(streams[8], world),
        happenings.penalties(streams[9], world),
        happenings.court_cases(streams[10], world),
        happenings.dishonesty_listings(streams[11], world),
        happenings.abnormal_operations(streams[11], world),
        happenings.honours(streams[12], world),
        happenings.property_rights(streams[12], world),
        happenings.contracts(streams[13], world),
        monthly.trade(streams[14], world, revenue, character),
        monthly.invoices(streams[14], world, revenue, character),
        loans.loan_rows(lent, world.when, codes),
        loans.performance_rows(streams[15], lent, world.when, character),
        standing.environment_ratings(streams[15], world),
    ]
