"""Follow-up work: noted, dated, owned, and closed only when the obstacle is gone."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from service.actions.follow_up import Progress, assign_follow_up, close_follow_up, note_progress, note_progress_each
from service.domain.errors import Conflict, DomainError, NotAllowed, NotFound, NotPossible
from service.domain.people import Who
from service.store import follow_ups, work_list
from service.store.database import Database
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    GAO,
    NOW,
    OU,
    PLATFORM,
    TODAY,
    a_bank,
    a_demand,
    a_firm_with_records,
    a_product,
    a_small_world,
    bai,
    row_of,
    rows_of,
)

SOON = TODAY + timedelta(days=3)


def a_red_demand(tx: Session) -> tuple[int, int]:
    """A demand for a prohibited use, and the follow-up it opened."""
    small = a_small_world(tx)
    key = a_demand(tx, FANG, (small.bank,), small.tools, use="securities")
    return key, rows_of(tx, "follow_up", demand_id=key)[0]["id"]


def test_the_district_notes_what_was_done_and_moves_the_date_of_the_demand_with_it(database: Database) -> None:
    with database.transaction(PLATFORM) as tx:
        demand, work = a_red_demand(tx)
    with database.transaction(GAO) as tx:
        assert [row.id for row in work_list.find(tx, GAO, work_list.Sought(), TODAY)[0]] == [work]
        note_progress(tx, GAO, work, "已联系企业改报用途。", SOON, TODAY, NOW)
    with database.transaction(PLATFORM) as tx:
        assert row_of(tx, "follow_up", work)["next_on"] == row_of(tx, "demand", demand)["next_on"] == SOON
        (note,) = follow_ups.list_notes(tx, work)
        assert (note.note, note.written_by, note.next_on) == ("已联系企业改报用途。", 5, SOON)
        assert len(rows_of(tx, "trail", noun="follow_up", verb="note")) == 1


def test_the_work_is_given_to_someone(tx: Session) -> None:
    demand, work = a_red_demand(tx)
    for _ in range(2):
        assign_follow_up(tx, GAO, work, "firm", None, TODAY, NOW)
    assert row_of(tx, "demand", demand)["next_by"] == "firm"
    assert len(rows_of(tx, "trail", verb="assign")) == 1
    with pytest.raises(NotPossible):
        assign_follow_up(tx, GAO, work, "bank", None, TODAY, NOW)


def test_what_is_still_red_cannot_be_closed(tx: Session) -> None:
    _, work = a_red_demand(tx)
    with pytest.raises(NotPossible):
        close_follow_up(tx, GAO, work, "resolved", TODAY, NOW)
    assert row_of(tx, "follow_up", work)["closed_on"] is None


def test_a_plan_is_closed_with_an_outcome_once(tx: Session) -> None:
    a_firm_with_records(tx, FANG)
    a_product(tx, a_bank(tx), amount_max_fen=10_000_000)
    work = rows_of(tx, "follow_up", demand_id=a_demand(tx))[0]["id"]
    close_follow_up(tx, PLATFORM, work, "handed_over", TODAY, NOW)
    assert (row_of(tx, "follow_up", work)["closed_on"], row_of(tx, "follow_up", work)["outcome"]) == (
        TODAY,
        "handed_over",
    )
    assert [(row["old"], row["new"]) for row in rows_of(tx, "trail", verb="close")] == [("open", "closed")]
    with pytest.raises(Conflict):
        close_follow_up(tx, PLATFORM, work, "handed_over", TODAY, NOW)


@pytest.mark.parametrize(("who", "error"), [(FANG_HERSELF, NotAllowed), (bai(1), NotAllowed), (OU, NotFound)])
def test_only_the_officials_of_the_place_work_on_it(tx: Session, who: Who, error: type[DomainError]) -> None:
    _, work = a_red_demand(tx)
    with pytest.raises(error):
        note_progress(tx, who, work, "看过了。", SOON, TODAY, NOW)


def test_many_notes_are_taken_in_one_go_and_a_bad_one_takes_nothing_with_it(tx: Session) -> None:
    demand, work = a_red_demand(tx)
    later, said = SOON + timedelta(days=4), "已联系企业。"
    noted = [
        Progress(GAO, work, said, SOON),
        Progress(OU, work, said, SOON),
        Progress(FANG_HERSELF, work, said, SOON),
        Progress(GAO, work, " ", SOON),
        Progress(GAO, work, said, TODAY),
        Progress(GAO, 999_999, said, SOON),
        Progress(CITY, work, "市里也看过。", later),
    ]
    found = note_progress_each(tx, noted, TODAY, NOW)
    assert [type(refusal).__name__ for refusal in found] == [
        "NoneType", "NotFound", "NotAllowed", "NotPossible", "NotPossible", "NotFound", "NoneType",
    ]  # fmt: skip
    notes = [(note.note, note.written_by, note.next_on) for note in follow_ups.list_notes(tx, work)]
    assert notes == [(said, GAO.person_id, SOON), ("市里也看过。", CITY.person_id, later)]
    assert row_of(tx, "follow_up", work)["next_on"] == row_of(tx, "demand", demand)["next_on"] == later
    assert [row["actor_id"] for row in rows_of(tx, "trail", verb="note")] == [GAO.person_id, CITY.person_id]
    assert note_progress_each(tx, [], TODAY, NOW) == []


@pytest.mark.parametrize(("note", "days"), [("", 3), ("字" * 1001, 3), ("看过了。", 0)])
def test_a_note_needs_words_and_a_date_to_come(tx: Session, note: str, days: int) -> None:
    _, work = a_red_demand(tx)
    with pytest.raises(NotPossible):
        note_progress(tx, GAO, work, note, TODAY + timedelta(days=days), TODAY, NOW)
    assert rows_of(tx, "follow_up_note") == []


def test_the_database_itself_lets_no_red_demand_be_without_a_date(tx: Session) -> None:
    a_red_demand(tx)
    with pytest.raises(Exception, match="demand_no_red_without_date"), tx.begin_nested():
        tx.execute(text("UPDATE demand SET next_on = NULL"))
