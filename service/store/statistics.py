"""Figures: countable events in, roll-ups out. The database keeps every roll-up equal to its events (revision 0004)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.errors import NotAllowed
from service.domain.figure import FigureKind
from service.domain.people import BANK_ROLES, Role, Who
from service.store.kept_figures import kept_figures
from service.store.standing import as_json

By = Literal["all", "day", "month", "district", "bank", "product", "industry", "size"]
KEYS: dict[By, tuple[str, str]] = {
    "all": ("figure_day", "''"),
    "day": ("figure_day", "to_char(\"on\", 'YYYY-MM-DD')"),
    "month": ("figure_day", "to_char(\"on\", 'YYYY-MM')"),
    "district": ("figure_day", "district"),
    "bank": ("figure_day", "bank_id::text"),
    "product": ("figure_product", "product_id::text"),
    "industry": ("figure_slice", "industry"),
    "size": ("figure_slice", "size"),
}
"""What figures can be cut by: the roll-up they are read from, and the key in it."""

CELL_KEYS = {
    "figure_day": '"on", district, bank_id, kind',
    "figure_product": '"on", district, bank_id, product_id, kind',
    "figure_slice": '"on", district, industry, size, kind',
}
HOUSEHOLDS = {
    "households": "sign * is_new_household::int",
    "households_of_bank": "sign * is_new_household_of_bank::int",
    "households_of_product": "sign * is_new_household_of_product::int",
}
"""Three ways to count households: new to the channel, to the bank, to the product."""
OF_AN_EVENT = {
    "events": "sign",
    "amount_fen": "sign * amount_fen",
    "late_events": "1",
    "credit_loan_fen": "CASE WHEN loan_type = 'credit' THEN sign * amount_fen ELSE 0 END",
    "first_loan_fen": "CASE WHEN is_first_loan THEN sign * amount_fen ELSE 0 END",
    "first_loans": "sign * is_first_loan::int",
    "renewal_without_repayment_fen": "CASE WHEN is_renewal_without_repayment THEN sign * amount_fen ELSE 0 END",
    "rate_times_fen": "coalesce(sign * amount_fen * rate, 0)",
}
"""What one event adds to its cells when it is recorded after its day, as revision 0004 adds it."""

COUNT = text("""
    INSERT INTO figure_event (kind, "on", recorded_on, sign, noun_id, demand_id, uscc, district, bank_id, product_id,
        industry, size, amount_fen, rate, loan_type, is_first_loan, is_renewal_without_repayment, is_new_household,
        is_new_household_of_bank, is_new_household_of_product, made_at)
    SELECT n.kind, n."on", :today, n.sign, n.noun_id, n.demand_id, n.uscc, n.district, n.bank_id, n.product_id,
        n.industry, n.size, n.amount_fen, n.rate, n.loan_type, n.is_first_loan, n.is_renewal_without_repayment, false,
        false, false, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (kind text, "on" date, sign integer, noun_id bigint,
        demand_id bigint, uscc text, district text, bank_id bigint, product_id bigint, industry text, size text,
        amount_fen bigint, rate numeric(9, 7), loan_type text, is_first_loan boolean,
        is_renewal_without_repayment boolean)
    ORDER BY n.uscc, n.kind, n.noun_id, n.sign
""")


@dataclass(frozen=True)
class Event:
    """One countable event; `sign` −1 takes back that of the same kind and noun. `industry`: section letter."""

    kind: FigureKind
    on: date
    noun_id: int
    demand_id: int
    uscc: str
    district: str
    amount_fen: int
    bank_id: int = 0
    product_id: int = 0
    industry: str = ""
    size: str = ""
    rate: Decimal | None = None
    loan_type: str | None = None
    is_first_loan: bool = False
    is_renewal_without_repayment: bool = False
    sign: int = 1


def count(tx: Session, events: Sequence[Event], today: date, now: datetime) -> None:
    """Record the events; the same (kind, noun, sign) again is passed by. In firm order: no two wait in a ring."""
    if events:
        rows = as_json(vars(event) for event in events)
        tx.execute(COUNT, {"rows": rows, "today": today, "now": now})


@dataclass(frozen=True)
class Amounts:
    """Households (户), events (demands or loans, 笔) and money (fen) of one kind in one cell."""

    households: int = 0
    events: int = 0
    amount_fen: int = 0
    late_events: int = 0


@dataclass(frozen=True)
class Figures:
    """One cell: the funnel, and of the money paid out the shares and the average rate (None where nothing was paid).

    What each figure means stands in `service.domain.definitions` under its field's name.
    """

    key: str
    reported: Amounts = Amounts()
    recommended: Amounts = Amounts()
    granted: Amounts = Amounts()
    drawn: Amounts = Amounts()
    first_loans: int = 0
    credit_loan_share: Decimal | None = None
    first_loan_share: Decimal | None = None
    renewal_without_repayment_share: Decimal | None = None
    average_rate: Decimal | None = None


CELLS = TypeAdapter(list[Figures])


def figures(
    tx: Session, who: Who, since: date, until: date, by: By = "all", as_of: date | None = None
) -> list[Figures]:
    """The figures of the days `since` … `until`, one cell for each key, within the scope of `who`, from the roll-ups.

    `as_of`: as they stood at the end of that day; what was reported or corrected later is taken out again.
    Errors: NotAllowed for a firm, and for a bank's cut by industry or size.
    """
    if who.role is Role.FIRM:
        raise NotAllowed("企业不能查看全市数据。")
    if who.role in BANK_ROLES and KEYS[by][0] == "figure_slice":
        raise NotAllowed("银行不能按行业或规模查看数据。")
    scope = f"{who.role}.{who.district or ''}.{who.bank_id or ''}"
    until = min(until, as_of or until)
    cut = f"{scope}:{since}:{until}:{by}:{as_of or ''}"
    return kept_figures(tx, cut, CELLS, lambda: _read(tx, who, since, until, by, as_of))


def cells_as_of(table: str, as_of: date | None, columns: Sequence[str]) -> str:
    """A roll-up to read from; with a day, less what was recorded after it (bind it as `as_of`)."""
    if as_of is None:
        return table
    later = ", ".join(f"-({(HOUSEHOLDS | OF_AN_EVENT)[column]})" for column in columns)
    keys = CELL_KEYS[table]
    return (
        f"(SELECT {keys}, {', '.join(columns)} FROM {table} UNION ALL"
        f' SELECT {keys}, {later} FROM figure_event WHERE recorded_on > :as_of AND recorded_on > "on") AS cells'
    )


def _read(tx: Session, who: Who, since: date, until: date, by: By, as_of: date | None) -> list[Figures]:
    cells: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in _sums(tx, who, since, until, by, as_of):
        cells[row.key][row.kind] = row
    return [_cell(key, cells[key]) for key in sorted(cells)]


def _sums(tx: Session, who: Who, since: date, until: date, by: By, as_of: date | None) -> Sequence[Row[Any]]:
    table, key = KEYS[by]
    households = "households_of_bank" if (by == "bank" or who.role in BANK_ROLES) else "households"
    if by == "product":
        households = "households_of_product"
    columns = [households, *OF_AN_EVENT]
    statement = text(f"""
        SELECT {key} AS key, kind, sum({households}) AS households, sum(events) AS events,
            sum(amount_fen) AS amount_fen, sum(late_events) AS late_events, sum(credit_loan_fen) AS credit_loan_fen,
            sum(first_loan_fen) AS first_loan_fen, sum(first_loans) AS first_loans,
            sum(renewal_without_repayment_fen) AS renewal_fen, sum(rate_times_fen) AS rate_times_fen
        FROM {cells_as_of(table, as_of, columns)}
        WHERE "on" BETWEEN :since AND :until AND (CAST(:district AS text) IS NULL OR district = :district)
            {"AND (CAST(:bank_id AS bigint) IS NULL OR bank_id = :bank_id)" if "bank_id" in CELL_KEYS[table] else ""}
        GROUP BY 1, 2 {"HAVING sum(events) <> 0 OR sum(late_events) <> 0" if as_of else ""} ORDER BY 1, 2
    """)
    bank_id = who.bank_id if who.role in BANK_ROLES else None
    values = {"since": since, "until": until, "district": who.district, "as_of": as_of, "bank_id": bank_id}
    return tx.execute(statement, values).all()


def _cell(key: str, kinds: dict[str, Any]) -> Figures:
    funnel = Figures(
        key,
        reported=_amounts(kinds.get(FigureKind.REPORTED)),
        recommended=_amounts(kinds.get(FigureKind.RECOMMENDED)),
        granted=_amounts(kinds.get(FigureKind.GRANTED)),
        drawn=_amounts(kinds.get(FigureKind.DRAWN)),
    )
    paid = kinds.get(FigureKind.DRAWN)
    if paid is None or not paid.amount_fen:
        return funnel
    return replace(
        funnel,
        first_loans=int(paid.first_loans),
        credit_loan_share=_share(paid.credit_loan_fen, paid.amount_fen),
        first_loan_share=_share(paid.first_loan_fen, paid.amount_fen),
        renewal_without_repayment_share=_share(paid.renewal_fen, paid.amount_fen),
        average_rate=(Decimal(paid.rate_times_fen) / Decimal(paid.amount_fen)).quantize(Decimal("0.000001")),
    )


def _amounts(row: Any | None) -> Amounts:
    if row is None:
        return Amounts()
    return Amounts(int(row.households), int(row.events), int(row.amount_fen), int(row.late_events))


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"))


def without_small_cells(cells: Sequence[Figures], least: int = 3) -> list[Figures]:
    """What may leave the platform: cells with fewer than `least` households granted or paid show the key only."""
    small = [cell for cell in cells if 0 < cell.granted.households < least or 0 < cell.drawn.households < least]
    return [Figures(cell.key) if cell in small else cell for cell in cells]
