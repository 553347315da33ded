"""Check web/static against its manifest: every file listed, none changed, none besides."""

import hashlib
import json
import sys
from pathlib import Path

STATIC = Path("web/static")


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


if __name__ == "__main__":
    main()
