"""A sheet that was sent is tried, shown row by row, and confirmed untouched: what every page of such a sheet does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO

from fastapi import Request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.datastructures import UploadFile

from service.domain.errors import DomainError, NotPossible
from web.forms import Ask, Filled, Form, read
from web.language import lazy as _
from web.refusals import said

KEPT_FOR = 3600  # seconds between the trial and the confirmation


class SheetForm(Form):
    """A filled workbook; a page says in its own words where it comes from."""

    sheet: Annotated[Any, Ask(_("填好的表"), _("从本平台下载、填好的 Excel 文件（.xlsx）。"), _("请选择文件"))]


class CheckedForm(Form):
    checked: Annotated[str, Ask(_("核对过的内容"))]


@dataclass(frozen=True)
class TriedRow:
    """One filled row as it would go."""

    key: int
    name: str
    what: str
    """What it says, in a few words."""
    error: str
    is_repeat: bool


@dataclass(frozen=True)
class TriedPage:
    rows: Sequence[TriedRow]
    checked: str
    back: str = ""
    """Where one goes who does not confirm."""

    @property
    def wrong(self) -> list[TriedRow]:
        return [row for row in self.rows if row.error]

    @property
    def repeats(self) -> list[TriedRow]:
        return [row for row in self.rows if row.is_repeat]

    @property
    def fresh(self) -> list[TriedRow]:
        return [row for row in self.rows if not row.error and not row.is_repeat]


@dataclass(frozen=True)
class Seal:
    """Binds what was shown to what is confirmed: for one purpose, for whom it was shown to, for an hour."""

    request: Request
    purpose: str
    whose: int | str | None

    def close(self, kept: Mapping[str, Any]) -> str:
        """What was shown, as a text nobody can change."""
        return self._serializer().dumps({"whose": self.whose, "kept": kept})

    def opened(self, typed: Any) -> dict[str, Any]:
        """What was shown and is now confirmed, untouched. Errors: NotPossible where it is not ours or too old."""
        filled = read(CheckedForm, typed)
        try:
            found = self._serializer().loads(filled.said("checked"), max_age=KEPT_FOR)
        except BadSignature as broken:
            raise NotPossible("核对的内容已过期，请重新上传文件。") from broken
        if found["whose"] != self.whose:
            raise NotPossible("核对的内容已过期，请重新上传文件。")
        kept: dict[str, Any] = found["kept"]
        return kept

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self.request.app.state.dress.key, salt=self.purpose)


def file_in(sent: object) -> BinaryIO:
    """The file of a form's field."""
    if not isinstance(sent, UploadFile):
        raise NotPossible("请选择文件")
    return sent.file


def refused(filled: Filled[Any], refusal: DomainError) -> Filled[Any]:
    """The form again, with what is wrong with its sheet beside it."""
    return Filled(filled.form, filled.typed, {"sheet": said(refusal)})


def by_id(cells: Mapping[str, Any]) -> dict[int, Any]:
    """Rows by their number again: what is kept as text has its keys as text."""
    return {int(key): said for key, said in cells.items()}
