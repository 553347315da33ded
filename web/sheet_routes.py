"""The three routes of every sheet that comes back filled in: try it, confirm what was shown, take a marked copy."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO, Generic, TypeVar

from fastapi import APIRouter, Depends, Request
from sqlmodel import Session
from starlette.responses import Response

from service.domain.errors import DomainError
from service.domain.people import Role, Who
from service.doors import Anyone, Now, Today, Tx, only
from web.flash import redirect
from web.forms import Filled, Typed, read
from web.language import ngettext
from web.render import page
from web.tried_sheet import Seal, SheetForm, TriedPage, TriedRow, file_in, refused

Back = TypeVar("Back")
"""What a returned workbook says."""


@dataclass(frozen=True)
class Call:
    """One request for a sheet: who asks, and when."""

    request: Request
    tx: Session
    who: Who
    today: date
    now: datetime


@dataclass(frozen=True)
class SheetDesk(Generic[Back]):
    """What is particular to one kind of sheet. `address` takes the file; /confirmation and /copy stand under it."""

    address: str
    roles: Collection[Role]
    form: type[SheetForm]
    tried: str
    """The template of what would happen, row by row."""
    whose: Callable[[Who], int | str | None]
    """For whom the trial holds: another bank or district cannot confirm it."""
    ask: Callable[[Call, Filled[Any], int], Response]
    """The page that asks for the file, with what was wrong and a status."""
    read: Callable[[Call, BinaryIO], Back]
    """What the file says. Errors: DomainError where it is not this sheet, not theirs, or says nothing."""
    rows: Callable[[Call, Back], list[TriedRow]]
    pack: Callable[[Back], Mapping[str, Any]]
    unpack: Callable[[Mapping[str, Any]], Back]
    take: Callable[[Call, Back], Response]
    """Does what was shown; each row is taken or not on its own, and twice is once."""
    copy: Callable[[Call, Back], Response]
    """The same workbook with a red comment on every row that would not be taken."""
    home: Callable[[Back], str] = lambda _back: ""
    """Where one goes who does not confirm, unless the template says it."""

    def seal(self, call: Call) -> Seal:
        return Seal(call.request, self.address, self.whose(call.who))

    def errors(self, call: Call, back: Back) -> dict[int, str]:
        """Row → why it would not be taken."""
        return {row.key: row.error for row in self.rows(call, back) if row.error}


def told_of(call: Call, address: str, message: str, refusals: int) -> Response:
    """Back to a page with what was done, and how many rows were not."""
    if not refusals:
        return redirect(call.request, address, message)
    wrong = ngettext("%(num)d 行没有记录，请重新上传核对。", "%(num)d 行没有记录，请重新上传核对。", refusals)
    return redirect(call.request, address, f"{message}{wrong % {'num': refusals}}", "warning")


def add_sheet_routes(router: APIRouter, desk: SheetDesk[Back]) -> None:
    """Give the router the three routes, open to the desk's roles alone."""

    def try_sheet(request: Request, who: Anyone, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
        """Read the workbook and say row by row what would happen; nothing is done yet."""
        call = Call(request, tx, who, today, now)
        filled = read(desk.form, typed)
        if not filled.is_right:
            return desk.ask(call, filled, 422)
        try:
            back = desk.read(call, file_in(filled.answers.sheet))
        except DomainError as refusal:
            return desk.ask(call, refused(filled, refusal), 422)
        checked = desk.seal(call).close(desk.pack(back))
        return page(request, desk.tried, TriedPage(desk.rows(call, back), checked, desk.home(back)))

    def take(request: Request, who: Anyone, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
        call = Call(request, tx, who, today, now)
        return desk.take(call, desk.unpack(desk.seal(call).opened(typed)))

    def copy(request: Request, who: Anyone, tx: Tx, today: Today, now: Now, typed: Typed) -> Response:
        call = Call(request, tx, who, today, now)
        return desk.copy(call, desk.unpack(desk.seal(call).opened(typed)))

    for path, endpoint in (("", try_sheet), ("/confirmation", take), ("/copy", copy)):
        doors = [Depends(only(*desk.roles))]
        router.add_api_route(desk.address + path, endpoint, methods=["POST"], dependencies=doors)
