"""What a data set is: its files and query, outcome, time, groups and weights, features, protocol and leaks.

A spec is `risk/datasets/<name>.toml` with the query that makes one row per observation beside it as `<name>.sql`.
A column that the spec does not name is not used.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from risk.choice import Menu
from risk.grow import Growth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent / "datasets"
KINDS = ("number", "flag", "category", "kinds")
"""A category is one flag per kind; a column of kinds is left to the trees as it is, and spread for all others."""
DIRECTIONS = {"": 0, "+": 1, "-": -1}
PROTOCOLS = ("expanding", "cut", "folds")


class DatasetError(ValueError):
    """A spec or a file is not what it should be: one sentence that names file, row and column."""


@dataclass(frozen=True)
class Wanted:
    """One column meant as a feature, or a pattern of such columns: its kind and the direction the trade demands."""

    pattern: str
    kind: str
    direction: int


@dataclass(frozen=True)
class Rate:
    """A category told by its past: the decayed, shrunk default rate of its earlier rows (see risk.encode)."""

    name: str
    key: tuple[str, ...]
    half_life: float
    prior: float
    volume: bool = False


@dataclass(frozen=True)
class Protocol:
    """How it is tested.

    `expanding`: for each of `tests` (values of the time column) everything before it trains. `cut`: what is known
    before `start` trains, from there to `end` is the test; or the latest `share` of the rows. `folds`: stratified
    cross-validation, groups kept together. Inside the training rows the last `inner` stretches of `stretch` periods
    choose and calibrate (stretch 0: stretches of equal numbers of rows); `calibrate` by the `last` of them, by `all`,
    by `folds` across all training rows whatever their time, or by `none`.
    """

    kind: str
    tests: tuple[Any, ...] = ()
    start: Any = None
    end: Any = None
    folds: int = 10
    repeats: int = 1
    inner: int = 3
    stretch: int = 1
    calibrate: str = "last"
    first: Any = None
    share: float = 0.0


@dataclass(frozen=True)
class Spec:
    """A data set as its file tells it."""

    name: str
    told: Mapping[str, Any] = field(repr=False)
    query: str = field(repr=False)

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return str(self.told["title"])

    @property
    def folder(self) -> str:
        """The folder's name where --data is the folder above."""
        return str(self.told.get("folder", self.name))

    @property
    def parts(self) -> tuple[str, ...]:
        """Parts that are evaluated alike, each on its own (`{part}` in file names); one nameless part where none."""
        return tuple(self.told.get("parts", ("",)))

    @property
    def is_records(self) -> bool:
        """Whether it is the platform's own records, read by risk.build, and no query."""
        return self.told.get("source_kind") == "records"

    def tables(self, part: str) -> dict[str, str]:
        """Table names of the query with their files."""
        return {name: str(file).format(part=part) for name, file in self.told["tables"].items()}

    @property
    def test_table(self) -> str:
        """The table whose rows a --test FILE replaces or follows."""
        return str(self.told["test"]["table"])

    @property
    def some_of(self) -> tuple[str, ...]:
        """Patterns of the test table's columns of which a row must know at least one."""
        return tuple(self.told["test"].get("some_of", ()))

    @property
    def optional(self) -> tuple[str, ...]:
        """Columns a --test FILE may lack; they are then empty."""
        return tuple(self.told["test"].get("optional", ()))

    @property
    def recency(self) -> float | None:
        """Half-life, in periods, of a training row's weight; None where age makes no difference."""
        told = self.told.get("model", {}).get("recency")
        return None if told is None else float(told)

    def column(self, role: str) -> str | None:
        """The query's column for a role, or None.

        outcome, time, group, known (when the outcome was known), scored (whether a row is tested at all), weight (how
        many of the population a row stands for), train_weight and rate_weight (where learning weighs differently).
        """
        named = self.told.get("columns", {}).get(role)
        return None if named is None else str(named)

    @cached_property
    def protocol(self) -> Protocol:
        """How it is tested."""
        told: Mapping[str, Any] = self.told["protocol"]
        given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in told.items()}
        return Protocol(**given)

    @property
    def leaks(self) -> dict[str, str]:
        """Columns that could not have been known, with the reason."""
        return dict(self.told.get("leaks", {}))

    @property
    def accepted(self) -> dict[str, str]:
        """Columns the leak guard finds too good, with the reason why they are none."""
        return dict(self.told.get("accepted", {}))

    @property
    def segments(self) -> dict[str, str]:
        """Names of segments with the query's columns."""
        return dict(self.told.get("segments", {}))

    @property
    def checks(self) -> dict[str, str]:
        """`table.column` → amount (not negative) | date (believable) | closed (no value not seen before)."""
        return dict(self.told.get("checks", {}))

    @cached_property
    def wanted(self) -> tuple[Wanted, ...]:
        """The features in their order."""
        return tuple(_wanted(self.name, name, told) for name, told in self.told.get("features", {}).items())

    @cached_property
    def rates(self) -> tuple[Rate, ...]:
        """Categories told by their past."""
        return tuple(
            Rate(name, tuple(one["key"]), float(one["half_life"]), float(one["prior"]), bool(one.get("volume")))
            for name, one in self.told.get("rates", {}).items()
        )

    @cached_property
    def menu(self) -> Menu:
        """What is tried: as the spec says, else as for the platform's own records."""
        model = self.told.get("model", {})
        usual = Menu()
        grown = tuple(_growth(one) for one in model["growths"]) if "growths" in model else usual.growths
        return Menu(tuple(model.get("ridges", usual.ridges)), grown, tuple(model.get("shares", usual.shares)))

    def features(self, columns: Sequence[str]) -> list[tuple[str, Wanted]]:
        """The features among a table's columns, patterns spelt out; a pattern that meets none is an error."""
        found: dict[str, Wanted] = {}
        for wanted in self.wanted:
            met = [name for name in columns if fnmatchcase(name, wanted.pattern)]
            if not met:
                raise DatasetError(f"{self.name}.toml names the column {wanted.pattern}, which the data do not have.")
            found |= {name: wanted for name in met if name not in found}
        if bad := [name for name in found if name in self.leaks]:
            raise DatasetError(f"{self.name}.toml names {', '.join(bad)} as a feature and as a leak.")
        return list(found.items())


def _wanted(spec: str, pattern: str, told: str) -> Wanted:
    """`number`, `number +`, `flag -`, `category`."""
    kind, _, sign = told.partition(" ")
    if kind not in KINDS or sign not in DIRECTIONS:
        raise DatasetError(f"{spec}.toml: {pattern} is {told!r}; it must be {', '.join(KINDS)}, with + or - at most.")
    return Wanted(pattern, kind, DIRECTIONS[sign])


def _growth(told: Mapping[str, Any]) -> Growth:
    return Growth.of(told["name"], told["settings"], told["steps"], told.get("bag", 1), told.get("least_rows", 0))


def names() -> list[str]:
    """Every data set there is a spec of."""
    return sorted(path.stem for path in HERE.glob("*.toml"))


def load(named: str) -> Spec:
    """Read the spec of a data set, by its name or by the path of a file of one's own.

    Raises DatasetError, naming what is wrong, or the data sets there are where none is so named.
    """
    path = Path(named) if named.endswith(".toml") else HERE / f"{named}.toml"
    name = path.stem
    if not path.is_file():
        raise DatasetError(f"There is no data set {name}; there are {', '.join(names())}.")
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise DatasetError(f"{path.name} is not TOML: {fault}.") from fault
    beside = path.with_name(told.get("query", f"{name}.sql"))
    query = beside.read_text("utf-8") if beside.is_file() else ""
    spec = Spec(name, told, query)
    needed = ("title", "protocol", "columns") if spec.is_records else ("title", "protocol", "columns", "tables", "test")
    if missing := [key for key in needed if key not in told]:
        raise DatasetError(f"{path.name} lacks {', '.join(missing)}.")
    if spec.column("outcome") is None:
        raise DatasetError(f"{path.name} does not say which column is the outcome.")
    if not spec.is_records and not query:
        raise DatasetError(f"{path.name} has no query {beside.name} beside it.")
    try:
        protocol = spec.protocol
    except TypeError as fault:
        raise DatasetError(f"{path.name}: the protocol is not understood ({fault}).") from fault
    if protocol.kind not in PROTOCOLS:
        raise DatasetError(f"{path.name}: the protocol is {protocol.kind!r}; it must be {', '.join(PROTOCOLS)}.")
    return spec
