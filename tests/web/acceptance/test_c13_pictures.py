"""C-13: sixty pictures of the town beside those kept from last time; what differs is looked at by a person, then kept.

    XINDENG_PICTURES=~/xindeng-pictures python -m pytest tests/web/acceptance/test_c13_pictures.py

The folder lies outside the repository. `new/` has what was taken, `kept/` what was accepted, `changed/` kept, new and
difference beside each other. The first run keeps what it takes; afterwards whoever looked copies from new/ to kept/.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from tests.web.acceptance.looks import visited
from tests.web.acceptance.town import Town

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(1800)]
LOOKED_AT = (
    "sign-in", "not found", "home of a firm", "home of a firm without a demand", "demand that is offered",
    "demand that lacks papers", "demand that is red", "offers beside each other", "accept an offer", "report: amount",
    "report: banks", "report: check", "consents", "records of a firm", "papers to hand in", "list of the day",
    "line: offered", "line: make an offer", "grant", "edit a product", "people of a bank", "work of a district",
    "follow-up", "demand for the city", "figures", "banks", "weekly briefing", "certificate",
)  # fmt: skip
FORCED = ("demand that is offered", "list of the day", "report: banks", "figures")
"""Taken once more in the system's own colours."""
SIZES = {"desk": {"width": 1280, "height": 860}, "phone": {"width": 390, "height": 844}}
TALLEST = 4000
NOTICEABLE = 40
"""Levels of grey, of 255, by which a point must differ once both pictures are halved in size."""
MOST = 0.002
"""The share of noticeable points up to which two pictures are the same: a clock's minutes differ from run to run."""


def differing(old: Path, new: Path) -> tuple[float, Image.Image]:
    """The share of points that differ noticeably, and the difference as a picture."""
    one, other = (Image.open(path).convert("L") for path in (old, new))
    size = max(one.width, other.width), max(one.height, other.height)
    halves = []
    for picture in (one, other):
        sheet = Image.new("L", size, 255)
        sheet.paste(picture)
        halves.append(sheet.reduce(2))
    difference = ImageChops.difference(*halves)
    noticed = sum(difference.histogram()[NOTICEABLE:])
    return noticed / (difference.width * difference.height), difference


def take(page: Any, path: Path) -> None:
    """The whole page, unless it has no end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page.wait_for_load_state("networkidle")
    height = min(TALLEST, page.evaluate("document.documentElement.scrollHeight"))
    clip = {"x": 0, "y": 0, "width": page.viewport_size["width"], "height": height}
    page.screenshot(path=path, animations="disabled", full_page=True, clip=clip)


def beside(folder: Path, name: str) -> str | None:
    """What is to be looked at of one picture: None where it is as it was, or is kept for the first time."""
    old, new = folder / "kept" / name, folder / "new" / name
    if not old.exists():
        old.parent.mkdir(parents=True, exist_ok=True)
        old.write_bytes(new.read_bytes())
        return None
    share, difference = differing(old, new)
    if share <= MOST:
        return None
    (folder / "changed").mkdir(exist_ok=True)
    parts = [Image.open(old).convert("RGB"), Image.open(new).convert("RGB"), difference.convert("RGB")]
    sheet = Image.new("RGB", (sum(one.width for one in parts), max(one.height for one in parts)), "white")
    for place, one in enumerate(parts):
        sheet.paste(one, (sum(left.width for left in parts[:place]), 0))
    sheet.save(folder / "changed" / name)
    return f"{name} by {share:.1%}"


def test_every_picture_is_as_it_was_kept(town: Town, chromium, record_property) -> None:
    if "XINDENG_PICTURES" not in os.environ:
        pytest.skip("XINDENG_PICTURES names no folder to keep pictures in")
    folder, names = Path(os.environ["XINDENG_PICTURES"]).expanduser(), []
    for size, viewport in SIZES.items():
        for colours, wanted in (("", LOOKED_AT), ("-forced", FORCED if size == "desk" else ())):
            context = {"viewport": viewport, "forced_colors": "active" if colours else "none"}
            for name, page in visited(chromium, town, names=wanted, **context):
                names.append(f"{name.replace(': ', '-').replace(' ', '-')}-{size}{colours}.png")
                take(page, folder / "new" / names[-1])
    changed = [said for name in names if (said := beside(folder, name))]
    record_property("C-13", f"{len(names)} pictures, {len(changed)} differ from those kept {changed or ''}".strip())
    assert changed == [], f"look at {folder / 'changed'}, then copy what is right from new to kept"


def test_a_changed_picture_is_noticed_and_one_as_it_was_is_not(tmp_path) -> None:
    for folder, colour in (("kept", 255), ("new", 255)):
        (tmp_path / folder).mkdir()
        Image.new("L", (400, 300), colour).save(tmp_path / folder / "a.png")
    assert beside(tmp_path, "a.png") is None
    Image.new("L", (400, 330), 120).save(tmp_path / "new" / "a.png")
    assert beside(tmp_path, "a.png") is not None
    assert (tmp_path / "changed" / "a.png").exists()
