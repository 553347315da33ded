"""Verify the trail: every entry of a chain follows from the one before it, and the head says where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service.domain.errors import NotAllowed, NotFound
from service.domain.people import Role, Who
from service.store import trail, trail_search
from service.store.trail import Act

MAY_VERIFY = frozenset({Role.OPERATOR, Role.CITY, Role.SYSTEM})


@dataclass(frozen=True)
class Verified:
    """What was found of one chain. `broken_at` is the first entry that does not follow from the one before it."""

    chain: str
    entries: int
    counted: int
    """How many entries the head says there are."""
    broken_at: int | None = None
    ends_as_told: bool = True
    """Whether the last entry is the one the head names: a tail cut off shows here."""

    @property
    def is_sound(self) -> bool:
        return self.broken_at is None and self.ends_as_told and self.entries == self.counted


def verify_chains(tx: Session, who: Who, chains: Sequence[str], now: datetime) -> list[Verified]:
    """Verify these chains as they stand; that it was done, and with what result, is itself on the trail.

    Errors: NotFound for a chain nobody ever began.
    """
    if who.role not in MAY_VERIFY:
        raise NotAllowed("只有运行人员和市级管理人员可以核验留痕。")
    heads = trail_search.lock_heads(tx, sorted(set(chains)))
    if missing := sorted(set(chains) - {head.chain for head in heads}):
        raise NotFound("没有名为“{chain}”的留痕链。", chain=missing[0])
    found = [_verify(tx, head) for head in heads]
    broken = sum(not one.is_sound for one in found)
    if found:
        details = {"chains": len(found), "entries": sum(one.entries for one in found), "broken": broken}
        span = found[0].chain if len(found) == 1 else found[0].chain.split("/", 1)[0]
        act = Act("verified", "trail", old=span[:40], new="broken" if broken else "sound", details=details)
        trail.append(tx, who, [act], now)
    return found


def _verify(tx: Session, head: Row[Any]) -> Verified:
    entries = trail.list_chain(tx, head.chain)
    broken = trail.first_break(entries)
    end = entries[-1]["hash"] if entries else trail.GENESIS
    told = end == head.hash
    return Verified(head.chain, len(entries), head.entries, broken["id"] if broken else None, ends_as_told=told)
