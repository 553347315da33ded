"""axe finds nothing to mend on the pages of the match, of models and of figures, in any state, at three widths."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from matching.policy import POLICY_FILE
from service.actions.answer_push import answer_line
from service.actions.promote_model import propose_model
from service.actions.push_lists import push_missing
from service.actions.rehearse_policy import rehearse_waiting
from service.actions.shadow_models import score_unscored, start_shadow
from service.actions.train_model import register_model, use_model
from service.clock import Clock
from service.domain.answering import AnswerForm, OfferForm
from service.domain.people import Role, Who
from service.doors import cookie_name
from service.store import pace
from tests.browser import Browser, session_of
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    FENG_HIMSELF,
    NOW,
    PLATFORM,
    TODAY,
    a_demand,
    a_firm_with_records,
    a_product,
    a_small_world,
    bai,
    bo,
    rows_of,
    some_tools,
)
from tests.chromium import faults_of, served
from tests.kept_models import a_kept_model, an_operator
from tests.reports import STEPS, fills_in
from web.main import build_app

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
WIDTHS = (360, 768, 1280)
YESTERDAY = TODAY - timedelta(days=1)
OTTO = Who(Role.OPERATOR, 9, "欧")
STRICT = POLICY_FILE.read_bytes().replace(
    b'2024-10-15: {green: "12", yellow: "6"}', b'2024-10-15: {green: "120", yellow: "110"}'
)
SHOWS = ({}, {"contrast": "high"}, {"size": "24"}, {"language": "en"})
"""How a person may have the pages shown, by cookie."""
Pages = Mapping[str, tuple[Who, str]]


@dataclass(frozen=True)
class Town:
    """An app with something on every page, and the pages by name."""

    app: Any
    pages: Pages


@pytest.fixture
def town(database, settings, tmp_path) -> Iterator[Town]:
    models = some_models(database, settings, tmp_path)
    firms = a_day_of_lists(database, models["in use"])
    with database.transaction(PLATFORM) as tx:
        start_shadow(tx, PLATFORM, settings.models, models["shadow"].version, TODAY, TODAY, NOW)
        score_unscored(tx, PLATFORM, settings.models, TODAY, NOW)
        proposer = an_operator(tx, "otto", "欧")
        propose_model(tx, proposer, settings.models, models["next"].version, "同样需求上排序更准。", TODAY, NOW)
    app = build_app(settings, database, Clock(demo_on=TODAY))
    rehearsals = every_kind_of_rehearsal(Browser(app, database, CITY), database, settings)
    yield Town(app, {**firms, **rehearsals, **pages_of_models(models), **pages_of_lines(database)})


def some_models(database, settings, folder) -> dict[str, Any]:
    """One in use, one as a shadow, one proposed, one that only waits."""
    made = {
        name: a_kept_model(settings, folder, level, per_delay=0.3, as_of=date(2026, 5, 31) - timedelta(days=30 * place))
        for place, (name, level) in enumerate((("in use", 0.02), ("shadow", 0.03), ("next", 0.04), ("other", 0.05)))
    }
    with database.transaction(PLATFORM) as tx:
        use_model(tx, PLATFORM, made["in use"], NOW)
        for name in ("shadow", "next", "other"):
            register_model(tx, PLATFORM, made[name], NOW)
    return made


def a_day_of_lists(database, model: Any) -> Pages:
    """Six firms' demands, pushed to two banks whose places are short; one refused, one offered, one misses much."""
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        a_product(
            tx, made.other_bank, "FAR", name="远贷", criteria={"min_months_in_business": 150, "min_employees": 50}
        )
        tx.execute(text("UPDATE product SET places_per_day = 3"))
        tools = some_tools(tx, model=model)
        for number in range(4):
            uscc = a_firm_with_records(tx, f"91410199MA00001{number}1X", name=f"第{number}公司")
            a_demand(tx, uscc, (made.bank,), tools)
        fangs = a_demand(tx, FANG, (made.bank, made.other_bank), tools)
        a_demand(tx, FENG, (made.other_bank,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
        lines = {(row["demand_id"], row["bank_id"]): row["id"] for row in rows_of(tx, "push_line")}
    refused = AnswerForm(next(line for (_, bank), line in lines.items() if bank == made.bank), "refused", ("industry",))
    offer = OfferForm(40_000_000, Decimal("0.0435"), 12, "credit")
    offered = AnswerForm(lines[fangs, made.other_bank], "offered", offer=offer)
    for officer, answer in ((bai(made.bank), refused), (bo(made.other_bank), offered)):
        with database.transaction(officer) as tx:
            answer_line(tx, officer, answer, TODAY, NOW)
    return {
        "demand of a firm": (FANG_HERSELF, f"/firm/demands/{fangs}"),
        "products beside a demand": (FANG_HERSELF, "/products"),
        "line of a bank": (officer, f"/push-lines/{offered.line_id}"),
        "appetite of a bank": (officer, "/bank/appetite"),
        "messages of a firm": (FANG_HERSELF, "/firm/notices"),
        "messages of a bank": (officer, "/bank/notices"),
        "versions of a product": (officer, f"/bank/products/{made.other_product}/versions"),
        "daily briefing": (CITY, f"/briefings?on={YESTERDAY}"),
        "weekly briefing": (CITY, f"/briefings?kind=week&on={TODAY}"),
        "appetite for the city": (CITY, f"/appetite?bank={made.bank}"),
        "demand for the city": (CITY, f"/demands/{fangs}"),
    }


def every_kind_of_rehearsal(city: Browser, database, settings) -> Pages:
    """Done with changes, done by the live policy, failed, cancelled, running and waiting."""

    def asked(content: bytes, **days: object) -> str:
        city.opens("/rehearsals")
        file = ("新口径.yaml", content, "application/yaml")
        return city.uploads("/rehearsals", "policy", file, **{"from_on": TODAY, "to_on": TODAY} | days).address

    done, same = asked(STRICT), asked(POLICY_FILE.read_bytes())
    rehearse_waiting(settings)
    ended = {"failed": asked(STRICT), "cancelled": asked(STRICT, from_on=YESTERDAY)}
    with database.transaction(PLATFORM) as tx:
        for state, address in ended.items():
            values = {"state": state, "id": int(address.rpartition("/")[2])}
            tx.execute(
                text("UPDATE rehearsal SET state = :state, message = '磁盘已满', ended_at = now() WHERE id = :id"),
                values,
            )
    running, waiting = asked(STRICT), asked(STRICT, from_on=YESTERDAY)
    with database.transaction(PLATFORM) as tx:
        tx.execute(
            text("UPDATE rehearsal SET state = 'running', done = 1, total = 3 WHERE id = :id"),
            {"id": int(running.rpartition("/")[2])},
        )
    pages = {
        "rehearsals": "/rehearsals", "done": done, "lights that turn": f"{done}/demands", "nothing changes": same,
        **ended, "running": running, "waiting": waiting,
    }  # fmt: skip
    return {f"rehearsal: {name}": (CITY, address) for name, address in pages.items()}


def pages_of_models(models: dict[str, Any]) -> Pages:
    """List, and for each model card, drift, shadow and use."""
    parts = {"card": "", "drift": "/drift", "shadow": "/shadow", "use": "/promotion"}
    pages = {
        f"model {state}: {part}": (OTTO, f"/operator/models/{model.version}{tail}")
        for state, model in models.items()
        for part, tail in parts.items()
    }
    return pages | {"models": (OTTO, "/operator/models")}


def pages_of_lines(database) -> Pages:
    """Clocks: the lists, one that runs, one that is closed; certificates; banks and figures."""
    with database.transaction(PLATFORM) as tx:
        pace.roll_up(tx, TODAY)
        lines = {row["state"]: row["id"] for row in rows_of(tx, "push_line")}
        (certificate,) = rows_of(tx, "certificate")
    clocks = {state: (OTTO, f"/operator/clocks/{line}") for state, line in lines.items()}
    return {
        "clocks": (OTTO, "/operator/clocks"),
        "clocks without a line": (OTTO, "/operator/clocks?only=silent"),
        **{f"clock of a line {state}": page for state, page in clocks.items()},
        "certificates": (CITY, "/certificates"),
        "banks": (CITY, "/banks"),
        "figures": (CITY, "/figures?map=reported"),
        "figures as of a past day": (CITY, f"/figures?as_of={YESTERDAY}"),
        "events of figures": (CITY, "/figures/events?only=new"),
        "projection": (CITY, "/projection"),
        "certificate": (CITY, f"/certificates/{certificate['id']}"),
    }


def faults(town: Town, chromium: Any, database, cookies: Mapping[str, str], widths: tuple[int, ...]) -> list[str]:
    """Every fault on every page at every width, everything folded opened; and what the console complains of."""
    found = []
    with served(town.app) as address:
        for name, (who, path) in town.pages.items():
            with opened(chromium, address, town.app, session_of(database, who, TODAY), cookies) as page:
                complaints = complaints_of(page)
                assert page.goto(address + path).status == 200, name
                page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
                for width in widths:
                    page.set_viewport_size({"width": width, "height": 900})
                    found += [f"{name} at {width}: {fault}" for fault in faults_of(page)]
                found += [f"{name}: {complaint}" for complaint in complaints]
    return found


@contextmanager
def opened(chromium: Any, address: str, app: Any, session: str, cookies: Mapping[str, str]) -> Iterator[Any]:
    """A page of a signed-in person."""
    context = chromium.new_context(locale="zh-CN")
    every = {cookie_name(app.state.house.settings): session, **cookies}
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in every.items()])
    yield context.new_page()
    context.close()


def complaints_of(page: Any) -> list[str]:
    """What its console says from now on of errors, blocked styles and scripts among them."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    return complaints


def test_no_page_has_a_fault_at_any_width(database, town: Town, chromium) -> None:
    assert faults(town, chromium, database, {}, WIDTHS) == []


@pytest.mark.soak
@pytest.mark.parametrize("cookies", SHOWS, ids=["plain", "high contrast", "large", "English"])
def test_no_page_has_a_fault_however_it_is_shown(database, town: Town, chromium, cookies) -> None:
    assert faults(town, chromium, database, cookies, WIDTHS) == []


def test_no_question_of_a_report_has_a_fault_nor_has_the_check_of_its_answers(database, settings, chromium) -> None:
    with database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        a_demand(tx, FENG, (made.bank,), some_tools(tx), use="trade")
    app = build_app(settings, database, Clock(demo_on=TODAY))
    wish = {"amount_fen": "50", "term_months": "12", "use": "trade", "first_bank": made.bank}
    for who in (FANG_HERSELF, FENG_HIMSELF):
        fills_in(Browser(app, database, who), **wish)
    pages = {f"report: {step}": (FANG_HERSELF, f"/firm/reports/{step}") for step in (*STEPS, "check")}
    pages |= {
        "home with a draft": (FANG_HERSELF, "/firm"),
        "a second for one use": (FENG_HIMSELF, "/firm/reports/check"),
    }
    assert faults(Town(app, pages), chromium, database, {}, WIDTHS) == []


def test_a_form_that_comes_back_with_mistakes_has_no_fault(database, settings, chromium) -> None:
    app = build_app(settings, database, Clock(demo_on=TODAY))
    with (
        served(app) as address,
        opened(chromium, address, app, session_of(database, CITY, TODAY), {}) as page,
    ):
        page.set_viewport_size({"width": 360, "height": 900})
        page.goto(f"{address}/rehearsals")
        page.get_by_role("button", name="开始预演").click()
        page.wait_for_load_state()
        assert page.locator(".error-summary").count() == 1
        assert faults_of(page) == []
