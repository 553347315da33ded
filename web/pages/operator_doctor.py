"""The doctor's page: what the platform stands on here, what is missing, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from service.doctor import Finding, State, examine, in_use
from service.doors import AnOperator, TheHouse, Tx
from service.store import health
from web.csrf import guard
from web.language import SOURCE, spoken
from web.pages.operator import badge
from web.render import page

router = APIRouter(dependencies=[Depends(guard), Depends(badge)])
TONES = {State.GOOD: "done", State.WITHOUT: "off", State.BAD: "wrong"}


@dataclass(frozen=True)
class DoctorPage:
    findings: Sequence[Finding]

    @property
    def bad(self) -> int:
        return sum(finding.is_failure for finding in self.findings)

    @staticmethod
    def tone(finding: Finding) -> str:
        return TONES[finding.state]

    @staticmethod
    def advice(finding: Finding) -> str:
        return finding.advice_zh if spoken() == SOURCE else finding.advice_en


@router.get("/operator/doctor")
def show_doctor(request: Request, _who: AnOperator, tx: Tx, house: TheHouse) -> Response:
    """The table of `xindeng doctor`, of the process that answers."""
    answered = in_use(house.database.address.kind, health.database(tx).version, "xindeng_web")
    return page(request, "operator/doctor.html", DoctorPage(examine(house.settings, lambda _settings: answered)))
