"""A document to print is a real PDF with its pages; its code is SVG that carries the address and nothing else."""

from dataclasses import dataclass
from importlib import import_module

import pytest
import segno

from tests.paper import needs_pango, words_of
from web.documents import pdf, qr_svg


@dataclass(frozen=True)
class Paper:
    title: str = "授信报告"
    watermark: str = "示例银行 · 张三"


def test_a_document_carries_its_title_its_watermark_and_its_page_numbers():
    needs_pango()
    assert words_of(pdf("documents/base.html", Paper()).content) == "示例银行·张三授信报告1/1"
    assert words_of(pdf("documents/base.html", Paper(watermark="")).content) == "授信报告1/1"


def test_a_document_fetches_nothing():
    needs_pango()
    weasyprint = import_module("weasyprint")
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
