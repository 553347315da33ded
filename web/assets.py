"""The built files of `static/`: read once, packed once, served under an address that names their contents."""

import gzip
import hashlib
import json
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

STATIC = Path(__file__).with_name("static")
ADDRESS = "/static"
FOR_EVER = "public, max-age=31536000, immutable"
SHORTLY = "public, max-age=300"
PACKED = {".css", ".js", ".svg", ".json", ".txt"}


@cache
def edition() -> str:
    """Short hash of the manifest: any change of any file gives every file a new address."""
    return hashlib.sha256((STATIC / "manifest.json").read_bytes()).hexdigest()[:12]


@cache
def listed() -> frozenset[str]:
    """The files we serve: those of the manifest, and no others."""
    return frozenset(row["file"] for row in json.loads((STATIC / "manifest.json").read_text("utf-8"))["files"])


@cache
def asset(name: str) -> str:
    """The address of a built file; an unknown name is a mistake of ours and says so."""
    if name not in listed():
        raise KeyError(f"Not in static/manifest.json: {name}")
    return f"{ADDRESS}/{edition()}/{name}"


@dataclass(frozen=True)
class _Kept:
    body: bytes
    packed: bytes | None
    kind: str


@cache
def _kept(name: str) -> _Kept:
    path = STATIC / name
    body = path.read_bytes()
    kind = (
        "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
    return _Kept(body, gzip.compress(body, 9, mtime=0) if path.suffix in PACKED else None, kind)


class Assets:
    """ASGI application of the static address; everything comes from memory."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _answer(scope["path"].removeprefix(ADDRESS).lstrip("/"), Headers(scope=scope))
        await answer(scope, receive, send)


def _answer(asked: str, headers: Headers) -> Response:
    first, _, rest = asked.partition("/")
    is_current = first == edition()
    is_dated = len(first) == len(edition()) and all(letter in "0123456789abcdef" for letter in first)
    name = rest if is_dated else asked
    if name not in listed():
        return Response(status_code=404)
    kept = _kept(name)
    told = {"Cache-Control": FOR_EVER if is_current else SHORTLY, "Vary": "Accept-Encoding"}
    if kept.packed is not None and "gzip" in headers.get("accept-encoding", ""):
        return Response(kept.packed, headers={**told, "Content-Encoding": "gzip"}, media_type=kept.kind)
    return Response(kept.body, headers=told, media_type=kept.kind)
