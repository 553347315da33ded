"""Grants and drawdowns together, as one workbook brings them; and what would become of them, without reporting any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from service.actions.report_credit import report_drawdowns, report_grants
from service.domain.people import Who
from service.domain.reporting import DrawForm, GrantForm, Reported


@dataclass(frozen=True)
class CreditForms:
    """Grants first: nothing is paid out under a grant of the same workbook."""

    grants: Sequence[GrantForm]
    drawdowns: Sequence[DrawForm]


@dataclass(frozen=True)
class CreditResults:
    """What became of each form, in their order."""

    grants: Sequence[Reported]
    drawdowns: Sequence[Reported]

    @property
    def fresh(self) -> int:
        """How many were taken and are new."""
        return sum(one.error is None and not one.is_repeat for one in (*self.grants, *self.drawdowns))


def report_together(tx: Session, who: Who, forms: CreditForms, today: date, now: datetime) -> CreditResults:
    """Each is taken or not on its own; what was reported before is no change."""
    return CreditResults(
        report_grants(tx, who, forms.grants, today, now), report_drawdowns(tx, who, forms.drawdowns, today, now)
    )


def try_credit(tx: Session, who: Who, forms: CreditForms, today: date, now: datetime) -> CreditResults:
    """The same behind a savepoint that is taken back: nothing of it stays."""
    attempt = tx.begin_nested()
    try:
        return report_together(tx, who, forms, today, now)
    finally:
        attempt.rollback()
