"""Check web/static against its manifest: every file listed, none changed, none besides.

With `--rebuild` also against its sources, where node and npm are there and npm's registry answers; else it says so.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STATIC = Path("web/static")
SOURCES = Path("web/assets")
PATIENCE_S = 240


def main() -> None:
    listed = {row["file"]: row["sha256"] for row in json.loads((STATIC / "manifest.json").read_text("utf-8"))["files"]}
    found = {
        path.relative_to(STATIC).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in STATIC.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    wrong = sorted(name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name))
    if wrong:
        sys.exit(f"web/static differs from its manifest (run make assets): {', '.join(wrong)}")
    sys.stdout.write(f"{len(found)} built assets as in the manifest\n")
    if "--rebuild" in sys.argv:
        rebuild()


def rebuild() -> None:
    """Build them anew in a copy of the sources and compare; a machine that cannot is no reason to fail."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        sys.stdout.write("not rebuilt: node and npm are not here\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(SOURCES, Path(folder) / "assets", ignore=shutil.ignore_patterns("node_modules")))
        shutil.copytree(STATIC, Path(folder) / "static")
        fetch = [npm, "ci", "--no-fund", "--no-audit", "--ignore-scripts", "--fetch-retries=1"]
        try:
            subprocess.run(fetch, cwd=copy, check=True, capture_output=True, timeout=PATIENCE_S)  # noqa: S603 ours
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            sys.stdout.write("not rebuilt: npm gives no packages here\n")
            return
        built = subprocess.run([node, "build.mjs", "--check"], cwd=copy, check=False, timeout=PATIENCE_S)  # noqa: S603
    if built.returncode:
        sys.exit("web/static is not what its sources make (run make assets)")


if __name__ == "__main__":
    main()
