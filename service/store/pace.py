"""How soon banks contact and decide, from the roll-up; what is overdue this minute, from the open lines."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import RowMapping, text
from sqlmodel import Session

from service.domain.people import Who

SLACK = timedelta(days=2)
"""How far a cycle may have run behind the lines it counted."""
ROLL_UP = text("""
    INSERT INTO pace_day AS p (pushed_on, district, bank_id, lines, contact_due, in_time, contacted, contact_days,
        decided, decision_days, silent, refused, granted, disputed, answered_on, made_on)
    SELECT l.pushed_on, l.district, l.bank_id, count(*) FILTER (WHERE l.state <> 'recalled'),
        count(*) FILTER (WHERE a.contacted_on IS NOT NULL OR l.state = 'silent'
            OR l.closed_on IS NULL AND l.contact_due_on < :today),
        count(*) FILTER (WHERE a.contacted_on <= l.contact_due_on), count(a.contacted_on),
        coalesce(sum(a.contacted_on - l.pushed_on), 0), count(a.decided_on),
        coalesce(sum(a.decided_on - l.pushed_on), 0), count(*) FILTER (WHERE l.state = 'silent'),
        count(*) FILTER (WHERE l.state = 'refused'), count(*) FILTER (WHERE l.state IN ('granted', 'drawn')),
        count(*) FILTER (WHERE l.contact_disputed_on IS NOT NULL AND l.state <> 'recalled'), max(a.answered_on), :today
    FROM push_line l LEFT JOIN LATERAL (
        SELECT min(answered_on) FILTER (WHERE kind NOT IN ('received', 'extension')) AS contacted_on,
            min(answered_on) FILTER (WHERE kind IN ('offered', 'refused')) AS decided_on,
            max(answered_on) AS answered_on
        FROM answer WHERE line_id = l.id) a ON l.state <> 'recalled'
    WHERE l.pushed_on IN (
        SELECT pushed_on FROM push_line WHERE closed_on IS NULL OR state_at >= CAST(:since AS date))
    GROUP BY l.pushed_on, l.district, l.bank_id
    ON CONFLICT (pushed_on, district, bank_id) DO UPDATE SET lines = EXCLUDED.lines,
        contact_due = EXCLUDED.contact_due, in_time = EXCLUDED.in_time, contacted = EXCLUDED.contacted,
        contact_days = EXCLUDED.contact_days, decided = EXCLUDED.decided, decision_days = EXCLUDED.decision_days,
        silent = EXCLUDED.silent, refused = EXCLUDED.refused, granted = EXCLUDED.granted, disputed = EXCLUDED.disputed,
        answered_on = EXCLUDED.answered_on, made_on = EXCLUDED.made_on
""")
COUNTS = (
    "lines", "contact_due", "in_time", "contacted", "contact_days", "decided", "decision_days", "silent", "refused",
    "granted", "disputed",
)  # fmt: skip
LATEST = ("answered_on", "made_on")
SUMS = f"""
    {", ".join(f"sum({name}) AS {name}" for name in COUNTS)}, {", ".join(f"max({name}) AS {name}" for name in LATEST)}
"""
ALL = ", ".join((*COUNTS, *LATEST))
SUM_MONTHS = text(f"""
    INSERT INTO pace_month (month_on, district, bank_id, {ALL})
    SELECT m.month_on, d.district, d.bank_id, {SUMS}
    FROM (SELECT DISTINCT date_trunc('month', pushed_on)::date AS month_on FROM pace_day
          WHERE made_on >= CAST(:made_on AS date)) m
    JOIN pace_day d ON d.pushed_on >= m.month_on AND d.pushed_on < m.month_on + interval '1 month'
    GROUP BY m.month_on, d.district, d.bank_id
    ON CONFLICT (month_on, district, bank_id) DO UPDATE SET
        {", ".join(f"{name} = EXCLUDED.{name}" for name in (*COUNTS, *LATEST))}
""")
"""The months that hold a day counted since then, summed again."""
PARTS = f"""
    SELECT bank_id, district, {ALL} FROM pace_month WHERE month_on >= :first_on AND month_on < :after_on
    UNION ALL SELECT bank_id, district, {ALL} FROM pace_day WHERE pushed_on >= :since AND pushed_on < :first_on
    UNION ALL SELECT bank_id, district, {ALL} FROM pace_day WHERE pushed_on >= :after_on AND pushed_on <= :until
"""
"""Whole months from their sums; the days before the first and after the last of them one by one."""
CELLS = text(f"""
    SELECT c.*, b.name FROM (
        SELECT bank_id, district, {SUMS} FROM ({PARTS}) p GROUP BY bank_id, district HAVING sum(lines) > 0) c
    JOIN bank b ON b.id = c.bank_id ORDER BY c.lines DESC, c.district
""")
DISTRICTS = text(f"SELECT district, sum(in_time), sum(contact_due) FROM ({PARTS}) p GROUP BY district")
OVERDUE = text("""
    SELECT l.bank_id, b.name, count(*) AS overdue, count(*) FILTER (WHERE l.due_step = 'contact') AS to_contact,
        min(l.due_on) AS oldest_due_on
    FROM push_line l JOIN bank b ON b.id = l.bank_id
    WHERE l.closed_on IS NULL AND l.due_on < :today AND l.due_step IN ('contact', 'decision', 'grant')
    GROUP BY l.bank_id, b.name
""")


MEDIANS = text("SELECT figure, middle, banks FROM bank_medians(:since, :until)")


@dataclass(frozen=True)
class Median:
    """The middle of the banks that have the figure; None where fewer than three have it."""

    middle: float | None
    banks: int


@dataclass(frozen=True)
class Pace:
    """One bank's lines pushed in these days; `districts`: (district, lines), the most first."""

    bank_id: int
    name: str
    lines: int = 0
    contact_due: int = 0
    in_time: int = 0
    contacted: int = 0
    contact_days: int = 0
    decided: int = 0
    decision_days: int = 0
    silent: int = 0
    refused: int = 0
    granted: int = 0
    disputed: int = 0
    answered_on: date | None = None
    made_on: date | None = None
    overdue: int = 0
    to_contact: int = 0
    oldest_due_on: date | None = None
    districts: Sequence[tuple[str, int]] = field(default=())

    @property
    def share_in_time(self) -> float | None:
        return self.in_time / self.contact_due if self.contact_due else None

    @property
    def share_granted(self) -> float | None:
        return self.granted / self.lines if self.lines else None

    @property
    def days_to_contact(self) -> float | None:
        return self.contact_days / self.contacted if self.contacted else None

    @property
    def days_to_decision(self) -> float | None:
        return self.decision_days / self.decided if self.decided else None


def roll_up(tx: Session, today: date) -> int:
    """Count again the days that hold a line still open or moved since the last time; how many cells that was."""
    made_on: date | None = tx.execute(text("SELECT max(made_on) FROM pace_day")).scalar_one()
    since = made_on - SLACK if made_on else date.min.replace(year=2000)
    counted: Any = tx.execute(ROLL_UP, {"today": today, "since": since})
    sum_months(tx, today)
    return int(counted.rowcount)


def sum_months(tx: Session, made_on: date) -> None:
    """Make the months equal to their days again, where a day was counted on or after `made_on`."""
    tx.execute(SUM_MONTHS, {"made_on": made_on})


def of_banks(tx: Session, since: date, until: date, today: date) -> list[Pace]:
    """Every bank with lines of these days or with something overdue today, by name."""
    cells: dict[int, list[RowMapping]] = defaultdict(list)
    for cell in tx.execute(CELLS, _days(since, until)).mappings():
        cells[cell["bank_id"]].append(cell)
    late = {row["bank_id"]: row for row in tx.execute(OVERDUE, {"today": today}).mappings()}
    banks = [Pace(**{**late.get(bank, {}), **_summed(cells[bank])}) for bank in late | cells]
    return sorted(banks, key=lambda bank: bank.name)


def of_bank(tx: Session, who: Who, since: date, until: date, today: date) -> Pace:
    """The pace of the bank `who` works for."""
    mine = (bank for bank in of_banks(tx, since, until, today) if bank.bank_id == who.bank_id)
    return next(mine, Pace(who.bank_id or 0, ""))


def medians(tx: Session, since: date, until: date) -> dict[str, Median]:
    """Figure → the middle of all banks; nothing of any single bank passes the database's own function."""
    return {row.figure: Median(row.middle, row.banks) for row in tx.execute(MEDIANS, {"since": since, "until": until})}


def of_districts(tx: Session, since: date, until: date) -> dict[str, tuple[int, int]]:
    """District → (lines contacted in time, lines past their contact date) of all banks."""
    rows = tx.execute(DISTRICTS, _days(since, until))
    return {district: (int(in_time), int(due)) for district, in_time, due in rows}


def _days(since: date, until: date) -> dict[str, date]:
    first_on, after_on = whole_months(since, until)
    return {"since": since, "until": until, "first_on": first_on, "after_on": after_on}


def whole_months(since: date, until: date) -> tuple[date, date]:
    """Where the whole months within these days begin and the day after they end; both `since` where there is none."""
    first_on = (since + timedelta(days=32 - since.day)).replace(day=1) if since.day > 1 else since
    after_on = (until + timedelta(days=1)).replace(day=1)
    return (first_on, after_on) if first_on < after_on else (since, since)


def together(banks: Sequence[Pace]) -> Pace:
    """All banks' lines as if they were one bank's."""
    return Pace(
        0,
        "",
        lines=sum(bank.lines for bank in banks),
        contact_due=sum(bank.contact_due for bank in banks),
        in_time=sum(bank.in_time for bank in banks),
        contacted=sum(bank.contacted for bank in banks),
        contact_days=sum(bank.contact_days for bank in banks),
        decided=sum(bank.decided for bank in banks),
        decision_days=sum(bank.decision_days for bank in banks),
        silent=sum(bank.silent for bank in banks),
        overdue=sum(bank.overdue for bank in banks),
    )


def _summed(cells: Sequence[RowMapping]) -> dict[str, Any]:
    """One bank's districts together."""
    if not cells:
        return {}
    latest = {name: [cell[name] for cell in cells if cell[name] is not None] for name in LATEST}
    return {
        "bank_id": cells[0]["bank_id"],
        "name": cells[0]["name"],
        **{name: sum(int(cell[name]) for cell in cells) for name in COUNTS},
        **{name: max(days, default=None) for name, days in latest.items()},
        "districts": [(cell["district"], int(cell["lines"])) for cell in cells],
    }
