"""What goes wrong at the door: the person in front of it reads why, the status is right, the operator finds a line
about it under the answer's number, and nothing is lost or done twice. Files of departments: tests/service/intake.
"""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from service.actions.answer_push import answer_line
from service.actions.give_consent import give_consents
from service.actions.push_lists import push_missing
from service.clock import Clock
from service.domain.answering import AnswerForm
from service.domain.people import Role, Who, the_platform
from tests.browser import Browser, an_app, machine
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    GAO,
    NOW,
    PLATFORM,
    TODAY,
    Small,
    a_consent,
    a_demand,
    a_product,
    a_small_world,
    bai,
    bo,
    rows_of,
)  # fmt: skip
from tests.reports import fills_in
from tests.web.test_role_table import WHO_MAY
from web.forms import Form

TOO_MUCH = "1000000000000000"
"""10^15."""
NONSENSE = {
    "a zero byte": "甲\0乙",
    "forty digits": "9" * 40,
    "three hundred letters and a formula": "=1+" + "长" * 300,
}
ASKED = ("q", "since", "until", "page", "sort", "by", "kind", "state", "district", "bank_id", "act", "offset")


@pytest.fixture
def world(database) -> Small:
    with database.transaction(the_platform("test")) as tx:
        return a_small_world(tx)


@pytest.fixture
def pushed(database, world: Small) -> int:
    """The key of Fang's line on Bai's list of today."""
    with database.transaction(the_platform("test")) as tx:
        a_demand(tx, FANG, (world.bank,), world.tools)
        push_missing(tx, PLATFORM, TODAY, NOW, world.tools)
        return int(rows_of(tx, "push_line")[0]["id"])


@pytest.fixture
def app(database, settings, world: Small):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def tomorrow(database, settings, world: Small):
    """The same platform a day later."""
    return an_app(settings, database, Clock(demo_on=TODAY + timedelta(days=1)))


@pytest.fixture
def told() -> Iterator[list]:
    """The operator's lines."""
    with capture_logs() as lines:
        yield lines


def there(database, table: str, **where) -> list:
    with database.transaction(the_platform("test")) as tx:
        return rows_of(tx, table, **where)


def wish(world: Small, **other: object) -> dict[str, object]:
    return {"amount_fen": "50", "term_months": "12", "use": "trade", "first_bank": world.bank} | other


def is_noted(told: list, route: str, status: int) -> bool:
    return any(
        line["event"] == "request"
        and (line["route"], line["status"]) == (route, status)
        and line["log_level"] == "info"
        for line in told
    )


@pytest.mark.parametrize("amount", ["0", "100000000000"])
def test_a_demand_of_nothing_or_of_everything_names_the_bounds_and_keeps_what_was_typed(
    app, database, world: Small, told: list, amount: str
) -> None:
    fang = Browser(app, database, FANG_HERSELF)
    page = fills_in(fang, **wish(world, amount_fen=amount))
    assert page.status == 422
    assert "万元" in page.words[page.words.index("错误") :] if "错误" in page.words else "万元" in page.words
    assert f'value="{amount}"' in page.html
    assert there(database, "demand") == there(database, "consent") == there(database, "draft") == []
    assert is_noted(told, "/firm/reports/{step}", 422)


def test_an_offer_of_nothing_or_of_everything_is_a_problem_with_its_field(
    app, database, world: Small, pushed: int, told: list
) -> None:
    bank = machine(app, database, bai(world.bank))
    terms = {"rate": "0.0435", "term_months": 12, "loan_type": "credit"}
    for amount in ("0", TOO_MUCH):
        offer = {"amount_yuan": amount, **terms}
        answer = bank.post(
            f"/api/v1/push-lines/{pushed}/answer", json={"line_id": pushed, "kind": "offered", "offer": offer}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), amount
        assert "amount" in answer.text
        assert answer.headers["X-Request-ID"]
    assert there(database, "offer") == there(database, "answer") == []
    assert is_noted(told, "/api/v1/push-lines/{line_id}/answer", 422)


def test_an_expired_consent_is_asked_for_again_and_the_demand_is_not_taken_without_it(
    database, world: Small, tomorrow, told: list
) -> None:
    with database.transaction(the_platform("test")) as tx:
        last_day = {"from_on": TODAY, "until_on": TODAY}
        ended = [a_consent(FANG, None, until_on=TODAY), a_consent(FANG, world.bank, until_on=TODAY)]
        give_consents(tx, PLATFORM, ended, last_day["from_on"], NOW)
    fang = Browser(tomorrow, database, FANG_HERSELF)
    asked = fills_in(fang, **wish(world))
    assert 'name="consent"' in asked.html
    refused = fang.sends("/firm/demands")
    assert refused.status == 422
    assert "请逐项勾选授权" in refused.words
    assert there(database, "demand") == []
    assert is_noted(told, "/firm/demands", 422)
    lit = fang.sends("/firm/demands", consent=[0, world.bank])
    assert lit.status == 200
    assert len(there(database, "demand")) == 1
    assert len(there(database, "consent", uscc=FANG)) == 4  # the old ones stay in the ledger


def test_a_double_click_reports_one_demand_and_the_second_is_led_to_where_it_stands(
    app, database, world: Small, told: list
) -> None:
    fang = Browser(app, database, FANG_HERSELF)
    fills_in(fang, **wish(world))
    form = dict(fang.page.form("/firm/demands")["fields"]) | {"consent": ["0", str(world.bank)]}
    answers = []

    def click() -> None:
        answers.append(fang.client.post("/firm/demands", data=form, follow_redirects=False))

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert [answer.status_code for answer in answers] == [303, 303]
    (demand,) = there(database, "demand")
    assert {answer.headers["location"] for answer in answers} == {f"/firm/demands/{demand['id']}", "/firm"}
    home = fang.opens("/firm")
    # Whichever answer reaches the browser last leaves its word; both are true, and the demand stands below either.
    assert any(word in home.words for word in ("如果刚刚提交过，它就在下面", "已申报，并已评判"))
    assert demand["number"] in home.words
    assert len([entry for entry in there(database, "trail") if entry["verb"] == "report"]) == 1
    assert len(there(database, "figure_event", kind="reported")) == 1
    assert is_noted(told, "/firm/demands", 303)


def test_yesterdays_closed_line_takes_no_answer_and_says_when_it_closed(
    tomorrow, database, world: Small, pushed: int, told: list
) -> None:
    who = bai(world.bank)
    with database.transaction(who) as tx:
        answer_line(tx, who, AnswerForm(pushed, "refused", reasons=("industry",)), TODAY, NOW)
    answer = machine(tomorrow, database, who).post(
        f"/api/v1/push-lines/{pushed}/answer", json={"line_id": pushed, "kind": "contacted"}
    )
    assert answer.status_code == 409
    assert answer.json()["detail"] == f"此项已于 {TODAY} 关闭，不能再反馈。"
    officer = Browser(tomorrow, database, who)
    shown = officer.opens(f"/push-lines/{pushed}")
    assert shown.status == 200
    again = dict(shown.forms[-1]["fields"]) | {"kind": ["contacted"], "corrects": [""]}
    page = officer.client.post(f"/push-lines/{pushed}/answer", data=again)
    assert page.status_code in (409, 422)
    assert "关闭，不能再反馈" in page.text
    assert len(there(database, "answer")) == 1
    assert is_noted(told, "/api/v1/push-lines/{line_id}/answer", 409)


def test_another_banks_line_is_not_there_for_page_and_machine_and_stays_as_it_is(
    app, database, world: Small, pushed: int, told: list
) -> None:
    who = bo(world.other_bank)
    before = there(database, "push_line")
    answer = machine(app, database, who).post(
        f"/api/v1/push-lines/{pushed}/answer", json={"line_id": pushed, "kind": "refused", "reasons": ["industry"]}
    )
    assert (answer.status_code, answer.json()["detail"]) == (404, "没有这条推送项。")
    page = Browser(app, database, who).opens(f"/push-lines/{pushed}")
    assert page.status == 404
    assert "没有找到这个推送项。" in page.words
    assert there(database, "push_line") == before
    assert is_noted(told, "/push-lines/{line_id}", 404)


def test_a_name_of_three_hundred_letters_and_a_formula_in_a_cell_are_words_and_no_more(
    app, database, world: Small, told: list
) -> None:
    admin = Browser(app, database, Who(Role.BANK_ADMIN, 8, "白总", bank_id=world.bank))
    admin.opens("/bank/people")
    too_long = admin.sends("/bank/people", login="bai2", name="长" * 300, role="officer")
    assert too_long.status == 422
    assert "个字" in too_long.words
    assert is_noted(told, "/bank/people", 422)
    with database.transaction(the_platform("test")) as tx:
        a_product(tx, world.bank, "P2", name="=1+1")
    listed = admin.opens("/bank/products")
    assert (listed.status, "=1+1" in listed.words) == (200, True)


def all_forms(kind: type) -> set[type]:
    below = set(kind.__subclasses__())
    return below | {form for one in below for form in all_forms(one)}


class Scribbler:
    """Somebody let in, who writes the same nonsense into every field there is."""

    def __init__(self, app, database, who: Who) -> None:
        self.browser = Browser(app, database, who)
        self.browser.opens("/identity")
        self.token = next(form["fields"]["form_token"][0] for form in self.browser.page.forms)
        self.fields = {name for form in all_forms(Form) for name in form.model_fields} | {"consent", "kind"}

    def asks(self, route: str, value: str) -> int:
        method, path = route.split(" ", 1)
        address = re.sub(r"\{\w+\}", value if value.isdigit() else "1", path)
        client = self.browser.client
        if method == "GET":
            return client.get(address, params=dict.fromkeys(ASKED, value), follow_redirects=False).status_code
        fields = dict.fromkeys(self.fields, value)
        if path.startswith("/api/"):
            return client.post(address, json=fields).status_code
        return client.post(address, data=fields | {"form_token": self.token}, follow_redirects=False).status_code


@pytest.mark.parametrize("every", [len(NONSENSE), pytest.param(1, marks=pytest.mark.soak)], ids=["in turn", "all"])
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_no_nonsense_in_any_field_of_any_address_is_a_fault_of_ours(
    app, database, world: Small, pushed: int, nonsense: str, every: int
) -> None:
    routes = [route for route in WHO_MAY if route not in ("POST /sign-out", "GET /styleguide")]
    turn = list(NONSENSE).index(nonsense) % every
    people = {
        "firm": FANG_HERSELF,
        "officer": bai(world.bank),
        "bank_admin": Who(Role.BANK_ADMIN, 8, "白总", bank_id=world.bank),
        "district": GAO,
        "city": CITY,
        "operator": Who(Role.OPERATOR, 10, "运"),
    }
    scribblers = {name: Scribbler(app, database, who) for name, who in people.items()}
    answers = {
        route: scribblers[next(name for name in scribblers if name in WHO_MAY[route])].asks(route, NONSENSE[nonsense])
        for route in routes[turn::every]
    }
    assert {route: status for route, status in answers.items() if status >= 500} == {}
    assert sum(status in (200, 303, 404, 422) for status in answers.values()) > len(answers) * 0.9
