"""Records in PostgreSQL: a batch is staged by COPY, then merged as sets; versions of a fact form a chain in time.

A fact is (item, uscc, key). Its versions are ordered by the day the city knew them; each is superseded on the day the
next one was known, so that the view of any past day stays what it was. Equal content is no new version.
A repair or a won objection (`withdrawn_on`) is not undone when the department sends the old row again. After a repair
the fact stays out of sight whatever is sent of it; after a won objection what the department corrects is seen.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from service.domain.errors import NotFound
from service.domain.people import Who
from service.domain.record import Record
from service.store.database import driver_of

CONTENT = "happened_on, ends_on, amount_fen, quantity, code, status, party, details"
COLUMNS = f"line, uscc, key, known_on, {CONTENT}, withdrawn_on"


def _of(table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in CONTENT.split(", "))


_OPEN_STAGE = """
DROP TABLE IF EXISTS pg_temp.staged, pg_temp.suspect, pg_temp.met, pg_temp.versioned,
    pg_temp.chain;
CREATE TEMP TABLE staged (line int, uscc text COLLATE "C", key text COLLATE "C", known_on date, happened_on date,
    ends_on date, amount_fen bigint, quantity float8, code text, status text, party text, details jsonb,
    withdrawn_on date) ON COMMIT DROP;
CREATE TEMP TABLE suspect (line int) ON COMMIT DROP;
"""

# Facts the house has already. Most come with the content they had: these rows are duplicates and settled here.
# `item` goes with the row: told as a constant, a planner that has not heard of the item yet expects one record of it,
# and reads all of them again for every row.
_FIND_MET = f"""
CREATE TEMP TABLE met ON COMMIT DROP AS
    SELECT s.line, s.uscc, s.key, NOT EXISTS (SELECT 1 FROM pg_temp.suspect u WHERE u.line = s.line)
        AND r.known_on <= s.known_on AND (s.withdrawn_on IS NULL OR s.withdrawn_on IS NOT DISTINCT FROM r.withdrawn_on)
        AND ROW({_of("s")}) IS NOT DISTINCT FROM ROW({_of("r")}) AS is_repeat
    FROM (SELECT *, CAST(:item AS text) COLLATE "C" AS item FROM pg_temp.staged {{in_order}}) s CROSS JOIN LATERAL (
        SELECT * FROM record r WHERE r.uscc = s.uscc AND r.item = s.item AND r.key = s.key AND r.superseded_on IS NULL
        {{one}}) r
"""
_ALL_TOGETHER = _FIND_MET.format(in_order="OFFSET 0", one="")
_ONE_BY_ONE = _FIND_MET.format(in_order="ORDER BY uscc, key", one="LIMIT 1")
"""Each looked up by itself, which the LIMIT sees to: what a small file costs does not grow with what is there."""
_FEW = 4
"""One by one where the item's records outnumber the rows so many times."""
_NONE_MET = "CREATE TEMP TABLE met (line int, uscc text, key text, is_repeat bool) ON COMMIT DROP"
_ROWS_AND_HELD = """
SELECT (SELECT count(*) FROM pg_temp.staged), (SELECT coalesce(sum(valid), 0) FROM feed WHERE item = :item)
"""

# The others, and facts that come more than once in this file: few as a rule, and only they need care.
_FIND_VERSIONED = """
CREATE TEMP TABLE versioned ON COMMIT DROP AS
    SELECT uscc, key, CAST(:item AS text) COLLATE "C" AS item FROM pg_temp.met WHERE NOT is_repeat
    UNION
    SELECT s.uscc, s.key, CAST(:item AS text) COLLATE "C" FROM pg_temp.staged s JOIN pg_temp.suspect USING (line)
"""

# Every version of these facts in the order the city knew them; `fate` says what becomes of a staged row. The versions
# in force and the superseded ones are looked up apart, because each have their own index.
_CHAIN = f"""
CREATE TEMP TABLE chain ON COMMIT DROP AS
WITH coming AS (
    SELECT s.*, md5(row({CONTENT})::text) AS content,
        row_number() OVER same AS place, first_value(md5(row({CONTENT})::text)) OVER same AS first_content
    FROM pg_temp.staged s JOIN pg_temp.versioned USING (uscc, key)
    WINDOW same AS (PARTITION BY uscc, key, known_on ORDER BY line)
), versions AS (
    SELECT r.id, NULL::int AS line, uscc, key, r.known_on, md5(row({CONTENT})::text) AS content, r.withdrawn_on
    FROM record r JOIN pg_temp.versioned USING (uscc, item, key) WHERE r.superseded_on IS NULL
    UNION ALL
    SELECT r.id, NULL, uscc, key, r.known_on, md5(row({CONTENT})::text), r.withdrawn_on
    FROM record r JOIN pg_temp.versioned USING (uscc, item, key) WHERE r.superseded_on IS NOT NULL
    UNION ALL
    SELECT NULL, line, uscc, key, known_on, content, withdrawn_on FROM coming WHERE place = 1
), upheld AS (
    SELECT uscc, key, max(o.closed_on) AS on FROM objection o JOIN pg_temp.versioned USING (uscc, item, key)
    WHERE o.state = 'upheld' GROUP BY 1, 2
), ordered AS (
    SELECT v.*, lag(content) OVER known AS content_before,
        CASE WHEN upheld.on = max(withdrawn_on) OVER before AND v.known_on >= upheld.on
            THEN max(withdrawn_on) OVER same ELSE max(withdrawn_on) OVER before END AS withdrawn_before
    FROM versions v LEFT JOIN upheld USING (uscc, key)
    WINDOW known AS (PARTITION BY uscc, key ORDER BY v.known_on, id, line),
        before AS (known ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
        same AS (PARTITION BY uscc, key, content ORDER BY v.known_on, id, line
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), judged AS (
    SELECT *, id IS NULL AND content IS NOT DISTINCT FROM content_before
        AND coalesce(withdrawn_on, withdrawn_before) IS NOT DISTINCT FROM withdrawn_before AS is_repeat
    FROM ordered
), kept AS (
    SELECT id, line, known_on, content_before IS NULL AS is_first,
        coalesce(withdrawn_on, withdrawn_before) AS withdrawn_on,
        lead(known_on) OVER (PARTITION BY uscc, key ORDER BY known_on, id, line) AS superseded_on
    FROM judged WHERE NOT is_repeat
)
SELECT id, line, known_on, superseded_on, withdrawn_on,
    CASE WHEN id IS NOT NULL THEN 'old' WHEN is_first THEN 'first' ELSE 'correction' END AS fate
FROM kept
UNION ALL SELECT NULL, line, known_on, NULL, NULL, 'duplicate' FROM judged WHERE is_repeat
UNION ALL SELECT NULL, line, known_on, NULL, NULL,
    CASE WHEN content = first_content THEN 'duplicate' ELSE 'contradiction' END FROM coming WHERE place > 1
"""

_FATES = "SELECT line, fate, to_char(known_on, 'YYYY-MM') FROM pg_temp.chain WHERE fate <> 'old' ORDER BY 1"
_REPEATS = "SELECT array_agg(line) FROM pg_temp.met WHERE is_repeat"

_SUPERSEDE = """
UPDATE record r SET superseded_on = c.superseded_on FROM pg_temp.chain c
WHERE c.fate = 'old' AND r.id = c.id AND r.superseded_on IS DISTINCT FROM c.superseded_on
RETURNING to_char(r.known_on, 'YYYY-MM')
"""

_INSERT_VERSIONS = f"""
INSERT INTO record (item, feed_id, superseded_on, {COLUMNS})
SELECT :item, :feed_id, c.superseded_on, s.line, uscc, key, s.known_on, {CONTENT}, c.withdrawn_on
FROM pg_temp.staged s JOIN pg_temp.chain c USING (line) WHERE c.fate IN ('first', 'correction')
"""

_INSERT_NEW = f"""
INSERT INTO record (item, feed_id, {COLUMNS}) SELECT :item, :feed_id, {COLUMNS} FROM pg_temp.staged s
"""
_IN_ORDER = " ORDER BY uscc, key"
"""Costs a sort and saves as much where the index is in memory, far more where it is not; a firm's rows lie together."""
_UNMET = (
    " WHERE NOT EXISTS (SELECT 1 FROM pg_temp.met m WHERE m.line = s.line)"
    " AND NOT EXISTS (SELECT 1 FROM pg_temp.versioned v WHERE v.uscc = s.uscc AND v.key = s.key)"
)

_STORED = (
    " WHERE NOT EXISTS (SELECT 1 FROM pg_temp.met m WHERE m.line = s.line AND m.is_repeat) AND NOT EXISTS"
    " (SELECT 1 FROM pg_temp.chain c WHERE c.line = s.line AND c.fate IN ('duplicate', 'contradiction'))"
)
"""The staged rows that became records."""


@dataclass(frozen=True)
class Merged:
    """What became of the staged rows; lines are those of the file, months ('2026-03') the mirror's to write anew."""

    new: int
    corrected: int
    duplicate_lines: list[int]
    contradictory_lines: list[int]
    versioned_lines: list[int]
    months: list[str]

    @property
    def has_chain(self) -> bool:
        """Whether some of the facts had versions before, or came more than once."""
        return bool(self.duplicate_lines or self.contradictory_lines or self.versioned_lines or self.months)


def lock_item(tx: Session, item: str) -> None:
    """One feed of an item at a time, until the transaction ends."""
    tx.connection().execute(text("SELECT pg_advisory_xact_lock(hashtext('intake'), hashtext(:item))"), {"item": item})


def stage(tx: Session, blocks: Iterable[bytes]) -> None:
    """Open an empty staging table and copy CSV blocks into it, in the order of `COLUMNS`."""
    tx.connection().exec_driver_sql(_OPEN_STAGE)
    _copy(tx, f"staged ({COLUMNS})", blocks)


def merge(tx: Session, item: str, feed_id: int, suspect_lines: Iterable[int]) -> Merged:
    """Turn the staged rows into records. `suspect_lines` has at least every row whose fact comes twice in the file."""
    connection = tx.connection()
    _copy(tx, "suspect (line)", (f"{line}\n".encode() for line in suspect_lines))
    connection.exec_driver_sql("SET LOCAL work_mem = '128MB'; ANALYZE pg_temp.staged (line, uscc, key)")
    names = {"item": item, "feed_id": feed_id}
    rows, met = _find_met(tx, item)
    versioned = connection.execute(text(_FIND_VERSIONED), {"item": item}).rowcount
    if not met and not versioned:
        return Merged(connection.execute(text(_INSERT_NEW + _IN_ORDER), names).rowcount, 0, [], [], [], [])
    connection.exec_driver_sql("ANALYZE pg_temp.met; ANALYZE pg_temp.versioned")
    connection.execute(text(_CHAIN))
    months = {row[0] for row in connection.execute(text(_SUPERSEDE))}
    connection.execute(text(_INSERT_VERSIONS), names)
    new = connection.execute(text(_INSERT_NEW + _UNMET + _IN_ORDER), names).rowcount if met < rows else 0
    lines: dict[str, list[int]] = {"first": [], "correction": [], "duplicate": [], "contradiction": []}
    for line, fate, month in connection.execute(text(_FATES)):
        lines[fate].append(line)
        if fate in {"first", "correction"}:
            months.add(month)
    lines["duplicate"] = sorted([*lines["duplicate"], *(connection.scalar(text(_REPEATS)) or ())])
    return Merged(
        new=new + len(lines["first"]),
        corrected=len(lines["correction"]),
        duplicate_lines=lines["duplicate"],
        contradictory_lines=lines["contradiction"],
        versioned_lines=lines["first"] + lines["correction"],
        months=sorted(months),
    )


def _find_met(tx: Session, item: str) -> tuple[int, int]:
    """How many rows are staged, and how many of them are of facts the house has; every record came by a feed."""
    connection = tx.connection()
    rows, held = connection.execute(text(_ROWS_AND_HELD), {"item": item}).one()
    if not held:
        connection.exec_driver_sql(_NONE_MET)
        return rows, 0
    if rows * _FEW < held:
        return rows, connection.execute(text(_ONE_BY_ONE), {"item": item}).rowcount
    connection.exec_driver_sql("SET LOCAL enable_nestloop = off")
    met = connection.execute(text(_ALL_TOGETHER), {"item": item}).rowcount
    connection.exec_driver_sql("SET LOCAL enable_nestloop TO DEFAULT")
    return rows, met


def new_facts_by_day(tx: Session, merged: Merged) -> list[tuple[date, date, int]]:
    """(happened_on, known_on, rows) of the staged facts that had no version before: only these may be late."""
    if not merged.new:
        return []
    first_only = (
        " WHERE NOT EXISTS (SELECT 1 FROM pg_temp.chain c WHERE c.line = s.line AND c.fate <> 'first')"
        " AND NOT EXISTS (SELECT 1 FROM pg_temp.met m WHERE m.line = s.line)"
        if merged.has_chain
        else ""
    )
    query = f"SELECT happened_on, known_on, count(*) FROM pg_temp.staged s{first_only} GROUP BY 1, 2"
    return [(row[0], row[1], row[2]) for row in tx.connection().execute(text(query))]


def touch(tx: Session, merged: Merged) -> None:
    """Note the firms a feed brought records of, with how many each, for what follows (store.firms).

    Counted among the staged rows: to look for the feed in `record` is to read all of it.
    """
    connection = tx.connection()
    connection.exec_driver_sql("DROP TABLE IF EXISTS pg_temp.touched")
    stored = _STORED if merged.has_chain else ""
    if not merged.new and not merged.corrected:
        stored = " WHERE false"
    query = f"SELECT uscc, count(*) AS rows FROM pg_temp.staged s{stored} GROUP BY uscc"
    connection.exec_driver_sql(f"CREATE TEMP TABLE touched ON COMMIT DROP AS {query}")
    connection.exec_driver_sql("ANALYZE pg_temp.touched")


def copy_quarantine(tx: Session, blocks: Iterable[bytes]) -> None:
    """COPY rows of quarantine as CSV: feed_id, item, line, uscc, field, reason, faults, row.

    COPY itself is refused on tables under row-level security, so it goes by way of a temporary one.
    """
    connection = tx.connection()
    connection.exec_driver_sql(
        "CREATE TEMP TABLE IF NOT EXISTS set_aside (feed_id bigint, item text, line int, uscc text, field text,"
        " reason text, faults jsonb, row jsonb) ON COMMIT DROP; TRUNCATE pg_temp.set_aside"
    )
    _copy(tx, "set_aside", blocks)
    connection.exec_driver_sql(
        "INSERT INTO quarantine (feed_id, item, line, uscc, field, reason, faults, row)"
        " SELECT feed_id, item, line, uscc, coalesce(field, ''), reason, faults, row FROM pg_temp.set_aside"
    )


def quarantined_rows(tx: Session, feed_id: int) -> Iterator[tuple[int, list[dict[str, str]], dict[str, Any]]]:
    """(line, faults, row) of a feed's quarantine, in the file's order, read as it goes."""
    query = text("SELECT line, faults, row FROM quarantine WHERE feed_id = :feed_id ORDER BY line, id")
    result = tx.connection().execution_options(yield_per=5000).execute(query, {"feed_id": feed_id})
    yield from ((row[0], row[1], row[2]) for row in result)


def get(tx: Session, record_id: int) -> Record:
    """A record this transaction may see, in sight or not; or NotFound."""
    record = tx.get(Record, record_id)
    if record is None:
        raise NotFound("没有这条记录。")
    return record


def get_own(tx: Session, who: Who, record_id: int, today: date) -> Record:
    """A record of the firm `who` acts for that is in sight today, or NotFound."""
    record = get(tx, record_id)
    if record.uscc != who.uscc or not _is_in_sight(record, today):
        raise NotFound("没有这条记录。")
    return record


def _is_in_sight(record: Record, day: date) -> bool:
    ends = (record.superseded_on, record.withdrawn_on)
    return record.known_on <= day and all(end is None or end > day for end in ends)


def withdraw(tx: Session, record_id: int, on: date) -> Record | None:
    """Take a fact out of sight from a day on (repair, objection won): all its versions that were still in sight."""
    record = tx.get(Record, record_id)
    if record is None:
        return None
    tx.connection().execute(
        text(
            "UPDATE record SET withdrawn_on = :on WHERE item = :item AND uscc = :uscc AND key = :key"
            " AND (superseded_on IS NULL OR superseded_on IS NOT NULL)"  # two indexes, each of a part
            " AND (withdrawn_on IS NULL OR withdrawn_on > :on)"
        ),
        {"on": on, "item": record.item, "uscc": record.uscc, "key": record.key},
    )
    tx.refresh(record)
    return record


def list_as_of(tx: Session, uscc: str, day: date, adverse: Iterable[str], item: str | None = None) -> list[Record]:
    """A firm's records in sight on a day, newest fact first."""
    query = text(
        "SELECT id FROM record WHERE uscc = :uscc AND (CAST(:item AS text) IS NULL OR item = :item)"
        " AND known_on <= :day AND happened_on <= :day AND (superseded_on IS NULL OR superseded_on > :day)"
        " AND (withdrawn_on IS NULL OR withdrawn_on > :day)"
        " AND (ends_on IS NULL OR ends_on > :day OR NOT item = ANY(:adverse))"
    )
    given = {"uscc": uscc, "item": item, "day": day, "adverse": list(adverse)}
    found = [row[0] for row in tx.connection().execute(query, given)]
    ordered = select(Record).where(col(Record.id).in_(found)).order_by(col(Record.happened_on).desc(), col(Record.id))
    return list(tx.exec(ordered))


def months_of(tx: Session, item: str) -> list[str]:
    """The months ('2026-03') in which the city came to know records of an item."""
    query = text("SELECT DISTINCT to_char(known_on, 'YYYY-MM') FROM record WHERE item = :item ORDER BY 1")
    return [row[0] for row in tx.connection().execute(query, {"item": item})]


def items_held(tx: Session) -> list[str]:
    """The items of which there are records."""
    return [
        row[0] for row in tx.connection().execute(text("SELECT DISTINCT item FROM feed WHERE valid > 0 ORDER BY 1"))
    ]


def copy_months(tx: Session, item: str, months: Sequence[str], columns: Iterable[str]) -> Iterator[bytes]:
    """An item's records known in these months, as CSV blocks with these columns: one look through the table for all."""
    firsts = [date.fromisoformat(month + "-01") for month in months]
    query = (
        f"COPY (SELECT {', '.join(columns)} FROM record WHERE item = %s AND known_on >= %s"
        " AND known_on < %s + interval '1 month' AND date_trunc('month', known_on)::date = ANY(%s))"
        " TO STDOUT (FORMAT csv, FORCE_QUOTE *)"
    )
    with driver_of(tx).cursor() as cursor, cursor.copy(query, (item, min(firsts), max(firsts), firsts)) as copy:
        for block in copy:
            yield bytes(block)


def checksums(tx: Session, item: str, expression: str) -> dict[str, tuple[int, int]]:
    """month → (rows, sum of `expression`) of an item."""
    query = text(
        f"SELECT to_char(known_on, 'YYYY-MM'), count(*), sum({expression}) FROM record WHERE item = :item GROUP BY 1"
    )
    return {row[0]: (row[1], int(row[2])) for row in tx.connection().execute(query, {"item": item})}


def _copy(tx: Session, target: str, blocks: Iterable[bytes]) -> None:
    with driver_of(tx).cursor() as cursor, cursor.copy(f"COPY pg_temp.{target} FROM STDIN (FORMAT csv)") as copy:
        for block in blocks:
            copy.write(block)
