"""The artifact: plain files in one folder, one hash that names them all, nothing that could run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "manifest.json"


class ArtifactError(ValueError):
    """A model's files are missing, changed or not understood: one sentence that names the file."""


def written(value: Any) -> str:
    """JSON with sorted keys, so that the same content is the same bytes."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"


def version_of(hashes: Mapping[str, str]) -> str:
    """The version id: first sixteen hex digits of the SHA-256 over 'name hash' lines in the order of names."""
    lines = "".join(f"{name} {hashes[name]}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def save(files: Mapping[str, str], folder: str | Path) -> Path:
    """Write the files and their manifest beside the folder, then rename; an older artifact there is replaced whole."""
    target = Path(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    making.chmod(0o755)
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    manifest = written({"files": hashes, "version": version_of(hashes)})
    for name, text in {**files, MANIFEST: manifest}.items():
        (making / name).write_bytes(text.encode())
    old = making.with_name(making.name + ".old")
    if target.exists():
        target.rename(old)
    os.replace(making, target)  # noqa: PTH105 (rename would refuse nothing here either; replace says what is meant)
    shutil.rmtree(old, ignore_errors=True)
    return target


def opened(folder: str | Path, expect_version: str | None = None) -> tuple[dict[str, str], str]:
    """Read and verify an artifact: its files as text and its version.

    Raises ArtifactError when a file is missing, its hash differs, or the version is not the one expected.
    """
    root = Path(folder)
    try:
        manifest = json.loads((root / MANIFEST).read_text("utf-8"))
        hashes: dict[str, str] = dict(manifest["files"])
        claimed = str(manifest["version"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise ArtifactError(f"{root} holds no readable {MANIFEST}.") from fault
    files = {name: _verified(root, name, wanted) for name, wanted in hashes.items()}
    if version_of(hashes) != claimed:
        raise ArtifactError(f"The version in {root / MANIFEST} is not the hash of its files.")
    if expect_version not in (None, claimed):
        raise ArtifactError(f"{root} holds version {claimed}, not {expect_version}.")
    return files, claimed


def _verified(root: Path, name: str, wanted: str) -> str:
    """One file's text, its hash checked."""
    path = root / name
    if path.parent != root or not path.is_file():
        raise ArtifactError(f"{name} is missing from {root}.")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != wanted:
        raise ArtifactError(f"{path} is not the file that was trained: its hash differs.")
    return content.decode("utf-8")
