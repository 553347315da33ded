"""A bank reports what it granted, paid out and got back; corrections are rows beside the first, and late ones show."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from sqlmodel import Session

from service.actions.draw_credit import correct_drawdown, number_of, take_drawdowns
from service.actions.grant_credit import correct_grant, take_grants
from service.actions.note_credit import Report, one_by_one
from service.actions.repay_credit import repay
from service.actions.undo_credit import void_drawdown, void_grant
from service.domain.errors import NotAllowed
from service.domain.people import Who
from service.domain.reporting import DrawForm, GrantForm, Reported
from service.store import credit, push_lists

Item = TypeVar("Item")
Form = TypeVar("Form", GrantForm, DrawForm)


@dataclass(frozen=True)
class Way(Generic[Form]):
    """How forms of one kind are taken: many first reports together, each correction on its own."""

    about: Callable[[Who, Form], set[Hashable]]
    """What a form is about: two forms about the same go one after the other."""
    lock: Callable[[Session, Sequence[tuple[Who, Form]]], object]
    """Lock the demands and lines of all of them, in the order everybody keeps."""
    take: Callable[[Session, Sequence[tuple[Who, Form]], Report], list[Reported]]
    correct: Callable[[Session, Who, Form, Report], int]


GRANTS = Way[GrantForm](
    about=lambda _, form: {form.line_id},
    lock=lambda tx, said: push_lists.lock_lines_of_banks(tx, [who for who, _ in said], [f.line_id for _, f in said]),
    take=take_grants,
    correct=correct_grant,
)
DRAWDOWNS = Way[DrawForm](
    about=lambda who, form: {form.grant_id, number_of(who, form)},
    lock=lambda tx, said: credit.lock_grants(tx, [who for who, _ in said], [form.grant_id for _, form in said]),
    take=take_drawdowns,
    correct=correct_drawdown,
)


def report_grants(tx: Session, who: Who, forms: Sequence[GrantForm], today: date, now: datetime) -> list[Reported]:
    """Credit granted on accepted lines: the amount granted takes the place of the money reserved, within the quota."""
    return report_grants_each(tx, [(who, form) for form in forms], today, now)


def report_grants_each(
    tx: Session, said: Sequence[tuple[Who, GrantForm]], today: date, now: datetime
) -> list[Reported]:
    """The same for a batch in which several banks report, each of its own lines."""
    return _in_rounds(tx, said, GRANTS, today, now)


def report_drawdowns(tx: Session, who: Who, forms: Sequence[DrawForm], today: date, now: datetime) -> list[Reported]:
    """Money paid out under grants: never more than granted, each loan number once."""
    return report_drawdowns_each(tx, [(who, form) for form in forms], today, now)


def report_drawdowns_each(
    tx: Session, said: Sequence[tuple[Who, DrawForm]], today: date, now: datetime
) -> list[Reported]:
    """The same for a batch in which several banks report, each under its own grants."""
    return _in_rounds(tx, said, DRAWDOWNS, today, now)


def report_repaid(
    tx: Session, who: Who, drawdown_ids: Sequence[int], on: date, today: date, now: datetime
) -> list[Reported]:
    """Loans paid back; a demand whose loans are all paid back has come to its end."""
    return _each(tx, who, drawdown_ids, lambda tx, who, key, report: repay(tx, who, key, on, report), today, now)


def void_grants(tx: Session, who: Who, grant_ids: Sequence[int], today: date, now: datetime) -> list[Reported]:
    """Grants reported in error: the line is accepted again and holds its money; not while anything is drawn on it."""
    return _each(tx, who, grant_ids, void_grant, today, now)


def void_drawdowns(tx: Session, who: Who, drawdown_ids: Sequence[int], today: date, now: datetime) -> list[Reported]:
    """Drawdowns reported in error."""
    return _each(tx, who, drawdown_ids, void_drawdown, today, now)


def _in_rounds(
    tx: Session, said: Sequence[tuple[Who, Form]], way: Way[Form], today: date, now: datetime
) -> list[Reported]:
    """The forms as if one after the other, with one settlement, count, telling and trail for all."""
    _only_banks(who for who, _ in said)
    report, rounds, results = Report(today, now), list(_rounds(said, way)), list[Reported]()
    if len(rounds) > 1:
        way.lock(tx, said)
    for forms in rounds:
        if forms[0][1].corrects_id is None:
            results += way.take(tx, forms, report)
        else:
            results += one_by_one(tx, forms, way.correct, report)
    report.finish(tx)
    return results


def _rounds(said: Sequence[tuple[Who, Form]], way: Way[Form]) -> Iterator[list[tuple[Who, Form]]]:
    """The forms in their order, cut before one that is about what an earlier one is about; a correction goes alone."""
    forms, busy, corrects = list[tuple[Who, Form]](), set[Hashable](), False
    for who, form in said:
        about = way.about(who, form)
        if forms and (corrects or form.corrects_id is not None or busy & about):
            yield forms
            forms, busy = [], set()
        forms.append((who, form))
        busy |= about
        corrects = form.corrects_id is not None
    if forms:
        yield forms


def _each(
    tx: Session,
    who: Who,
    items: Sequence[Item],
    take: Callable[[Session, Who, Item, Report], int],
    today: date,
    now: datetime,
) -> list[Reported]:
    """Each item on its own, with one settlement, count, telling and trail for all."""
    _only_banks([who])
    report = Report(today, now)
    results = one_by_one(tx, [(who, item) for item in items], take, report)
    report.finish(tx)
    return results


def _only_banks(people: Iterable[Who]) -> None:
    if not all(who.is_bank for who in people):
        raise NotAllowed("只有银行可以报送授信与放款。")
