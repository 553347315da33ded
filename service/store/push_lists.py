"""Lists and their lines: publishing them, locking them, ending them, and what banks and firms read of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.domain.people import Who
from service.domain.push_list import PushLine
from service.store import consents, products, standing
from service.store.bulk import add_rows, next_ids

LOCK_DEMANDS = text("""
    SELECT id FROM demand WHERE id IN (SELECT demand_id FROM push_line WHERE id = ANY (:ids)) ORDER BY id FOR UPDATE
""")
LOCK_LINES = text("""
    SELECT l.*, b.contact_days, b.decide_days FROM push_line l JOIN bank b ON b.id = l.bank_id
    WHERE l.id = ANY (:ids) AND (CAST(:bank_ids AS bigint[]) IS NULL OR l.bank_id = ANY (:bank_ids))
    ORDER BY l.id FOR UPDATE OF l
""")
ONE_PUSH_AT_A_TIME = 7_416_002
IN_MATCHING = "state IN ('recommended', 'pushed', 'answered')"
TO_PUSH = f"""
    SELECT d.id, d.uscc, d.district, d.amount_fen, d.term_months, d.state, d.light, d.recommended_on, d.reported_on,
           d.guarantees, d.xmin::text AS version, v.facts::text AS facts, v.light AS verdict_light,
           (v.facts -> 'probability' ->> 'value')::float AS probability,
           f.industry, f.size_class, coalesce(d.push_on > :today, false) AS is_put_off
    FROM demand d JOIN verdict v ON v.id = d.verdict_id JOIN firm f ON f.uscc = d.uscc
    WHERE d.{IN_MATCHING} AND d.light <> 'red' AND d.id IN (
        SELECT id FROM demand WHERE {IN_MATCHING} AND (push_on IS NULL OR push_on <= :today)
        UNION ALL
        SELECT o.id FROM consent c JOIN demand o ON o.uscc = c.uscc
        WHERE c.bank_id = ANY (:banks) AND c.purpose = 'credit_review' AND {consents.LIVE}
          AND o.{IN_MATCHING} AND o.push_on > :today
          AND NOT EXISTS (SELECT 1 FROM push_line l WHERE l.demand_id = o.id AND l.bank_id = c.bank_id))
    ORDER BY d.id
"""
WITH_ROOM_GIVEN_BACK = text("""
    WITH given_back AS (
        SELECT product_id, count(*) FILTER (WHERE pushed_on = :today) AS places, sum(amount_fen) AS fen FROM push_line
        WHERE closed_on = :today AND state IN ('refused', 'silent', 'withdrawn', 'passed_over', 'recalled')
          AND state_at > (SELECT made_at FROM certificate WHERE "on" = :today AND run = 0)
        GROUP BY product_id),
    now_left AS (
        SELECT p.bank_id, p.amount_max_fen, g.places AS given_places, g.fen AS given_fen,
               p.places_per_day - coalesce(u.used, 0) AS places,
               p.quota_fen - p.reserved_fen - p.granted_fen AS fen
        FROM given_back g JOIN product p ON p.id = g.product_id
        LEFT JOIN place_use u ON u.product_id = p.id AND u."on" = :today)
    SELECT DISTINCT bank_id FROM now_left
    WHERE places > 0 AND coalesce(fen, 1) > 0 AND (places <= given_places OR fen - given_fen < amount_max_fen)
    ORDER BY 1
""")
HISTORY = text("""
    SELECT l.demand_id, l.bank_id, l.product_id, l.state, l.closed_on IS NULL AS is_open, a.reasons,
           EXISTS (SELECT 1 FROM offer o WHERE o.line_id = l.id) AS had_offer, r.recalled_on AS kept_away_on
    FROM push_line l
    LEFT JOIN push_list_recall r ON r.list_id = l.list_id AND r.keeps_away AND l.state = 'recalled'
    LEFT JOIN LATERAL (SELECT reasons FROM answer WHERE line_id = l.id AND kind = 'refused'
                       ORDER BY id DESC LIMIT 1) a ON l.state = 'refused'
    WHERE l.demand_id = ANY (:ids) ORDER BY l.demand_id, l.id
""")
ROOM = text("""
    SELECT p.id, p.version, p.bank_id, greatest(p.places_per_day - coalesce(u.used, 0), 0) AS places, b.contact_days,
           b.kind AS bank_kind
    FROM product p JOIN bank b ON b.id = p.bank_id
    LEFT JOIN place_use u ON u.product_id = p.id AND u."on" = :today ORDER BY p.id
""")
VERSIONS = text("SELECT id, xmin::text AS version FROM demand WHERE id = ANY (:ids) ORDER BY id FOR UPDATE")
PUT_OFF = text("""
    WITH unchanged AS (
        SELECT d.id FROM demand d
        JOIN jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (id bigint, version text)
          ON d.id = n.id AND d.xmin::text = n.version
        ORDER BY d.id FOR UPDATE OF d SKIP LOCKED)
    UPDATE demand d SET push_on = :until, next_on = CASE WHEN next_step = 'push' THEN :until ELSE next_on END
    FROM unchanged u WHERE d.id = u.id
""")
PUT_OFF_LOCKED = text("""
    UPDATE demand SET push_on = :until, next_on = CASE WHEN next_step = 'push' THEN :until ELSE next_on END
    WHERE id = ANY (:ids)
""")
ANSWERED = """
    SELECT l.bank_id, b.kind AS bank_kind, f.industry, f.size_class, v.light AS verdict_light, l.amount_fen, l.district,
           d.guarantees, l.state, a.reasons, (SELECT max(id) FROM answer) AS latest_answer, l.id, l.demand_id,
           l.pushed_on, o.line_id IS NOT NULL AS had_offer,
           (v.facts -> 'probability' ->> 'value')::float AS probability,
           coalesce((SELECT min(answered_on) FROM answer e WHERE e.line_id = l.id AND e.kind IN ('offered', 'refused')),
                    l.closed_on, l.pushed_on) AS answered_on
    FROM push_line l JOIN bank b ON b.id = l.bank_id JOIN demand d ON d.id = l.demand_id
    JOIN verdict v ON v.id = d.verdict_id JOIN firm f ON f.uscc = l.uscc
    LEFT JOIN LATERAL (SELECT reasons FROM answer WHERE line_id = l.id AND kind = 'refused'
                       ORDER BY id DESC LIMIT 1) a ON l.state = 'refused'
    LEFT JOIN LATERAL (SELECT line_id FROM offer WHERE line_id = l.id LIMIT 1) o ON true
    WHERE (l.state IN ('refused', 'silent') OR o.line_id IS NOT NULL)
"""
ANSWERED_SINCE = text(f"{ANSWERED} AND l.pushed_on >= :since ORDER BY l.id")
FIRST_ANSWERED_AFTER = text(f"""
    {ANSWERED} AND l.id IN (SELECT line_id FROM answer WHERE id > :answer AND kind IN ('offered', 'refused'))
      AND NOT EXISTS (SELECT 1 FROM answer e
                      WHERE e.line_id = l.id AND e.id <= :answer AND e.kind IN ('offered', 'refused'))
    ORDER BY l.id
""")
UNANSWERED_SINCE = text("""
    SELECT l.bank_id, b.kind AS bank_kind, coalesce(l.p_offer, l.p_grant, 0) AS p_offer
    FROM push_line l JOIN bank b ON b.id = l.bank_id
    WHERE l.pushed_on >= :since AND l.state IN ('passed_over', 'withdrawn')
      AND NOT EXISTS (SELECT 1 FROM offer o WHERE o.line_id = l.id) ORDER BY l.id
""")
PAST_DUE = text("""
    SELECT id, demand_id, due_step, state FROM push_line
    WHERE closed_on IS NULL AND due_on < :today AND due_step IN ('contact', 'decision', 'grant', 'papers')
      AND NOT EXISTS (SELECT 1 FROM held_answer h WHERE h.line_id = push_line.id AND h.state = 'held') ORDER BY id
""")
DUE_BETWEEN = text("""
    SELECT id, demand_id, uscc, bank_id, due_step, due_on FROM push_line
    WHERE closed_on IS NULL AND due_on BETWEEN :since AND :until AND reminded_of IS DISTINCT FROM due_on
    ORDER BY id FOR UPDATE SKIP LOCKED
""")
END_LINES = text("""
    WITH ended AS (
        UPDATE push_line SET state = :state, state_at = :now, closed_on = :today, reserved_fen = 0, due_step = 'none',
            due_on = NULL, waits_for_calendar = false
        WHERE id = ANY (:ids))
    UPDATE offer SET state = :offer, decided_at = :now WHERE line_id = ANY (:ids) AND state IN ('open', 'accepted')
""")


PUSH_LINE = [column.name for column in PushLine.__table__.columns]  # type: ignore[attr-defined]
ADD_LINES = """
    INSERT INTO push_line ({columns}, firm_name, demand_number, light, grade, probability)
    SELECT {given}, f.name, d.number, d.light, e.grade, e.probability
    FROM jsonb_populate_recordset(NULL::public.push_line, CAST(:rows AS jsonb)) n
    JOIN demand d ON d.id = n.demand_id LEFT JOIN firm f ON f.uscc = n.uscc
    LEFT JOIN verdict v ON v.id = d.verdict_id LEFT JOIN estimate e ON e.id = v.estimate_id
"""


def lock_lines(tx: Session, line_ids: Iterable[int], bank_ids: Sequence[int] | None = None) -> Sequence[Row[Any]]:
    """Lock the lines' demands, then the lines, each in the order of their ids; the lines this transaction may see."""
    ids = sorted(set(line_ids))
    if not ids:
        return []
    standing.held_demands(tx).update(tx.execute(LOCK_DEMANDS, {"ids": ids}).scalars())
    return tx.execute(LOCK_LINES, {"ids": ids, "bank_ids": bank_ids}).all()


def lock_lines_of_bank(tx: Session, who: Who, line_ids: Iterable[int]) -> Sequence[Row[Any]]:
    """The same, of the bank `who` works for only."""
    return lock_lines_of_banks(tx, [who], line_ids)


def lock_lines_of_banks(tx: Session, people: Iterable[Who], line_ids: Iterable[int]) -> Sequence[Row[Any]]:
    """The same, of the banks these people work for; whose each line is, the caller looks at."""
    return lock_lines(tx, line_ids, sorted({who.bank_id or 0 for who in people}))


def has_open_line(tx: Session, demand_id: int, bank_id: int) -> bool:
    """Whether the demand is open with this bank."""
    found = text("SELECT 1 FROM push_line WHERE demand_id = :demand AND bank_id = :bank AND closed_on IS NULL")
    return tx.execute(found, {"demand": demand_id, "bank": bank_id}).first() is not None


def end_lines(tx: Session, lines: Sequence[Row[Any]], state: str, offer_state: str, today: date, now: datetime) -> None:
    """Close locked lines and give back what they held."""
    if not lines:
        return
    ids = [line.id for line in lines]
    tx.execute(END_LINES, {"ids": ids, "state": state, "offer": offer_state, "now": now, "today": today})
    money: Counter[int] = Counter()
    for line in lines:
        money[line.product_id] += line.reserved_fen
    products.free_money(tx, money)
    products.free_places(tx, Counter(line.product_id for line in lines if line.pushed_on == today), today)


def one_push_at_a_time(tx: Session) -> None:
    """Wait until no other transaction is sharing out; let go with this one's end."""
    tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_PUSH_AT_A_TIME})


def list_to_push(
    tx: Session, today: date, room_at: Sequence[int] = (), *, lock: bool = False
) -> Sequence[Row[Any]]:  # fmt: skip
    """Demands that look for banks today, with their verdict's facts as JSON text; `version` changes with the row.

    With them those put off to another day that named one of these banks and have not been there (`is_put_off`).
    """
    values = {"today": today, "banks": list(room_at)}
    rows = tx.execute(text(TO_PUSH + (" FOR UPDATE OF d" if lock else "")), values).all()
    if lock:
        standing.held_demands(tx).update(row.id for row in rows)
    return rows


def banks_with_room_given_back(tx: Session, today: date) -> list[int]:
    """Banks with a product that had no place, or too little money, until lines ended since the morning's lists."""
    return list(tx.execute(WITH_ROOM_GIVEN_BACK, {"today": today}).scalars())


def list_lines_of(tx: Session, demand_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """Every line these demands have had: bank, product, state, coded reasons, whether the bank had made an offer."""
    return tx.execute(HISTORY, {"ids": list(demand_ids)}).all()


def list_wanted(tx: Session, demand_ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The banks these demands named as intended."""
    wanted = text("SELECT demand_id, bank_id FROM wanted_bank WHERE is_intended AND demand_id = ANY (:ids)")
    return tx.execute(wanted, {"ids": list(demand_ids)}).all()


def list_room(tx: Session, today: date) -> Sequence[Row[Any]]:
    """Products with their version, the places left today and their bank's promise of a first contact."""
    return tx.execute(ROOM, {"today": today}).all()


def list_answered(tx: Session, since: date) -> Sequence[Row[Any]]:
    """Lines pushed since then that a bank answered with an offer, a refusal or silence, with the demand's traits."""
    return tx.execute(ANSWERED_SINCE, {"since": since}).all()


def list_unanswered(tx: Session, since: date) -> Sequence[Row[Any]]:
    """Lines pushed since then that ended before their bank said yes or no, with the chance of an offer they had."""
    return tx.execute(UNANSWERED_SINCE, {"since": since}).all()


def list_first_answered_after(tx: Session, answer_id: int) -> Sequence[Row[Any]]:
    """The same of lines whose first offer or refusal came after this answer; silence is counted in the morning."""
    return tx.execute(FIRST_ANSWERED_AFTER, {"answer": answer_id}).all()


def versions_under_lock(tx: Session, demand_ids: Sequence[int]) -> dict[int, str]:
    """Lock the demands in the order of their ids; id → the row's version as it is now."""
    found = {row.id: row.version for row in tx.execute(VERSIONS, {"ids": sorted(demand_ids)})}
    standing.held_demands(tx).update(found)
    return found


def put_off(tx: Session, versions: Mapping[int, str], until: date) -> None:
    """These demands were looked at: not again before `until`, unless something changed them meanwhile.

    Where the push itself is what comes next, the firm sees that date.
    """
    rows = standing.as_json({"id": one, "version": version} for one, version in versions.items())
    tx.execute(PUT_OFF, {"rows": rows, "until": until})


def put_off_locked(tx: Session, demand_ids: Sequence[int], until: date) -> None:
    """The same for demands this transaction holds."""
    tx.execute(PUT_OFF_LOCKED, {"ids": list(demand_ids), "until": until})


def next_run(tx: Session, day: date) -> int:
    """The number of the day's next sharing out; 0 is the morning's."""
    latest = text('SELECT coalesce(max(run) + 1, 0) FROM certificate WHERE "on" = :day')
    return int(tx.execute(latest, {"day": day}).scalar_one())


def numbers_of(tx: Session, day: date) -> dict[int, int]:
    """Bank → the number of its latest list of the day."""
    rows = tx.execute(
        text('SELECT bank_id, max(number) AS n FROM push_list WHERE "on" = :day GROUP BY 1'), {"day": day}
    )
    return {row.bank_id: row.n for row in rows}


def add_certificate(tx: Session, row: Mapping[str, Any]) -> int:
    """Keep the referee's paper; its key."""
    (key,) = next_ids(tx, "certificate", 1)
    add_rows(tx, "certificate", [{"id": key, **row}])
    return key


def add_lists(tx: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Publish lists; their keys."""
    keys = next_ids(tx, "push_list", len(rows))
    add_rows(tx, "push_list", [{"id": key, **row} for key, row in zip(keys, rows, strict=True)])
    return keys


def add_lines(tx: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Enter the lines of lists; their keys."""
    keys = next_ids(tx, "push_line", len(rows))
    named = [{"id": key, **row} for key, row in zip(keys, rows, strict=True)]
    if named:
        columns = ", ".join(name for name in PUSH_LINE if name in named[0])
        given = ", ".join(f"n.{name}" for name in PUSH_LINE if name in named[0])
        tx.execute(text(ADD_LINES.format(columns=columns, given=given)), {"rows": standing.as_json(named)})
    return keys


def past_due(tx: Session, today: date) -> Sequence[Row[Any]]:
    """Open lines whose clock ran out before today, with the clock that did; whose answer is held is not late."""
    return tx.execute(PAST_DUE, {"today": today}).all()


def due_between(tx: Session, since: date, until: date) -> Sequence[Row[Any]]:
    """Open lines whose clock ends in these days and of which nobody was reminded, locked; those busy just now wait."""
    return tx.execute(DUE_BETWEEN, {"since": since, "until": until}).all()
