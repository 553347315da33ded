"""Takes the README's pictures from a running demo: each role's home as a person sees it, as small PNG files.

The walk of tests/web/test_walk.py takes the same ones of its own small city.

    xindeng demo                                    # in one window
    python docs/take_pictures.py [http://127.0.0.1:8000] [docs/pictures]

Needs Debian's chromium and Playwright (`pip install -e .[dev]`); chromium's own Chinese fonts must be there.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

HOMES = {"firm": "企业", "bank": "银行客户经理", "district": "区县专班", "city": "市级管理", "operator": "运维"}
"""Picture → the role on the demo's sign-in card."""
PATHS = {"city": "/figures"}
"""Where the home is not what the picture is for."""
SIZE = {"width": 1280, "height": 860}
LARGEST = 200_000


def take(browser: Any, address: str, folder: Path) -> list[Path]:
    """One picture a role, from the sign-in cards of a demo at `address`; a card that is not there is an error."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for name, role in HOMES.items():
        page = browser.new_context(locale="zh-CN", viewport=SIZE).new_page()
        page.goto(f"{address}/sign-in")
        page.locator("button.card-button", has_text=role).first.click()
        if name in PATHS:
            page.goto(address + PATHS[name])
        page.wait_for_load_state("networkidle")
        taken.append(folder / f"{name}.png")
        page.screenshot(path=taken[-1])
    return taken


def main(address: str, folder: Path) -> None:
    """Take them all; one that is too large is an error."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for picture in take(browser, address, folder):
            size = picture.stat().st_size
            if size > LARGEST:
                sys.exit(f"{picture} has {size} bytes, more than {LARGEST}")
            sys.stdout.write(f"{picture} {size // 1000} kB\n")
        browser.close()


if __name__ == "__main__":
    address, folder = [*sys.argv[1:], *("http://127.0.0.1:8000", "docs/pictures")[len(sys.argv) - 1 :]]
    main(address.rstrip("/"), Path(folder))
