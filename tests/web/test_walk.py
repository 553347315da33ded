"""The whole loop in a real browser: a firm reports, the day is cycled, a bank offers, the firm accepts, money is paid,
the official sees it. Once with JavaScript and once without; no page complains on the console.
"""

import re
from typing import Any

import pytest

from docs.take_pictures import LARGEST, Page, take
from service.actions.add_account import NewAccount, add_account
from service.actions.run_cycle import run_cycle
from service.city.cast import Card, add_cast
from service.clock import Clock
from service.domain.people import Role, the_platform
from service.store.platform_state import set_demo_day
from tests.builders import FANG, NOW, TODAY, ZHONGYUAN, a_small_world, rows_of
from tests.chromium import served
from web.main import build_app

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PASSWORD = "a walk through the whole loop 2026"
HOMES = [
    Page("firm", "home", "方", ("/firm", "/firm/demands/{demand_id}"), ("首页", ""), ("Home", "")),
    Page("bank", "list", "白", ("/push-lists",), ("今日清单", ""), ("Today's list", "")),
]
"""What the guide's walker must be able to picture here: a page by its address, and one by a link."""
PEOPLE = {
    "fang": NewAccount("fang", "方", "firm", PASSWORD, uscc=FANG),
    "bai": NewAccount("bai", "白", "officer", PASSWORD, bank="BAI"),
    "gao": NewAccount("gao", "高", "district", PASSWORD, district=ZHONGYUAN),
    "guo": NewAccount("guo", "郭", "city", PASSWORD),
}


def cards(bank: int) -> list[Card]:
    """The sign-in cards the pictures are taken with."""
    return [
        Card("demo-firm", "方", Role.FIRM, uscc=FANG),
        Card("demo-bank", "白", Role.OFFICER, bank_id=bank),
        Card("demo-district", "高", Role.DISTRICT, district=ZHONGYUAN),
        Card("demo-city", "郭", Role.CITY),
        Card("demo-operator", "欧", Role.OPERATOR),
    ]


@pytest.fixture
def world(database, settings) -> Any:
    """Two firms, two banks, and four people with passwords; no model is trained yet."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        for account in PEOPLE.values():
            add_account(tx, the_platform("test"), account, NOW)
    return made


class Walker:
    """One person at a browser of their own, who fills what is asked and presses what is there."""

    def __init__(self, browser: Any, address: str, login: str, *, javascript: bool) -> None:
        context = browser.new_context(locale="zh-CN", java_script_enabled=javascript)
        context.set_default_timeout(60_000)
        self.page, self.address, self.complaints = context.new_page(), address, []
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        self.page.on("response", lambda answer: self._heard(answer.status, answer.url))
        self.goes("/sign-in")
        self.fills(login=login, password=PASSWORD)
        self.presses("登录")

    def _heard(self, status: int, url: str) -> None:
        if status >= 400 and not url.endswith("/favicon.ico"):
            self.complaints.append(f"{status} {url}")

    def goes(self, path: str) -> None:
        self.page.goto(self.address + path)

    def fills(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"main [name={name}]").last.fill(value)

    def chooses(self, name: str, value: str) -> None:
        self.ticks(self.page.locator(f"main input[name={name}][value='{value}']"))

    def ticks(self, choice: Any) -> None:
        """People press the words beside a box, which are its label."""
        self.page.locator(f"label[for='{choice.get_attribute('id')}']").click()
        assert choice.is_checked()

    def presses(self, label: str) -> None:
        self.page.locator("main").get_by_role("button", name=label, exact=True).first.click()
        self.page.wait_for_load_state()

    def follows(self, label: str) -> None:
        self.page.locator("main").get_by_role("link", name=label).first.click()
        self.page.wait_for_load_state()

    def sees(self, *words: str) -> None:
        text = " ".join(self.page.locator("main").inner_text().split())
        for word in words:
            assert word in text, (self.page.url, word, text[:600])

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.address)


def reports(fang: Walker, bank: int) -> str:
    """From the firm's home over the form and the consents to the light; the demand's address."""
    fang.goes("/firm")
    fang.follows("申报")
    fang.fills(amount_fen="50")
    fang.presses("保存并继续")
    fang.fills(term_months="12")
    fang.presses("保存并继续")
    fang.fills(use_text="采购原材料")
    fang.chooses("use", "trade")
    for _question in ("use", "rate", "guarantees"):
        fang.presses("保存并继续")
    fang.page.select_option("main [name=first_bank]", str(bank))
    fang.presses("保存并继续")
    fang.sees("50 万元", "BAI银行")
    for tick in fang.page.locator("main input[name=consent]").all():
        assert not tick.is_checked()
        fang.ticks(tick)
    fang.presses("提交融资需求")
    assert re.fullmatch(r"/firm/demands/\d+", fang.path), fang.path
    fang.sees("灯")
    return fang.path


def offers(bai: Walker) -> str:
    """From today's list to the line, an offer made; the line's address."""
    bai.goes("/push-lists")
    bai.follows("郑州方记商贸有限公司")
    line = bai.path
    bai.presses("已联系企业")
    bai.goes(f"{line}?answer=offered")
    bai.fills(amount_fen="40", rate="4.35", term_months="12")
    bai.chooses("loan_type", "credit")
    bai.chooses("repayment", "monthly_interest")
    bai.presses("给出报价")
    bai.sees("已反馈", "4.35%")
    return line


def pays(bai: Walker, line: str) -> None:
    """The grant and a drawdown under it."""
    bai.goes(line)
    bai.follows("报送授信")
    bai.fills(amount_fen="40", rate="4.35", term_months="12", granted_on=TODAY.isoformat())
    bai.chooses("loan_type", "credit")
    bai.presses("报送授信")
    bai.sees("授信与放款")
    bai.follows("报送放款")
    due = TODAY.replace(year=TODAY.year + 1).isoformat()
    bai.fills(loan_number="HT-2026-1", amount_fen="30", rate="4.35", drawn_on=TODAY.isoformat(), matures_on=due)
    bai.presses("报送放款")
    bai.sees("HT-2026-1")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_demand_walks_from_the_firm_over_the_bank_to_the_official(
    database, settings, world, chromium, tmp_path, javascript: bool
) -> None:
    clock = Clock(demo_on=TODAY)
    with served(build_app(settings, database, clock)) as address:
        fang, bai, gao, guo = (Walker(chromium, address, login, javascript=javascript) for login in PEOPLE)
        demand = reports(fang, world.bank)
        run_cycle(settings, TODAY, clock.now())
        line = offers(bai)
        fang.goes(demand)
        fang.sees("银行报价，请选一家", "BAI银行", "4.35%")
        fang.follows("接受这份报价")
        fang.sees("接受BAI银行的报价吗", "4.35%")
        fang.presses("接受这份报价")
        pays(bai, line)
        fang.goes(demand)
        fang.sees("已放款")
        for official in (gao, guo):
            official.goes("/figures")
            official.sees("放款户数", "1 1 40 30 4.35%")  # granted and paid: households, 万元, and the rate
        assert [walker.complaints for walker in (fang, bai, gao, guo)] == [[], [], [], []]
        if javascript:
            with database.transaction(the_platform("test")) as tx:
                set_demo_day(tx, TODAY)
                add_cast(tx, the_platform("test"), cards(world.bank), TODAY, NOW)
            taken, missed = take(chromium, address, tmp_path, HOMES)
            assert (len(taken), missed) == (2 * len(HOMES), [])
            for picture in taken:
                assert picture.read_bytes()[8:12] == b"WEBP"
                assert 5_000 < picture.stat().st_size < LARGEST
    with database.transaction(the_platform("test")) as tx:
        assert rows_of(tx, "demand")[0]["state"] == "drawn"
        kinds = {row["kind"]: row["amount_fen"] for row in rows_of(tx, "figure_event")}
    assert kinds["drawn"] == 30_000_000
