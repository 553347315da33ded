"""Codes and enquiries: who issues and withdraws, one form is one enquiry, who sees it, how it ends, what is kept."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from service.actions.answer_enquiry import Call, close_enquiry, note_call, tell_code
from service.actions.enquire import FROM_ONE_ADDRESS, WINDOW, EnquiryForm, From, enquire
from service.actions.issue_code import CodeForm, issue_code, withdraw_code
from service.clock import machine_now
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import THE_DOOR, Membership, Person, Role, Who, the_platform
from service.domain.scan_code import CloseReason, CodeKind
from service.jobs.forgetting import forget_old_enquiries
from service.store import enquiries, intake_codes, people
from service.store.enquiries import Sought
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    GAO,
    NOW,
    OU,
    SEEN,
    TODAY,
    ZHONGMU,
    ZHONGYUAN,
    a_demand,
    a_small_world,
    rows_of,
)

FORM = EnquiryForm("r" * 22, "方记商贸", "方女士", "13800138000", 30_000_000, "working_capital", SEEN)
EVERYTHING = Sought(only="all")


@pytest.fixture
def cast(database):
    """The small world, and the people who issue codes, with their own rows."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)

        def person(login: str, who: Who) -> Who:
            row = Person(login=login, name=login, password_hash="x", created_at=NOW)
            scope = {"bank_id": who.bank_id, "district": who.district}
            people.add_person(tx, row, Membership(person_id=0, role=who.role.value, since_on=TODAY, **scope))
            return replace(who, person_id=row.id)

        return {
            "gao": person("高", GAO),
            "ou": person("欧", OU),
            "city": person("市", CITY),
            "bai": person("白", Who(Role.OFFICER, bank_id=made.bank)),
            "boss": person("鲍", Who(Role.BANK_ADMIN, bank_id=made.bank)),
            "bo": person("薄", Who(Role.OFFICER, bank_id=made.other_bank)),
        }


def issues(database, who: Who, kind: CodeKind, **other) -> tuple[int, str]:
    form = CodeForm(kind, other.pop("campaign", "走进市场"), TODAY, **other)
    with database.transaction(who) as tx:
        code_id = issue_code(tx, who, form, TODAY, NOW)
        return code_id, intake_codes.get(tx, who, code_id).key


def scans(database, key: str, address: str = "10.0.0.1", today: date = TODAY, **other) -> enquiries.Taken:
    with database.transaction(THE_DOOR) as tx:
        return enquire(tx, THE_DOOR, key, replace(FORM, **other), From(address, machine_now()), today, NOW)


def seen_by(database, who: Who) -> list[int]:
    with database.transaction(who) as tx:
        rows, total = enquiries.find(tx, who, EVERYTHING, TODAY)
        by_the_rows_own_rule = tx.execute(text("SELECT id FROM enquiry ORDER BY id")).scalars().all()
    found = sorted(row.id for row in rows)
    assert (total, list(by_the_rows_own_rule)) == (len(found), found)
    return found


def trail_of(database, verb: str) -> list[dict]:
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, "trail", verb=verb)


def test_each_issues_the_codes_of_their_own_place_and_no_others(database, cast) -> None:
    issues(database, cast["city"], CodeKind.CITY)
    issues(database, cast["city"], CodeKind.DISTRICT, district=ZHONGMU)
    gaos, _ = issues(database, cast["gao"], CodeKind.DISTRICT, district=ZHONGMU)
    bais, _ = issues(database, cast["bai"], CodeKind.OFFICER, district=ZHONGYUAN)
    with database.transaction(cast["gao"]) as tx:
        assert [row.id for row in intake_codes.list_of(tx, cast["gao"], TODAY)[0]] == [gaos]
        assert intake_codes.get(tx, cast["gao"], gaos).district == ZHONGYUAN
    with database.transaction(cast["bo"]) as tx, pytest.raises(NotFound):
        intake_codes.get(tx, cast["bo"], bais)
    for who, kind in (("gao", CodeKind.CITY), ("gao", CodeKind.OUTLET), ("bai", CodeKind.DISTRICT), ("city", "outlet")):
        with pytest.raises(NotAllowed):
            issues(database, cast[who], CodeKind(kind), district=ZHONGYUAN, outlet="支行")
    with pytest.raises(NotPossible):
        issues(database, cast["bai"], CodeKind.OFFICER, district=ZHONGYUAN, person_id=cast["bo"].person_id)
    with pytest.raises(NotPossible):
        issues(database, cast["boss"], CodeKind.OFFICER, district=ZHONGYUAN, person_id=cast["bo"].person_id)
    issues(database, cast["boss"], CodeKind.OFFICER, district=ZHONGYUAN, person_id=cast["bai"].person_id, campaign="二")
    assert [row["new"] for row in trail_of(database, "issued_code")] == [None] * 5


def test_the_same_code_twice_is_one_and_after_its_end_another_may_come(database, cast) -> None:
    code, key = issues(database, cast["gao"], CodeKind.DISTRICT)
    with pytest.raises(Conflict):
        issues(database, cast["gao"], CodeKind.DISTRICT)
    for _ in range(2):
        with database.transaction(cast["gao"]) as tx:
            withdraw_code(tx, cast["gao"], code, TODAY, NOW)
    assert len(trail_of(database, "withdrew_code")) == 1
    with pytest.raises(Conflict):
        scans(database, key)
    issues(database, cast["gao"], CodeKind.DISTRICT)


def test_an_officer_withdraws_their_own_codes_and_an_admin_the_banks(database, cast) -> None:
    code, _ = issues(database, cast["boss"], CodeKind.OUTLET, district=ZHONGYUAN, outlet="建设路支行")
    with pytest.raises(NotAllowed), database.transaction(cast["bai"]) as tx:
        withdraw_code(tx, cast["bai"], code, TODAY, NOW)
    with pytest.raises(NotFound), database.transaction(cast["bo"]) as tx:
        withdraw_code(tx, cast["bo"], code, TODAY, NOW)
    with database.transaction(cast["boss"]) as tx:
        withdraw_code(tx, cast["boss"], code, TODAY, NOW)


def test_a_form_sent_twice_is_one_enquiry_with_one_entry_on_the_trail(database, cast) -> None:
    _, key = issues(database, cast["gao"], CodeKind.DISTRICT)
    first, again = scans(database, key), scans(database, key, firm_name="改了名字")
    assert (first.is_new, again.is_new, again.id) == (True, False, first.id)
    other = scans(database, key, receipt="s" * 22)
    assert seen_by(database, cast["gao"]) == [first.id, other.id]
    assert len(trail_of(database, "enquired")) == 2
    with database.transaction(the_platform("test")) as tx:
        row = rows_of(tx, "enquiry")[0]
    assert (row["firm_name"], row["due_on"]) == ("方记商贸", date(2026, 7, 2))  # two working days


def test_the_door_sees_no_code_and_no_enquiry_and_writes_only_through_a_code_that_holds(database, cast) -> None:
    _, key = issues(database, cast["bai"], CodeKind.OFFICER, district=ZHONGYUAN)
    taken = scans(database, key, district=ZHONGMU)
    with database.transaction(THE_DOOR) as tx:
        assert intake_codes.find_scanned(tx, key).person_name == "白"
        assert intake_codes.find_scanned(tx, "a" * 16) is None
        for table in ("intake_code", "enquiry", "enquiry_contact"):
            assert tx.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0
        changed = tx.execute(text("UPDATE enquiry SET mobile = '1' WHERE id = :id"), {"id": taken.id})
        assert changed.rowcount == 0
    added = "INSERT INTO enquiry SELECT (jsonb_populate_record(NULL::enquiry, '{}')).*"
    for statement in (added, "DELETE FROM enquiry"):
        with pytest.raises(ProgrammingError), database.transaction(THE_DOOR) as tx:
            tx.execute(text(statement))
    with database.transaction(the_platform("test")) as tx:
        (row,) = rows_of(tx, "enquiry")
    assert (row["district"], row["bank_id"], row["person_id"]) == (
        ZHONGYUAN,
        cast["bai"].bank_id,
        cast["bai"].person_id,
    )
    for other in ({"until_on": TODAY}, {"until_on": TODAY + timedelta(days=30)}):
        _, short = issues(database, cast["gao"], CodeKind.DISTRICT, campaign=str(other), **other)
        late = TODAY + timedelta(days=1)
        if other["until_on"] == TODAY:
            with pytest.raises(Conflict):
                scans(database, short, today=late, receipt="x" * 22)
        else:
            scans(database, short, today=late, receipt="x" * 22)


def test_an_enquiry_is_its_districts_and_the_codes_banks_and_nobody_elses(database, cast) -> None:
    _, officers = issues(database, cast["bai"], CodeKind.OFFICER, district=ZHONGYUAN)
    _, citys = issues(database, cast["city"], CodeKind.CITY)
    banks = scans(database, officers).id
    chosen = scans(database, citys, receipt="2" * 22, district=ZHONGMU).id
    with database.transaction(the_platform("test")) as tx:
        tx.execute(text("UPDATE firm SET district = :d WHERE uscc = :u"), {"d": ZHONGMU, "u": FENG})
    registered = scans(database, officers, receipt="3" * 22, uscc=FENG).id
    assert seen_by(database, cast["gao"]) == [banks]
    assert seen_by(database, cast["ou"]) == [chosen, registered]
    assert seen_by(database, cast["bai"]) == [banks, registered]
    assert seen_by(database, cast["bo"]) == []
    assert seen_by(database, cast["city"]) == [banks, chosen, registered]
    for who in (FANG_HERSELF, Who(Role.OPERATOR, 9, "运")):
        with database.transaction(who) as tx:
            assert tx.execute(text("SELECT count(*) FROM enquiry")).scalar_one() == 0
    for who, key in ((cast["bo"], banks), (cast["gao"], chosen)):
        with pytest.raises(NotFound), database.transaction(who) as tx:
            note_call(tx, who, key, Call(reached=True), TODAY, NOW)
    with database.transaction(cast["bai"]) as tx:
        assert intake_codes.counts_of(tx, rows_id(database, officers)) == (2, 0)


def rows_id(database, key: str) -> int:
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, "intake_code", key=key)[0]["id"]


def test_one_address_may_send_only_so_many_in_ten_minutes(database, cast) -> None:
    _, key = issues(database, cast["gao"], CodeKind.DISTRICT)
    with database.transaction(the_platform("test")) as tx:
        for _ in range(FROM_ONE_ADDRESS):
            people.note_attempt(tx, "enquiry:10.0.0.1", machine_now(), succeeded=False)
    with pytest.raises(NotAllowed):
        scans(database, key)
    assert scans(database, key, address="10.0.0.2").is_new
    with database.transaction(THE_DOOR) as tx:
        later = From("10.0.0.1", machine_now() + WINDOW)
        assert enquire(tx, THE_DOOR, key, replace(FORM, receipt="l" * 22), later, TODAY, NOW).is_new


def test_a_call_sets_the_next_date_and_one_not_reached_needs_one(database, cast) -> None:
    _, key = issues(database, cast["bai"], CodeKind.OFFICER, district=ZHONGYUAN)
    one, gao, again_on = scans(database, key).id, cast["gao"], TODAY + timedelta(days=1)
    for call in (Call(reached=False), Call(reached=True, again_on=TODAY)):
        with pytest.raises(NotPossible), database.transaction(gao) as tx:
            note_call(tx, gao, one, call, TODAY, NOW)
    with database.transaction(cast["bai"]) as tx:
        assert enquiries.count_due(tx, cast["bai"], TODAY) == 1
        note_call(tx, cast["bai"], one, Call(reached=False, note="占线", again_on=again_on), TODAY, NOW)
        assert enquiries.count_due(tx, cast["bai"], TODAY) == 0
        assert enquiries.count_due(tx, cast["bai"], again_on) == 1
    with database.transaction(gao) as tx:
        note_call(tx, gao, one, Call(reached=True), TODAY, NOW)
        assert [(row.reached, row.caller) for row in enquiries.list_contacts(tx, one)] == [(False, "白"), (True, "高")]
    assert [row["details"]["reached"] for row in trail_of(database, "called")] == [False, True]


def test_an_end_has_a_reason_and_only_an_official_gives_it(database, cast) -> None:
    _, key = issues(database, cast["bai"], CodeKind.OFFICER, district=ZHONGYUAN)
    one, gao = scans(database, key).id, cast["gao"]
    with pytest.raises(NotAllowed), database.transaction(cast["bai"]) as tx:
        close_enquiry(tx, cast["bai"], one, CloseReason.NOT_WANTED, TODAY, NOW)
    with pytest.raises(NotPossible), database.transaction(gao) as tx:
        close_enquiry(tx, gao, one, CloseReason.EXPIRED, TODAY, NOW)
    with database.transaction(gao) as tx:
        close_enquiry(tx, gao, one, CloseReason.NOT_WANTED, TODAY, NOW)
    with pytest.raises(Conflict), database.transaction(gao) as tx:
        note_call(tx, gao, one, Call(reached=True), TODAY, NOW)
    assert [(row["old"], row["new"]) for row in trail_of(database, "close")] == [("open", "closed")]


def test_the_demand_a_firm_reports_afterwards_joins_its_enquiry_whoever_reports_it(database, cast) -> None:
    _, key = issues(database, cast["bai"], CodeKind.OFFICER, district=ZHONGYUAN)
    fangs, strangers = scans(database, key, uscc=FANG).id, scans(database, key, receipt="o" * 22, uscc=FENG).id
    with database.transaction(FANG_HERSELF) as tx:
        wish = enquiries.find_wish(tx)
    assert (wish.bank_id, wish.amount_fen, wish.use) == (cast["bai"].bank_id, 30_000_000, "working_capital")
    with database.transaction(the_platform("test")) as tx:
        demand = a_demand(tx, FANG)
        states = {row["id"]: (row["state"], row["demand_id"]) for row in rows_of(tx, "enquiry")}
    assert states == {fangs: ("helped", demand), strangers: ("open", None)}
    (entry,) = trail_of(database, "helped")
    assert (entry["noun_id"], entry["demand_id"], entry["uscc"]) == (fangs, demand, FANG)
    with database.transaction(cast["bai"]) as tx:
        assert intake_codes.counts_of(tx, rows_id(database, key)) == (2, 1)
    with database.transaction(FANG_HERSELF) as tx:
        assert enquiries.find_wish(tx) is None


def test_a_code_told_later_joins_what_was_reported_since_and_nothing_from_before(database, cast) -> None:
    _, key = issues(database, cast["gao"], CodeKind.DISTRICT)
    gao, before = cast["gao"], NOW - timedelta(days=3)
    with database.transaction(the_platform("test")) as tx:
        a_demand(tx, FENG, now=before)
    one = scans(database, key).id
    with database.transaction(gao) as tx:
        assert not tell_code(tx, gao, one, FENG, TODAY, NOW)
        assert not tell_code(tx, gao, one, FENG, TODAY, NOW)
    assert len(trail_of(database, "told_code")) == 1
    with database.transaction(the_platform("test")) as tx:
        a_demand(tx, FANG)
    with database.transaction(gao) as tx:
        assert tell_code(tx, gao, one, FANG, TODAY, NOW)


def test_after_its_time_an_enquiry_keeps_coded_facts_and_nothing_of_a_person(database, cast, settings) -> None:
    _, key = issues(database, cast["gao"], CodeKind.DISTRICT)
    gao, later = cast["gao"], TODAY + timedelta(days=3)
    old, new = scans(database, key, uscc=FANG).id, scans(database, key, receipt="n" * 22).id
    with database.transaction(gao) as tx:
        note_call(tx, gao, old, Call(reached=False, note="方女士要出差", again_on=later), TODAY, NOW)
    with database.transaction(the_platform("test")) as tx:
        tx.execute(text("UPDATE enquiry SET came_on = came_on - 400 WHERE id = :id"), {"id": old})
    assert forget_old_enquiries(settings) == 1
    assert forget_old_enquiries(settings) == 0
    with database.transaction(the_platform("test")) as tx:
        gone, kept = (row_of_enquiry(tx, one) for one in (old, new))
        assert [row["note"] for row in rows_of(tx, "enquiry_contact")] == [""]
    assert (gone["firm_name"], gone["contact_name"], gone["mobile"], gone["uscc"]) == ("", "", "", None)
    assert (gone["state"], gone["close_reason"], gone["amount_fen"]) == ("closed", "expired", 30_000_000)
    assert (kept["state"], kept["mobile"]) == ("open", "13800138000")
    assert [row["noun_id"] for row in trail_of(database, "forgotten")] == [old]


def row_of_enquiry(tx, key: int) -> dict:
    return dict(rows_of(tx, "enquiry", id=key)[0])
