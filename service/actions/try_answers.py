"""What would become of answers, without giving them: the real act behind a savepoint that is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from service.actions.answer_push import answer_lines
from service.domain.answering import Answered, AnswerForm
from service.domain.people import Who
from service.store import answers


@dataclass(frozen=True)
class Tried:
    """One answer as it would go: taken, refused with `answered.error`, or said already and therefore nothing new."""

    answered: Answered
    is_repeat: bool


def try_answers(tx: Session, who: Who, forms: Sequence[AnswerForm], today: date, now: datetime) -> list[Tried]:
    """Try the answers in order; nothing of it stays."""
    attempt = tx.begin_nested()
    try:
        results = answer_lines(tx, who, forms, today, now)
    finally:
        attempt.rollback()
    there = answers.existing(tx, [one.answer_id for one in results if one.answer_id is not None])
    return [Tried(one, one.answer_id in there) for one in results]
