"""A firm contests a record; it is answered by a day, and what was wrong leaves display, features, score and light."""

import shutil
from datetime import date

import pytest
from sqlalchemy.exc import DBAPIError

from service.actions.decide_objection import ask_department, decide_objection, follow_in_mirror, note_objection
from service.actions.judge_demand import judge_changed
from service.actions.raise_objection import ObjectionForm, folder_of, raise_objection, withdraw_objection
from service.actions.set_calendar import set_days
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import Role, Who, the_platform
from service.profiles.profile import profile_on
from service.store import firms, objections, records
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG_HIMSELF,
    GAO,
    NOW,
    OU,
    PLATFORM,
    TODAY,
    a_demand,
    a_record,
    a_small_world,
    bai,
    bo,
    row_of,
    rows_of,
)

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
OPERATOR = Who(Role.OPERATOR, 10, "运")
PAID = ObjectionForm("settled", "罚款三月已缴清", "缴款书.pdf", PDF)
IN_THREE_DAYS, IN_SEVEN_DAYS = date(2026, 7, 3), date(2026, 7, 9)


class Cast:
    def __init__(self, database, uploads) -> None:
        self.database, self.uploads = database, uploads
        with self.as_(the_platform("test")) as tx:
            self.world = a_small_world(tx)
            listed = {"code": "dishonest", "party": "court", "status": "open"}
            self.record = a_record(tx, FANG, "dishonesty_listing", "list|1", TODAY.replace(month=3), **listed)
            self.demand = a_demand(tx, FANG, (self.world.bank,), self.world.tools)

    def as_(self, who: Who):
        return self.database.transaction(who)

    def raises(self, who: Who = FANG_HERSELF, form: ObjectionForm = PAID) -> int:
        with self.as_(who) as tx:
            return raise_objection(tx, who, self.record, form, self.uploads, TODAY, NOW)

    def decides(self, key: int, decision: str = "upheld", who: Who = GAO) -> None:
        with self.as_(who) as tx:
            decide_objection(tx, who, key, decision, "法院已确认屏蔽", TODAY, NOW)

    def row(self, key: int):
        with self.as_(PLATFORM) as tx:
            return row_of(tx, "objection", key)

    def verbs(self) -> list[str]:
        with self.as_(PLATFORM) as tx:
            return [row["verb"] for row in rows_of(tx, "trail", noun="objection")]


@pytest.fixture
def cast(database, settings) -> Cast:
    shutil.rmtree(settings.uploads, ignore_errors=True)
    return Cast(database, settings.uploads)


def test_an_objection_is_answered_within_three_working_days_and_the_record_stays_in_force(cast) -> None:
    key = cast.raises()
    row = cast.row(key)
    assert (row["state"], row["due_on"], row["district"]) == ("open", IN_THREE_DAYS, GAO.district)
    assert (folder_of(cast.uploads, FANG) / row["sha256"]).read_bytes() == PDF
    with cast.as_(FANG_HERSELF) as tx:
        assert any(fact.record.id == cast.record for one in profile_on(tx, FANG, TODAY).held for fact in one.facts)
    with cast.as_(PLATFORM) as tx:
        (told,) = rows_of(tx, "notice", kind="objection_raised")
    assert (told["district"], told["values"]["objection_id"]) == (GAO.district, key)
    assert cast.verbs() == ["raise"]


def test_a_fact_has_one_open_objection_however_often_it_is_raised(cast) -> None:
    assert cast.raises() == cast.raises()
    assert cast.verbs() == ["raise"]
    with cast.as_(PLATFORM) as tx:
        row = dict(rows_of(tx, "objection")[0])
        with pytest.raises(Conflict):
            objections.add(tx, {name: value for name, value in row.items() if name != "id"})


def test_put_to_the_department_the_answer_has_seven_working_days_from_the_day_it_was_raised(cast) -> None:
    key = cast.raises()
    with cast.as_(OPERATOR) as tx:
        ask_department(tx, OPERATOR, key, "已函请法院核对", TODAY, NOW)
        with pytest.raises(Conflict):
            ask_department(tx, OPERATOR, key, "再问", TODAY, NOW)
    assert (cast.row(key)["due_on"], cast.row(key)["asked_on"]) == (IN_SEVEN_DAYS, TODAY)
    with cast.as_(GAO) as tx:
        note_objection(tx, GAO, key, "法院回电", NOW)
        assert [one.step for one in objections.list_notes(tx, key)] == ["asked", "note"]
    assert cast.verbs() == ["raise", "put", "note"]


def test_an_upheld_objection_takes_the_record_out_and_the_light_says_why_it_changed(cast, settings) -> None:
    with cast.as_(PLATFORM) as tx:
        assert row_of(tx, "demand", cast.demand)["light"] != "green"
    key = cast.raises()
    cast.decides(key)
    with cast.as_(FANG_HERSELF) as tx:
        assert not any(fact.record.id == cast.record for one in profile_on(tx, FANG, TODAY).held for fact in one.facts)
    with cast.as_(PLATFORM) as tx:
        assert follow_in_mirror(tx, PLATFORM, settings.mirror, NOW) == 1
        assert follow_in_mirror(tx, PLATFORM, settings.mirror, NOW) == 0
        assert judge_changed(tx, PLATFORM, cast.world.tools, TODAY, NOW) == 1
    with cast.as_(PLATFORM) as tx:
        demand, (*_, changed) = row_of(tx, "demand", cast.demand), rows_of(tx, "light_change")
        assert (demand["light"], changed["new"], changed["reason"]) == ("green", "green", "objection_upheld")
        assert rows_of(tx, "verdict")[-1]["cause"] == "objection_upheld"
        lights = [row["values"] for row in rows_of(tx, "notice", kind="light_changed")]
        assert [row["uscc"] for row in rows_of(tx, "notice", kind="objection_upheld")] == [FANG]
    assert lights[-1]["reason"] == "objection_upheld"
    assert cast.verbs() == ["raise", "uphold"]


def test_a_won_objection_is_not_forgotten_because_a_feed_comes_before_the_judge(cast) -> None:
    cast.decides(cast.raises())
    with cast.as_(PLATFORM) as tx:
        firms.mark_stale(tx, [FANG], "tax_payment", NOW)
        assert [row["reason"] for row in rows_of(tx, "firm_stale")] == ["objection_upheld"]


def test_a_refused_objection_leaves_the_record_and_may_be_raised_again(cast) -> None:
    key = cast.raises()
    cast.decides(key, "refused")
    with cast.as_(PLATFORM) as tx:
        assert records.get(tx, cast.record).withdrawn_on is None
        assert rows_of(tx, "notice", kind="objection_refused")[0]["values"]["objection_id"] == key
    assert cast.raises() != key


def test_a_firm_takes_its_objection_back_once_and_not_after_the_answer(cast) -> None:
    key = cast.raises()
    for _again in range(2):
        with cast.as_(FANG_HERSELF) as tx:
            withdraw_objection(tx, FANG_HERSELF, key, TODAY, NOW)
    assert (cast.row(key)["state"], cast.verbs()) == ("withdrawn", ["raise", "withdraw"])
    answered = cast.raises()
    cast.decides(answered, "refused")
    with cast.as_(FANG_HERSELF) as tx, pytest.raises(Conflict):
        withdraw_objection(tx, FANG_HERSELF, answered, TODAY, NOW)


def test_nobody_contests_for_another_and_nobody_decides_who_may_not(cast) -> None:
    with cast.as_(FENG_HIMSELF) as tx, pytest.raises(NotFound):
        raise_objection(tx, FENG_HIMSELF, cast.record, PAID, cast.uploads, TODAY, NOW)
    with cast.as_(GAO) as tx, pytest.raises(NotAllowed):
        raise_objection(tx, GAO, cast.record, PAID, cast.uploads, TODAY, NOW)
    key = cast.raises()
    for who, refusal in ((OU, NotFound), (CITY, NotAllowed), (bai(cast.world.bank), NotAllowed)):
        with cast.as_(who) as tx, pytest.raises(refusal):
            decide_objection(tx, who, key, "upheld", "是", TODAY, NOW)
    cast.decides(key)
    with cast.as_(GAO) as tx, pytest.raises(Conflict):
        decide_objection(tx, GAO, key, "refused", "改主意", TODAY, NOW)


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (ObjectionForm("?", "对"), "wrong"),
        (ObjectionForm("date", "  "), "right_is"),
        (ObjectionForm("date", "对", "x.pdf", b"no pdf"), "file"),
    ],
)
def test_what_is_missing_or_no_paper_is_said_beside_its_field(cast, form, field) -> None:
    with pytest.raises(NotPossible) as refused:
        cast.raises(form=form)
    assert refused.value.field == field


def test_a_decision_needs_its_reasons(cast) -> None:
    key = cast.raises()
    with cast.as_(GAO) as tx, pytest.raises(NotPossible) as refused:
        decide_objection(tx, GAO, key, "upheld", " ", TODAY, NOW)
    assert refused.value.field == "answer"


def test_an_objection_is_seen_by_its_firm_its_district_and_the_city_and_written_to_by_no_other_district(cast) -> None:
    cast.raises()
    for who, seen in (
        (bo(cast.world.other_bank), 0),
        (OU, 0),
        (FENG_HIMSELF, 0),
        (GAO, 1),
        (CITY, 1),
        (FANG_HERSELF, 1),
    ):
        with cast.as_(who) as tx:
            assert len(rows_of(tx, "objection")) == seen, who
    with cast.as_(OU) as tx, pytest.raises(DBAPIError):
        objections.add_note(
            tx, {"objection_id": 1, "district": GAO.district, "step": "note", "note": "x", "written_at": NOW}
        )


def test_beyond_the_calendar_the_answers_day_waits_and_comes_when_the_days_are_set(cast) -> None:
    last = date(2026, 12, 31)
    with cast.as_(FANG_HERSELF) as tx:
        key = raise_objection(tx, FANG_HERSELF, cast.record, PAID, cast.uploads, last, NOW)
    assert (cast.row(key)["due_on"], cast.row(key)["waits_for_calendar"]) == (None, True)
    with cast.as_(OPERATOR) as tx:
        set_days(tx, OPERATOR, {date(2027, 1, day): day > 3 for day in range(1, 9)}, "2027", last, NOW)
    assert (cast.row(key)["due_on"], cast.row(key)["waits_for_calendar"]) == (date(2027, 1, 6), False)
