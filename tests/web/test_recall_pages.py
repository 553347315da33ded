"""The operator recalls a wrong list from its page; what its bank and its firm read of it then."""

from dataclasses import dataclass

import pytest

from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.people import Role, Who, the_platform
from tests.browser import Browser, machine
from tests.builders import FANG, FANG_HERSELF, NOW, PLATFORM, TODAY, a_demand, a_small_world, bai, rows_of
from web.main import build_app

OTTO = Who(Role.OPERATOR, 9, "欧")
WHY = "税务报送有误，已改正"


@dataclass
class Recalling:
    """The browsers of everybody a recall touches, and the list with its only line."""

    otto: Browser
    officer: Browser
    firm: Browser
    demand: int
    line: dict

    @property
    def address(self) -> str:
        return f"/operator/lists/{self.line['list_id']}"

    def recalls(self, reason: str = WHY):
        self.otto.opens(f"{self.address}/recall")
        return self.otto.sends(f"{self.address}/recall", reason=reason)


@pytest.fixture
def there(database, settings) -> Recalling:
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        demand = a_demand(tx, FANG, (made.bank,), made.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, made.tools)
        (line,) = rows_of(tx, "push_line")
    app = build_app(settings, database, Clock(demo_on=TODAY))
    browsers = (Browser(app, database, who) for who in (OTTO, bai(made.bank), FANG_HERSELF))
    return Recalling(*browsers, demand, dict(line))


def test_the_operator_sees_what_a_recall_does_gives_a_reason_and_reads_what_came_of_it(database, there) -> None:
    assert there.address in there.otto.opens("/operator/lists").links
    assert "收回" in there.otto.opens(there.address).words
    asked = there.recalls("")
    assert (asked.status, "请写明召回的理由" in asked.words) == (422, True)
    done = there.otto.sends(f"{there.address}/recall", reason=WHY)
    assert done.address == there.address
    assert f"理由 {WHY}" in done.words
    assert "等下一份补推" in done.words
    assert "方" not in done.words, "no word of the firm"
    assert "这份清单之前已经召回" in there.otto.opens(f"{there.address}/recall").words
    with database.transaction(the_platform("test")) as tx:
        assert len(rows_of(tx, "push_list_recall")) == 1
        assert len(rows_of(tx, "trail", verb="looked", noun="push_list")) == 1


def test_a_second_click_finds_it_recalled(there) -> None:
    there.otto.opens(f"{there.address}/recall")
    page = there.otto.page
    there.otto.sends(f"{there.address}/recall", reason=WHY)
    there.otto.page = page
    again = there.otto.sends(f"{there.address}/recall", reason=WHY)
    assert (again.status, "这份清单之前已经召回" in again.words) == (200, True)


def test_the_bank_reads_when_and_why_and_cannot_answer_any_more(there) -> None:
    line = f"/push-lines/{there.line['id']}"
    there.officer.opens(line)
    there.recalls()
    late = there.officer.sends(f"{line}/answer", kind="contacted")
    assert (late.status, "召回这份清单，此项不用反馈" in late.words) == (422, True)
    said = there.officer.opens(line)
    assert f"召回这份清单：{WHY} 此项不用反馈，不计入贵行" in said.words
    assert not [form for form in said.forms if form["action"].endswith("/answer")]
    assert "其余 0 项照旧" in there.officer.opens(f"/push-lists/{there.line['list_id']}").words
    assert f"第 1 份清单已召回：{WHY}。" in there.officer.opens("/bank/notices").words


def test_the_banks_own_system_reads_so_too(database, there) -> None:
    there.recalls()
    system = machine(there.officer.client.app, database, bai(there.line["bank_id"]))
    lists = system.get("/api/v1/push-lists").json()["push_lists"]
    assert [one["id"] for one in lists if one["recalled_at"]] == [there.line["list_id"]]
    answer = {"line_id": there.line["id"], "kind": "contacted"}
    late = system.post(f"/api/v1/push-lines/{there.line['id']}/answer", json=answer)
    assert (late.status_code, late.json()["detail"]) == (409, f"平台已于 {TODAY} 召回这份清单，此项不用反馈。")
    with database.transaction(the_platform("test")) as tx:
        assert rows_of(tx, "answer") == []


def test_the_firm_reads_that_its_demand_waits_for_a_bank_again(there) -> None:
    there.recalls()
    said = there.firm.opens(f"/firm/demands/{there.demand}").words
    assert "平台已召回" in said
    assert "平台会重新为这笔需求找银行" in said
    assert "正在重新找银行" in there.firm.opens("/firm/notices").words
