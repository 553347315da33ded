"""What a bank's list is found by: copies on the line that follow demand and firm, and go when the consent does."""

import pytest
from sqlalchemy import text

from service.actions.answer_push import answer_line
from service.actions.give_consent import withdraw_consent
from service.actions.push_lists import push_missing
from service.domain.answering import AnswerForm
from service.store.bank_desk import OpenLines, Wanted, count_each, count_open, list_lines
from tests.builders import FANG, FANG_HERSELF, FENG, NOW, PLATFORM, TODAY, a_demand, a_small_world, bai, bo, rows_of

pytestmark = pytest.mark.database

COLLATIONS = text("""
    SELECT a.attcollation AS of_firms, i.indcollation[0] AS of_index
    FROM pg_attribute a, pg_index i
    WHERE a.attrelid = 'firm'::regclass AND a.attname = 'uscc' AND i.indexrelid = 'push_line_seen'::regclass
""")
COPIES = ("firm_name", "demand_number", "light", "grade", "probability")


@pytest.fixture
def world(database):
    """Fang and Feng stand on the list of Bai's bank."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        for uscc in (FANG, FENG):
            a_demand(tx, uscc, (made.bank,), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
    return made


def copies(database, uscc: str = FANG) -> tuple:
    with database.transaction(PLATFORM) as tx:
        (line,) = rows_of(tx, "push_line", uscc=uscc)
    return tuple(line[name] for name in COPIES)


def found(database, world, **wanted) -> list[str]:
    who = bai(world.bank)
    with database.transaction(who) as tx:
        rows, total = list_lines(tx, who, Wanted(**wanted), TODAY)
        assert list_lines(tx, who, Wanted(**wanted), TODAY, count_open(tx, who))[1] == total
        assert count_each(tx, who, [Wanted(**wanted), Wanted("all")], TODAY)[0] == total == len(rows)
    return [row.firm_name for row in rows]


def test_whether_a_bank_may_see_a_firm_is_looked_up_in_the_collation_of_firms(database) -> None:
    with database.transaction(PLATFORM) as tx:
        found = tx.execute(COLLATIONS).one()
    assert found.of_index == found.of_firms


def test_a_line_keeps_what_it_is_asked_by_and_follows_its_demand_and_its_firm(database, world) -> None:
    name, number, light, grade, chance = copies(database)
    with database.transaction(PLATFORM) as tx:
        (demand,) = rows_of(tx, "demand", uscc=FANG)
        (estimate, *_) = rows_of(tx, "estimate", uscc=FANG)
        assert (name, number, light) == ("郑州方记商贸有限公司", demand["number"], demand["light"])
        assert (grade, chance) == (estimate["grade"], estimate["probability"])
        tx.execute(text("UPDATE demand SET light = 'yellow' WHERE id = :id"), {"id": demand["id"]})
        tx.execute(text("UPDATE firm SET name = '郑州方圆商贸有限公司' WHERE uscc = :u"), {"u": FANG})
    assert copies(database)[:3] == ("郑州方圆商贸有限公司", number, "yellow")
    assert found(database, world, light="yellow") == found(database, world, query="方圆") == ["郑州方圆商贸有限公司"]
    assert len(found(database, world, query=number.lower())) == len(found(database, world, query=FANG.lower())) == 1
    with database.transaction(PLATFORM) as tx:  # as long as a code, and none
        tx.execute(text("UPDATE firm SET name = 'ZhengzhouFangTrade' WHERE uscc = :u"), {"u": FANG})
    assert found(database, world, query="zhengzhoufangtrade") == ["ZhengzhouFangTrade"]
    assert found(database, world, query="%") == found(database, world, query="_") == []


def test_open_lines_are_counted_by_what_they_wait_for(database, world) -> None:
    who = bai(world.bank)
    with database.transaction(who) as tx:
        (line, other), (listed,) = rows_of(tx, "push_line"), rows_of(tx, "push_list", bank_id=world.bank)
        counted = [count_open(tx, who)]
        for answer in (AnswerForm(line["id"], "contacted"), AnswerForm(other["id"], "refused", ("cash_flow",))):
            answer_line(tx, who, answer, TODAY, NOW)
            counted.append(count_open(tx, who))
    assert found(database, world) == ["郑州方记商贸有限公司"]
    assert counted == [
        OpenLines(2, 2, {listed["id"]: 2}), OpenLines(2, 1, {listed["id"]: 2}), OpenLines(1, 0, {listed["id"]: 1}),
    ]  # fmt: skip


def test_when_the_consent_ends_the_bank_finds_the_line_by_nothing_of_the_firm(database, world) -> None:
    _name, number, light, *_ = copies(database)
    with database.transaction(FANG_HERSELF) as tx:
        withdraw_consent(tx, FANG_HERSELF, FANG, world.bank, TODAY, NOW)
    assert copies(database) == (None,) * 5
    for wanted in ({"query": "方记"}, {"query": FANG}, {"query": number}):
        assert found(database, world, only="all", **wanted) == [], wanted
    assert found(database, world, only="all", light=light) == ["郑州冯氏机械有限公司"]
    for sort in ("firm_name", "grade"):
        assert found(database, world, only="all", sort=sort) == ["郑州冯氏机械有限公司", None]


def test_another_banks_role_reads_no_line(database, world) -> None:
    with database.transaction(bo(world.other_bank)) as tx:
        assert rows_of(tx, "push_line") == []
