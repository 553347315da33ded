"""The city drawn: our own schematic tiles, or the owner's map from a GeoJSON that says whose and approved by whom.

Drawn on the server as SVG shapes: no script, no style, the same on paper. What a shade means stands in words and
numbers too: each area carries its number, a pattern and its group by quantile.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians
from pathlib import Path
from typing import Any

from service.domain.standards.regions import REGIONS
from service.settings import NotReady
from web.language import SOURCE, spoken

TILE, GAP = 96, 6
GROUPS = 4
PLACES = (
    (None, None, None, "410108", "410105", "ZDXQ", None),
    ("410181", "410106", "410172", "410102", "410104", "410171", "410122"),
    ("410185", "410182", "410183", "410103", "410184", "410173", None),
)
"""Where each area's tile stands, from north to south and west to east: who is beside whom, not how large or where."""
SHORT = {"410171": "Economic Zone", "410172": "High-tech Zone", "410173": "Airport Zone"}
WIDTH, HEIGHT = 728.0, 520.0
LARGEST_MAP = 20_000_000


@dataclass(frozen=True)
class Shape:
    """An area's outline (an SVG path) and where its words stand, in the drawing's units."""

    code: str
    path: str
    x: float
    y: float


@dataclass(frozen=True)
class Ground:
    """A drawing of all areas. `source` and `approval` (审图号) are empty for the schematic one."""

    width: float
    height: float
    shapes: Sequence[Shape]
    source: str = ""
    approval: str = ""


@dataclass(frozen=True)
class Area:
    """One area on the drawing: its group 1 (low) … 4 (high), 0 where there is nothing."""

    shape: Shape
    name: str
    text: str
    group: int


def schematic() -> Ground:
    """Sixteen tiles of one size."""
    step = TILE + GAP
    shapes = [
        Shape(code, f"M{x * step} {y * step}h{TILE}v{TILE}h-{TILE}z", x * step + TILE / 2, y * step + TILE / 2)
        for y, row in enumerate(PLACES)
        for x, code in enumerate(row)
        if code
    ]
    return Ground(len(PLACES[0]) * step - GAP, len(PLACES) * step - GAP, shapes)


@lru_cache(maxsize=2)
def ground(path: Path | None) -> Ground:
    """The owner's map where one is set, else the schematic. Errors: NotReady where the file cannot be used."""
    return schematic() if path is None else _drawn(path)


def groups(values: Mapping[str, int]) -> dict[str, int]:
    """Each area's quarter among the areas that have anything, equal values in one group; 0 for nothing."""
    some = [value for value in values.values() if value > 0]
    return {
        code: 1 + GROUPS * sum(other < value for other in some) // len(some) if value > 0 else 0
        for code, value in values.items()
    }


def areas(drawing: Ground, values: Mapping[str, int], texts: Mapping[str, str], nothing: str) -> list[Area]:
    """The drawing with a number on each area."""
    grouped = groups(values)
    return [
        Area(shape, short_name(shape.code), texts.get(shape.code, nothing), grouped.get(shape.code, 0))
        for shape in drawing.shapes
    ]


def short_name(code: str) -> str:
    """An area's name as it fits on a tile."""
    region = REGIONS[code]
    if spoken() == SOURCE:
        return region.zh
    said = SHORT.get(code, region.en)
    for kind in (" District", " County", " City", " New Area"):
        said = said.removesuffix(kind)
    return said


def _drawn(path: Path) -> Ground:
    """A FeatureCollection with `source` and `approval` beside its features, each feature with `properties.code`."""
    try:
        if path.stat().st_size > LARGEST_MAP:
            raise _unusable(path, "文件超过 20 MB", "the file is larger than 20 MB")
        read = json.loads(path.read_text("utf-8"))
        source, approval = str(read["source"]).strip(), str(read["approval"]).strip()
        outlines = {str(one["properties"]["code"]): _rings(one["geometry"]) for one in read["features"]}
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise _unusable(path, f"读不出来（{fault}）", f"it cannot be read ({fault})") from fault
    if not source or not approval:
        raise _unusable(path, "没有写明来源和审图号", "it does not say its source and map approval number")
    lacking = sorted(set(REGIONS) - set(outlines))
    if lacking:
        raise _unusable(path, f"缺少区域 {'、'.join(lacking)}", f"it lacks the areas {', '.join(lacking)}")
    return _fitted({code: outlines[code] for code in REGIONS}, source, approval)


def _rings(geometry: Any) -> list[list[tuple[float, float]]]:
    parts = {"Polygon": [geometry["coordinates"]], "MultiPolygon": geometry["coordinates"]}[geometry["type"]]
    return [[(float(x), float(y)) for x, y, *_ in ring] for part in parts for ring in part]


def _fitted(outlines: Mapping[str, list[list[tuple[float, float]]]], source: str, approval: str) -> Ground:
    """Longitude and latitude to the drawing's units: equal scale both ways at the middle latitude."""
    points = [point for rings in outlines.values() for ring in rings for point in ring]
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    narrow = cos(radians((south + north) / 2))
    scale = min(WIDTH / max(1e-9, (east - west) * narrow), HEIGHT / max(1e-9, north - south))

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return round((point[0] - west) * narrow * scale, 1), round((north - point[1]) * scale, 1)

    shapes = []
    for code, rings in outlines.items():
        placed = [[at(point) for point in ring] for ring in rings]
        largest = max(placed, key=len)
        path = "".join("M" + "L".join(f"{x} {y}" for x, y in ring) + "z" for ring in placed)
        x = (min(x for x, _ in largest) + max(x for x, _ in largest)) / 2
        y = (min(y for _, y in largest) + max(y for _, y in largest)) / 2
        shapes.append(Shape(code, path, x, y))
    return Ground((east - west) * narrow * scale, (north - south) * scale, shapes, source, approval)


def _unusable(path: Path, zh: str, en: str) -> NotReady:
    return NotReady(f"地图文件 {path} 不能用：{zh}。", f"The map {path} cannot be used: {en}.")
