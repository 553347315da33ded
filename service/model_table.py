"""The register of models for the command line: as a table, or as documents."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from sqlalchemy import Row

STATES = {"in_use": "在用 in use", "shadow": "影子 shadow", "candidate": "候选 candidate", "retired": "停用 retired"}
FIGURES = ("auc", "brier")


def table_of(rows: Sequence[Row[Any]], waiting: Row[Any] | None) -> Table:
    """One row a model; the waiting proposal stands under it."""
    table = Table(title="模型 Models")
    for head in ("版本 version", "状态 state", "数据截至 as of", "n", "bad", *FIGURES):
        table.add_column(head, no_wrap=True)
    for row in rows:
        told = row.summary
        figures = [_figure((told.get("measures") or {}).get(name)) for name in FIGURES]
        counts = [str(told.get(name, "–")) for name in ("n", "events")]
        table.add_row(row.version, STATES[row.state], str(row.trained_as_of or "–"), *counts, *figures)
    if waiting is not None:
        said = f"{waiting.version}: {waiting.proposed_by_name}，“{waiting.sentence}”"
        table.caption = f"{said}，最迟 {waiting.expires_on} 由另一人确认 (waits for another operator)"
    return table


def documents(rows: Sequence[Row[Any]], waiting: Row[Any] | None) -> dict[str, Any]:
    """The same for machines."""
    return {
        "models": [row._asdict() for row in rows],
        "waiting": waiting._asdict() if waiting is not None else None,
    }


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
