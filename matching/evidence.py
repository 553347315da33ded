"""Frozen values as evidence: the same value always gives the same bytes, and the bytes give the value back.

Canonical JSON: keys sorted, no spaces, UTF-8, decimals and dates as strings, lights by their word, sets sorted.
"""

import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from matching.facts import FACTS, Value
from matching.terms import Fact, Facts, FactState, Light

T = TypeVar("T")


def to_json(value: Any) -> bytes:
    """The canonical bytes of a frozen value; TypeError on a float or anything else without exact words."""
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def from_json(kind: type[T], content: bytes | str) -> T:
    """The frozen value of a class of `matching.terms` back from its bytes; ValueError where they do not fit."""
    try:
        return typing.cast("T", _read(kind, json.loads(content)))
    except (TypeError, KeyError, ArithmeticError, ValueError) as fault:
        raise ValueError(f"these bytes are no {kind.__name__}: {fault}") from fault


def facts_to_json(facts: Facts) -> bytes:
    """The facts a verdict rests on, as stored beside it."""
    return to_json(dict(facts))


def facts_from_json(content: bytes | str) -> dict[str, Fact]:
    """Facts back, each value of the kind its fact has; ValueError for a fact nobody knows."""
    return {name: _fact(name, node) for name, node in json.loads(content).items()}


def fingerprint(value: Any) -> str:
    """SHA-256 of the canonical bytes."""
    return hashlib.sha256(to_json(value)).hexdigest()


def _plain(value: Any) -> Any:  # noqa: PLR0911  one return per kind
    if isinstance(value, Light):
        return value.word
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(one) for one in value)
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{value!r} has no exact words")


def value_from_json(name: str, value: Any) -> Value:
    """The value of a fact back from its words; ValueError for a fact nobody knows."""
    if name not in FACTS:
        raise ValueError(f"'{name}' is not a fact the judgement knows")
    if value is None:
        return None
    kind = FACTS[name].kind
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "share":
        return Decimal(value)
    return typing.cast("Value", value)


def _fact(name: str, node: Mapping[str, Any]) -> Fact:
    known_on = date.fromisoformat(node["known_on"]) if node["known_on"] else None
    state = typing.cast("FactState", node["state"])
    return Fact(value_from_json(name, node["value"]), node["source"], known_on, state)


@lru_cache(maxsize=64)
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: Any, node: Any) -> Any:  # noqa: PLR0911  one return per kind
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        wanted = [one for one in inner if one is not type(None)]
        return None if node is None else _read(wanted[0], node)
    if origin in (tuple, frozenset):
        return origin(_read(inner[0], one) for one in node)
    if kind is Light:
        return Light.of(node)
    if kind is Decimal:
        return Decimal(node)
    if kind is date:
        return date.fromisoformat(node)
    if is_dataclass(kind):
        return typing.cast("Any", kind)(**{name: _read(_hints(typing.cast("type", kind))[name], one)
                                           for name, one in node.items()})  # fmt: skip
    return node
