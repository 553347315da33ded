"""Documents to print: a template and its frozen view to a PDF (WeasyPrint), and an address to a QR code (segno)."""

from importlib import import_module

import segno
from markupsafe import Markup
from starlette.responses import Response

from service.domain.errors import Unavailable
from web import takeaway
from web.language import LANGUAGES, spoken
from web.render import is_frozen, render

FONTS = '"Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", sans-serif'
PAPER = f"""
@page {{
  size: A4; margin: 20mm 18mm;
  @bottom-center {{ content: counter(page) " / " counter(pages); font: 9pt {FONTS}; }}
}}
html {{ font: 10.5pt/1.5 {FONTS}; }}
h1 {{ font-size: 18pt; }}
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
  font-size: 30pt; color: #e4e4e4; transform: rotate(-30deg); z-index: -1;
}}
.qr svg {{ width: 30mm; height: 30mm; }}
"""


def pdf(template: str, view: object) -> bytes:
    """The PDF (A4, 'page / pages' at the foot) of a template that extends documents/base.html.

    `view` is a frozen dataclass with `title` and `watermark` (str, empty for none). Nothing is fetched from outside:
    pictures are SVG in the template. Raises OSError where Pango is absent (`xindeng doctor` says what to install).
    """
    if not is_frozen(view):
        raise TypeError(f"A view is a frozen dataclass, not {type(view).__name__}")
    weasyprint = import_module("weasyprint")
    fetcher = weasyprint.urls.URLFetcher(allowed_protocols=())
    paper = weasyprint.HTML(string=render(template, {"view": view, "lang": LANGUAGES[spoken()]}), url_fetcher=fetcher)
    made: bytes = paper.write_pdf(stylesheets=[weasyprint.CSS(string=PAPER)])
    return made


def printed(template: str, view: object, name: str) -> Response:
    """The PDF as a download called `name`.pdf; Unavailable, in one sentence, where this machine cannot make any."""
    try:
        made = pdf(template, view)
    except OSError as fault:
        raise Unavailable("这台服务器现在不能生成 PDF，请告诉运维人员；页面和 Excel 照常可用。") from fault
    return takeaway.download(made, f"{name}.pdf", "application/pdf")


def qr_svg(address: str) -> Markup:
    """The QR code of an address as SVG (error correction Q: a quarter of it may be dirty), with its quiet zone."""
    code = segno.make(address, error="q", micro=False)
    return Markup(code.svg_inline(omitsize=True, border=4))  # noqa: S704 - segno writes paths alone, never the address
