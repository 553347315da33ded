"""Several lines answered together: shown first, held for a minute with an undo, and the list comes back as it was."""

from datetime import timedelta

import pytest

from service.actions.push_lists import push_missing
from service.clock import Clock
from tests.browser import Browser, an_app
from tests.builders import FANG, FENG, NOW, PLATFORM, TODAY, a_demand, a_small_world, bai, bo, rows_of

LIST = "/push-lists?only=waiting&district=410102&sort=-amount_fen"


@pytest.fixture
def world(database):
    """Fang and Feng at Bai's bank, Feng also at Bo's."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        a_demand(tx, FANG, (made.bank,), made.tools)
        a_demand(tx, FENG, (made.bank, made.other_bank), made.tools, amount_fen=80_000_000)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
    return made


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def officer(app, database, world) -> Browser:
    return Browser(app, database, bai(world.bank))


def lines_of(database, **where) -> list:
    with database.transaction(PLATFORM) as tx:
        return rows_of(tx, "push_line", **where)


def states(database, world) -> list[str]:
    return [line["state"] for line in lines_of(database, bank_id=world.bank)]


def ticked(officer, database, world, kind: str = "received", address: str = LIST, **fields):
    """Both lines ticked, and the summary before one's eyes."""
    officer.opens(address)
    ids = [line["id"] for line in lines_of(database, bank_id=world.bank)]
    return officer.sends("/push-lines/answers", **{"line": ids, "kind": kind} | fields)


@pytest.fixture
def a_minute_later(monkeypatch):
    """The platform's clock, once called, is a minute on."""

    def go() -> None:
        real = Clock.now
        monkeypatch.setattr(Clock, "now", lambda self: real(self) + timedelta(seconds=61))

    return go


def test_it_is_shown_confirmed_held_and_given_at_the_next_look(officer, database, world, a_minute_later) -> None:
    summary = ticked(officer, database, world)
    for words in ("核对：已接收", "130", "60 秒内可以撤销", "确认反馈 2 项"):
        assert words in summary.words, words
    assert states(database, world) == ["pushed", "pushed"]
    page = officer.sends("/held-answers")
    assert str(officer.client.get(LIST).url).endswith(LIST)
    assert page.address == "/push-lists"
    assert "2 项“已接收”将在" in page.words
    assert page.words.count("待生效：已接收") == 2
    assert 'name="line"' not in page.html  # nothing to tick while it waits
    assert states(database, world) == ["pushed", "pushed"]
    a_minute_later()
    assert "待生效" not in officer.opens(LIST).words
    assert states(database, world) == ["received", "received"]


def test_the_list_comes_back_with_its_filters_order_and_page(officer, database, world) -> None:
    ticked(officer, database, world)
    form = officer.page.form("/held-answers")["fields"]
    answer = officer.client.post(
        "/held-answers?only=waiting&district=410102&sort=-amount_fen&page=3&evil=x", data=form, follow_redirects=False
    )
    assert answer.headers["location"] == f"{LIST}&page=3"
    assert "共 2 条" in officer.opens(answer.headers["location"]).words  # a page that is gone is the last one there is
    one_list = lines_of(database, bank_id=world.bank)[0]["list_id"]
    officer.opens(f"/push-lists/{one_list}?only=all&sort=-amount_fen")
    batch = next(form["action"] for form in officer.page.forms if "/withdrawal" in form["action"]).split("?")[0]
    assert officer.sends(batch).address == f"/push-lists/{one_list}"


def test_undone_as_a_whole_or_line_by_line_nothing_was_said(officer, database, world, a_minute_later) -> None:
    ticked(officer, database, world, "refused", reasons=["industry", "other"], text="不做这一行")
    assert "行业" in officer.page.words
    page = officer.sends("/held-answers")
    first, second = (line["id"] for line in lines_of(database, bank_id=world.bank))
    batch = next(form["action"] for form in page.forms if "/withdrawal" in form["action"]).split("?")[0]
    assert "已撤销 1 项" in officer.sends(batch, only=first).words
    assert "1 项“不予通过”将在" in officer.page.words
    assert "“不予通过”将在" in officer.opens(f"/push-lines/{second}").words
    officer.opens("/push-lists")
    assert "已撤销 1 项" in officer.sends(batch).words
    with database.transaction(PLATFORM) as tx:
        assert [one["noun_id"] for one in rows_of(tx, "trail", verb="undone")] == [first, second]
    a_minute_later()
    officer.opens("/push-lists")
    assert states(database, world) == ["pushed", "pushed"]


def test_undone_too_late_it_is_said_and_the_line_can_still_be_corrected(
    officer, database, world, a_minute_later
) -> None:
    ticked(officer, database, world)
    page = officer.sends("/held-answers")
    batch = next(form["action"] for form in page.forms if "/withdrawal" in form["action"]).split("?")[0]
    a_minute_later()
    assert "已过撤销时间" in officer.sends(batch).words
    assert states(database, world) == ["received", "received"]


def test_what_cannot_be_answered_so_is_named_with_its_reason_and_left_alone(officer, database, world) -> None:
    first, second = (line["id"] for line in lines_of(database, bank_id=world.bank))
    foreign = lines_of(database, bank_id=world.other_bank)[0]["id"]
    officer.opens("/push-lists")
    officer.sends("/push-lines/answers", line=[first], kind="contacted")
    officer.opens("/push-lists")
    page = officer.sends("/push-lines/answers", line=[first, second, foreign], kind="received")
    assert "不能再反馈为" in page.words
    assert "没有这条推送项" in page.words
    assert page.form("/held-answers")["fields"]["line"] == [str(second)]
    officer.sends("/held-answers")
    with database.transaction(PLATFORM) as tx:
        assert [one["line_id"] for one in rows_of(tx, "held_answer")] == [second]


def test_a_mistake_brings_the_list_back_with_its_filters_and_ticks(officer, database, world) -> None:
    page = ticked(officer, database, world, "refused", text="看过了", reasons=["other"])
    assert "核对：不予通过" in page.words
    page = ticked(officer, database, world, "refused", reasons=["other"])
    assert page.status == 422
    assert "请说明原因" in page.words
    assert len(page.form("/push-lines/answers")["fields"]["line"]) == 2
    assert 'value="410102" selected' in page.html


def test_another_banks_officer_sees_no_batch_and_undoes_none(app, officer, database, world) -> None:
    ticked(officer, database, world)
    page = officer.sends("/held-answers")
    batch = next(form["action"] for form in page.forms if "/withdrawal" in form["action"]).split("?")[0]
    other = Browser(app, database, bo(world.other_bank))
    assert "还没有生效" not in other.opens("/push-lists").words
    fields = {"form_token": other.page.form("/push-lines/answers")["fields"]["form_token"]}
    assert other.client.post(batch, data=fields).status_code == 404
