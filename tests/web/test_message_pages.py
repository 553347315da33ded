"""Everybody chooses where and by what they are reached, without JavaScript; the operator sees what left."""

import re
from functools import partial

import pytest

from service.actions import send_messages as sending
from service.actions.send_messages import Sending
from service.clock import Clock, instant_on
from service.domain.outgoing import MessageChannel, MessageOutcome, Receipt
from service.domain.people import Role, Who, the_platform
from service.message_providers import NotConnected, Sandbox
from service.store import notices
from service.store.notices import Message
from tests.browser import Browser, an_app
from tests.builders import CITY, FANG, FANG_HERSELF, FENG_HIMSELF, TODAY, a_bank, a_firm, bai, rows_of
from web.message_words import compose

PREFERENCES, OUTBOX = "/messages/preferences", "/operator/outbox"
OPERATOR = Who(Role.OPERATOR, 10, "运")
NOON = instant_on(TODAY, 12)


class Noon(Clock):
    """The demo's day at noon: these pages differ by night."""

    def now(self):
        return NOON


@pytest.fixture
def bank(database) -> int:
    with database.transaction(the_platform("test")) as tx:
        a_firm(tx)
        a_firm(tx, FENG_HIMSELF.uscc, name="冯氏")
        return a_bank(tx)


@pytest.fixture
def app(database, settings, bank):
    return an_app(settings, database, Noon(demo_on=TODAY))


def run(settings, provider) -> None:
    channels = dict.fromkeys(MessageChannel, provider)
    sending.send_messages(Sending(settings, channels, partial(compose, settings)), Noon(demo_on=TODAY))


def of(database, table: str, **where):
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, table, **where)


def tell(database, kind: str) -> None:
    with database.transaction(the_platform("test")) as tx:
        notices.add(tx, [Message(kind, uscc=FANG)], TODAY, NOON)


def reached_at(browser: Browser, mobile: str) -> None:
    browser.opens(PREFERENCES)
    page = browser.sends("/messages/addresses/sms", mobile=mobile)
    (code,) = re.findall(r"验证码是 (\d{6})", page.words)
    assert "地址已确认" in browser.sends("/messages/addresses/sms/confirmation", sms_code=code).words


def test_a_firm_enters_its_mobile_confirms_it_and_chooses_what_it_gets(app, database, settings) -> None:
    browser = Browser(app, database, FANG_HERSELF)
    page = browser.opens("/firm/notices")
    assert PREFERENCES in page.links
    page = browser.opens(PREFERENCES)
    assert "还没有手机号或邮箱" in page.words
    wrong = browser.sends("/messages/addresses/sms", mobile="138")
    assert (wrong.status, "请填 11 位手机号" in wrong.words, 'value="138"' in wrong.html) == (422, True, True)
    asked = browser.sends("/messages/addresses/sms", mobile="138 0000 0001")
    assert "138****0001" in asked.words
    assert "13800000001" not in asked.html
    refused = browser.sends("/messages/addresses/sms/confirmation", sms_code="12345")
    assert (refused.status, "请填 6 位数字的验证码" in refused.words) == (422, True)
    (code,) = re.findall(r"验证码是 (\d{6})", asked.words)
    other = "111111" if code != "111111" else "222222"
    refused = browser.sends("/messages/addresses/sms/confirmation", sms_code=other)
    assert (refused.status, "验证码不对" in refused.words) == (422, True)
    assert of(database, "contact_address")[0]["asked_tries"] == 1
    assert "地址已确认" in browser.sends("/messages/addresses/sms/confirmation", sms_code=code).words
    page = browser.sends(PREFERENCES, by_sms=["offers"], language="zh_Hans_CN")
    assert "已保存" in page.words
    (wish,) = of(database, "message_preference")
    assert (wish["sms"], wish["email"]) == (["digest", "offers"], ["digest"])
    tell(database, "line_offered")
    tell(database, "line_needs_papers")
    run(settings, Sandbox(MessageChannel.SMS, Noon(demo_on=TODAY)))
    page = browser.opens(PREFERENCES)
    assert "银行给出报价 已发出 138****0001" in page.words
    assert "银行需要补充资料" not in page.words
    assert "138****0001" not in Browser(app, database, FENG_HIMSELF).opens(PREFERENCES).words


def test_the_short_link_leads_to_what_it_is_about_and_strangers_to_nothing(app, database) -> None:
    tell(database, "person_asks")
    (notice,) = of(database, "notice")
    assert Browser(app, database, FANG_HERSELF).opens(f"/n/{notice['id']}").address == "/firm/people"
    assert Browser(app, database, FENG_HIMSELF).opens(f"/n/{notice['id']}").status == 404


def test_an_officer_chooses_the_digest_and_the_city_has_nothing_to_set(app, database, bank) -> None:
    browser = Browser(app, database, bai(bank))
    assert "每日摘要" in browser.opens(PREFERENCES).words
    assert "已保存" in browser.sends(PREFERENCES, by_email=["digest"], language="en").words
    refused = browser.sends(PREFERENCES, by_email=["offers"], language="en")
    assert refused.status == 422
    assert "您的身份没有外发消息" in Browser(app, database, CITY).opens(PREFERENCES).words


def test_the_operator_sees_by_state_what_left_and_lets_it_be_sent_again(app, database, settings) -> None:
    operator = Browser(app, database, OPERATOR)
    assert "没有这样的消息" in operator.opens(OUTBOX).words
    reached_at(Browser(app, database, FANG_HERSELF), "13800000001")
    tell(database, "line_offered")
    run(settings, Sandbox(MessageChannel.SMS, Noon(demo_on=TODAY)))
    page = operator.opens(OUTBOX)
    assert "【信灯】有银行对您的融资需求报价" in page.words
    assert "演示沙箱，不发送" in page.words
    assert "13800000001" not in page.html
    tell(database, "line_granted")

    class Refuses(NotConnected):
        def send(self, _letter):
            return Receipt(MessageOutcome.REFUSED)

    run(settings, Refuses(is_connected=True))
    (failed,) = of(database, "outgoing_message", state="failed")
    home = operator.opens("/operator")
    assert "没有发出的消息" in home.words
    assert f"{OUTBOX}?state=failed" in home.links
    assert "服务商拒绝" in operator.opens(f"{OUTBOX}?state=failed").words
    operator.sends(f"{OUTBOX}/{failed['id']}/retry")
    assert of(database, "outgoing_message", state="waiting")[0]["id"] == failed["id"]
    assert "没有发出的消息" not in operator.opens("/operator").words
    assert [one["verb"] for one in of(database, "trail", noun="outgoing_message")] == ["sent_again"]
