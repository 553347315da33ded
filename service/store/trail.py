"""Append to the trail and read it: every act has one entry, each chained to the one before it by a hash."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text
from sqlmodel import Session

from service.clock import day_of
from service.domain.people import Who
from service.domain.trail import TrailEntry
from service.store.database import touch
from service.store.memory import memory
from service.store.standing import as_json

GENESIS = "0" * 64
START_CHAINS = text("""
    INSERT INTO trail_head (chain, entries, hash) SELECT chain, 0, :start FROM unnest(CAST(:chains AS text[])) chain
    ON CONFLICT DO NOTHING
""")
LOCK_HEADS = text("SELECT chain, hash FROM trail_head WHERE chain = ANY(:chains) ORDER BY chain FOR UPDATE")
HEADS = "trail heads"
COLUMNS = ", ".join(column.name for column in TrailEntry.__table__.columns if column.name != "id")  # type: ignore[attr-defined]
WRITE = text(f"""
    WITH moved AS (
        UPDATE trail_head h SET entries = h.entries + n.more, hash = n.hash
        FROM unnest(CAST(:chains AS text[]), CAST(:more AS bigint[]), CAST(:hashes AS text[])) AS n (chain, more, hash)
        WHERE h.chain = n.chain)
    INSERT INTO trail ({COLUMNS})
    SELECT {COLUMNS} FROM jsonb_populate_recordset(NULL::public.trail, CAST(:rows AS jsonb))
""")


@dataclass(frozen=True)
class Act:
    """One act to be recorded. `details` holds ids and coded facts only: no names, no free words, no adverse values."""

    verb: str
    noun: str
    noun_id: int | None = None
    demand_id: int | None = None
    uscc: str | None = None
    bank_id: int | None = None
    district: str | None = None
    old: str | None = None
    new: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def append(tx: Session, who: Who, acts: Sequence[Act], at: datetime) -> None:
    """Record one actor's acts in their order; the heads of their chains stay locked until the transaction ends."""
    append_each(tx, [(who, act) for act in acts], at)


def append_each(tx: Session, said: Sequence[tuple[Who, Act]], at: datetime) -> None:
    """The same for a batch in which several people act."""
    by_chain: dict[str, list[tuple[Who, Act]]] = defaultdict(list)
    for who, act in said:
        by_chain[chain_of(act, at)].append((who, act))
    if not by_chain:
        return
    heads = _lock_heads(tx, sorted(by_chain))
    rows = []
    for chain, mine in sorted(by_chain.items()):
        for who, act in mine:
            rows.append(_row(who, act, at, chain, heads[chain]))
            heads[chain] = rows[-1]["hash"]
    moved = {"chains": list(by_chain), "more": [len(mine) for mine in by_chain.values()]}
    tx.execute(WRITE, {**moved, "hashes": [heads[chain] for chain in by_chain], "rows": as_json(rows)})
    touch(tx, (topic for _, act in said for topic in topics_of(act)))


def _lock_heads(tx: Session, chains: Sequence[str]) -> dict[str, str]:
    """Chain → its last hash, locked; in one order for everybody, so that nobody waits for each other.

    A head that this transaction holds already is where it left it.
    """
    heads: dict[str, str] = memory(tx).setdefault(HEADS, {})
    missing = {"chains": [chain for chain in chains if chain not in heads]}
    if missing["chains"]:
        found = tx.execute(LOCK_HEADS, missing).all()
        if len(found) < len(missing["chains"]):
            tx.execute(START_CHAINS, missing | {"start": GENESIS})
            found = tx.execute(LOCK_HEADS, missing).all()
        heads.update((row.chain, row.hash) for row in found)
    return heads


def topics_of(act: Act) -> list[str]:
    """What a live page about this act's demand or bank watches."""
    return [f"{name}:{key}" for name, key in (("demand", act.demand_id), ("bank", act.bank_id)) if key]


def chain_of(act: Act, at: datetime) -> str:
    """A chain is a day of a bank, of a district, or of the city: short to verify, wide enough not to queue."""
    place = f"bank-{act.bank_id}" if act.bank_id else (act.district or "city")
    return f"{day_of(at)}/{place}"


def _row(who: Who, act: Act, at: datetime, chain: str, previous: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "at": at,
        "actor_id": who.person_id,
        "actor": who.name if who.is_platform else who.role.value,
        "verb": act.verb,
        "noun": act.noun,
        "noun_id": act.noun_id,
        "demand_id": act.demand_id,
        "uscc": act.uscc,
        "bank_id": act.bank_id,
        "district": act.district,
        "old": act.old,
        "new": act.new,
        "details": dict(act.details),
        "chain": chain,
        "previous_hash": previous,
    }
    return row | {"hash": hash_of(row)}


def hash_of(entry: Mapping[str, Any]) -> str:
    """SHA-256 over the entry's canonical JSON, the hash before it included."""
    body = {key: value for key, value in entry.items() if key not in {"id", "hash"}}
    body["at"] = body["at"].timestamp()
    return hashlib.sha256(
        json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    ).hexdigest()


def first_break(entries: Iterable[Mapping[str, Any]], previous: str = GENESIS) -> Mapping[str, Any] | None:
    """The first entry of a chain that does not follow from the one before it, or None for a sound chain."""
    for entry in entries:
        if entry["previous_hash"] != previous or hash_of(entry) != entry["hash"]:
            return entry
        previous = entry["hash"]
    return None


def list_of(tx: Session, noun: str, noun_id: int) -> Sequence[Row[Any]]:
    """The entries about one thing, oldest first, as far as this transaction's person may see them."""
    table = TrailEntry.__table__  # type: ignore[attr-defined]
    return tx.execute(select(table).where(table.c.noun == noun, table.c.noun_id == noun_id).order_by(table.c.id)).all()


def list_chain(tx: Session, chain: str) -> list[dict[str, Any]]:
    """A whole chain in its order, for verification."""
    table = TrailEntry.__table__  # type: ignore[attr-defined]
    rows = tx.execute(select(table).where(table.c.chain == chain).order_by(table.c.id)).mappings()
    return [dict(row) for row in rows]


def head_of(tx: Session, chain: str) -> tuple[int, str] | None:
    """(entries, hash) of a chain's head: cutting the tail off shows against it."""
    row = tx.execute(text("SELECT entries, hash FROM trail_head WHERE chain = :chain"), {"chain": chain}).one_or_none()
    return (row.entries, row.hash) if row else None
