"""The problem of a day's sharing out, packed to be kept beside its certificate and unpacked for a replay."""

import base64
import io
from dataclasses import fields
from typing import Any

import numpy as np

from matching.terms import Problem

SCALARS = ("max_banks", "urgent_days")


def pack(problem: Problem) -> dict[str, Any]:
    """JSON-ready: the columns as one compressed archive in base64, the scalars beside it."""
    columns = {field.name: getattr(problem, field.name) for field in fields(problem) if field.name not in SCALARS}
    archive = io.BytesIO()
    np.savez_compressed(archive, **columns)
    scalars = {name: getattr(problem, name) for name in SCALARS}
    return {"format": "npz 1", "columns": base64.b85encode(archive.getvalue()).decode(), **scalars}


def unpack(packed: dict[str, Any]) -> Problem:
    """The problem as it was handed to the solver; ValueError for another format."""
    if packed.get("format") != "npz 1":
        raise ValueError(f"not a problem of this format: {packed.get('format')}")
    with np.load(io.BytesIO(base64.b85decode(packed["columns"])), allow_pickle=False) as archive:
        return Problem(**dict(archive), **{name: packed[name] for name in SCALARS})
