"""Finding entries of the trail: by thing, demand, firm, verb and day; and whole chains to verify."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from service.clock import instant_on

LOOKED = text("""
    SELECT 1 FROM trail WHERE noun = :noun AND noun_id = :noun_id AND verb = 'looked' AND at >= :since AND at < :until
      AND actor_id IS NOT DISTINCT FROM CAST(:person_id AS bigint) LIMIT 1
""")
FOUND = """
    FROM trail t LEFT JOIN person p ON p.id = t.actor_id LEFT JOIN bank b ON b.id = t.bank_id
    WHERE (CAST(:uscc AS text) IS NULL OR t.uscc = :uscc)
      AND (CAST(:demand_id AS bigint) IS NULL OR t.demand_id = :demand_id)
      AND (CAST(:bank_id AS bigint) IS NULL OR t.bank_id = :bank_id)
      AND (CAST(:noun AS text) IS NULL OR t.noun = :noun) AND (CAST(:verb AS text) IS NULL OR t.verb = :verb)
      AND (CAST(:since AS timestamptz) IS NULL OR t.at >= :since)
      AND (CAST(:until AS timestamptz) IS NULL OR t.at < :until)
"""
OF_IDS = text("""
    SELECT t.*, p.name AS person_name, b.name AS bank_name
    FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY w (id, place) JOIN trail t ON t.id = w.id
    LEFT JOIN person p ON p.id = t.actor_id LEFT JOIN bank b ON b.id = t.bank_id ORDER BY w.place
""")
CHAINS = text("""
    SELECT chain, entries, hash FROM trail_head WHERE chain LIKE :day || '/%' ORDER BY chain
""")
LOCKED = text("""
    SELECT chain, entries, hash FROM trail_head WHERE chain = ANY (:chains) ORDER BY chain FOR UPDATE
""")


@dataclass(frozen=True)
class Sought:
    """What is looked for; None means any."""

    uscc: str | None = None
    demand_id: int | None = None
    noun: str | None = None
    verb: str | None = None
    since: date | None = None
    until: date | None = None
    bank_id: int | None = None

    def values(self) -> dict[str, Any]:
        """The parameters of the query: days become instants of the city."""
        return {
            "uscc": self.uscc,
            "demand_id": self.demand_id,
            "bank_id": self.bank_id,
            "noun": self.noun,
            "verb": self.verb,
            "since": _start(self.since),
            "until": _start(self.until + timedelta(days=1)) if self.until else None,
        }


def has_looked(tx: Session, person_id: int | None, noun: str, noun_id: int | None, day: date) -> bool:
    """Whether this person's look at this thing on this day is noted already."""
    values = {"noun": noun, "noun_id": noun_id, "person_id": person_id}
    days = {"since": _start(day), "until": _start(day + timedelta(days=1))}
    return tx.execute(LOOKED, values | days).first() is not None


def find(tx: Session, sought: Sought, limit: int = 50, offset: int = 0) -> tuple[Sequence[Row[Any]], int]:
    """One page of entries, the newest first, and how many there are; as far as this transaction's person sees them."""
    values = sought.values()
    total: int = tx.execute(text(f"SELECT count(*) {FOUND}"), values).scalar_one()
    page = f"SELECT t.*, p.name AS person_name, b.name AS bank_name {FOUND} ORDER BY t.id DESC"
    found = tx.execute(text(f"{page} LIMIT :limit OFFSET :offset"), {**values, "limit": limit, "offset": offset})
    return found.all(), total


def list_ids(tx: Session, sought: Sought) -> list[int]:
    """The keys of all entries that are sought, the newest first."""
    return list(tx.execute(text(f"SELECT t.id {FOUND} ORDER BY t.id DESC"), sought.values()).scalars())


def list_of_ids(tx: Session, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """The entries of these keys that this transaction may see, in the order of the keys."""
    return tx.execute(OF_IDS, {"ids": list(ids)}).all()


def demand_numbered(tx: Session, number: str) -> int:
    """The key of the demand of this number; 0, which no demand has, where there is none."""
    found = tx.execute(text("SELECT id FROM demand WHERE number = :number"), {"number": number}).scalar()
    return int(found or 0)


def list_chains(tx: Session, day: date) -> Sequence[Row[Any]]:
    """The heads of a day's chains."""
    return tx.execute(CHAINS, {"day": day.isoformat()}).all()


def lock_heads(tx: Session, chains: Sequence[str]) -> Sequence[Row[Any]]:
    """The heads of these chains in their order; nobody adds to the chains until the transaction ends."""
    return tx.execute(LOCKED, {"chains": list(chains)}).all()


def _start(day: date | None) -> datetime | None:
    return None if day is None else instant_on(day, 0)
