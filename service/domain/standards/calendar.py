"""Working days: the published holiday calendar (chinesecalendar), and the operator's own days over it.

The calendar ends with the last year whose holidays the State Council has published. Beyond it nothing is guessed:
asking for a working day raises CalendarNotPublished, and `due_on` answers None, stored as 'waits for the calendar'.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar
from chinese_calendar import constants

from matching.terms import Words
from service.domain.errors import Unavailable

PUBLISHED_FROM = date(min(day.year for day in constants.holidays), 1, 1)
PUBLISHED_UNTIL = date(max(day.year for day in constants.holidays), 12, 31)


class CalendarNotPublished(Unavailable):
    """The holidays of that year are not known yet."""

    def __init__(self, day: date) -> None:
        super().__init__("{year} 年的节假日安排尚未公布", year=day.year)
        self.day = day


@lru_cache(maxsize=10_000)
def _is_published_working_day(day: date) -> bool:
    """The library looks through every holiday there ever was at each call; a batch of lists asks 10,000 times."""
    return bool(chinese_calendar.is_workday(day))


def holiday_of(day: date) -> Words | None:
    """The public holiday a free day belongs to; None for a plain weekend, a working day or an unpublished year."""
    if not PUBLISHED_FROM <= day <= PUBLISHED_UNTIL:
        return None
    is_free, name = chinese_calendar.get_holiday_detail(day)
    return Words(constants.Holiday(name).chinese, name) if is_free and name else None


@dataclass(frozen=True)
class Calendar:
    """The days as this city counts them; `overrides` maps a day to whether it is worked."""

    overrides: Mapping[date, bool] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        """Raises CalendarNotPublished outside the published years, unless the operator has set the day."""
        if day in self.overrides:
            return self.overrides[day]
        if not PUBLISHED_FROM <= day <= PUBLISHED_UNTIL:
            raise CalendarNotPublished(day)
        return _is_published_working_day(day)

    def add_working_days(self, start: date, count: int) -> date:
        """The count-th working day after `start`; the day after counts as the first. Raises CalendarNotPublished."""
        if count < 1:
            raise ValueError("A term has at least one working day")
        day = start
        while count:
            day += timedelta(days=1)
            count -= self.is_working_day(day)
        return day

    def due_on(self, start: date, count: int, unit: str) -> date | None:
        """The last day of a term in 'working_days' or 'calendar_days'; None waits for the calendar."""
        if unit == "calendar_days":
            return start + timedelta(days=count)
        try:
            return self.add_working_days(start, count)
        except CalendarNotPublished:
            return None

    def working_days_between(self, start: date, end: date) -> int:
        """Working days after `start` up to and including `end`."""
        days = (start + timedelta(days=ahead) for ahead in range(1, (end - start).days + 1))
        return sum(self.is_working_day(day) for day in days)
