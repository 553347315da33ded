"""What stands on a printed page, read back from the PDF."""

from importlib import import_module

import pypdfium2
import pytest

from service.doctor import cjk_fonts


def needs_pango() -> None:
    """Skip, with the reason, where no PDF can be made."""
    try:
        import_module("weasyprint")
    except (ImportError, OSError):
        pytest.skip("Pango is absent: see xindeng doctor")


def words_of(made: bytes) -> str:
    """All words of a PDF without the blanks between them; skips where there is no font for them."""
    needs_pango()
    if not cjk_fonts():
        pytest.skip("no CJK font is here: see xindeng doctor")
    pages = pypdfium2.PdfDocument(made)
    return "".join("".join(page.get_textpage().get_text_range().split()) for page in pages)
