"""Reads a policy file and checks it; every fault is one sentence that names the criterion and what to do."""

import hashlib
import string
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import yaml

from matching.criteria import MEASURES, Measure
from matching.policy import Criterion, Policy, PolicyError, Review, Series, Step, Sure
from matching.speech import UNITS
from matching.terms import Light, NotJudged, Words

Node = dict[Any, Any]
Read = TypeVar("Read")

SURE: tuple[Sure, ...] = ("document", "practice", "assumption")
SENTENCES = ("green", "yellow", "red", "unknown")
BLANKS = frozenset({"value", "line", "green", "yellow", "gap", "when", "sources"})
CLOCK_UNITS = ("working_days", "calendar_days")
REVIEW_MODES = ("automatic", "sampled", "full")
INHERITED = ("clocks", "numbers", "review", "groups", "sources", "offices")
PARTS = (*INHERITED, "version", "name", "criteria", "not_judged_here", "based_on", "inherited_lines_hold_from")


class _NoDoubles(yaml.CSafeLoader):
    """Plain YAML that refuses a key written twice, which YAML would silently let win."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        doubles = sorted({str(key) for key in keys if keys.count(key) > 1})
        if doubles:
            raise PolicyError(f"'{doubles[0]}' is written twice in one place, near line {node.start_mark.line + 1}")
        return super().construct_mapping(node, deep=deep)


def read_policy(path: Path) -> Policy:
    """The policy of a file; PolicyError with the file's name and a sentence."""
    try:
        content, tree = _load(path)
        digest = hashlib.sha256(content)
        if "based_on" in tree:
            base_content, base = _load(path.with_name(str(tree["based_on"])))
            digest.update(base_content)
            tree = _inherit(tree, base)
        return _policy(tree, digest.hexdigest())
    except PolicyError as fault:
        raise PolicyError(f"{path.name}: {fault}") from fault


def _load(path: Path) -> tuple[bytes, Node]:
    try:
        content = path.read_bytes()
        tree = yaml.load(content, Loader=_NoDoubles)  # noqa: S506  a SafeLoader
    except OSError as fault:
        raise PolicyError(f"the file cannot be read ({fault.strerror})") from fault
    except yaml.YAMLError as fault:
        raise PolicyError(f"this is not valid YAML: {' '.join(str(fault).split())}") from fault
    if not isinstance(tree, dict):
        raise PolicyError("a policy file is a mapping with version, groups, criteria, …")
    strangers = sorted(str(key) for key in tree if key not in PARTS)
    if strangers:
        raise PolicyError(f"nobody knows the part '{strangers[0]}'; parts are {', '.join(PARTS)}")
    return content, tree


def _inherit(tree: Node, base: Node) -> Node:
    since = tree.get("inherited_lines_hold_from")
    merged = dict(tree)
    for part in INHERITED:
        if part not in tree:
            inherited = base.get(part, {})
            merged[part] = inherited if since is None else _carried_back(inherited, since)
    return merged


def _carried_back(node: Any, since: date) -> Any:
    """The same tree, with the earliest date of every dated mapping moved back to `since`."""
    if not isinstance(node, dict):
        return node
    dates = [key for key in node if isinstance(key, date)]
    first = min(dates) if dates else None
    return {(min(since, key) if key == first else key): _carried_back(value, since) for key, value in node.items()}


def _policy(tree: Node, digest: str) -> Policy:
    groups = {name: _words(node, f"group '{name}'") for name, node in _part(tree, "groups").items()}
    five = {name for name, node in tree["groups"].items() if node.get("five") is True}
    sources = {name: _words(node, f"source '{name}'") for name, node in _part(tree, "sources").items()}
    offices = {name: _words(node, f"office '{name}'") for name, node in _part(tree, "offices").items()}
    criteria = tuple(_criterion(node, groups, five, offices) for node in _list(tree, "criteria"))
    not_judged = tuple(_not_judged(node) for node in tree.get("not_judged_here") or [])
    _check_ids([criterion.id for criterion in criteria] + [one.criterion for one in not_judged])
    review = _part(tree, "review")
    return Policy(
        version=_text(tree, "version", "the policy"),
        hash=digest,
        name=_words(tree.get("name"), "the policy's name"),
        criteria=criteria,
        clocks={name: _clock(name, node) for name, node in _part(tree, "clocks").items()},
        numbers={name: _series(name, node) for name, node in _part(tree, "numbers").items()},
        groups=groups,
        sources=sources,
        default_review=_reviews(review.get("default"), "review"),
        district_reviews={
            str(district): _reviews(node, f"review of {district}")
            for district, node in (review.get("districts") or {}).items()
        },
        not_judged_here=not_judged,
    )


def _criterion(node: Node, groups: Mapping[str, Words], five: set[str], offices: Mapping[str, Words]) -> Criterion:
    here = f"criterion '{node.get('id', '?')}'"
    group, office, unit = (_text(node, part, here) for part in ("group", "office", "unit"))
    _known(group, groups, f"{here}: group")
    _known(office, offices, f"{here}: office")
    _known(unit, UNITS, f"{here}: unit")
    measure = _measure(_text(node, "measure", here), here)
    better = _known(_text(node, "better", here), ("more", "less"), f"{here}: better")
    worst = _known(str(node.get("worst", "red")), ("yellow", "red"), f"{here}: worst")
    optional = node.get("optional", False) is True
    steps = _steps(node.get("lines"), measure, better, here)
    return Criterion(
        id=_text(node, "id", here),
        group=group,
        name=_words(node.get("name"), f"{here}: name"),
        question=_words(node.get("question"), f"{here}: question"),
        basis=_words(node.get("basis"), f"{here}: basis"),
        sure=_sure(node, here),
        measure=measure,
        unit=unit,
        more_is_better=better == "more",
        worst=Light.of(worst),
        optional=optional,
        reason=_words(node.get("reason"), f"{here}: reason") if optional else Words("", ""),
        steps=steps,
        district_steps={
            str(district): _steps(lines, measure, better, f"{here}, district {district}")
            for district, lines in (node.get("districts") or {}).items()
        },
        sentences={light: _sentence(node, light, here) for light in SENTENCES},
        repair=_sentence(node, "repair", here),
        office=offices[office],
        values={
            _number(value, f"{here}: values"): _words(words, f"{here}: value {value}")
            for value, words in (node.get("values") or {}).items()
        },
        one_of_five=group in five,
    )


def _measure(name: str, here: str) -> Measure:
    if name not in MEASURES:
        raise PolicyError(f"{here}: nobody has written the measure '{name}'; known: {', '.join(sorted(MEASURES))}")
    return MEASURES[name]


def _steps(node: Any, measure: Measure, better: str, here: str) -> tuple[Step, ...]:
    def step(since: date, line: Any) -> Step:
        if not isinstance(line, dict) or set(line) != {"green", "yellow"}:
            raise PolicyError(f"{here}: the line of {since} needs exactly a green and a yellow number")
        green, yellow = (_number(line[light], f"{here}, {light} line of {since}") for light in ("green", "yellow"))
        if (yellow > green) if better == "more" else (yellow < green):
            raise PolicyError(f"{here}: on {since} the yellow line is stricter than the green one")
        return Step(since, green, yellow, _ticks(green, measure, here), _ticks(yellow, measure, here))

    return _dated(node, step, here)


def _ticks(line: Decimal, measure: Measure, here: str) -> int:
    ticks = line.scaleb(measure.places)
    if ticks != ticks.to_integral_value():
        raise PolicyError(f"{here}: the line {line} is finer than the measure, which has {measure.places} decimals")
    return int(ticks)


def _dated(node: Any, read: Callable[[date, Any], Read], here: str) -> tuple[Read, ...]:
    if not isinstance(node, dict) or not node:
        raise PolicyError(f"{here}: a dated line is needed, such as 2026-01-01: …")
    for since in node:
        if type(since) is not date:
            raise PolicyError(f"{here}: '{since}' is not a date such as 2026-01-01")
    return tuple(read(since, node[since]) for since in sorted(node))


def _number(value: Any, here: str) -> Decimal:
    if not isinstance(value, str):
        raise PolicyError(f'{here}: the number {value} must be quoted, such as "{value}", to stay exact')
    try:
        number = Decimal(value)
    except InvalidOperation as fault:
        raise PolicyError(f"{here}: '{value}' is not a number") from fault
    if not number.is_finite():
        raise PolicyError(f"{here}: '{value}' is not a finite number")
    return number


def _sentence(node: Node, part: str, here: str) -> Words:
    words = _words(node.get(part), f"{here}: sentence '{part}'")
    for text in (words.zh, words.en):
        try:
            blanks = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        except ValueError as fault:
            raise PolicyError(f"{here}: the sentence '{text}' has a brace too many or too few") from fault
        strangers = sorted(blanks - BLANKS)
        if strangers:
            raise PolicyError(f"{here}: sentence '{part}' has the blank {{{strangers[0]}}}, which nothing fills")
    return words


def _words(node: Any, here: str) -> Words:
    if not isinstance(node, dict):
        raise PolicyError(f"{here} needs words in both languages, zh and en")
    for language in ("zh", "en"):
        if not isinstance(node.get(language), str) or not node[language].strip():
            raise PolicyError(f"{here} has no words in '{language}'")
    return Words(node["zh"], node["en"])


def _clock(name: str, node: Node) -> Series:
    here = f"clock '{name}'"
    unit = _known(_text(node, "unit", here), CLOCK_UNITS, f"{here}: unit")
    series = _series(name, node, unit=unit, starts=_text(node, "starts", here))
    for since, length in series.values:
        if length != int(length) or length <= 0:
            raise PolicyError(f"{here}: {length} from {since} is not a whole number of days above zero")
    return series


def _series(name: str, node: Node, unit: str = "", starts: str = "") -> Series:
    here = f"'{name}'"
    values = _dated(node.get("lines"), lambda since, value: (since, _number(value, f"{here}, {since}")), here)
    title, basis = (_words(node.get(part), f"{here}: {part}") for part in ("name", "basis"))
    return Series(name, title, basis, _sure(node, here), values, unit, starts)


def _reviews(node: Any, here: str) -> tuple[tuple[date, Review], ...]:
    def review(since: date, value: Any) -> tuple[date, Review]:
        mode = _known(_text(value, "mode", here), REVIEW_MODES, f"{here}: mode")
        share = _number(value.get("share"), f"{here}: share")
        if not 0 <= share <= 1:
            raise PolicyError(f"{here}: the share {share} is not between 0 and 1")
        return since, Review(mode, share, int(_number(value.get("deadline_working_days"), f"{here}: deadline")))

    return _dated(node, review, here)


def _not_judged(node: Node) -> NotJudged:
    here = f"not judged '{node.get('id', '?')}'"
    name, reason = _words(node.get("name"), f"{here}: name"), _words(node.get("reason"), f"{here}: reason")
    return NotJudged(_text(node, "id", here), name.zh, name.en, reason.zh, reason.en)


def _check_ids(ids: list[str]) -> None:
    doubles = sorted({one for one in ids if ids.count(one) > 1})
    if doubles:
        raise PolicyError(f"criterion '{doubles[0]}' stands in the file twice")


def _sure(node: Node, here: str) -> Sure:
    word = _known(_text(node, "sure", here), SURE, f"{here}: sure")
    return SURE[SURE.index(word)]


def _known(word: str, known: Any, here: str) -> str:
    if word not in known:
        raise PolicyError(f"{here} '{word}' is none of {', '.join(known)}")
    return word


def _text(node: Any, part: str, here: str) -> str:
    value = node.get(part) if isinstance(node, dict) else None
    if not isinstance(value, str) or not value.strip():
        raise PolicyError(f"{here} needs a '{part}' (as text)")
    return value


def _part(tree: Node, part: str) -> Node:
    node = tree.get(part)
    if not isinstance(node, dict):
        raise PolicyError(f"the part '{part}' is missing")
    return node


def _list(tree: Node, part: str) -> list[Node]:
    node = tree.get(part)
    if not isinstance(node, list) or not all(isinstance(one, dict) for one in node) or not node:
        raise PolicyError(f"the part '{part}' is missing or empty")
    return node
