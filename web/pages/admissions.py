"""Who asks to act for a firm: its own people say yes or no; where it has nobody, or nobody answers, an office."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Row
from starlette.responses import Response

from service.actions.admit_person import decide_registration
from service.domain.people import Role, Who
from service.domain.registration import RegistrationState
from service.doors import AFirm, AnOfficial, Anyone, Now, Today, Tx, only
from service.store import registrations
from web.csrf import guard
from web.flash import redirect
from web.language import gettext
from web.pages import firm, official
from web.render import page

firm_router = APIRouter(dependencies=[Depends(guard), Depends(firm.badge)])
office_router = APIRouter(dependencies=[Depends(guard), Depends(official.badge)])
router = APIRouter(dependencies=[Depends(guard), Depends(only(Role.FIRM, Role.DISTRICT, Role.CITY))])


@dataclass(frozen=True)
class AdmissionsPage:
    waiting: Sequence[Row[Any]]
    is_office: bool
    back: str


@router.post("/registrations/{registration_id}/admission")
def admit(request: Request, who: Anyone, tx: Tx, today: Today, now: Now, registration_id: int) -> Response:
    return _decided(request, tx, who, registration_id, True, today, now)


@router.post("/registrations/{registration_id}/refusal")
def refuse(request: Request, who: Anyone, tx: Tx, today: Today, now: Now, registration_id: int) -> Response:
    return _decided(request, tx, who, registration_id, False, today, now)


@firm_router.get("/firm/people")
def show_to_firm(request: Request, who: AFirm, tx: Tx, now: Now) -> Response:
    """Who says that we sent them?"""
    return page(request, "admissions.html", AdmissionsPage(registrations.list_to_decide(tx, who, now), False, "/firm"))


@office_router.get("/registrations")
def show_to_office(request: Request, who: AnOfficial, tx: Tx, now: Now) -> Response:
    """Whose authority is ours to check?"""
    return page(request, "admissions.html", AdmissionsPage(registrations.list_to_decide(tx, who, now), True, ""))


def _decided(
    request: Request, tx: Tx, who: Who, registration_id: int, admits: bool, today: date, now: datetime
) -> Response:
    """Say what stands now, which may be what somebody else decided first."""
    state = decide_registration(tx, who, registration_id, admits, today, now)
    back = "/firm/people" if who.role is Role.FIRM else "/registrations"
    if state is RegistrationState.OPENED:
        return redirect(request, back, gettext("已确认，对方现在可以登录。"))
    return redirect(request, back, gettext("已记录：不是本企业委托的，对方不能登录。"))
