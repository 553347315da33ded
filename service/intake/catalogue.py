"""The catalogue of shared public data, read and checked: items, their departments and fields (catalogue.yaml)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from service.domain.errors import NotPossible
from service.domain.standards import industries, regions

ROLES = frozenset({"happened_on", "ends_on", "withdrawn_on", "amount_fen", "quantity", "code", "status", "party"})
TYPES = frozenset({"text", "choice", "date", "month", "year", "money", "number", "integer", "share", "uscc"})


@dataclass(frozen=True)
class Department:
    """Who sends."""

    id: str
    zh: str
    en: str


@dataclass(frozen=True)
class Field:
    """One column of a feed. `role` is the record's column it fills; without one it is kept in `details`."""

    name: str
    zh: str
    en: str
    type: str
    required: bool = False
    role: str | None = None
    also: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    choices_from: str | None = None
    max_length: int = 200
    min: float | None = None

    @property
    def kept_as(self) -> str:
        """Its name inside `details`: money says its unit."""
        return f"{self.name}_fen" if self.type == "money" else self.name

    def choice_of(self, text: str) -> str | None:
        """The code of a choice written as its code or in any of its words; None for a word nobody agreed on."""
        if self.choices_from == "regions":
            region = regions.find(text)
            return region.code if region else None
        if self.choices_from == "industries":
            return industries.find(text)
        return text if text in self.choices else self._code_of.get(text)

    @property
    def _code_of(self) -> dict[str, str]:
        return {word: code for code, words in self.choices.items() for word in words}


@dataclass(frozen=True)
class Due:
    """On time is: known within so many days after the fact's day; `unit` is working_days or calendar_days."""

    within: int
    unit: str


@dataclass(frozen=True)
class Item:
    """One kind of shared public data 目录项."""

    id: str
    zh: str
    en: str
    department: Department
    frequency: str
    disclosure: str
    freshness_days: int
    fresh_by: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    due: Due | None = None
    adverse: bool = False

    def field(self, name: str) -> Field:
        """The field of this name."""
        return next(field for field in self.fields if field.name == name)

    @property
    def details(self) -> tuple[Field, ...]:
        """The fields without a column of their own, in the order PostgreSQL writes the keys of a jsonb."""
        loose = [
            field for field in self.fields if not field.role and field not in COMMON and field.name not in self.key
        ]
        return tuple(sorted(loose, key=lambda field: (len(field.kept_as), field.kept_as)))


@dataclass(frozen=True)
class Catalogue:
    """A version of the catalogue and the day from which it holds."""

    version: str
    in_force_on: date
    basis: str
    items: Mapping[str, Item]

    def item(self, item_id: str) -> Item:
        """The item, or NotPossible with the sentence for whoever named the file."""
        if item_id not in self.items:
            raise NotPossible("目录中没有“{item}”这一项，请检查文件名或所选目录项", item=item_id)
        return self.items[item_id]

    def item_of_file(self, name: str) -> Item:
        """The item a file name begins with: `tax_payment__2026-03.csv`."""
        if "__" not in name:
            raise NotPossible("文件名“{name}”应以目录项编号开头，例如 tax_payment__2026-03.csv", name=name)
        return self.item(name.split("__", 1)[0])


USCC = Field("uscc", "统一社会信用代码", "Unified social credit code", "uscc", required=True, also=("社会信用代码",))
KNOWN_ON = Field("known_on", "归集日期", "Known on", "date")
COMMON = (USCC, KNOWN_ON)


SHIPPED = Path(__file__).with_name("catalogue.yaml")


@lru_cache(maxsize=4)
def load_catalogue(path: Path = SHIPPED) -> Catalogue:
    """Read and check a catalogue; ValueError names what is wrong in it."""
    raw = yaml.safe_load(path.read_text("utf-8"))
    departments = {key: Department(key, **names) for key, names in raw["departments"].items()}
    items = {entry["id"]: _item(entry, departments) for entry in raw["items"]}
    return Catalogue(str(raw["version"]), raw["in_force_on"], raw["basis"], items)


def _item(entry: dict[str, Any], departments: Mapping[str, Department]) -> Item:
    fields = (USCC, *(_field(column) for column in entry["fields"]), KNOWN_ON)
    due = Due(**entry["due"]) if "due" in entry else None
    rest = {**entry, "department": departments[entry["department"]], "fields": fields, "due": due}
    item = Item(**{**rest, "key": tuple(entry["key"])})
    _check(item)
    return item


def _field(column: dict[str, Any]) -> Field:
    words = {str(code): tuple(str(word) for word in said) for code, said in column.get("choices", {}).items()}
    return Field(**{**column, "choices": words, "also": tuple(column.get("also", ()))})


def _check(item: Item) -> None:
    names = [field.name for field in item.fields]
    roles = [field.role for field in item.fields if field.role]
    wrong = [key for key in item.key if key not in names or not (item.field(key).required or len(item.key) > 1)]
    wrong += [field.name for field in item.fields if field.type not in TYPES or (field.role or "code") not in ROLES]
    wrong += [field.name for field in item.details if field.type not in {"text", "choice", "money", "year"}]
    wrong += [name for name in names if names.count(name) > 1] + [role for role in roles if roles.count(role) > 1]
    if "happened_on" not in roles or wrong:
        raise ValueError(f"catalogue item {item.id}: {wrong or 'no field says when it happened'}")
