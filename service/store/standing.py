"""How demands stand: what their state, light and next step derive from, and the writing of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlmodel import Session

from service.store.memory import memory

LOCK = text("SELECT id FROM demand WHERE id = ANY (:ids) ORDER BY id FOR UPDATE")
READ = text("""
    SELECT d.id, d.uscc, d.district, d.state, d.light, d.next_step, d.next_by, d.next_on, d.waits_for_calendar,
           d.push_on, d.closed_on, d.verdict_id, d.light_since_on, v.light AS verdict_light, v.fitting_products,
           coalesce(v.light <> w.light AND v.facts - CAST(:reckoned AS text[]) = w.facts - CAST(:reckoned AS text[]),
                    false) AS same_facts,
           o.light AS override_light, r.due_on AS review_due_on, r.id AS review_id,
           f.owner AS follow_up_owner, f.next_on AS follow_up_on,
           EXISTS (SELECT 1 FROM follow_up WHERE demand_id = d.id AND closed_on IS NULL
                   AND obstacle IN ('consent_needed', 'no_bank_left', 'chance_too_low')) AS lacks_a_bank
    FROM demand d
    LEFT JOIN verdict v ON v.id = d.verdict_id
    LEFT JOIN LATERAL (SELECT x.light, x.facts FROM light_change c JOIN verdict x ON x.id = c.verdict_id
                       WHERE d.light IN ('yellow', 'red') AND c.demand_id = d.id ORDER BY c.id DESC LIMIT 1) w ON true
    LEFT JOIN LATERAL (SELECT light FROM override WHERE demand_id = d.id AND until_on >= :today
                       ORDER BY id DESC LIMIT 1) o ON true
    LEFT JOIN LATERAL (SELECT id, due_on FROM review WHERE demand_id = d.id AND decided_at IS NULL LIMIT 1) r ON true
    LEFT JOIN LATERAL (SELECT owner, next_on FROM follow_up WHERE demand_id = d.id AND closed_on IS NULL
                       ORDER BY next_on, id LIMIT 1) f ON true
    WHERE d.id = ANY (:ids) ORDER BY d.id
""")
LINES_OF = text("SELECT demand_id, line_id, state, due_step, due_on, waits, is_open FROM lines_of(:ids)")
WRITE = text("""
    WITH lit AS (
        INSERT INTO light_change (demand_id, uscc, district, changed_on, changed_at, old, new, reason, verdict_id)
        SELECT n.demand_id, n.uscc, n.district, :today, :now, n.old, n.new, n.reason, n.verdict_id
        FROM jsonb_to_recordset(CAST(:lights AS jsonb)) AS n (demand_id bigint, uscc text, district text, old text,
            new text, reason text, verdict_id bigint))
    UPDATE demand d SET state = n.state, light = n.light, next_step = n.next_step, next_by = n.next_by,
        next_on = n.next_on, waits_for_calendar = n.waits_for_calendar, closed_on = coalesce(d.closed_on, n.closed_on),
        light_since_on = CASE WHEN d.light IS DISTINCT FROM n.light THEN :today ELSE d.light_since_on END,
        push_on = n.push_on
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (id bigint, state text, light text, next_step text,
        next_by text, next_on date, waits_for_calendar boolean, closed_on date, push_on date)
    WHERE d.id = n.id
""")
WAKE_FIRMS = text("""
    UPDATE demand SET push_on = :today
    WHERE uscc = ANY (:usccs) AND push_on IS DISTINCT FROM :today
      AND state IN ('recommended', 'pushed', 'answered', 'offered')
""")
HELD = "held demands"
RECKONED = ("probability",)
"""What stands among the facts though a model reckons it: a new model moves it without any fact behind it."""


def as_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as one JSON parameter: a batch is one statement."""
    return orjson.dumps(list(rows), default=str).decode()


def lock(tx: Session, demand_ids: Iterable[int]) -> list[int]:
    """Lock the demands in the order of their ids; those this transaction may see, in that order.

    Those that it holds already are not asked for again.
    """
    asked = set(demand_ids)
    held = held_demands(tx)
    if missing := sorted(asked - held):
        held.update(tx.execute(LOCK, {"ids": missing}).scalars())
    return sorted(asked & held)


def held_demands(tx: Session) -> set[int]:
    """The demands this transaction has locked; whoever locks some says so here."""
    held: set[int] = memory(tx).setdefault(HELD, set())
    return held


def read(tx: Session, demand_ids: Sequence[int], today: date) -> Sequence[Row[Any]]:
    """Each demand with its verdict, live override, open review and earliest open follow-up.

    `same_facts`: its verdict's light differs from that of the verdict its light last changed by, yet no fact does.
    """
    values = {"ids": list(demand_ids), "today": today, "reckoned": list(RECKONED)}
    return tx.execute(READ, values).all()


def lines_of(tx: Session, demand_ids: Sequence[int]) -> Mapping[int, list[Row[Any]]]:
    """Demand → states and dates of its lines with all banks, also for a bank, which sees only its own."""
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in tx.execute(LINES_OF, {"ids": list(demand_ids)}):
        found[row.demand_id].append(row)
    return found


def write(
    tx: Session, rows: Sequence[Mapping[str, Any]], lights: Sequence[Mapping[str, Any]], today: date, now: datetime
) -> None:
    """What was derived of the demands, and how the history of their lights goes on."""
    if rows:
        tx.execute(WRITE, {"rows": as_json(rows), "lights": as_json(lights), "today": today, "now": now})


def wake_firms(tx: Session, usccs: Sequence[str], today: date) -> None:
    """The firms named another bank: look for banks for their demands again today."""
    if usccs:
        tx.execute(WAKE_FIRMS, {"usccs": list(usccs), "today": today})


def find(tx: Session, demand_id: int) -> Sequence[Row[Any]]:
    """Whose demand it is: one row, or none that this transaction may see."""
    return tx.execute(text("SELECT id, uscc, district FROM demand WHERE id = :id"), {"id": demand_id}).all()
