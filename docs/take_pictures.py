"""Takes the guide's pictures from a running demo: each role walks docs/guide/*.toml, at a desk and by phone.

    xindeng demo                                                        # in one window
    python docs/take_pictures.py [http://127.0.0.1:8000] [--only firm/]  # in another; then python docs/write_guide.py

A page is reached as a person reaches it: an address, then link after link. A page that is not reached is named at the
end, and the command ends with 1. The pictures lie in docs/pictures/guide as WebP; a page longer than a picture is cut.
Needs Debian's chromium and Playwright (`pip install -e .[dev]`); chromium's own Chinese fonts must be there.
"""

import argparse
import io
import re
import shutil
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).parent
GUIDE, PICTURES = HERE / "guide", HERE / "pictures/guide"
SIZES = {"desk": (1280, 860, 1600), "phone": (390, 844, 1900)}
"""Picture → the window's width and height and how far down a page is shown, in px."""
QUALITY, LARGEST = 60, 190_000
PATIENCE_MS = 20_000
FLAGS = ("--no-sandbox", "--disable-gpu")


@dataclass(frozen=True)
class Page:
    """One page of the guide: whose, how it is reached, and what is said of it in both languages."""

    role: str
    key: str
    card: str
    way: tuple[str, ...]
    zh: tuple[str, str]
    en: tuple[str, str]

    @property
    def name(self) -> str:
        return f"{self.role}-{self.key}"

    @property
    def route(self) -> str:
        """The last address on the way: what the page is for the application."""
        return [step for step in self.way if step.startswith("/")][-1].partition("?")[0].partition("#")[0]


def pages() -> list[Page]:
    """Every page of the guide, role after role, as the files name them."""
    return [page for file in sorted(GUIDE.glob("*.toml")) for page in pages_of(file)]


def pages_of(file: Path) -> list[Page]:
    """The pages of one role's file; a page without a card of its own is its role's."""
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    return [
        Page(
            file.stem, one["key"], one.get("card", said["card"]), tuple(one["way"]), tuple(one["zh"]), tuple(one["en"])
        )
        for one in said["page"]
    ]


def take(browser: Any, address: str, folder: Path, wanted: Iterable[Page]) -> tuple[list[Path], list[str]]:
    """Two pictures a page from a demo at `address`, as files in `folder`; and a sentence on each page not reached."""
    folder.mkdir(parents=True, exist_ok=True)
    taken, missed, walkers = [], [], {}
    for page in wanted:
        for name, (width, height, longest) in SIZES.items():
            try:
                if (page.card, name) not in walkers:
                    walkers[page.card, name] = _signed_in(browser, address, page.card, width, height)
                walker = walkers[page.card, name]
                _walk(walker, address, page.way)
                taken.append(folder / f"{page.name}-{name}.webp")
                taken[-1].write_bytes(_picture(walker, longest))
            except Exception as fault:  # noqa: BLE001 the others are still taken; it is named at the end
                missed.append(f"{page.name} ({name}): {str(fault).splitlines()[0]}")
    return taken, missed


def _signed_in(browser: Any, address: str, card: str, width: int, height: int) -> Any:
    context = browser.new_context(locale="zh-CN", viewport={"width": width, "height": height}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    if card:
        words, _, number = card.partition("#")
        page.locator("button.card-button", has_text=words).nth(int(number or 1) - 1).click()
        page.wait_for_load_state()
    return page


def _walk(walker: Any, address: str, way: tuple[str, ...]) -> None:
    """An address is opened; with places in it, the first such link (of a row with the words after '#').

    'press …' is a button, 'choose …' a box, 'fill a=b' a field, 'upload a=file' a file.
    """
    for step in way:
        verb, _, what = step.partition(" ")
        if verb == "press":
            walker.locator("main").get_by_role("button", name=what, exact=True).first.click()
        elif verb == "choose":
            walker.locator(f"main {what}").first.check()
        elif verb == "upload":
            name, _, file = what.partition("=")
            path, _, change = file.partition(" ")
            old, _, new = change.partition(" → ")
            content = (HERE.parent / path).read_text("utf-8").replace(old, new)
            sent = {"name": Path(path).name, "mimeType": "application/octet-stream", "buffer": content.encode()}
            walker.locator(f"main [name={name}]").set_input_files(sent)
        elif verb == "fill":
            name, _, value = what.partition("=")
            walker.locator(f"main [name={name}]").last.fill(value)
        else:
            answer = walker.goto(address + (_link(walker, step) if "{" in step else step))
            if answer is not None and answer.status >= 400:
                raise LookupError(f"{step} answers {answer.status}")
        walker.wait_for_load_state("networkidle")


def _link(walker: Any, route: str) -> str:
    route, _, said = route.partition("#")
    path, _, query = route.partition("?")
    parts = (
        r"\d+" if part.endswith("_id}") else "[^/?#]+" if "{" in part else re.escape(part) for part in path.split("/")
    )
    wanted = re.compile("/".join(parts))
    around = walker.locator("main tr", has_text=said) if said else walker
    for link in around.locator("main a[href], th a[href]" if said else "main a[href]").all():
        href = str(link.get_attribute("href")).removeprefix(
            walker.url.partition("//")[0] + "//" + walker.url.split("/")[2]
        )
        found = href.partition("#")[0].partition("?")[0]
        if wanted.fullmatch(found):
            return f"{found}?{query}" if query else href.partition("#")[0]
    raise LookupError(f"no link to {route} on {walker.url}")


def _picture(walker: Any, longest: int) -> bytes:
    height = min(int(walker.evaluate("document.documentElement.scrollHeight")), longest)
    width = walker.viewport_size["width"]
    seen = walker.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    kept = io.BytesIO()
    Image.open(io.BytesIO(seen)).convert("RGB").save(kept, "WEBP", quality=QUALITY, method=6)
    return kept.getvalue()


def main() -> int:
    """Take them all; a page that was not reached or a picture that is too large is an error."""
    from playwright.sync_api import sync_playwright

    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("address", nargs="?", default="http://127.0.0.1:8000")
    asked.add_argument("--only", default="", help="the beginning of the pages' names: firm, bank-line …")
    asked.add_argument("--folder", type=Path, default=PICTURES)
    said = asked.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        wanted = [page for page in pages() if page.name.startswith(said.only)]
        taken, missed = take(browser, said.address.rstrip("/"), said.folder, wanted)
        browser.close()
    missed += [f"{one.name} has {one.stat().st_size} bytes" for one in taken if one.stat().st_size > LARGEST]
    sys.stdout.write(f"{len(taken)} pictures, {sum(one.stat().st_size for one in taken) // 1000} kB\n")
    sys.stdout.writelines(f"missed: {one}\n" for one in missed)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
