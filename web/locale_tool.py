"""The English catalogue's keeper: `python -m web.locale_tool extract | compile | check`.

Messages are written in Chinese in templates and modules; `extract` carries them into en/LC_MESSAGES/xindeng.po,
`compile` makes the .mo that is shipped, `check` fails on anything missing, fuzzy, wrongly placed or not compiled.
"""

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
PO = ROOT / "web/locale/en/LC_MESSAGES/xindeng.po"
MO = PO.with_suffix(".mo")
METHODS = [("web/**.py", "python"), ("web/templates/**.html", "jinja2"), ("service/**.py", "python")]
OPTIONS: dict[str, dict[str, str]] = {
    "web/templates/**.html": {"trimmed": "true", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}
}
REFUSALS = (
    "DomainError",
    "NotFound",
    "NotAllowed",
    "Conflict",
    "NotPossible",
    "Unavailable",
    "NotSignedIn",
    "MustChangePassword",
    "TooFast",
    "AlreadyUsed",
)
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy": None, "wrong": None, **dict.fromkeys(REFUSALS)}
PLACES = re.compile(r"%\((\w+)\)[sd]|(?<!\{)\{(\w+)\}(?!\})")
SKIPPED = {"node_modules", "static", "migrations", "__pycache__"}
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # a catalogue changes when its words change, not when it is written


def found() -> Catalog:
    """Every message the code says now."""
    catalogue = Catalog(domain="xindeng", project="Xindeng", creation_date=NO_DATE)
    rows = extract_from_dir(
        ROOT, METHODS, OPTIONS, KEYWORDS, comment_tags=("i18n:",),
        directory_filter=lambda path: Path(path).name not in SKIPPED and not Path(path).name.startswith("."),
    )  # fmt: skip
    for path, _line, message, comments, context in sorted(rows, key=lambda row: (str(row[0]), row[1])):
        if any(_is_chinese(text) for text in ([message] if isinstance(message, str) else message)):
            catalogue.add(message, locations=[(Path(path).as_posix(), 0)], auto_comments=comments, context=context)
    return catalogue


def _is_chinese(text: str) -> bool:
    return any("\u2e80" <= letter <= "\uffef" for letter in text)


def kept() -> Catalog:
    """The English catalogue as it stands; an empty one where there is none yet."""
    if not PO.exists():
        return Catalog(locale="en", domain="xindeng", project="Xindeng", creation_date=NO_DATE)
    with PO.open("rb") as file:
        return read_po(file, locale="en", domain="xindeng")


def extract() -> int:
    """Carry new messages in, drop what is no longer said, keep translations."""
    catalogue = kept()
    catalogue.update(found(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.revision_date = NO_DATE
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, catalogue, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True)
    waiting = [message for message in catalogue if message.id and not _is_translated(message)]
    print(f"{len(catalogue)} messages, {len(waiting)} without English")  # noqa: T201
    return 0


def compile_() -> int:
    """Write the .mo."""
    MO.write_bytes(_compiled(kept()))
    return 0


def _compiled(catalogue: Catalog) -> bytes:
    buffer = BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string or "",) if isinstance(message.string, str | None) else tuple(message.string)


def _is_translated(message: Message) -> bool:
    return all(_strings(message))


def _places(text: str) -> set[str]:
    return {first or second for first, second in PLACES.findall(text)}


def mistakes() -> Iterator[str]:
    """What keeps the English from being complete, one sentence each."""
    english = kept()
    said = [message for message in found() if message.id]
    for message in said:
        one = message.id if isinstance(message.id, str) else message.id[0]
        translation = english.get(one, message.context)
        if translation is None or not _is_translated(translation):
            yield f"no English: {one}"
        elif translation.fuzzy:
            yield f"fuzzy: {one}"
        elif any(_places(text) != _places(one) for text in _strings(translation)):
            yield f"other places: {one}"
        elif any(_is_chinese(text) for text in _strings(translation)):
            yield f"Chinese in the English: {one}"
    yield from _stray(english, said)
    if not MO.exists() or MO.read_bytes() != _compiled(english):
        yield "the .mo is older than the .po: run compile"


def _stray(english: Catalog, said: list[Message]) -> Iterator[str]:
    now = {message.id if isinstance(message.id, str) else message.id[0] for message in said}
    for message in english:
        one = message.id if isinstance(message.id, str) else message.id[0]
        if one and one not in now:
            yield f"no longer said: {one}"


def check() -> int:
    """Print every mistake; 1 where there is one."""
    wrong = list(mistakes())
    for sentence in wrong:
        print(sentence, file=sys.stderr)  # noqa: T201
    return 1 if wrong else 0


COMMANDS = {"extract": extract, "compile": compile_, "check": check}

if __name__ == "__main__":
    chosen = COMMANDS.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if chosen is None:
        print(f"usage: python -m web.locale_tool {' | '.join(COMMANDS)}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    sys.exit(chosen())
