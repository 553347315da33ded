"""What people take away: a file as an answer, and a workbook in which nothing typed becomes a formula or a link."""

import io
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import xlsxwriter
from starlette.responses import Response

from web.language import gettext

NAME = "book.xlsx"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download(content: bytes | str, name: str, media_type: str = XLSX) -> Response:
    """The file to be saved under this name (plain letters); no cache keeps it."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


class Book:
    """A workbook made in memory, or in `folder` row by row where it is long; `file` is XlsxWriter's own."""

    def __init__(self, folder: Path | None = None) -> None:
        self._out = io.BytesIO()
        plain = {"strings_to_formulas": False, "strings_to_urls": False}
        if folder is None:
            self.file = xlsxwriter.Workbook(self._out, {"in_memory": True, **plain})
        else:
            long = {"constant_memory": True, "tmpdir": str(folder), **plain}
            self.file = xlsxwriter.Workbook(folder / NAME, long)

    @cached_property
    def head(self) -> Any:
        """How the heads of columns look."""
        return self.file.add_format({"bold": True, "bg_color": "#E7EEF0", "border": 1, "text_wrap": True})

    def explain(self, said: Iterable[tuple[str, str]], title: str = "") -> None:
        """A last sheet of what everything in the others means."""
        sheet = self.file.add_worksheet(title or gettext("口径"))
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 90)
        for row, (name, value) in enumerate(said):
            sheet.write_string(row, 0, name, self.head)
            sheet.write_string(row, 1, value)

    def content(self) -> bytes:
        """The finished file."""
        self.file.close()
        return self._out.getvalue()
