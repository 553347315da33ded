"""Figures cut twice, district by bank, and the events behind any figure: every total can be followed to its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Role, Who
from service.store.statistics import cells_as_of

GRID = """
    SELECT district, bank_id, sum(events) AS events, sum(amount_fen) AS amount_fen FROM {cells}
    WHERE "on" BETWEEN :since AND :until AND kind = :kind
      AND (CAST(:district AS text) IS NULL OR district = :district)
    GROUP BY district, bank_id HAVING sum(events) <> 0 ORDER BY district, bank_id
"""
Only = Literal["", "new", "credit", "first", "renewal"]
ONLY: dict[str, str] = {
    "": "true",
    "new": "e.is_new_household",
    "credit": "e.loan_type = 'credit'",
    "first": "e.is_first_loan",
    "renewal": "e.is_renewal_without_repayment",
}
"""Which part of the events a figure counts: households are those of a firm's first, shares those with a mark."""
EVENTS = """
    FROM figure_event e WHERE e."on" BETWEEN :since AND :until AND (CAST(:kind AS text) IS NULL OR e.kind = :kind)
      AND (CAST(:district AS text) IS NULL OR e.district = :district)
      AND (CAST(:bank_id AS bigint) IS NULL OR e.bank_id = :bank_id)
      AND (CAST(:product_id AS bigint) IS NULL OR e.product_id = :product_id)
      AND (CAST(:industry AS text) IS NULL OR e.industry = :industry)
      AND (CAST(:size AS text) IS NULL OR e.size = :size)
      AND (CAST(:as_of AS date) IS NULL OR e.recorded_on <= :as_of) AND {only}
"""
PAGE = """
    SELECT e.*, b.name AS bank_name, p.name AS product_name, d.number AS demand_number
    FROM (SELECT e.* {events} ORDER BY e."on" DESC, e.id DESC LIMIT :limit OFFSET :offset) e
    LEFT JOIN bank b ON b.id = e.bank_id LEFT JOIN product p ON p.id = e.product_id
    LEFT JOIN demand d ON d.id = e.demand_id ORDER BY e."on" DESC, e.id DESC
"""
"""Names are looked up for the rows of the page alone."""
OF_IDS = text("""
    SELECT e.*, b.name AS bank_name, d.number AS demand_number
    FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY w (id, place) JOIN figure_event e ON e.id = w.id
    LEFT JOIN bank b ON b.id = e.bank_id LEFT JOIN demand d ON d.id = e.demand_id ORDER BY w.place
""")


@dataclass(frozen=True)
class Cut:
    """Which events: days, kind, district, bank, product, industry (section letter), size. None: any, '': not known,
    0: not yet with a bank.

    `as_of`: only what was recorded by that day. `only`: the part of them a figure counts.
    """

    since: date
    until: date
    kind: str | None = None
    district: str | None = None
    bank_id: int | None = None
    product_id: int | None = None
    industry: str | None = None
    size: str | None = None
    as_of: date | None = None
    only: Only = ""


def grid(tx: Session, who: Who, cut: Cut) -> Sequence[Row[Any]]:
    """Events and money of one kind by district and bank, from the roll-ups, in the person's scope."""
    cells = cells_as_of("figure_day", cut.as_of, ("events", "amount_fen"))
    return tx.execute(text(GRID.format(cells=cells)), _values(who, cut)).all()


def list_events(
    tx: Session, who: Who, cut: Cut, limit: int = 50, offset: int = 0
) -> tuple[Sequence[Row[Any]], Row[Any]]:
    """One page of the events, the latest first; and their count, their sum, and how many were late."""
    values = _values(who, cut)
    events = EVENTS.format(only=ONLY[cut.only])
    whole = tx.execute(
        text(
            "SELECT count(*) AS rows, coalesce(sum(e.sign), 0) AS events,"
            " coalesce(sum(e.sign * e.amount_fen), 0) AS amount_fen,"
            f' count(*) FILTER (WHERE e.recorded_on > e."on") AS late {events}'
        ),
        values,
    ).one()
    page = text(PAGE.format(events=events))
    return tx.execute(page, {**values, "limit": limit, "offset": offset}).all(), whole


def list_event_ids(tx: Session, who: Who, cut: Cut) -> list[int]:
    """The keys of all events of a cut, the latest first."""
    found = f'SELECT e.id {EVENTS.format(only=ONLY[cut.only])} ORDER BY e."on" DESC, e.id DESC'
    return list(tx.execute(text(found), _values(who, cut)).scalars())


def list_events_of(tx: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The events of these keys that this transaction may see, in the order of the keys."""
    return tx.execute(OF_IDS, {"ids": list(ids)}).all()


def _values(who: Who, cut: Cut) -> dict[str, Any]:
    district = who.district if who.role is Role.DISTRICT else cut.district
    return {
        "since": cut.since, "until": cut.until, "kind": cut.kind, "district": district, "bank_id": cut.bank_id,
        "product_id": cut.product_id, "industry": cut.industry, "size": cut.size, "as_of": cut.as_of,
    }  # fmt: skip
