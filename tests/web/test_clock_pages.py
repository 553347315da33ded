"""The operator sees the clock of any line and why: what started and moved it, who was reminded, what its end brings."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from matching.policy import load_policy
from service.actions.answer_push import answer_line
from service.actions.push_lists import push_missing
from service.actions.rematch import rematch, remind
from service.clock import Clock, instant_on
from service.domain.answering import AnswerForm, OfferForm
from service.domain.people import Role, Who, the_platform
from service.domain.standards.calendar import Calendar
from tests.browser import Browser, an_app
from tests.builders import FANG, NOW, PLATFORM, TODAY, a_demand, a_small_world, bai, rows_of
from web.clock_grounds import grounds
from web.language import speaking

OTTO = Who(Role.OPERATOR, 9, "欧")


@pytest.fixture
def world(database):
    """Fang named both banks; the morning's lists are out."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        a_demand(tx, FANG, (made.bank, made.other_bank), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
    return made


@pytest.fixture
def lines(database, world) -> list[dict]:
    with database.transaction(the_platform("test")) as tx:
        return sorted(rows_of(tx, "push_line"), key=lambda line: line["bank_id"] != world.bank)


def chinese(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def otto_on(day: date, database, settings) -> Browser:
    return Browser(an_app(settings, database, Clock(demo_on=day)), database, OTTO)


def test_a_running_clock_says_since_when_how_long_and_what_its_end_brings(database, settings, lines) -> None:
    otto = otto_on(TODAY, database, settings)
    said = otto.opens("/operator/clocks").words
    assert all(f"#{line['id']}" in said for line in lines)
    assert "方" not in said, "no word of the firm"
    said = otto.opens(f"/operator/clocks/{lines[0]['id']}").words
    assert "起 3 个工作日内与企业联系" in said
    assert "到期前 1 个工作日提醒" in said
    assert "记为沉默" in said
    assert "低于 15%" in said
    grounds = said[said.index("为什么是这一天") :]
    assert "银行首次联系：3 个工作日，2024年10月15日 起施行。依据：未见公布的时限" in grounds
    assert "2026年6月30日 之后到 2026年7月3日，每天都是工作日。" in grounds


def test_looking_at_a_clock_is_on_the_trail_where_the_firm_reads_it(database, settings, lines) -> None:
    otto = otto_on(TODAY, database, settings)
    for _ in range(2):
        otto.opens(f"/operator/clocks/{lines[0]['id']}")
    with database.transaction(the_platform("test")) as tx:
        (look,) = rows_of(tx, "trail", verb="looked", noun="push_line")
    assert (look["uscc"], look["actor"], look["noun_id"]) == (FANG, "operator", lines[0]["id"])


def test_what_moved_a_clock_stands_there_in_its_order(database, settings, world, lines) -> None:
    officer = bai(world.bank)
    for kind, more in (("contacted", {}), ("needs_papers", {"papers": ("审计报告",)})):
        with database.transaction(officer) as tx:
            answer_line(tx, officer, AnswerForm(lines[0]["id"], kind, **more), TODAY, NOW)
    said = otto_on(TODAY, database, settings).opens(f"/operator/clocks/{lines[0]['id']}").words
    assert "该行的时限自" in said
    assert "起暂停" in said
    assert "不再等资料" in said
    assert said.index("推送给银行") < said.index("银行联系") < said.index("银行要求补充资料")


def test_an_offer_s_clock_says_what_happens_when_it_lapses(database, settings, world, lines) -> None:
    officer = bai(world.bank)
    offer = OfferForm(40_000_000, Decimal("0.0435"), 12, "credit")
    with database.transaction(officer) as tx:
        answer_line(tx, officer, AnswerForm(lines[0]["id"], "offered", offer=offer), TODAY, NOW)
    assert "报价失效" in otto_on(TODAY, database, settings).opens(f"/operator/clocks/{lines[0]['id']}").words


def test_the_reminder_the_silence_and_what_came_of_it_are_told(database, settings, world, lines) -> None:
    due = lines[0]["due_on"]
    eve, after = due - timedelta(days=1), due + timedelta(days=1)
    with database.transaction(PLATFORM) as tx:
        remind(tx, PLATFORM, due, instant_on(due))
    otto = otto_on(due, database, settings)
    assert "已提醒" in otto.opens("/operator/clocks?only=reminded").words
    with database.transaction(PLATFORM) as tx:
        rematch(tx, PLATFORM, after, instant_on(after), world.tools)
    otto = otto_on(after, database, settings)
    assert f"#{lines[0]['id']}" in otto.opens("/operator/clocks?only=silent").words
    said = otto.opens(f"/operator/clocks/{lines[0]['id']}").words
    assert said.index("到期前提醒") < said.rindex("逾期未反馈")
    assert f"联系时限 {chinese(due)} 过后没有反馈，{chinese(after)} 记为沉默" in said
    assert "为什么是这一天" not in said, "no clock runs"
    assert "之后没有再推给别的银行" in said
    assert "有日期的计划" in said
    assert eve < due


def test_a_line_is_found_by_its_number_or_its_demand_s_and_a_strange_one_is_not_there(
    database, settings, lines
) -> None:
    otto = otto_on(TODAY, database, settings)
    with database.transaction(the_platform("test")) as tx:
        (demand,) = rows_of(tx, "demand")
    assert "2" in otto.opens(f"/operator/clocks?q={demand['number'].lower()}").words
    assert otto.page.html.count('href="/operator/clocks/') == len(lines)
    assert otto.opens(f"/operator/clocks?q={lines[1]['id']}").html.count('href="/operator/clocks/') == 1
    assert "没有符合条件" in otto.opens("/operator/clocks?q=nothing").words
    assert otto.opens("/operator/clocks/999999").status == 404
    assert otto.opens("/operator/clocks?only=nonsense&page=7").status == 200


def a_line(**other) -> SimpleNamespace:
    """A line pushed the day before the Dragon Boat Festival."""
    row = {
        "closed_on": None, "due_step": "contact", "pushed_on": date(2026, 6, 18), "due_on": date(2026, 6, 24),
        "contact_days": None, "decide_days": None, "extended_on": None,
    }  # fmt: skip
    return SimpleNamespace(**row | other)


def told(line: SimpleNamespace, days: Calendar | None = None) -> dict[str, str]:
    return dict(grounds(line, load_policy(), days or Calendar()))


def test_holidays_weekends_and_the_operator_s_own_days_are_named() -> None:
    assert "2026-06-19 端午、2026-06-20 端午、2026-06-21 端午。" in told(a_line())["日历"]
    own = Calendar({date(2026, 6, 23): False, date(2026, 6, 27): True})
    said = told(a_line(due_on=date(2026, 6, 27)), own)["日历"]
    assert "2026-06-23 平台日历" in said
    assert "算工作日的周末：2026-06-27 平台日历" in said
    with speaking("en"):
        assert "2026-06-19 Dragon Boat Festival" in told(a_line())["Calendar"]


def test_a_bank_s_own_promise_and_an_extension_are_grounds_too() -> None:
    said = told(a_line(contact_days=2))
    assert said["该行自己的承诺"] == "2 个工作日，以先到者为准"
    assert "一次延期：10 个工作日" in told(a_line(extended_on=date(2026, 6, 24)))["延期"]


def test_calendar_days_count_holidays_and_an_unpublished_year_says_so() -> None:
    decision = {"due_step": "decision", "file_complete_on": date(2026, 6, 18), "due_on": date(2026, 7, 18)}
    assert told(a_line(**decision))["日历"] == "按自然日计，节假日也算在内。"
    assert "端午" in told(a_line(**decision, decide_days=10))["日历"], "the promise is in working days"
    assert "还不能算" in told(a_line(due_on=None))["日历"]
