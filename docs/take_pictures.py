"""Takes the README's pictures from a running demo: each role's home as a person sees it, as small PNG files.

    xindeng demo                                    # in one window
    python docs/take_pictures.py [http://127.0.0.1:8000] [docs/pictures]

Needs Debian's chromium and Playwright (`pip install -e .[dev]`); chromium's own Chinese fonts must be there.
"""

import shutil
import sys
from pathlib import Path

HOMES = {"firm": "企业", "bank": "银行客户经理", "district": "区县专班", "city": "市级管理", "operator": "运维"}
"""Picture → the role on the demo's sign-in card."""
PATHS = {"city": "/figures"}
"""Where the home is not what the picture is for."""
SIZE = {"width": 1280, "height": 860}
LARGEST = 200_000


def main(address: str, folder: Path) -> None:
    """One picture a role; a card that is not there is an error, a picture that is too large too."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on this machine: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name, role in HOMES.items():
            page = browser.new_context(locale="zh-CN", viewport=SIZE).new_page()  # type: ignore[arg-type]
            page.goto(f"{address}/sign-in")
            page.locator("button.card-button", has_text=role).first.click()
            if name in PATHS:
                page.goto(address + PATHS[name])
            page.wait_for_load_state("networkidle")
            target = folder / f"{name}.png"
            page.screenshot(path=target)
            if target.stat().st_size > LARGEST:
                sys.exit(f"{target} has {target.stat().st_size} bytes, more than {LARGEST}")
            sys.stdout.write(f"{target} {target.stat().st_size // 1000} kB  {page.title()}\n")
        browser.close()


if __name__ == "__main__":
    address, folder = [*sys.argv[1:], *("http://127.0.0.1:8000", "docs/pictures")[len(sys.argv) - 1 :]]
    main(address.rstrip("/"), Path(folder))
