"""What a bank officer works from: the bank's lists, and lines with the firm behind them while its consent stands."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Result, Row, text
from sqlmodel import Session

from service.domain.errors import NotFound
from service.domain.people import Who
from service.domain.push_list import UNANSWERED, WAITING_FOR_BANK
from service.store import outlets

LISTS = text("""
    SELECT s.id, s.bank_id, s."on", s.number, s.cause, s.lines, s.amount_fen, s.content_hash, s.published_at,
           r.recalled_at
    FROM push_list s LEFT JOIN push_list_recall r ON r.list_id = s.id
    WHERE s.bank_id = :bank_id AND s."on" BETWEEN :since AND :until
    ORDER BY s."on" DESC, s.number DESC
""")
LINE = """
    SELECT l.id, l.list_id, s."on" AS listed_on, s.number AS list_number, l.rank, l.is_intended, l.demand_id, l.state,
           l.state_at, l.due_step, l.due_on, l.waits_for_calendar, l.contact_due_on, l.decision_due_on, l.closed_on,
           l.view_closed, l.amount_fen, l.reserved_fen, l.p_offer, l.p_grant, l.product_id, l.product_version,
           l.assigned_to, l.contact_disputed_on, l.papers_asked_on, l.pushed_on, p.name AS product_name,
           d.number AS demand_number, d.term_months, d.use, d.use_text, d.rate_ceiling, d.guarantees, d.light,
           d.verdict_id, l.district, CASE WHEN l.view_closed THEN NULL ELSE l.uscc END AS uscc, f.name AS firm_name,
           f.industry, f.size_class, f.kind AS firm_kind, f.established_on, e.grade, e.score, e.probability,
           e.reasons, e.as_of,
           a.id AS last_answer_id, a.kind AS last_answer, a.answered_on, g.id AS grant_id, g.amount_fen AS granted_fen,
           g.rate AS grant_rate, g.granted_on, o.id AS offer_id, o.amount_fen AS offer_fen, o.rate AS offer_rate,
           o.all_in_rate, o.valid_until_on, o.state AS offer_state
    FROM push_line l JOIN push_list s ON s.id = l.list_id JOIN product p ON p.id = l.product_id
    LEFT JOIN demand d ON d.id = l.demand_id LEFT JOIN firm f ON f.uscc = l.uscc
    LEFT JOIN verdict v ON v.id = d.verdict_id LEFT JOIN estimate e ON e.id = v.estimate_id
    LEFT JOIN LATERAL (SELECT * FROM answer WHERE line_id = l.id ORDER BY id DESC LIMIT 1) a ON true
    LEFT JOIN LATERAL (SELECT * FROM offer WHERE line_id = l.id ORDER BY id DESC LIMIT 1) o ON true
    LEFT JOIN credit_grant g ON g.line_id = l.id AND g.voided_at IS NULL
    WHERE l.bank_id = :bank_id
"""
SORTS = {
    "due_on": "l.due_on",
    "rank": "l.list_id, l.rank",
    "amount_fen": "l.amount_fen",
    "firm_name": "l.firm_name",
    "grade": "l.probability",
    "state": "l.state",
}


@dataclass(frozen=True)
class Wanted:
    """Which lines, in which order: `only` is open, waiting (for the bank's first word), overdue or all."""

    only: str = "open"
    list_id: int | None = None
    on: date | None = None
    query: str = ""
    light: str = ""
    product_id: int | None = None
    district: str = ""
    is_mine: bool = False
    """Given to this officer or one they stand in for, or given to nobody and answered by them."""
    is_of_my_outlet: bool = False
    is_intended: bool = False
    sort: str = "due_on"
    descending: bool = False
    limit: int | None = 50
    """None: all of them."""
    offset: int = 0


ONLY = {
    "open": "l.closed_on IS NULL",
    "waiting": "l.closed_on IS NULL AND l.state IN ('pushed', 'received')",
    "overdue": "l.closed_on IS NULL AND l.due_on < :today",
    "all": "true",
}


def list_lists(tx: Session, who: Who, since: date, until: date) -> Sequence[Row[Any]]:
    """The bank's lists of these days, latest first."""
    return tx.execute(LISTS, {"bank_id": who.bank_id, "since": since, "until": until}).all()


@dataclass(frozen=True)
class OpenLines:
    """How many of a bank's lines are not closed yet."""

    total: int
    unanswered: int
    """That wait for its first word."""
    undecided: Mapping[int, int]
    """That wait for its offer or refusal, by list; a list without any is not named."""


def count_open(tx: Session, who: Who) -> OpenLines:
    """The bank's open lines, all of them counted in one look."""
    found = tx.execute(
        text(
            "SELECT list_id, state, count(*) AS lines FROM push_line"
            " WHERE bank_id = :bank_id AND closed_on IS NULL GROUP BY list_id, state"
        ),
        {"bank_id": who.bank_id},
    ).all()
    undecided = Counter[int]()
    for row in found:
        if row.state in WAITING_FOR_BANK:
            undecided[row.list_id] += row.lines
    return OpenLines(
        total=sum(row.lines for row in found),
        unanswered=sum(row.lines for row in found if row.state in UNANSWERED),
        undecided=undecided,
    )


MINE = (
    "(l.assigned_to = ANY (CAST(:people AS bigint[])) OR l.assigned_to IS NULL"
    " AND EXISTS (SELECT 1 FROM answer m WHERE m.line_id = l.id AND m.answered_by = ANY (CAST(:people AS bigint[]))))"
)
MY_OUTLET = (
    "EXISTS (SELECT 1 FROM outlet_member me JOIN outlet o ON o.id = me.outlet_id"
    " WHERE me.bank_id = :bank_id AND me.person_id = :person_id AND (l.assigned_to IN"
    " (SELECT m.person_id FROM outlet_member m WHERE m.outlet_id = o.id)"
    " OR l.assigned_to IS NULL AND o.takes_since_on <= l.pushed_on AND o.district = l.district))"
)
"""Given to someone of it, or nobody's yet and of the district whose new lines it takes."""


def list_lines(
    tx: Session, who: Who, wanted: Wanted, today: date, opened: OpenLines | None = None
) -> tuple[Sequence[Row[Any]], int]:
    """One page of the bank's lines, and how many there are in all.

    The page's lines are found and counted in one index; what is known of each is looked up for these alone. Words are
    looked for in every line, so those that hold them are counted in the same look; all the open ones need no counting
    where `opened` has counted them.
    """
    where, values = _sought(tx, who, wanted, today)
    if not wanted.query:
        ids = _window(tx, wanted, "l.id", where, values).scalars().all()
        return list_of_ids(tx, who, ids), _count(tx, where, values, opened)
    found = _window(tx, wanted, "l.id, count(*) OVER () AS total", where, values).all()
    total = found[0].total if found else _count(tx, where, values, opened) if wanted.offset else 0
    return list_of_ids(tx, who, [row.id for row in found]), total


def list_ids(tx: Session, who: Who, wanted: Wanted, today: date) -> list[int]:
    """The keys of the lines that are wanted, in their order."""
    return list(_window(tx, wanted, "l.id", *_sought(tx, who, wanted, today)).scalars())


def _window(tx: Session, wanted: Wanted, columns: str, where: str, values: Mapping[str, Any]) -> Result[Any]:
    """What is asked of the lines on the page, in their order."""
    direction = "DESC NULLS LAST" if wanted.descending else "ASC NULLS LAST"
    order = ", ".join([*(f"{part} {direction}" for part in SORTS[wanted.sort].split(", ")), "l.id"])
    found = f"SELECT {columns} FROM push_line l {where} ORDER BY {order} LIMIT :limit OFFSET :offset"
    return tx.execute(text(found), {**values, "limit": wanted.limit, "offset": wanted.offset})


def list_of_ids(tx: Session, who: Who, ids: Sequence[int]) -> list[Row[Any]]:
    """The bank's lines of these keys, in the order of the keys."""
    rows = tx.execute(text(f"{LINE} AND l.id = ANY(:ids)"), {"bank_id": who.bank_id, "ids": list(ids)}).all()
    known = {row.id: row for row in rows}
    return [known[line_id] for line_id in ids if line_id in known]


def count_each(tx: Session, who: Who, wishes: Sequence[Wanted], today: date) -> list[int]:
    """How many lines each of these wishes finds, in one look at the bank's lines."""
    if not wishes:
        return []
    values: dict[str, Any] = _asker(tx, who, today, is_mine=any(wanted.is_mine for wanted in wishes))
    counts = []
    for place, wanted in enumerate(wishes):
        conditions, given = _conditions(wanted, f"_{place}")
        values |= given
        counts.append(f"count(*) FILTER (WHERE {' AND '.join(conditions)})")
    among = ONLY["all"] if any(wanted.only == "all" for wanted in wishes) else ONLY["open"]
    found = f"SELECT {', '.join(counts)} FROM push_line l WHERE l.bank_id = :bank_id AND {among}"
    return [int(count) for count in tx.execute(text(found), values).one()]


EVERYTHING = f"WHERE l.bank_id = :bank_id AND {ONLY['all']}"
EVERY_OPEN_ONE = f"WHERE l.bank_id = :bank_id AND {ONLY['open']}"


def _count(tx: Session, where: str, values: Mapping[str, Any], opened: OpenLines | None) -> int:
    """How many lines there are; of every line the bank ever had its lists know, and never change."""
    if opened is not None and where == EVERY_OPEN_ONE:
        return opened.total
    whole = "SELECT coalesce(sum(lines), 0) FROM push_list WHERE bank_id = :bank_id"
    found = whole if where == EVERYTHING else f"SELECT count(*) FROM push_line l {where}"
    return int(tx.execute(text(found), values).scalar_one())


def _sought(tx: Session, who: Who, wanted: Wanted, today: date) -> tuple[str, dict[str, Any]]:
    """The condition for the lines that are wanted, with its values."""
    conditions, values = _conditions(wanted)
    values |= _asker(tx, who, today, is_mine=wanted.is_mine)
    return f"WHERE l.bank_id = :bank_id AND {' AND '.join(conditions)}", values


def _asker(tx: Session, who: Who, today: date, *, is_mine: bool) -> dict[str, Any]:
    """Who asks, and where it is about their own lines with those they stand in for today."""
    stand_ins = outlets.stand_ins_on(tx, who, today).values() if is_mine else ()
    people = [who.person_id, *(row.absent_id for row in stand_ins if row.deputy_id == who.person_id)]
    return {"bank_id": who.bank_id, "today": today, "person_id": who.person_id, "people": people}


def _conditions(wanted: Wanted, mark: str = "") -> tuple[list[str], dict[str, Any]]:
    """What is asked of a line, with the values under names that end in `mark`."""
    conditions, values = [ONLY[wanted.only]], dict[str, Any]()
    for condition, name, value in (
        ("l.list_id = :list_id", "list_id", wanted.list_id),
        ("l.pushed_on = :on", "on", wanted.on),
        ("l.light = :light", "light", wanted.light),
        ("l.product_id = :product_id", "product_id", wanted.product_id),
        ("l.district = :district", "district", wanted.district),
        ("l.is_intended", "is_intended", wanted.is_intended),
        (MINE, "is_mine", wanted.is_mine),
        (MY_OUTLET, "is_of_my_outlet", wanted.is_of_my_outlet),
    ):
        if value:
            conditions.append(condition.replace(f":{name}", f":{name}{mark}"))
            values[f"{name}{mark}"] = value
    if wanted.query:
        conditions.append(_speaks_of(wanted.query).format(name=f":name{mark}", code=f":code{mark}"))
        values |= {f"name{mark}": wanted.query, f"code{mark}": wanted.query.upper()}
    return conditions, values


WHOLE_CODE = re.compile(r"[0-9A-Z]{2}\d{6}[0-9A-Z]{10}", re.ASCII | re.IGNORECASE)
WHOLE_NUMBER = re.compile(r"\d{8}-\d{6}", re.ASCII)


def _speaks_of(query: str) -> str:
    """Where to look: codes and numbers are ASCII, names are hardly ever; letters alone may be either in any case.

    What is a firm's whole code or a demand's whole number is found by its index.
    """
    if WHOLE_CODE.fullmatch(query):
        return "l.uscc = {code} AND NOT l.view_closed"
    if WHOLE_NUMBER.fullmatch(query):
        return "l.demand_id = (SELECT id FROM demand WHERE number = {code}) AND NOT l.view_closed"
    if not query.isascii():
        return "strpos(l.firm_name, {name}) > 0"
    name = (
        "l.firm_name ILIKE '%' || {name} || '%'"  # letters, so no sign of a pattern among them
        if query.isalpha()
        else "strpos(l.firm_name, {name}) > 0"
    )
    return f"({name} OR strpos(l.uscc, {{code}}) > 0 OR strpos(l.demand_number, {{code}}) > 0) AND NOT l.view_closed"


def get_line(tx: Session, who: Who, line_id: int) -> Row[Any]:
    """One of the bank's own lines, or NotFound."""
    row = tx.execute(text(f"{LINE} AND l.id = :id"), {"bank_id": who.bank_id, "id": line_id}).one_or_none()
    if row is None:
        raise NotFound("没有找到这个推送项。")
    return row
