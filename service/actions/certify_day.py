"""Re-check a day's lists from what the database holds: the referee anew, and what only the rows can tell.

Nothing here knows the solver: the problem is the one that was kept, the lists are those that were published.
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zipfile import BadZipFile

import numpy as np
from sqlalchemy import Row
from sqlmodel import Session

from matching.certificate import Certificate, certify
from matching.stages import STAGES
from matching.terms import Line, Prices, Problem
from service.domain.errors import NotAllowed
from service.domain.list_hash import content_hash
from service.domain.people import Role, Who
from service.domain.replay import unpack, unpack_prices
from service.store import certificates

SAME = 1e-9
"""Values and bounds agree to this share: sums may be taken in another order."""
COUNTED = ("placed", "demands_placed", "amount_fen", "intended_placed", "input_hash", "output_hash")


@dataclass(frozen=True)
class CheckedRun:
    """One sharing out of the day: what its lists hold, what the referee says of them now, every breach."""

    run: int
    certificate_id: int
    lists: int
    lines: int
    proof: Certificate | None
    """None where what was kept of the problem cannot be read."""
    has_stage_prices: bool
    """Without the prices of each stage the bound is proved by the highest of them: right, but less near."""
    breaches: tuple[str, ...]


@dataclass(frozen=True)
class CheckedDay:
    """A day's lists, re-checked; without breaches they are what the referee let pass, to the line."""

    on: date
    runs: tuple[CheckedRun, ...]
    breaches: tuple[str, ...]
    """Of every run, and of the day as a whole."""

    def document(self) -> dict[str, Any]:
        """The same for machines."""
        runs = [
            {
                "run": one.run,
                "certificate": one.certificate_id,
                "lists": one.lists,
                "lines": one.lines,
                "has_stage_prices": one.has_stage_prices,
                "breaches": list(one.breaches),
                "proof": json.loads(one.proof.to_json()) if one.proof is not None else None,
            }
            for one in self.runs
        ]
        return {"on": self.on.isoformat(), "is_valid": not self.breaches, "breaches": list(self.breaches), "runs": runs}


def certify_day(tx: Session, who: Who, day: date) -> CheckedDay:
    """Check every list of the day anew, one sharing out after the other; nothing is written."""
    if who.role is not Role.SYSTEM:
        raise NotAllowed("清单由平台核对。")
    runs = tuple(_check(tx, row, day) for row in certificates.list_of_day(tx, day))
    unproved = [
        f"list {one.id} (bank {one.bank_id}, number {one.number}): no valid certificate of its day stands behind it"
        for one in certificates.list_unproved(tx, day)
    ]
    found = [f"run {one.run}: {breach}" for one in runs for breach in one.breaches]
    return CheckedDay(day, runs, (*unproved, *found))


def _check(tx: Session, row: Row[Any], day: date) -> CheckedRun:
    lists, lines = certificates.list_published(tx, row.id)
    try:
        stored, problem, prices = _kept(row, certificates.inputs_of(tx, row.id))
    except (ValueError, KeyError, TypeError, BadZipFile) as fault:
        broken = f"what was kept of certificate {row.id} cannot be read: {fault}"
        return CheckedRun(row.run, row.id, len(lists), len(lines), None, has_stage_prices=False, breaches=(broken,))
    published = [Line(line.demand_id, line.product_id, line.bank_id, line.rank) for line in lines]
    proof = certify(problem, published, prices or _highest(problem, stored))
    breaches = (
        *proof.breaches,
        *_differs(stored, proof, with_bound=bool(prices)),
        *_rows_differ(problem, lines),
        *_lists_differ(lists, lines, day),
    )
    return CheckedRun(row.run, row.id, len(lists), len(lines), proof, bool(prices), breaches)


def _kept(row: Row[Any], inputs: dict[str, Any]) -> tuple[Certificate, Problem, tuple[Prices, ...]]:
    """The paper, the problem it answers, and each stage's prices, none where they were not kept."""
    return Certificate.from_json(json.dumps(row.body)), unpack(inputs), unpack_prices(inputs)


def _highest(problem: Problem, stored: Certificate) -> tuple[Prices, ...]:
    """The certificate's own prices, the highest of all stages, taken for each: any prices ≥ 0 prove a bound."""
    named = (
        (stored.prices, problem.product_id),
        (stored.money_prices, problem.product_id),
        (stored.bank_prices, problem.bank_id),
    )
    one = Prices(*(np.array([prices.get(str(key), 0.0) for key in ids.tolist()], np.float64) for prices, ids in named))
    return (one,) * len(STAGES)


def _differs(stored: Certificate, proof: Certificate, *, with_bound: bool) -> Iterator[str]:
    """Where the paper that was kept says something else than the lists that were published."""
    for name in COUNTED:
        kept, found = getattr(stored, name), getattr(proof, name)
        if kept != found:
            yield f"the certificate says {name} {kept}, the published lists {found}"
    for name in ("value", "bound") if with_bound else ("value",):
        kept, found = getattr(stored, name), getattr(proof, name)
        if not math.isclose(kept, found, rel_tol=SAME, abs_tol=SAME):
            yield f"the certificate says {name} {kept:.9g}, the published lists {found:.9g}"


def _rows_differ(problem: Problem, lines: Sequence[Row[Any]]) -> Iterator[str]:
    """What the problem cannot know: consents, the lines a demand had open, amounts and intentions as published."""
    amounts = dict(zip(problem.demand_id.tolist(), problem.amount_fen.tolist(), strict=True))
    intended = set(zip(
        problem.demand_id[problem.pair_demand[problem.intended]].tolist(),
        problem.product_id[problem.pair_product[problem.intended]].tolist(),
        strict=True,
    ))  # fmt: skip
    for line in lines:
        name = f"line {line.id} (demand {line.demand_id} at bank {line.bank_id})"
        if not line.is_consented:
            yield f"{name}: no consent of the firm named this bank when the list came out"
        if line.open_then > problem.max_banks:
            yield f"{name}: its demand had {line.open_then} lines open, at most {problem.max_banks} may be"
        if line.amount_fen != amounts.get(line.demand_id, line.amount_fen):
            yield f"{name}: published with {line.amount_fen} fen, shared out with {amounts[line.demand_id]}"
        if line.is_intended != ((line.demand_id, line.product_id) in intended):
            yield f"{name}: whether the firm named the bank is told otherwise than it was shared out"


def _lists_differ(lists: Sequence[Row[Any]], lines: Sequence[Row[Any]], day: date) -> Iterator[str]:
    """Lists are unchangeable: their counts, sums and hashes are those of their lines."""
    by_list: dict[int, list[Row[Any]]] = defaultdict(list)
    for line in lines:
        by_list[line.list_id].append(line)
    for one in lists:
        own = by_list[one.id]
        name = f"list {one.id} (bank {one.bank_id}, number {one.number})"
        if one.lines != len(own) or one.amount_fen != sum(line.amount_fen for line in own):
            yield f"{name}: it says {one.lines} lines of {one.amount_fen} fen, its lines say otherwise"
        if any(line.bank_id != one.bank_id for line in own):
            yield f"{name}: a line of another bank stands on it"
        listed = [(line.demand_id, line.product_id, line.rank, line.amount_fen) for line in own]
        if one.content_hash != content_hash(one.bank_id, day, listed):
            yield f"{name}: its hash is not that of its lines"
