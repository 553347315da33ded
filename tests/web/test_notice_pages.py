"""Messages say which bank, how much and by when, to whom they are addressed and to nobody else."""

from decimal import Decimal

import pytest

from service.actions.answer_push import answer_line, dispute_contact
from service.actions.give_consent import withdraw_consent
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.answering import AnswerForm, OfferForm
from service.domain.people import Role, Who, the_platform
from service.domain.product import LoanType
from service.store import notices
from tests.browser import Browser, an_app
from tests.builders import FANG, FANG_HERSELF, GAO, NOW, OU, PLATFORM, TODAY, a_demand, a_small_world, bai, bo, rows_of
from web import notice_words, words


@pytest.fixture
def world(database):
    """Fang's demand is pushed to Bai's bank alone."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        a_demand(tx, FANG, (made.bank,), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
    return made


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


def line_of(database) -> int:
    with database.transaction(the_platform("test")) as tx:
        (line,) = rows_of(tx, "push_line")
    return line["id"]


def answered(database, world, kind: str, *reasons: str, offer: OfferForm | None = None, **more) -> None:
    officer = bai(world.bank)
    form = AnswerForm(line_of(database), kind, reasons, offer=offer, **more)
    with database.transaction(officer) as tx:
        answer_line(tx, officer, form, TODAY, NOW)


def test_a_firm_reads_which_bank_offers_how_much_at_what_rate(app, database, world) -> None:
    answered(database, world, "offered", offer=OfferForm(40_000_000, Decimal("0.0435"), 12, LoanType.CREDIT))
    page = Browser(app, database, FANG_HERSELF).opens("/firm/notices")
    assert "已推送给BAI银行" in page.words
    assert "BAI银行对需求" in page.words
    assert "报价 40 万元，年利率 4.35%" in page.words
    assert "BAI银行对需求" in Browser(app, database, FANG_HERSELF).opens("/firm").words


def test_a_firm_reads_which_papers_and_which_reasons(app, database, world) -> None:
    answered(database, world, "needs_papers", papers=("营业执照", "近一年流水"))
    answered(database, world, "refused", "industry")
    page = Browser(app, database, FANG_HERSELF).opens("/firm/notices")
    assert "BAI银行需要补充资料：营业执照、近一年流水" in page.words
    assert "原因：行业不在准入范围" in page.words


def test_what_was_new_is_marked_once(app, database, world) -> None:
    browser = Browser(app, database, FANG_HERSELF)
    assert "新" in browser.opens("/firm/notices").words.split()
    assert "新" not in browser.opens("/firm/notices").words.split()


def test_a_bank_reads_its_own_messages_with_their_lines(app, database, world) -> None:
    answered(database, world, "contacted")
    with database.transaction(FANG_HERSELF) as tx:
        dispute_contact(tx, FANG_HERSELF, line_of(database), TODAY, NOW)
    page = Browser(app, database, bai(world.bank)).opens("/bank/notices")
    assert "2026年6月30日 的清单已发布，共 1 项。" in page.words
    assert "郑州方记商贸有限公司说没有银行联系过它" in page.words
    assert f"/push-lines/{line_of(database)}" in page.links
    assert "郑州方记" not in Browser(app, database, bo(world.other_bank)).opens("/bank/notices").words


def test_after_a_withdrawn_consent_the_bank_reads_no_name(app, database, world) -> None:
    answered(database, world, "contacted")
    with database.transaction(FANG_HERSELF) as tx:
        dispute_contact(tx, FANG_HERSELF, line_of(database), TODAY, NOW)
        withdraw_consent(tx, FANG_HERSELF, FANG, world.bank, TODAY, NOW)
    page = Browser(app, database, bai(world.bank)).opens("/bank/notices")
    assert "一家企业撤回了授权" in page.words
    assert "企业说没有银行联系过它（一笔需求）" in page.words
    assert "方记" not in page.html
    assert FANG not in page.html


def test_a_district_reads_what_concerns_its_firms_only(app, database, world) -> None:
    answered(database, world, "contacted")
    with database.transaction(FANG_HERSELF) as tx:
        dispute_contact(tx, FANG_HERSELF, line_of(database), TODAY, NOW)
    assert "说BAI银行没有联系过它" in Browser(app, database, GAO).opens("/district/notices").words
    assert "方记" not in Browser(app, database, OU).opens("/district/notices").words


def test_every_kind_has_a_sentence_for_someone_and_each_says_something_in_it(database, world) -> None:
    told = set(notice_words.TO_FIRM) | set(notice_words.TO_BANK) | set(notice_words.TO_OFFICIAL)
    assert set(words.GROUPS["notice"]) - told == {"line_received"}
    with database.transaction(FANG_HERSELF) as tx:
        for row in notices.list_to(tx, FANG_HERSELF):
            assert notice_words.sentence(FANG_HERSELF, row) != words.of("notice", row.kind)


def test_a_message_of_a_kind_without_a_sentence_says_its_word(database, world) -> None:
    officer = Who(Role.OFFICER, 3, "白", bank_id=world.bank)
    with database.transaction(officer) as tx:
        (row, *_) = notices.list_to(tx, officer)
    assert notice_words.sentence(GAO, row) == words.of("notice", "list_published")
