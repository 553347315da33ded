"""The city's pages of rehearsals: a file is handed in, watched, stopped, read; a wrong one comes back with words."""

import pytest
from sqlalchemy import text

from matching.policy import POLICY_FILE
from service.actions.push_lists import push_missing
from service.actions.rehearse_policy import rehearse_waiting
from service.clock import Clock
from tests.browser import Browser, Page, an_app
from tests.builders import (
    CITY,
    FANG,
    FENG,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_firm_with_records,
    a_small_world,
    rows_of,
    some_tools,
)
from web.rehearsal_words import shown

SHIPPED = POLICY_FILE.read_bytes()
STRICT = SHIPPED.replace(b'2024-10-15: {green: "12", yellow: "6"}', b'2024-10-15: {green: "120", yellow: "110"}')


@pytest.fixture
def city(database, settings) -> Browser:
    with database.transaction(PLATFORM) as tx:
        small = a_small_world(tx)
        tools = some_tools(tx)
        for uscc in (FANG, FENG):
            a_demand(tx, uscc, (small.bank,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
    return Browser(an_app(settings, database, Clock(demo_on=TODAY)), database, CITY)


def asks(city: Browser, content: bytes | None, **days: object) -> Page:
    """Ask for a rehearsal of this day, or of others."""
    city.opens("/rehearsals")
    file = ("新口径.yaml", content, "application/yaml") if content is not None else None
    return city.uploads("/rehearsals", "policy", file, **{"from_on": TODAY, "to_on": TODAY} | days)


def test_a_rehearsal_is_asked_for_watched_and_read(city: Browser, settings) -> None:
    page = asks(city, STRICT)
    assert "新口径.yaml" in page.words
    assert "排队" in page.words
    assert 'hx-trigger="every 2s"' in page.html
    assert rehearse_waiting(settings) == 1
    page = city.opens(page.address)
    assert "逐字节一致" in page.words
    assert "2 笔的信灯会不同" in page.words
    assert "开环：每天只用当天存下的输入" in page.words
    assert "当天存下的各银行接受倾向" in page.words
    assert "只含银行答复的偶然性" in page.words
    not_rehearsed = page.words[page.words.index("不预演") : page.words.index("不足 5 户的区县")]
    assert "二次推送的预计接受率下限" in not_rehearsed
    assert "价值权重" not in not_rehearsed, "weights are rehearsed"
    assert "不足 5 户，不显示" in page.words, "two firms are too few for figures"
    listed = next(link for link in page.links if link.endswith("old=green&new=red"))
    page = city.opens(listed)
    assert "郑州方记商贸有限公司" in page.words
    assert "经营时间" in page.words
    assert city.opens("/rehearsals").words.count("新口径.yaml") == 1


def test_with_enough_firms_the_figures_are_there_in_english_too(city: Browser, settings, database) -> None:
    with database.transaction(PLATFORM) as tx:
        tools = some_tools(tx)
        for number in range(4):
            uscc = a_firm_with_records(tx, f"91410199MA00001{number}1X", name=f"第{number}公司")
            a_demand(tx, uscc, (1,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
    address = asks(city, STRICT).address
    rehearse_waiting(settings)
    city.client.headers["accept-language"] = "en"
    page = city.opens(address)
    assert "Open loop" in page.words
    assert "Expected grants, amounts and average rate" in page.words
    assert "not shown" not in page.words
    assert "Zhongyuan" in page.words
    assert "Time in business" in page.words
    assert "Green to Red" in page.words


def test_the_part_that_is_polled_is_a_part_and_ends_with_the_work(city: Browser, settings) -> None:
    address = asks(city, SHIPPED).address
    part = city.client.get(address, headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "every 2s" in part
    rehearse_waiting(settings)
    part = city.client.get(address, headers={"HX-Request": "true"}).text
    assert "every 2s" not in part
    assert f'href="{address}"' in part
    assert f'href="{address}"' not in city.opens(address).html


def test_it_can_be_stopped_from_its_page(city: Browser, settings, database) -> None:
    address = asks(city, STRICT).address
    page = city.sends(f"{address}/cancellation")
    assert "已取消" in page.words
    assert "没有留下任何结果" in page.words
    assert rehearse_waiting(settings) == 0
    with database.transaction(PLATFORM) as tx:
        assert [row["state"] for row in rows_of(tx, "rehearsal")] == ["cancelled"]


@pytest.mark.parametrize(
    ("content", "days", "sentence"),
    [
        (None, {}, "请选择文件"),
        (b"version: 1\nstranger: 2\n", {}, "stranger"),
        (SHIPPED, {"from_on": "2026-13-01"}, "请填日期"),
        (SHIPPED, {"to_on": "2027-01-01"}, "结束日最晚是今天"),
        (SHIPPED, {"from_on": "2020-01-01", "to_on": "2020-01-02"}, "采用哪一天的口径"),
    ],
)
def test_a_wrong_file_or_day_comes_back_with_a_sentence_and_nothing_is_queued(
    city: Browser, database, content, days, sentence: str
) -> None:
    page = asks(city, content, **days)
    assert page.status == 422
    assert sentence in page.words
    with database.transaction(PLATFORM) as tx:
        assert rows_of(tx, "rehearsal") == []


def test_a_rehearsal_that_failed_says_why(city: Browser, database) -> None:
    address = asks(city, SHIPPED).address
    with database.transaction(PLATFORM) as tx:
        tx.execute(text("UPDATE rehearsal SET state = 'failed', message = '磁盘已满', ended_at = now()"))
    page = city.opens(address)
    assert "没有做完" in page.words
    assert "磁盘已满" in page.words
    assert "/rehearsals" in page.links


def test_what_changes_bears_its_sign_and_what_does_not_says_so() -> None:
    told = {"grants": [1.26, -0.04, 2.0], "amount_fen": [-1_500_000_000, 0, 0], "rate": ["-0.00120", "0", "0.0001"]}
    nothing = {"grants": [0.0] * 3, "amount_fen": [0] * 3, "rate": None}
    cell = {"key": "F", "firms": 7, "demands": 9, "turned": 1, "old": told, "new": told}
    moved = shown(cell | {"change": told}, lambda key: key)
    assert not moved.is_same
    change = moved.figures[2]
    assert (change.grants, change.amount) == ("+1.3（0.0 到 +2.0）", "−1,500（0 到 0）")
    assert change.rate == "−0.12（0.00 到 +0.01） 个百分点"
    still = shown(cell | {"change": nothing}, lambda key: key)
    assert still.is_same
    assert [figure.side for figure in still.figures] == ["当时", "新口径"]
