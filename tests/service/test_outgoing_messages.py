"""Messages leave once: with their notice, through a provider, over a crash, not at night, and to whom they should."""

import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sqlalchemy import text

from service import security
from service.actions import send_messages as sending
from service.actions.send_messages import ADDRESS, Sending, code_of
from service.actions.set_contacts import ask_address, confirm_address, prefer, remove_address
from service.clock import CITY, day_of, instant_on
from service.domain.errors import Conflict, NotAllowed, NotFound, NotPossible
from service.domain.outgoing import (
    LEAVES,
    LEGAL,
    Letter,
    MessageChannel,
    MessageFault,
    MessageOutcome,
    Receipt,
    Told,
    Written,
    is_quiet,
    masked_address,
)
from service.domain.people import Membership, Person, Role, Who
from service.message_providers import HttpSms, NotConnected, Sandbox, SmtpMail, providers_of
from service.settings import NotReady, read_settings
from service.store import contacts, notices, outgoing, people
from service.store.database import transaction
from service.store.notices import Message
from tests.builders import FANG, FENG, PLATFORM, TODAY, ZHONGMU, a_bank, a_firm, rows_of
from web.message_words import MOST_CHARACTERS, compose

SMS, EMAIL = MessageChannel.SMS, MessageChannel.EMAIL
NOON = instant_on(TODAY, 12)
OPERATOR = Who(Role.OPERATOR, 10, "运")
MOBILE = "13800000001"
LETTER = Letter("0b0e7d5c-0000-4000-8000-000000000001", MOBILE, Written("题", "【信灯】有银行报价。"))


@dataclass
class At:
    """A clock that stands."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def today(self) -> date:
        return day_of(self.at)


class Killed(BaseException):
    """What no handler of ours catches: as good as SIGKILL for what is left behind."""


@dataclass
class Carrier:
    """A provider that remembers keys, and what it is told to do with the next letters."""

    says: list[Receipt | str] = field(default_factory=list)
    can_be_asked: bool = True
    taken: dict[str, Letter] = field(default_factory=dict)
    calls: int = 0
    name: str = "carrier"
    is_connected: bool = True

    def send(self, letter: Letter) -> Receipt:
        self.calls += 1
        say = self.says.pop(0) if self.says else "take"
        if isinstance(say, Receipt):
            return say
        if say != "die before":
            self.taken[letter.key] = letter
        if say.startswith("die"):
            raise Killed
        return Receipt(MessageOutcome.ACCEPTED, reference="R-1")

    def find(self, key: str) -> Receipt:
        if not self.can_be_asked:
            return Receipt(MessageOutcome.UNASKABLE)
        return Receipt(MessageOutcome.ACCEPTED if key in self.taken else MessageOutcome.ABSENT)


@pytest.fixture
def fang(database) -> Who:
    """Fang registered with her mobile number."""
    with transaction(PLATFORM) as tx:
        a_firm(tx)
        return a_person(tx, "fang", "方", phone=MOBILE, role="firm", uscc=FANG)


def a_person(tx, login: str, name: str, *, phone: str | None = None, role: str, **scope: Any) -> Who:
    person = Person(login=login, name=name, phone=phone, password_hash="x", created_at=NOON)
    people.add_person(tx, person, Membership(person_id=0, role=role, since_on=TODAY, **scope))
    return Who(Role(role), person.id, name, **scope)


def tell(*kinds: str, uscc: str = FANG) -> None:
    with transaction(PLATFORM) as tx:
        notices.add(tx, [Message(kind, uscc=uscc) for kind in kinds], TODAY, NOON)


def reach(settings, who: Who, channel: MessageChannel, address: str) -> None:
    """The whole way of an address, code and all."""
    with transaction(who) as tx:
        ask_address(tx, who, channel, address, settings.secret_key, TODAY, NOON)
    with transaction(who) as tx:
        asked = contacts.find_by_channel(tx, who.person_id)[channel]
        code = code_of(settings.secret_key, who.person_id, channel, asked.asked_salt, address)
        assert confirm_address(tx, who, channel, code, settings.secret_key, NOON) is None
    with transaction(PLATFORM) as tx:
        tx.execute(text("DELETE FROM outgoing_message WHERE topic = 'code'"))


def run(settings, carrier: Any, at: datetime = NOON, mail: Any = None) -> dict[str, int]:
    providers = {SMS: carrier, EMAIL: mail or carrier}
    return dict(sending.send_messages(Sending(settings, providers, partial(compose, settings)), At(at)))


def messages(**where: Any) -> list[Any]:
    with transaction(PLATFORM) as tx:
        return rows_of(tx, "outgoing_message", **where)


def left_long_ago() -> None:
    with transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE outgoing_message SET claimed_at = claimed_at - interval '5 minutes'"))


def test_a_notice_that_leaves_becomes_one_message_with_it_or_not_at_all(settings, fang) -> None:
    tell("line_offered", "demand_reported")
    (one,) = messages()
    assert (one["kind"], one["topic"], one["channel"], one["state"]) == ("line_offered", "offers", "sms", "waiting")
    with transaction(PLATFORM) as tx:  # the same notice again adds nothing
        outgoing.queue(tx, [(one["notice_id"], "line_offered")])
    with pytest.raises(RuntimeError), transaction(PLATFORM) as tx:
        notices.add(tx, [Message("line_granted", uscc=FANG)], TODAY, NOON)
        raise RuntimeError
    assert len(messages()) == 1
    tell("line_offered", uscc=FENG)  # nobody acts for that firm
    assert len(messages()) == 1


def test_a_message_is_sent_with_masked_address_and_words_and_only_once(settings, fang) -> None:
    tell("line_offered")
    carrier = Carrier()
    assert run(settings, carrier) == {"sent": 1}
    assert run(settings, carrier) == {}
    ((key, letter),) = carrier.taken.items()
    (one,) = messages()
    assert (letter.to, str(one["key"])) == (MOBILE, key)
    assert letter.words.body.startswith("【信灯】有银行对您的融资需求报价。")
    assert f"/n/{one['notice_id']}" in letter.words.body
    assert (one["address_shown"], one["reference"], one["sent_at"]) == ("138****0001", "R-1", NOON)
    assert MOBILE not in str(dict(one))
    assert one["address_digest"] == security.keyed_digest(settings.secret_key, ADDRESS, MOBILE)


def test_two_workers_never_claim_the_same_message(settings, fang) -> None:
    tell("line_offered")
    hands = Sending(settings, dict.fromkeys(MessageChannel, Carrier()), partial(compose, settings))
    with transaction(PLATFORM) as one, transaction(PLATFORM) as other:
        assert sending.claim_next(one, hands, TODAY, NOON) is not None
        assert sending.claim_next(other, hands, TODAY, NOON) is None
    with transaction(PLATFORM) as tx:
        assert sending.claim_next(tx, hands, TODAY, NOON) is None


def test_a_worker_killed_after_the_call_sends_nothing_twice(settings, fang) -> None:
    tell("line_offered")
    carrier = Carrier(says=["die after"])
    with pytest.raises(Killed):
        run(settings, carrier)
    assert [one["state"] for one in messages()] == ["sending"]
    assert run(settings, carrier) == {}  # its lease still runs
    left_long_ago()
    assert run(settings, carrier) == {"sent": 1}
    assert (carrier.calls, len(carrier.taken)) == (1, 1)


def test_a_worker_killed_before_the_call_sends_it_the_next_time_under_the_same_key(settings, fang) -> None:
    tell("line_offered")
    carrier = Carrier(says=["die before"])
    with pytest.raises(Killed):
        run(settings, carrier)
    left_long_ago()
    assert run(settings, carrier) == {"waiting": 1}
    assert run(settings, carrier, NOON + timedelta(minutes=2)) == {"sent": 1}
    assert (carrier.calls, list(carrier.taken)) == (2, [str(messages()[0]["key"])])


def test_where_nobody_can_be_asked_it_is_unknown_until_the_operator_decides(settings, fang) -> None:
    tell("line_offered", "line_granted")
    mail = Carrier(says=["die after", "die after"], can_be_asked=False)
    for _ in range(2):
        with pytest.raises(Killed):
            run(settings, mail)
    left_long_ago()
    assert run(settings, mail) == {"unknown": 2}
    assert run(settings, mail) == {}
    assert mail.calls == 2
    first, second = messages()
    assert first["fault"] == "cannot_be_asked"
    with transaction(OPERATOR) as tx:
        sending.settle(tx, OPERATOR, first["id"], NOON)
        sending.send_again(tx, OPERATOR, second["id"], TODAY, NOON)
    with transaction(OPERATOR) as tx, pytest.raises(Conflict):
        sending.settle(tx, OPERATOR, first["id"], NOON)
    assert run(settings, mail) == {"sent": 1}
    assert [one["state"] for one in messages()] == ["sent", "sent"]
    assert messages()[1]["key"] == second["key"]
    with transaction(PLATFORM) as tx:
        trail = rows_of(tx, "trail", noun="outgoing_message")
    assert [(one["verb"], one["old"], one["new"]) for one in trail] == [
        ("settled", "unknown", "sent"),
        ("sent_again", "unknown", "waiting"),
    ]


def test_an_answer_that_never_came_is_asked_for_and_a_silent_provider_ends_as_unknown(settings, fang) -> None:
    tell("line_offered")
    lost = Receipt(MessageOutcome.UNCERTAIN)
    carrier = Carrier(says=[lost])
    assert run(settings, carrier) == {"sending": 1}
    carrier.find = lambda _key: lost
    left_long_ago()
    assert run(settings, carrier) == {"sending": 1}
    with transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE outgoing_message SET claimed_at = claimed_at - interval '25 hours'"))
    assert run(settings, carrier) == {"unknown": 1}
    assert carrier.calls == 1


def test_a_provider_that_takes_nothing_is_tried_five_times_and_a_refusal_is_final(settings, fang) -> None:
    tell("line_offered")
    away = Receipt(MessageOutcome.UNAVAILABLE)
    carrier = Carrier(says=[away] * 5)
    for hour in range(4):
        assert run(settings, carrier, NOON + timedelta(hours=2 * hour)) == {"waiting": 1}
        assert run(settings, carrier, NOON + timedelta(hours=2 * hour)) == {}
    assert run(settings, carrier, NOON + timedelta(hours=8)) == {"failed": 1}
    (one,) = messages()
    assert (one["tries"], one["fault"]) == (5, "no_answer")
    with transaction(OPERATOR) as tx:
        sending.send_again(tx, OPERATOR, one["id"], TODAY, NOON)
    assert messages()[0]["key"] != one["key"]
    carrier.says = [Receipt(MessageOutcome.REFUSED, MessageFault.ADDRESS_REFUSED)]
    assert run(settings, carrier) == {"failed": 1}
    assert messages()[0]["fault"] == "address_refused"
    with transaction(OPERATOR) as tx, pytest.raises(NotFound):
        sending.send_again(tx, OPERATOR, 999_999, TODAY, NOON)


def test_nothing_leaves_at_night_nor_beyond_the_days_number_but_what_is_legal_does(settings, fang) -> None:
    assert [is_quiet(instant_on(TODAY, hour).astimezone(CITY).time()) for hour in (7, 8, 21, 22)] == [
        True, False, False, True,
    ]  # fmt: skip
    tell(*["line_offered"] * 6, "objection_upheld")
    carrier = Carrier()
    assert run(settings, carrier, instant_on(TODAY, 22)) == {}
    assert run(settings, carrier, instant_on(TODAY + timedelta(days=1), 7, 59)) == {}
    assert run(settings, carrier, instant_on(TODAY + timedelta(days=1), 8)) == {"sent": 6, "suppressed": 1}
    (one,) = messages(state="suppressed")
    assert (one["kind"], one["fault"]) == ("line_offered", "too_many")
    tell("line_granted")
    assert run(settings, carrier, instant_on(TODAY + timedelta(days=4), 9)) == {"suppressed": 1}
    assert messages()[-1]["fault"] == "too_late"


@pytest.mark.parametrize("join", ["nestloop", "mergejoin", "hashjoin"])
def test_messages_stand_in_the_order_of_their_notices_however_they_are_joined(fang, join) -> None:
    others = {"nestloop", "mergejoin", "hashjoin"} - {join}
    with transaction(PLATFORM) as tx:
        for other in others:
            tx.execute(text(f"SET LOCAL enable_{other} = off"))
        notices.add(tx, [Message("line_offered", uscc=FANG) for _ in range(200)], TODAY, NOON)
    told = [one["notice_id"] for one in sorted(messages(), key=lambda one: one["id"])]
    assert len(told) == 200
    assert told == sorted(told)


def test_without_a_provider_nothing_is_kept_back_for_later(settings, fang) -> None:
    tell("line_offered")
    assert run(settings, NotConnected()) == {"suppressed": 1}
    assert messages()[0]["fault"] == "not_connected"


def test_one_chooses_what_leaves_by_which_channel_and_legal_notices_leave_all_the_same(settings, fang) -> None:
    reach(settings, fang, EMAIL, "fang@example.cn")
    with transaction(fang) as tx:
        prefer(tx, fang, [], ["offers"], "en", NOON)
        prefer(tx, fang, [], ["offers"], "en", NOON)
    tell("line_offered", "line_needs_papers", "consent_proposed")
    told = sorted((one["kind"], one["channel"]) for one in messages())
    assert told == [("consent_proposed", "email"), ("consent_proposed", "sms"), ("line_offered", "email")]
    mail = Carrier()
    assert run(settings, Carrier(), mail=mail) == {"sent": 3}
    offered = next(one for one in mail.taken.values() if "bank" in one.words.subject and "offer" in one.words.body)
    assert (offered.to, offered.words.subject[:9]) == ("fang@example.cn", "[Xindeng]")
    with transaction(fang) as tx, pytest.raises(NotPossible):
        prefer(tx, fang, ["digest"], [], "en", NOON)
    with transaction(PLATFORM) as tx:
        (entry,) = rows_of(tx, "trail", noun="message_preference")
    assert (entry["verb"], entry["actor"], entry["uscc"]) == ("preferences_set", "firm", FANG)
    assert (entry["details"]["sms"], entry["details"]["email"]) == (["digest"], ["digest", "offers"])


def test_a_new_address_counts_once_its_code_came_back_and_the_old_one_until_then(settings, fang) -> None:
    key, new = settings.secret_key, "13900000002"
    with transaction(fang) as tx:
        assert confirm_address(tx, fang, SMS, "000000", key, NOON)
        ask_address(tx, fang, SMS, new, key, TODAY, NOON)
    tell("line_offered")
    carrier = Carrier()
    assert run(settings, carrier, instant_on(TODAY, 23)) == {"sent": 1}  # the code, and at night nothing else
    assert run(settings, carrier) == {"sent": 1}
    code, offer = carrier.taken.values()
    assert (code.to, offer.to) == (new, MOBILE)
    assert messages(topic="code")[0]["words"] == ""
    digits = next(word for word in code.words.body.replace("，", " ").split() if word.isdigit() and len(word) == 6)
    with transaction(fang) as tx:
        wrong = "1" * 6 if digits != "1" * 6 else "2" * 6
        assert "不对" in str(confirm_address(tx, fang, SMS, wrong, key, NOON))
        assert "失效" in str(confirm_address(tx, fang, SMS, digits, key, NOON + timedelta(minutes=11)))
        assert confirm_address(tx, fang, SMS, digits, key, NOON) is None
        assert confirm_address(tx, fang, SMS, digits, key, NOON)  # once
    tell("line_granted")
    assert run(settings, carrier) == {"sent": 1}
    assert list(carrier.taken.values())[-1].to == new
    with transaction(PLATFORM) as tx:
        (row,) = rows_of(tx, "contact_address")
        verbs = [one["verb"] for one in rows_of(tx, "trail", noun="contact_address")]
    assert new not in str(dict(row))
    assert (row["shown"], verbs) == ("139****0002", ["address_asked", "address_confirmed"])
    with transaction(fang) as tx:
        assert remove_address(tx, fang, SMS, NOON)
        assert not remove_address(tx, fang, SMS, NOON)


def test_codes_are_few_a_day_and_five_wrong_tries_end_one(settings, fang) -> None:
    key = settings.secret_key
    for number in range(5):
        with transaction(fang) as tx:
            ask_address(tx, fang, EMAIL, f"f{number}@example.cn", key, TODAY, NOON)
    with transaction(fang) as tx, pytest.raises(NotPossible):
        ask_address(tx, fang, EMAIL, "f9@example.cn", key, TODAY, NOON)
    with transaction(fang) as tx:
        asked = contacts.find_by_channel(tx, fang.person_id)[EMAIL]
        right = code_of(key, fang.person_id, EMAIL, asked.asked_salt, "f4@example.cn")
        wrong = "1" * 6 if right != "1" * 6 else "2" * 6
        for _ in range(5):
            assert "不对" in str(confirm_address(tx, fang, EMAIL, wrong, key, NOON))
        assert "失效" in str(confirm_address(tx, fang, EMAIL, right, key, NOON))
    machine = replace(fang, person_id=None)
    with transaction(machine) as tx, pytest.raises(NotAllowed):
        ask_address(tx, machine, EMAIL, "m@example.cn", key, TODAY, NOON)


def test_an_officer_gets_one_digest_on_a_working_day_with_what_came_since_the_last(settings, database) -> None:
    with transaction(PLATFORM) as tx:
        bank, other = a_bank(tx, "BAI"), a_bank(tx, "BO")
        officer = a_person(tx, "bai", "白", role="officer", bank_id=bank)
        a_person(tx, "gao", "高", role="district", district=ZHONGMU)
    reach(settings, officer, EMAIL, "bai@example.cn")
    told = [Message("list_published", bank_id=bank)] * 2 + [Message("urging_sent", bank_id=bank)]
    with transaction(PLATFORM) as tx:
        notices.add(tx, [*told, Message("urging_sent", bank_id=other)], TODAY, instant_on(TODAY, 7))
    mail = Carrier()
    assert run(settings, mail, instant_on(TODAY, 8, 29)) == {}
    assert run(settings, mail, instant_on(TODAY, 8, 30)) == {"sent": 1}
    assert run(settings, mail, instant_on(TODAY, 9)) == {}
    (letter,) = mail.taken.values()
    assert letter.words.subject == "【信灯】今早有 3 条新消息"
    assert "今日清单已发布: 2" in letter.words.body
    with transaction(PLATFORM) as tx:
        notices.add(tx, told[:1], TODAY, instant_on(TODAY, 15))
    saturday = TODAY + timedelta(days=4)
    assert run(settings, mail, instant_on(saturday, 9)) == {}
    assert run(settings, mail, instant_on(TODAY + timedelta(days=1), 9)) == {"sent": 1}
    assert [sum(one["counts"].values()) for one in messages()] == [3, 1]


def test_nobody_sees_another_persons_messages_or_addresses(settings, fang) -> None:
    reach(settings, fang, EMAIL, "fang@example.cn")
    tell("line_offered")
    run(settings, Sandbox(SMS, At(NOON)))
    with transaction(PLATFORM) as tx:
        a_firm(tx, FENG, name="冯氏")
        feng = a_person(tx, "feng", "冯", role="firm", uscc=FENG)
    tables = ("outgoing_message", "contact_address", "message_preference", "sandbox_message")
    for who, seen in ((feng, []), (fang, tables[:2]), (OPERATOR, (tables[0], tables[3]))):
        with transaction(who) as tx:
            assert [table for table in tables if rows_of(tx, table)] == list(seen)
    with transaction(fang) as tx, pytest.raises(Exception, match=r"row-level security|permission denied"):
        tx.execute(
            text(
                "INSERT INTO outgoing_message (person_id, channel, kind, topic, state, made_on, made_at)"
                " VALUES (:id, 'sms', 'address_code', 'code', 'waiting', :today, :now)"
            ),
            {"id": feng.person_id, "today": TODAY, "now": NOON},
        )


def test_the_sandbox_keeps_what_would_have_been_sent_once_and_can_be_asked(database) -> None:
    box = Sandbox(SMS, At(NOON))
    assert box.find(LETTER.key).outcome is MessageOutcome.ABSENT
    assert [box.send(LETTER).outcome for _ in range(2)] == [MessageOutcome.ACCEPTED] * 2
    assert box.find(LETTER.key).outcome is MessageOutcome.ACCEPTED
    with transaction(PLATFORM) as tx:
        (one,) = rows_of(tx, "sandbox_message")
    assert (one["address_shown"], one["body"]) == ("138****0001", "【信灯】有银行报价。")


def test_every_sms_is_one_sms_in_both_languages_and_says_nothing_of_the_firm(tmp_path) -> None:
    known = read_settings(home=tmp_path, public_url="https://xindeng.zhengzhou.gov.cn")
    for language, most in MOST_CHARACTERS.items():
        said = [compose(known, Told(kind, SMS, language, "/n/123456789")).body for kind in LEAVES]
        said.append(compose(known, Told("digest", SMS, language, "/bank/notices", {"urging_sent": 12_345})).body)
        said.append(compose(known, Told("address_code", SMS, language, "", code="012345")).body)
        assert max(len(one) for one in said) <= most
        assert all(one.startswith("【信灯】" if language == "zh_Hans_CN" else "[Xindeng] ") for one in said)
        assert all("https://xindeng.zhengzhou.gov.cn/" in one for one in said[:-1])
        assert language == "zh_Hans_CN" or all(one.isascii() for one in said)
    far = read_settings(home=tmp_path, public_url=f"https://{'far.' * 20}example.cn")
    assert compose(far, Told("line_offered", SMS, "zh_Hans_CN", "/n/1")).body == "【信灯】有银行对您的融资需求报价。"
    assert {topic for topic in LEAVES.values() if topic in LEGAL} == LEGAL
    assert (masked_address("zhang@example.cn"), masked_address("123")) == ("z***g@example.cn", "****")


# --- real providers on this machine ----------------------------------------------------------------------------------


@contextmanager
def an_sms_service(status: int, body: object, *, found: tuple[int, object] = (404, {})) -> Iterator[Any]:
    """A service that gives these answers; what it was asked is told in the list."""
    asked: list[dict[str, Any]] = []

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(given | {"auth": self.headers["Authorization"], "idem": self.headers["Idempotency-Key"]})
            self._answer(status, body)

        def do_GET(self) -> None:
            asked.append({"path": self.path, "auth": self.headers["Authorization"]})
            self._answer(*found)

        def _answer(self, code: int, said: object) -> None:
            answer = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Silent."""

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield HttpSms("短信", f"http://127.0.0.1:{server.server_port}/sms", "k-1", 2), asked
        finally:
            server.shutdown()


def test_the_sms_service_is_given_the_message_with_its_key_and_asked_for_it_later() -> None:
    known = (200, {"outcome": "refused", "code": "address_refused"})
    with an_sms_service(200, {"outcome": "accepted", "reference": "S-7"}, found=known) as (provider, asked):
        assert provider.send(LETTER) == Receipt(MessageOutcome.ACCEPTED, None, "S-7")
        assert provider.find(LETTER.key) == Receipt(MessageOutcome.REFUSED, MessageFault.ADDRESS_REFUSED)
    sent = {"key": LETTER.key, "to": MOBILE, "words": LETTER.words.body, "auth": "Bearer k-1", "idem": LETTER.key}
    assert asked == [sent, {"path": f"/sms/{LETTER.key}", "auth": "Bearer k-1"}]


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"outcome": "refused"}, "refused"),
        (200, {"outcome": "perhaps"}, "uncertain"),
        (200, "not JSON", "uncertain"),
        (500, {"outcome": "accepted"}, "uncertain"),
        (302, {}, "uncertain"),
        (401, {}, "unavailable"),
        (429, {}, "unavailable"),
    ],
)
def test_any_other_answer_of_it_is_read_with_care(status: int, body: object, outcome: str) -> None:
    with an_sms_service(status, body) as (provider, asked):
        assert provider.send(LETTER).outcome == outcome
        assert provider.find(LETTER.key).outcome == "absent"
    assert len(asked) == 2


def test_a_service_that_is_not_there_took_nothing_and_cannot_be_asked() -> None:
    nowhere = HttpSms("短信", "http://127.0.0.1:9/sms", "", 0.5)
    assert (nowhere.send(LETTER).outcome, nowhere.find(LETTER.key).outcome) == ("unavailable", "uncertain")


@contextmanager
def a_mail_server(**says: bytes) -> Iterator[Any]:
    """SMTP as far as we speak it; `says` replaces its answer to a command (b'' hangs up)."""
    heard: list[str] = []
    usual = {
        "EHLO": b"250 here",
        "MAIL": b"250 ok",
        "RCPT": b"250 ok",
        "DATA": b"354 go",
        "END": b"250 Q-5",
        "QUIT": b"221 bye",
    }

    class Talks(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            in_text = False
            for line in self.rfile:
                said = line.decode().rstrip("\r\n")
                heard.append(said)
                if in_text and said != ".":
                    continue
                word = "END" if in_text else said.split(" ")[0].upper()
                in_text = word == "DATA"
                answer = (usual | says).get(word, b"502 no")
                if not answer:
                    return
                self.wfile.write(answer + b"\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talks) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            port = server.server_address[1]
            yield SmtpMail("127.0.0.1", "127.0.0.1", port, "none", "xindeng@example.cn", "", "", 2), heard
        finally:
            server.shutdown()


MAIL = replace(LETTER, to="fang@example.cn", words=Written("【信灯】报价", "您好：\n.一行以点开头\n"))


def test_a_letter_goes_out_whole_under_its_key() -> None:
    with a_mail_server(QUIT=b"500 rude") as (provider, heard):
        assert provider.send(MAIL) == Receipt(MessageOutcome.ACCEPTED, None, "Q-5")
        assert provider.find(MAIL.key).outcome is MessageOutcome.UNASKABLE
    assert f"Message-ID: <{MAIL.key}@example.cn>" in heard
    assert "RCPT TO:<fang@example.cn>" in [one.upper().replace("FANG@EXAMPLE.CN", "fang@example.cn") for one in heard]


@pytest.mark.parametrize(
    ("says", "outcome", "fault"),
    [
        ({"RCPT": b"550 unknown"}, "refused", "address_refused"),
        ({"RCPT": b"450 later"}, "unavailable", None),
        ({"MAIL": b"550 not you"}, "unavailable", None),
        ({"END": b"554 spam"}, "refused", "words_refused"),
        ({"END": b"451 later"}, "unavailable", None),
        ({"END": b""}, "uncertain", None),
        ({"MAIL": b""}, "unavailable", None),
    ],
)
def test_a_mail_servers_answers_are_told_apart_before_and_after_the_text(says, outcome, fault) -> None:
    with a_mail_server(**says) as (provider, _heard):
        receipt = provider.send(MAIL)
    assert (receipt.outcome, receipt.fault) == (outcome, fault)


def test_without_encryption_nothing_is_handed_over() -> None:
    with a_mail_server() as (provider, heard):
        assert replace(provider, security="starttls").send(MAIL).outcome is MessageOutcome.UNAVAILABLE
        assert replace(provider, security="tls").send(MAIL).outcome is MessageOutcome.UNAVAILABLE
    assert not [one for one in heard if one.upper().startswith("MAIL")]
    assert ssl.create_default_context().check_hostname


def test_the_settings_name_the_providers_and_none_is_unencrypted(tmp_path) -> None:
    names = [type(one).__name__ for one in providers_of(read_settings(home=tmp_path, demo=True)).values()]
    assert names == ["Sandbox", "Sandbox"]
    assert isinstance(providers_of(read_settings(home=tmp_path))[EMAIL], NotConnected)
    real = read_settings(
        home=tmp_path, demo=True, sms_url="https://sms.example/v1", sms_key="k-1", smtp_host="mail.example",
        smtp_sender="x@example.cn", smtp_password="p-1",
    )  # fmt: skip
    assert [type(one).__name__ for one in providers_of(real).values()] == ["HttpSms", "SmtpMail"]
    assert "k-1" not in repr(real)
    assert "p-1" not in repr(real)
    for wrong in (
        {"sms_url": "http://sms.example/v1"},
        {"smtp_host": "mail.example"},
        {"smtp_host": "mail.example", "smtp_sender": "x@example.cn", "smtp_security": "none"},
    ):
        with pytest.raises(NotReady):
            read_settings(home=tmp_path, **wrong)
