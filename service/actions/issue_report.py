"""Print the credit report of a line under a live consent, each paper entered; and say of a paper whether it is ours."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service import security
from service.domain.errors import NotAllowed, NotFound
from service.domain.issued_report import SHOWN_OF_CODE, Drawn, masked, number_of
from service.domain.people import Who
from service.store import consents, issued_reports, push_lists, trail
from service.store.issued_reports import Same
from service.store.trail import Act


@dataclass(frozen=True)
class Mark:
    """What makes one paper different from the next: its number, the token in its code, and the moment."""

    number: str
    token: str
    issued_at: datetime


@dataclass(frozen=True)
class Report:
    """What is to be printed. `draw` gives the same bytes for the same mark."""

    line_id: int
    consent_id: int
    language: str
    state_hash: str
    records: int
    draw: Callable[[Mark], Drawn]


@dataclass(frozen=True)
class Told:
    """What a stranger with the paper in hand is told about it."""

    number: str
    bank_name: str
    bank_name_en: str
    firm: str
    """Masked."""
    code_tail: str
    issued_at: datetime
    pages: int
    size: int
    sha256: str
    consent_until_on: date
    is_consent_live: bool
    consent_withdrawn_on: date | None
    superseded_on: date | None


def live_consent(tx: Session, who: Who, line: Row[Any], today: date) -> int:
    """The consent that lets this bank print the line. Errors: NotAllowed without one."""
    found = None if line.view_closed else consents.live(tx, [line.uscc], today).get(line.uscc, {}).get(who.bank_id or 0)
    if found is None:
        raise NotAllowed("企业对贵行的授权已撤回或已到期，不能打印信用报告。")
    return found


def issue_report(tx: Session, who: Who, report: Report, today: date, now: datetime) -> tuple[str, Drawn]:
    """Number and paper. The same state printed again by the same officer on the same day is the same paper.

    Errors: NotAllowed where the consent ended meanwhile.
    """
    lines = push_lists.lock_lines_of_bank(tx, who, [report.line_id])
    if not lines:
        raise NotFound("没有找到这个推送项。")
    line = lines[0]
    live_consent(tx, who, line, today)
    same = Same(line.id, who.person_id, today, report.language, report.state_hash)
    before = issued_reports.find_latest(tx, same)
    if before is not None:
        again = report.draw(Mark(before.number, before.token, before.issued_at))
        if again.sha256 == before.sha256:
            return before.number, again
    key = issued_reports.next_key(tx)
    mark = Mark(number_of(today, key), security.new_token(), now)
    paper = report.draw(mark)
    whose = {"demand_id": line.demand_id, "uscc": line.uscc, "bank_id": line.bank_id}
    row = {"id": key, **vars(mark), **vars(same), **whose, "consent_id": report.consent_id}
    row |= {"edition": before.edition + 1 if before else 1, "records": report.records}
    row |= {"sha256": paper.sha256, "pages": paper.pages, "size": len(paper.content)}
    issued_reports.add(tx, row)
    told = {"report": mark.number, "sha256": paper.sha256, "consent": report.consent_id}
    trail.append(tx, who, [Act("printed", "push_line", line.id, district=line.district, **whose, details=told)], now)
    return mark.number, paper


def verify_report(tx: Session, token: str, today: date) -> Told | None:
    """What may be told of the paper with this token; None for one that was never issued. `tx` is the platform's."""
    row = issued_reports.find_by_token(tx, token)
    if row is None:
        return None
    return Told(
        number=row.number,
        bank_name=row.bank_name,
        bank_name_en=row.bank_name_en,
        firm=masked(row.firm_name),
        code_tail=row.uscc[-SHOWN_OF_CODE:],
        issued_at=row.issued_at,
        pages=row.pages,
        size=row.size,
        sha256=row.sha256,
        consent_until_on=row.consent_until_on,
        is_consent_live=row.consent_withdrawn_on is None and row.consent_until_on >= today,
        consent_withdrawn_on=row.consent_withdrawn_on,
        superseded_on=row.superseded_on,
    )
