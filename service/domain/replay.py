"""The problem of a day's sharing out, packed with its prices beside its certificate, and unpacked for a replay."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from matching.terms import Floats, Prices, Problem

SCALARS = ("max_banks", "urgent_days")


def pack(problem: Problem, prices: Sequence[Prices], solver: str) -> dict[str, Any]:
    """JSON-ready: the columns as one compressed archive in base64, scalars beside it; each stage's prices likewise.

    `solver`: the version that made lists of it; another one need not come to the same.
    """
    columns = {field.name: getattr(problem, field.name) for field in fields(problem) if field.name not in SCALARS}
    scalars = {name: getattr(problem, name) for name in SCALARS}
    priced = {
        f"{stage} {field.name}": getattr(one, field.name) for stage, one in enumerate(prices) for field in fields(one)
    }
    return {"format": "npz 1", "columns": _archive(columns), "prices": _archive(priced), "solver": solver, **scalars}


def unpack(packed: Mapping[str, Any]) -> Problem:
    """The problem as it was handed to the solver; ValueError for another format."""
    if packed.get("format") != "npz 1":
        raise ValueError(f"not a problem of this format: {packed.get('format')}")
    return Problem(**_columns(packed["columns"]), **{name: packed[name] for name in SCALARS})


def unpack_prices(packed: Mapping[str, Any]) -> tuple[Prices, ...]:
    """Each stage's prices as the solver left them; none where they were not kept."""
    kept: dict[str, Floats] = _columns(packed["prices"]) if "prices" in packed else {}
    names = [field.name for field in fields(Prices)]
    return tuple(Prices(*(kept[f"{stage} {name}"] for name in names)) for stage in range(len(kept) // len(names)))


def _archive(columns: Mapping[str, Any]) -> str:
    archive = io.BytesIO()
    np.savez_compressed(archive, **columns)
    return base64.b85encode(archive.getvalue()).decode()


def _columns(archive: str) -> dict[str, Any]:
    with np.load(io.BytesIO(base64.b85decode(archive)), allow_pickle=False) as columns:
        return dict(columns)
