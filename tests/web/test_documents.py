"""A document to print is a real PDF with its pages; its code is SVG that carries the address and nothing else."""

import re
import zlib
from dataclasses import dataclass

import pytest
import segno

from web.documents import pdf, qr_svg


@dataclass(frozen=True)
class Paper:
    title: str = "授信报告"
    watermark: str = "示例银行 · 张三"


def needs_pango():
    try:
        import weasyprint
    except (ImportError, OSError):
        pytest.skip("Pango is absent: see xindeng doctor")
    return weasyprint


def unpacked(made):
    streams = re.findall(rb"stream\n(.*?)\nendstream", made, re.DOTALL)
    return b"".join(zlib.decompressobj().decompress(stream) for stream in streams if stream[:1] == b"x")


def test_a_document_is_a_pdf_that_names_its_title_and_a_watermark_adds_to_it():
    needs_pango()
    made = pdf("documents/base.html", Paper())
    assert made.startswith(b"%PDF-")
    assert "授信报告".encode("utf-16-be").hex().encode() in unpacked(made).lower() + made.lower()
    assert len(made) > len(pdf("documents/base.html", Paper(watermark="")))


def test_a_document_fetches_nothing():
    weasyprint = needs_pango()
    with pytest.raises(ValueError, match="protocol"):
        weasyprint.urls.URLFetcher(allowed_protocols=()).fetch("file:///etc/hostname")


def test_a_view_that_may_change_makes_no_document():
    with pytest.raises(TypeError):
        pdf("documents/base.html", object())


def test_the_code_is_svg_without_size_and_scales_with_its_address():
    svg = qr_svg("https://xindeng.example/verify/abc")
    assert svg.startswith("<svg")
    assert "viewBox" in svg
    assert svg != qr_svg("https://xindeng.example/verify/abd")
    side = segno.make("https://xindeng.example/verify/abc", error="q", micro=False).symbol_size(border=4)[0]
    assert f'viewBox="0 0 {side} {side}"' in svg
