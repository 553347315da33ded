"""Files people hand in, kept under their own hash: PDF, JPEG and PNG by their first bytes, pictures drawn anew.

A picture drawn anew carries no place, no camera and nothing hidden behind it; a long side over 4,000 pixels shrinks.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from service.domain.errors import NotPossible

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 60_000_000
LONGEST_SIDE = 4_000
JPEG, PNG, PDF = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"%PDF-"
PDF_TAIL = 2_048  # bytes in which a whole PDF says %%EOF


@dataclass(frozen=True)
class Kept:
    """A file as it lies in the folder: its kind ('pdf', 'jpg', 'png'), SHA-256 and size in bytes."""

    kind: str
    sha256: str
    size: int


def keep(folder: Path, content: bytes) -> Kept:
    """Check a file and write it into `folder`; the same content is kept once.

    Errors: NotPossible for the field `file` where it is too large, of another kind, or broken.
    """
    if len(content) > MOST_BYTES:
        raise NotPossible("文件超过 10 MB，请压缩或分开上传。", field="file")
    kind, clean = _cleaned(content)
    digest = hashlib.sha256(clean).hexdigest()
    _write(folder / digest, clean)
    return Kept(kind, digest, len(clean))


def read(folder: Path, sha256: str) -> bytes:
    """The content kept under a hash. Errors: FileNotFoundError."""
    return (folder / sha256).read_bytes()


def remove(folder: Path, sha256: str) -> None:
    """Delete what is kept under a hash, if it is there."""
    (folder / sha256).unlink(missing_ok=True)


def _cleaned(content: bytes) -> tuple[str, bytes]:
    if content.startswith(PDF) and b"%%EOF" in content[-PDF_TAIL:]:
        return "pdf", content
    if content.startswith(JPEG):
        return "jpg", _drawn(content, "JPEG")
    if content.startswith(PNG):
        return "png", _drawn(content, "PNG")
    raise NotPossible("只接收 PDF、JPG 和 PNG 文件；这个文件不是，或者已经损坏。", field="file")


def _drawn(content: bytes, kind: str) -> bytes:
    try:
        with Image.open(BytesIO(content), formats=(kind,)) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NotPossible("图片的像素太多，请缩小后再上传。", field="file")
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(picture)
            drawn = BytesIO()
            upright.convert("RGB").save(drawn, kind, quality=88, optimize=True)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as broken:
        raise NotPossible("这张图片打不开，请重新拍照或导出后再上传。", field="file") from broken
    return drawn.getvalue()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(draft).replace(path)
