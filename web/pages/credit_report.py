"""A push line on paper for the bank's file, and the public page that says whether such a paper is ours."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from service.actions.issue_report import Report, Told, issue_report, live_consent, verify_report
from service.actions.look_after_profiles import reasons_for
from service.domain.people import the_platform
from service.doors import AnOfficer, House, Now, TheHouse, Today, Tx
from service.pace import slow_down
from service.profiles.profile import profile_on
from service.profiles.tools import load_tools
from service.store import bank_desk, banks, consents, objections, overview
from web import credit_report, words
from web.credit_report import Furnished, Reported
from web.csrf import guard
from web.documents import as_pdf
from web.explained import explain
from web.forms import Ask, Filled, Form, Typed, blank, read, wording
from web.language import gettext, spoken
from web.language import lazy as _
from web.pages.bank import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
public_router = APIRouter(dependencies=[Depends(guard)])
VERIFIER = the_platform("verify")
MOST_BYTES = 5 << 20
HASH_LENGTH = 64


class CompareForm(Form):
    paper: Annotated[Any, Ask(_("报告的 PDF 文件"), _("只计算文件的哈希，不保存；最大 5 MB。"))] = None
    sha256: Annotated[
        str, wording(most=200), Ask(_("或者粘贴文件的 SHA-256"), _("64 个字符，例如用 sha256sum 算出。"))
    ] = ""


@dataclass(frozen=True)
class VerifyPage:
    token: str
    told: Told | None
    form: Filled[CompareForm]
    compared: str = ""
    """The hash that was held against ours; '' before anything was."""

    @property
    def is_same(self) -> bool:
        return self.told is not None and self.compared == self.told.sha256


@router.get("/push-lines/{line_id}/report.pdf")
def print_report(who: AnOfficer, tx: Tx, house: TheHouse, today: Today, now: Now, line_id: int) -> Response:
    """The credit report under a live consent: numbered, entered, and seen by the firm."""
    line = bank_desk.get_line(tx, who, line_id)
    consent_id = live_consent(tx, who, line, today)
    consent = next(row for row in consents.list_of_firm(tx, who, line.uscc, today) if row.id == consent_id)
    verdict = overview.find_verdict(tx, line.verdict_id)
    reasons = None if verdict is None else reasons_for(tx, verdict, load_tools(tx, house.settings, today))
    contested = frozenset((one.item, one.key) for one in objections.list_open_of(tx, line.uscc))
    held = credit_report.recorded(profile_on(tx, line.uscc, today), consent.data_classes, contested)
    shown = Reported(line, consent, explain(verdict, reasons), held, words.MARKS.get(line.light or "", ""))
    settings = house.settings
    by = Furnished(banks.get(tx, who.bank_id).name, who.name, str(settings.public_url), settings.contact)
    report = Report(
        line_id=line_id,
        consent_id=consent_id,
        language=spoken(),
        state_hash=shown.state_hash,
        records=held.shown,
        draw=lambda mark: credit_report.draw(shown, by, mark),
    )
    number, paper = issue_report(tx, who, report, today, now)
    return as_pdf(paper, f"xindeng-{number}")


@public_router.get("/verify/{token}")
def show_verification(request: Request, house: TheHouse, today: Today, token: str) -> Response:
    """Did the platform issue a report with this code, and does it still hold?"""
    slow_down(house, "verify", request)
    return _verify_page(request, token, _told(house, token, today), blank(CompareForm))


@public_router.post("/verify/{token}")
def compare(request: Request, house: TheHouse, today: Today, token: str, typed: Typed) -> Response:
    """Is this file, or this hash, the paper that was issued? Nothing is kept."""
    slow_down(house, "verify", request)
    told = _told(house, token, today)
    filled = read(CompareForm, typed)
    if filled.is_right:
        filled, compared = _compared(filled)
    else:
        compared = ""
    return _verify_page(request, token, told, filled, compared)


def _compared(filled: Filled[CompareForm]) -> tuple[Filled[CompareForm], str]:
    """The hash that was given by file or by word; or the form with what is wrong in it."""
    asked = filled.answers
    if isinstance(asked.paper, UploadFile) and asked.paper.filename:
        content = asked.paper.file.read(MOST_BYTES + 1)
        if len(content) <= MOST_BYTES:
            return filled, hashlib.sha256(content).hexdigest()
        return _wrong(filled, "paper", gettext("文件超过 5 MB，不是本平台的报告。")), ""
    said = "".join(asked.sha256.split()).lower()
    if not said:
        return _wrong(filled, "paper", gettext("请选择文件，或粘贴文件的 SHA-256。")), ""
    if len(said) != HASH_LENGTH or not set(said) <= set("0123456789abcdef"):
        return _wrong(filled, "sha256", gettext("SHA-256 是 64 个 0–9、a–f 的字符。")), ""
    return filled, said


def _wrong(filled: Filled[CompareForm], name: str, sentence: str) -> Filled[CompareForm]:
    return Filled(CompareForm, filled.typed, {name: sentence})


def _told(house: House, token: str, today: Any) -> Told | None:
    with house.database.transaction(VERIFIER, read_only=True) as tx:
        return verify_report(tx, token, today)


def _verify_page(
    request: Request, token: str, told: Told | None, form: Filled[CompareForm], compared: str = ""
) -> Response:
    status = 404 if told is None else 422 if form.errors else 200
    return page(request, "verify.html", VerifyPage(token, told, form, compared), status=status)
