"""Files people upload: their own name made plain, and handed out again to be saved, never opened by this site."""

from pathlib import PurePath
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.responses import Response

from service.domain.paper import PaperKind
from web.forms import clean

ACCEPT = ".pdf,.jpg,.jpeg,.png"
MEDIA = {PaperKind.PDF: "application/pdf", PaperKind.JPG: "image/jpeg", PaperKind.PNG: "image/png"}
LONGEST_NAME = 120


def name_of(file: UploadFile) -> str:
    """The file's own name without folders or unseen signs; its end stays where it is long."""
    name = clean(PurePath((file.filename or "").replace("\\", "/")).name)
    return name[-LONGEST_NAME:] or "paper"


def handed_out(content: bytes, kind: str, name: str) -> Response:
    """The file to be saved; whatever is in it runs nowhere here, and no cache keeps it."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=MEDIA[PaperKind(kind)], headers=headers)
