"""Documents to print: a template and its frozen view to a PDF (WeasyPrint), and an address to a QR code (segno)."""

from functools import cache
from importlib import import_module
from io import BytesIO
from typing import Literal

import segno
from markupsafe import Markup
from starlette.responses import Response

from service.doctor import cjk_fonts
from service.domain.errors import Unavailable
from service.domain.issued_report import Drawn
from web import takeaway
from web.language import LANGUAGES, spoken
from web.render import is_frozen, render

QUIET = 4  # modules of white around a code, without which telephones do not find it
FONTS = '"Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", sans-serif'
PAPER = f"""
@page {{
  size: A4; margin: 20mm 18mm;
  @bottom-center {{ content: counter(page) " / " counter(pages); font: 9pt {FONTS}; }}
}}
html {{ font: 10.5pt/1.5 {FONTS}; }}
h1 {{ font-size: 18pt; }}
h2 {{ font-size: 13pt; break-after: avoid; margin: 5mm 0 2mm; }}
h3 {{ font-size: 11pt; break-after: avoid; margin: 3mm 0 1mm; }}
table {{ width: 100%; border-collapse: collapse; }}
thead {{ display: table-header-group; }}
tr {{ break-inside: avoid; }}
.num {{ text-align: right; white-space: nowrap; }}
.muted, .small {{ font-size: 9pt; color: #444; }}
.code {{ font-family: monospace; font-size: 8pt; word-break: break-all; }}
dl {{ display: grid; grid-template-columns: 50mm 1fr; }}
dt, dd {{ margin: 0; padding: 1mm 0; }}
th, td {{ padding: 1.5mm 2mm; border-bottom: 0.3pt solid #555; text-align: left; }}
.watermark {{
  position: fixed; top: 45%; left: 0; right: 0; text-align: center;
  font-size: 26pt; color: #e4e4e4; transform: rotate(-30deg); z-index: -1; white-space: pre-line;
}}
.qr svg {{ width: 30mm; height: 30mm; }}
.rows {{ font-size: 8.5pt; line-height: 1.35; table-layout: fixed; }}
.rows th, .rows td {{ padding: 1mm 1.5mm; vertical-align: top; border-color: #bbb; }}
.rows .group th {{ background: #eef1ef; break-after: avoid; }}
.day {{ white-space: nowrap; width: 18mm; }}
.name {{ width: 38mm; }}
.light {{ font-weight: bold; padding-left: 2mm; border-left: 2mm solid #666; white-space: nowrap; }}
.light-green {{ border-color: #23764a; }}
.light-yellow {{ border-color: #9a6700; }}
.light-red {{ border-color: #b3261e; }}
.one-weight :is(h1, h2, th, strong, .light) {{ font-weight: normal; color: #0a343f; }}
.one-weight h2 {{ border-bottom: 0.6pt solid #0a343f; padding-bottom: 1mm; }}
.beside {{ display: flex; gap: 8mm; justify-content: space-between; break-inside: avoid; }}
"""


def pdf(template: str, view: object) -> Drawn:
    """The PDF (A4, 'page / pages' at the foot) of a template that extends documents/base.html.

    `view` is a frozen dataclass with `title` and `watermark` (str, empty for none). Nothing is fetched from outside:
    pictures are SVG in the template. The same view gives the same bytes. Raises OSError where Pango is absent
    (`xindeng doctor` says what to install).
    """
    if not is_frozen(view):
        raise TypeError(f"A view is a frozen dataclass, not {type(view).__name__}")
    weasyprint = import_module("weasyprint")
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=())
    paper = weasyprint.HTML(string=render(template, {"view": view, "lang": LANGUAGES[spoken()]}), url_fetcher=fetcher)
    laid_out = paper.render(stylesheets=[weasyprint.CSS(string=PAPER)])
    return Drawn(laid_out.write_pdf(), len(laid_out.pages))


def draw(template: str, view: object) -> Drawn:
    """The same; Unavailable, in one sentence, where this machine cannot make any, or none that can be read."""
    if not can_write_chinese():
        raise Unavailable("这台服务器缺少中文字体，现在不能生成 PDF，请告诉运维人员；页面和 Excel 照常可用。")
    try:
        return pdf(template, view)
    except OSError as fault:
        raise Unavailable("这台服务器现在不能生成 PDF，请告诉运维人员；页面和 Excel 照常可用。") from fault


def printed(template: str, view: object, name: str) -> Response:
    """The PDF as a download called `name`.pdf. Errors: Unavailable."""
    return as_pdf(draw(template, view), name)


def as_pdf(paper: Drawn, name: str) -> Response:
    """A drawn document as a download called `name`.pdf."""
    return takeaway.download(paper.content, f"{name}.pdf", "application/pdf")


@cache
def can_write_chinese() -> bool:
    """Whether a font here draws Chinese: without one every sign would come out as an empty box. Asked once."""
    return bool(cjk_fonts())


def qr_svg(address: str) -> Markup:
    """The QR code of an address as SVG (error correction Q: a quarter of it may be dirty), with its quiet zone."""
    drawn = _code(address).svg_inline(omitsize=True, border=QUIET)
    return Markup(drawn)  # noqa: S704 - segno writes paths alone, never the address


def qr_picture(address: str, kind: Literal["svg", "png"], dots: int = 16) -> bytes:
    """The same as a file to be taken away: `dots` pixels a module (SVG scales without them)."""
    drawn = BytesIO()
    _code(address).save(drawn, kind=kind, scale=dots, border=QUIET)
    return drawn.getvalue()


def _code(address: str) -> segno.QRCode:
    return segno.make(address, error="q", micro=False)
