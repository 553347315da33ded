"""The model's card on paper: as Markdown, and as one HTML file with its pictures that needs nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from risk import artifact, pictures
from risk.artifact import ArtifactError
from risk.sections import LIMITS, SHOWN, sections
from risk.terms import Input, Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from risk.sections import Section, Table

__all__ = ["LIMITS", "SHOWN", "as_html", "as_markdown", "write_html"]

TITLE = Words("模型卡片", "Model card")
TEMPLATE = Path(__file__).with_name("card_page.html")


def as_markdown(card: Mapping[str, Any], inputs: Sequence[Input]) -> str:
    """The card as Markdown, Chinese and English side by side; the pictures are in the HTML file beside it."""
    lines = [f"# {_both(TITLE)}", ""]
    for section in sections(card, inputs):
        lines += [f"## {_both(section.title)}", ""]
        lines += [line for words in section.text for line in (f"- {words.zh} {words.en}",)]
        lines += [""] if section.text else []
        lines += [line for table in section.tables for line in _table(table)]
    return "\n".join(lines)


def as_html(card: Mapping[str, Any], inputs: Sequence[Input], drawn: Mapping[str, str]) -> str:
    """The card as one HTML file without script or outer reference; `drawn` are SVG texts by section (pictures.of)."""
    from jinja2 import Environment, StrictUndefined

    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = page.from_string(TEMPLATE.read_text("utf-8"))
    told: list[Section] = sections(card, inputs)
    return template.render(title=TITLE, sections=told, drawn=drawn) + "\n"


def write_html(model_folder: str | Path, out: str | Path) -> Path:
    """Write the card of an artifact as HTML: its own card.html, or one made anew where the artifact has none yet.

    Raises ArtifactError where the artifact is not whole or `out` cannot be written.
    """
    files, _ = artifact.opened(model_folder)
    try:
        text = files.get("card.html") or _anew(files)
    except (KeyError, TypeError, ValueError) as fault:
        raise ArtifactError(f"The card in {model_folder} is not understood: {fault}.") from fault
    try:
        Path(out).write_bytes(text.encode())
    except OSError as fault:
        raise ArtifactError(f"{out} cannot be written: {fault.strerror}.") from fault
    return Path(out)


def _anew(files: Mapping[str, str]) -> str:
    """The page of an artifact written before cards had pages."""
    card = json.loads(files["card.json"])
    inputs = [Input(**one) for one in json.loads(files["features.json"])["inputs"]]
    return as_html(card, inputs, pictures.of(card))


def _table(table: Table) -> list[str]:
    """A Markdown table under its caption."""
    rows = [[cell if isinstance(cell, str) else _both(cell) for cell in row] for row in (table.head, *table.rows)]
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return [f"*{_both(table.caption)}*", "", lines[0], "|---" * len(table.head) + "|", *lines[1:], ""]


def _both(words: Words) -> str:
    return words.zh if words.zh == words.en else f"{words.zh} / {words.en}"
