"""A firm registers itself: who comes in at once, who waits, never twice, with a trail; what the door may not do."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

from service import security
from service.actions import register_firm
from service.actions.admit_person import decide_registration
from service.actions.end_account import end_account
from service.actions.register_firm import PROVED_FOR, Proof
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.people import THE_DOOR, Membership, Person, Role, Who
from service.domain.real_name import Capacity, Claim, Finding, RealNameOutcome, RealNameRefusal
from service.domain.registration import RegistrationState
from service.domain.standards import identity, uscc
from service.jobs.tasks import forget_drafts
from service.real_names import TEST_IDENTITIES, HttpProvider, NotConnected, Sandbox, provider_of
from service.settings import NotReady, read_settings
from service.store import people, registrations
from service.store.database import Database
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
    ZHONGYUAN,
    a_firm,
    rows_of,
)
from tests.registering import DAI, NEWS, SHI, a_sending, a_waiting_deputy, fills, sends


def rows(database: Database, table: str, **where):
    with database.transaction(PLATFORM) as tx:
        return rows_of(tx, table, **where)


@pytest.fixture
def fang(database: Database) -> int:
    """Fang's firm, for which she acts already; her key."""
    with database.transaction(PLATFORM) as tx:
        a_firm(tx, FANG)
        person = Person(login="fang", name="方", password_hash="x", created_at=NOW)
        people.add_person(tx, person, Membership(person_id=0, role="firm", uscc=FANG, since_on=TODAY))
        registrations.register_by_hand(tx, FANG, TODAY)
        return person.id or 0


def decides(database: Database, who: Who, key: int, *, admits: bool = True) -> RegistrationState:
    with database.transaction(who) as tx:
        return decide_registration(tx, who, key, admits, TODAY, NOW)


def acts_for(database: Database, login: str) -> list[str]:
    """The firms somebody acts for, as the door looks them up."""
    with database.transaction(THE_DOOR) as tx:
        person = people.find_by_login(tx, login)
        assert person is not None
        return [row.uscc for row in people.list_memberships(tx, person.id or 0, TODAY)]


def test_a_representative_acts_at_once_for_a_firm_nobody_knew_and_the_trail_has_one_entry(database: Database) -> None:
    found = sends(database, a_sending(), fills(database, a_sending()))
    assert found.state == RegistrationState.OPENED
    assert acts_for(database, "shiming") == [NEWS]
    (firm,) = rows(database, "firm")
    assert (firm["uscc"], firm["name"], firm["status"], firm["district"]) == (
        NEWS,
        "郑州新芽商贸有限公司",
        "unknown",
        "",
    )
    assert [(row["verb"], row["new"]) for row in rows(database, "trail", noun="registration")] == [
        ("register", "opened")
    ]
    assert [(row["verb"], row["new"]) for row in rows(database, "trail", noun="real_name")] == [("check", "passed")]


def test_a_second_representative_comes_in_and_the_people_who_are_there_are_told(database: Database, fang: int) -> None:
    sending = a_sending(FANG)
    assert sends(database, sending, fills(database, sending)).state == RegistrationState.OPENED
    assert acts_for(database, "shiming") == [FANG]
    assert [(row["kind"], row["uscc"]) for row in rows(database, "notice")] == [("person_joined", FANG)]
    (here,) = rows(database, "registered_firm")
    assert (here["registered_on"], here["real_named_on"]) == (TODAY, TODAY)


def test_a_deputy_waits_for_the_firms_people_and_nobody_else_can_say_yes(database: Database, fang: int) -> None:
    key = a_waiting_deputy(database, FANG)
    assert acts_for(database, "dai-deputy") == []
    for stranger in (FENG_HIMSELF, OU):
        with pytest.raises(NotFound):
            decides(database, stranger, key)
    with pytest.raises(NotAllowed):
        decides(database, Who(Role.OPERATOR, 9, "欧"), key)
    her = replace(FANG_HERSELF, person_id=fang)
    assert decides(database, her, key) == RegistrationState.OPENED
    assert decides(database, her, key, admits=False) == RegistrationState.OPENED
    assert acts_for(database, "dai-deputy") == [FANG]
    entries = rows(database, "trail", noun="registration")
    assert [(row["verb"], row["old"], row["new"]) for row in entries] == [
        ("register", "filling", "waiting"),
        ("admit", "waiting", "opened"),
    ]


def test_a_deputy_who_is_refused_acts_for_nobody_and_may_ask_again(database: Database, fang: int) -> None:
    her = replace(FANG_HERSELF, person_id=fang)
    assert decides(database, her, a_waiting_deputy(database, FANG), admits=False) == RegistrationState.REFUSED
    assert acts_for(database, "dai-deputy") == []
    assert rows(database, "registered_firm")[0]["real_named_on"] is None
    assert a_waiting_deputy(database, FANG, token="again") > 0


def test_an_office_is_asked_where_a_firm_has_nobody_or_nobody_answers_for_a_week(database: Database, fang: int) -> None:
    with database.transaction(PLATFORM) as tx:
        a_firm(tx, uscc.synthetic("enterprise", 77), name="郑州无人商贸有限公司")
    a_waiting_deputy(database, uscc.synthetic("enterprise", 77))
    a_waiting_deputy(database, FANG, token="fang")
    a_waiting_deputy(database, NEWS, token="news")
    assert NEWS not in [row["uscc"] for row in rows(database, "firm")]

    def waiting(who: Who, later: int = 0) -> list[str]:
        with database.transaction(who) as tx:
            now = NOW + later * registrations.OFFICE_AFTER * 1.01
            assert registrations.count_to_decide(tx, who, now) == len(registrations.list_to_decide(tx, who, now))
            return [row.uscc for row in registrations.list_to_decide(tx, who, now)]

    assert waiting(GAO) == [uscc.synthetic("enterprise", 77)]
    assert waiting(OU) == []
    assert waiting(CITY) == [uscc.synthetic("enterprise", 77), NEWS]
    assert waiting(FANG_HERSELF) == [FANG]
    assert waiting(GAO, later=1) == [uscc.synthetic("enterprise", 77), FANG]
    assert [(row["district"], row["uscc"]) for row in rows(database, "notice")] == [
        (ZHONGYUAN, None),
        (None, FANG),
        (None, None),
    ]


def test_sent_twice_at_once_is_one_registration_one_person_and_one_role(database: Database) -> None:
    fills(database, a_sending())
    seen, at_once = [], threading.Barrier(2)

    def send() -> None:
        at_once.wait()
        seen.append(sends(database, a_sending()).state)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["opened", "opened"]
    assert len(rows(database, "person")) == len(rows(database, "membership")) == 1
    assert len(rows(database, "trail", noun="registration")) == 1


def test_one_person_registers_for_one_firm_once_and_a_sign_in_name_is_given_once(database: Database) -> None:
    sends(database, a_sending(), fills(database, a_sending()))
    again = a_sending(login="another")
    with pytest.raises(Conflict, match="已经为这家企业登记过"):
        sends(database, again, fills(database, again, "second"))
    elsewhere = a_sending(FANG)
    with pytest.raises(Conflict, match="shiming"):
        fills(database, elsewhere, "third")
    with pytest.raises(Conflict, match="不能再改"):
        fills(database, a_sending())


def test_without_a_fresh_check_nothing_is_sent(database: Database) -> None:
    fills(database, a_sending())
    with database.transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE registration SET proved_on = :old"), {"old": TODAY - 2 * PROVED_FOR})
    with pytest.raises(NotPossible, match="实名核验"):
        sends(database, a_sending())
    assert rows(database, "person") == []


def test_what_was_confirmed_for_one_firm_proves_nothing_for_another_typed_meanwhile(database: Database) -> None:
    asked = Proof(CLAIM, {"firm": {"uscc": [NEWS]}}, "d", "sandbox", "0" * 64)
    with database.transaction(THE_DOOR) as tx:
        register_firm.begin(tx, "token", "10.0.0.1", NOW, NOW)
        register_firm.keep_answers(tx, "token", "firm", {"uscc": [FANG]}, NOW)
        register_firm.note_finding(tx, "token", asked, Finding(RealNameOutcome.PASSED), TODAY, NOW)
    assert rows(database, "registration")[0]["proved_by"] is None
    with pytest.raises(NotPossible, match="实名核验"):
        sends(database, a_sending(FANG))


def test_the_door_sees_one_registration_and_makes_neither_firms_nor_roles(database: Database, fang: int) -> None:
    fills(database, a_sending(), "mine")
    fills(database, a_sending(FANG, "other"), "theirs", number=DAI[1])

    def refused(statement: str, *, token: str = "mine", **values: object) -> bool:
        """Whether the database says no; silence with no row touched is a no too."""
        try:
            with database.transaction(THE_DOOR) as tx:
                registrations.find(tx, security.hash_token(token))
                return tx.execute(text(statement), values).rowcount == 0  # type: ignore[attr-defined]
        except ProgrammingError as no:
            assert "row-level security" in str(no) or "permission denied" in str(no)
            return True

    with database.transaction(THE_DOOR) as tx:
        assert rows_of(tx, "registration") == []
        registrations.find(tx, security.hash_token("mine"))
        assert [row["uscc"] for row in rows_of(tx, "registration")] == [None]
        assert len(rows_of(tx, "real_name_check")) == 1
        assert rows_of(tx, "registered_firm") == []
    firm = "INSERT INTO firm (uscc, name, kind, district, industry, status, size_class, wrong_code)"
    assert refused(f"{firm} VALUES (:u, '甲', 'enterprise', '', '', 'unknown', 'unclassified', false)", u=NEWS)
    assert refused("UPDATE firm SET name = '乙'")
    assert refused("INSERT INTO membership (person_id, role, since_on) VALUES (:p, 'operator', now())", p=fang)
    assert refused("UPDATE membership SET role = 'city', uscc = NULL")
    assert refused("INSERT INTO registered_firm (uscc, registered_on) VALUES (:u, now())", u=NEWS)
    assert refused("UPDATE registration SET answers = '{}' WHERE token_hash = :t", t=security.hash_token("theirs"))
    assert refused("DELETE FROM registration WHERE token_hash = :t", t=security.hash_token("theirs"))
    assert refused("UPDATE real_name_check SET outcome = 'passed'")
    theirs = rows(database, "registration", token_hash=security.hash_token("theirs"))[0]["id"]
    assert refused("SELECT * FROM enter_registration(:id)", id=theirs)
    assert len(rows(database, "membership")) == 1


def test_the_door_cannot_open_a_deputys_registration_by_itself(database: Database) -> None:
    deputy = a_sending(claim_name=DAI[0], capacity=Capacity.DEPUTY, authority="授权书")
    sends(database, deputy, fills(database, deputy))
    with database.transaction(THE_DOOR) as tx:
        registrations.find(tx, security.hash_token("token"))
        opened = tx.execute(text("UPDATE registration SET state = 'opened', opened_on = now()"))
        assert opened.rowcount == 0  # type: ignore[attr-defined]
    assert rows(database, "membership") == []


def test_a_person_whose_role_ended_does_not_come_in_again_by_their_registration(database: Database) -> None:
    sends(database, a_sending(), fills(database, a_sending()))
    operator = Who(Role.OPERATOR, 99, "欧")
    with database.transaction(operator) as tx:
        end_account(tx, operator, rows_of(tx, "membership")[0]["id"], TODAY, NOW)
    assert sends(database, a_sending()).state == RegistrationState.OPENED
    assert acts_for(database, "shiming") == []


def test_an_account_given_out_by_hand_is_registered_and_not_real_named(tx: Session) -> None:
    from service.actions.add_account import NewAccount, add_account

    a_firm(tx, FANG)
    add_account(tx, PLATFORM, NewAccount("fang", "方", "firm", "a long enough word", uscc=FANG), NOW)
    (here,) = rows_of(tx, "registered_firm")
    assert (here["uscc"], here["real_named_on"]) == (FANG, None)


def test_a_draft_nobody_touches_for_a_week_is_forgotten_and_what_was_sent_stays(database: Database, settings) -> None:
    sends(database, a_sending(), fills(database, a_sending()))
    fills(database, a_sending(FANG, "other"), "left", number=DAI[1])
    with database.transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE registration SET updated_at = updated_at - interval '400 days'"))
    assert forget_drafts(settings) == 1
    assert [row["state"] for row in rows(database, "registration")] == ["opened"]
    assert len(rows(database, "real_name_check")) == 2


@contextmanager
def a_service(status: int, body: object) -> Iterator[tuple[HttpProvider, list[dict[str, object]]]]:
    """A real-name service on this machine that answers so, and what it was asked."""
    asked: list[dict[str, object]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(sent | {"key": self.headers["Authorization"]})
            answer = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield HttpProvider("核验", f"http://127.0.0.1:{server.server_port}/check", "k-1", 2), asked
        finally:
            server.shutdown()


CLAIM = Claim("石鸣", SHI[1], "13800000001", NEWS, "新芽", Capacity.REPRESENTATIVE)


def test_the_service_over_http_is_asked_once_with_the_key_and_its_answer_is_taken_as_it_is() -> None:
    with a_service(200, {"outcome": "passed", "reference": "A-7", "more": 1}) as (provider, asked):
        assert provider.check(CLAIM) == Finding(RealNameOutcome.PASSED, None, "A-7")
    assert asked == [
        {"name": "石鸣", "number": SHI[1], "mobile": "13800000001", "uscc": NEWS, "firm_name": "新芽",
         "capacity": "representative", "key": "Bearer k-1"}
    ]  # fmt: skip
    with a_service(200, {"outcome": "refused", "code": "mobile_differs"}) as (provider, _asked):
        assert provider.check(CLAIM) == Finding(RealNameOutcome.REFUSED, RealNameRefusal.MOBILE_DIFFERS)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"outcome": "passed"}),
        (302, {"outcome": "passed"}),
        (200, "not JSON"),
        (200, {"outcome": "yes"}),
        (200, {"outcome": "refused"}),
        (200, {"outcome": "refused", "code": "dislikes"}),
        (200, {"outcome": "passed", "code": "mobile_differs"}),
    ],
)
def test_any_other_answer_of_the_service_says_nothing_of_the_person(status: int, body: object) -> None:
    with a_service(status, body) as (provider, asked):
        assert provider.check(CLAIM).outcome is RealNameOutcome.UNAVAILABLE
    assert len(asked) == 1


def test_a_service_that_is_not_there_and_none_at_all_are_unavailable(tmp_path) -> None:
    assert HttpProvider("核验", "http://127.0.0.1:9/", "", 0.5).check(CLAIM).outcome is RealNameOutcome.UNAVAILABLE
    assert NotConnected("核验").check(CLAIM).outcome is RealNameOutcome.UNAVAILABLE
    assert isinstance(provider_of(read_settings(home=tmp_path, demo=True)), Sandbox)
    assert isinstance(provider_of(read_settings(home=tmp_path)), NotConnected)
    real = read_settings(home=tmp_path, demo=True, real_name_url="https://real.example/check", real_name_key="k")
    assert isinstance(provider_of(real), HttpProvider)
    assert "k-1" not in repr(read_settings(home=tmp_path, real_name_key="k-1"))
    with pytest.raises(NotReady, match="REAL_NAME_URL"):
        read_settings(home=tmp_path, real_name_url="http://real.example/check")


def test_the_sandbox_knows_its_people_and_nobody_elses_number() -> None:
    assert all(identity.is_possible(one.number) for one in TEST_IDENTITIES)
    assert all(one.number.startswith(uscc.SYNTHETIC_DIVISION) for one in TEST_IDENTITIES)
    assert Sandbox("s").check(replace(CLAIM, name="石名")).code is RealNameRefusal.IDENTITY_DIFFERS
    as_deputy = replace(CLAIM, name=DAI[0], number=DAI[1], capacity=Capacity.DEPUTY)
    assert Sandbox("s").check(as_deputy).outcome is RealNameOutcome.PASSED
    assert SHI[1] not in repr(CLAIM)


def test_an_identity_number_is_judged_by_form_day_and_check_and_shown_by_its_end() -> None:
    assert identity.is_possible(identity.clean(" ４１０１９９ 19900101 1006 "))
    assert not any(identity.is_possible(one) for one in ("", SHI[1][:-1] + "7", "410199199013011006", "0" * 18))
    assert identity.masked(SHI[1]) == "**************1006"


def test_every_code_is_without_fault_exactly_where_it_is_valid() -> None:
    assert uscc.fault_of(FANG) is None
    for place in range(18):
        wrong = FANG[:place] + ("3" if FANG[place] != "3" else "4") + FANG[place + 1 :]
        fault = uscc.fault_of(wrong)
        assert fault is not None
        assert fault.kind == ("body" if 8 <= place < 17 else "outside")
