"""What is measured on an open page, by name; how, stands in `measures.js`."""

from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("measures.js").read_text(encoding="utf-8")


def asked(page: Any, measure: str, *given: object) -> Any:
    """What one measure finds on the page."""
    return page.evaluate(f"([measure, given]) => {{ {SCRIPT}\nreturn measures[measure](...given); }}", [measure, given])


def on_paper(page: Any) -> list[str]:
    """What is on the printed page that has no use there, and whether it is wider than its sheet."""
    window, found = page.viewport_size, []
    page.emulate_media(media="print")
    try:
        sheet = 1032 if page.evaluate("getComputedStyle(document.body).page") == "wide" else 703
        page.set_viewport_size({"width": sheet, "height": 900})
        seen = page.locator("nav.menu, .top, .foot, button, input, select, textarea, .btn").filter(visible=True).count()
        found += [f"{seen} controls on paper"] if seen else []
        found += [] if page.locator(".print-head").is_visible() else ["nothing says who and when on paper"]
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{over} px wider than the sheet"] if over > 0 else []
    finally:
        page.emulate_media(media="screen")
        page.set_viewport_size(window)
    return found


def sideways(page: Any, width: int = 320) -> list[str]:
    """Wider than its window; what sticks out."""
    page.set_viewport_size({"width": width, "height": 800})
    return asked(page, "sideways")


def clipped_when_spaced(page: Any, width: int = 360) -> list[str]:
    """Words cut off, or a page too wide, when a reader spaces lines, words and letters."""
    page.set_viewport_size({"width": width, "height": 800})
    return asked(page, "spaced")


def moving(page: Any) -> list[str]:
    """What still moves although the reader asked for less of it."""
    page.emulate_media(reduced_motion="reduce")
    found = asked(page, "moving")
    page.emulate_media(reduced_motion="no-preference")
    return found


def bare_controls(page: Any) -> list[str]:
    """What has no edge left once the system has taken the backgrounds away (forced colours)."""
    page.emulate_media(forced_colors="active")
    found = asked(page, "bare")
    page.emulate_media(forced_colors="none")
    return found


def low_lines(page: Any) -> list[str]:
    """Text whose lines are under 1.3 times as high as its letters."""
    return asked(page, "lowLines")


def small_targets(page: Any, least: int) -> list[str]:
    """What is pressed and smaller than `least` px in either direction."""
    return asked(page, "smallTargets", least)
