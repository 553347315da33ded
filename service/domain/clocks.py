"""The clocks of a demand's way as the policy sets them: how long each step may take, and the day it ends."""

from dataclasses import dataclass
from datetime import date, timedelta

from matching.policy import kept_policy
from service.domain.standards.calendar import Calendar
from service.settings import settings

WORKING_DAYS = "working_days"


@dataclass(frozen=True)
class Term:
    """A length with its unit: working_days or calendar_days."""

    length: int
    unit: str

    def at_most(self, length: int | None) -> "Term":
        """The stricter of this term and a bank's own."""
        return self if length is None or length >= self.length else Term(length, self.unit)

    def after(self, start: date, calendar: Calendar) -> date | None:
        """The last day of the term that starts on `start`; None waits for the calendar to be published."""
        return calendar.due_on(start, self.length, self.unit)

    def surely_after(self, start: date, calendar: Calendar) -> date:
        """The same where a date must stand: beyond the calendar working days count as seven for five."""
        days = self.length if self.unit != WORKING_DAYS else -(-self.length * 7 // 5)
        return self.after(start, calendar) or start + timedelta(days=days)


def clock(step: str, day: date) -> Term:
    """The term of a step in force on `day`, from the policy this installation follows."""
    policy = kept_policy(settings().policy)
    series = policy.find(policy.clocks, step)
    in_force = [value for since, value in series.values if since <= day] or [series.values[0][1]]
    return Term(int(in_force[-1]), series.unit)


def number(name: str, day: date) -> int:
    """A whole number of the policy in force on `day`, such as max_open_lines."""
    policy = kept_policy(settings().policy)
    series = policy.find(policy.numbers, name)
    in_force = [value for since, value in series.values if since <= day] or [series.values[0][1]]
    return int(in_force[-1])
