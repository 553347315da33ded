"""The hash that stands on a published list: who reads the list later can tell whether a line of it was touched."""

import hashlib
from collections.abc import Iterable
from datetime import date

from matching.evidence import to_json

Listed = tuple[int, int, int, int]
"""Demand, product, rank, amount in fen."""


def content_hash(bank_id: int, day: date, lines: Iterable[Listed]) -> str:
    """SHA-256 over a list's bank, day and lines, in order of demand."""
    return hashlib.sha256(
        to_json({"bank": bank_id, "on": day, "lines": [list(one) for one in sorted(lines)]})
    ).hexdigest()
