"""What time it is for the platform: the only reader of the machine's clock; a demo lives on its own fixed day."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

CITY = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Clock:
    """The real time, or the time of day of a fixed date (`demo_on`), so that a demo never runs past its calendar."""

    demo_on: date | None = None

    def now(self) -> datetime:
        """The present instant, UTC."""
        real = machine_now()
        if self.demo_on is None:
            return real
        return real + timedelta(days=(self.demo_on - real.astimezone(CITY).date()).days)

    def today(self) -> date:
        """The present day in the city."""
        return day_of(self.now())


def machine_now() -> datetime:
    """The machine's own instant, UTC: for sessions and throttles, which no demo calendar may stretch."""
    return datetime.now(UTC)


def day_of(instant: datetime) -> date:
    """The city's calendar day of an instant."""
    return instant.astimezone(CITY).date()


def instant_on(day: date, hour: int = 9, minute: int = 0) -> datetime:
    """The UTC instant of a local time on a day in the city."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=CITY).astimezone(UTC)
