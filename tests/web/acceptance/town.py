"""A town with something on every page: firms, banks, officials and an operator in the states that `pages.py` names."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text

from matching.policy import POLICY_FILE
from service.actions.add_account import NewAccount, add_account
from service.actions.answer_enquiry import Call, note_call
from service.actions.answer_push import answer_line
from service.actions.choose_offer import accept_offer
from service.actions.enquire import EnquiryForm, From, enquire, take_back
from service.actions.issue_code import CodeForm, issue_code, withdraw_code
from service.actions.make_export import ask_export
from service.actions.plan_visits import PlanForm, plan_visits
from service.actions.promote_model import propose_model
from service.actions.push_lists import push_missing
from service.actions.raise_objection import ObjectionForm, raise_objection
from service.actions.recall_list import RecallForm, recall_list
from service.actions.record_visits import Heard, record_visit
from service.actions.rehearse_policy import rehearse_waiting
from service.actions.report_credit import report_drawdowns, report_grants
from service.actions.review_demand import ask_for_a_person
from service.actions.shadow_models import score_unscored, start_shadow
from service.actions.train_model import register_model, use_model
from service.clock import Clock
from service.domain.answering import AnswerForm, OfferForm
from service.domain.export import ExportKind, Wish
from service.domain.people import THE_DOOR, Role, Who
from service.domain.reporting import DrawForm, GrantForm
from service.domain.scan_code import CodeKind
from service.domain.standards import uscc
from service.settings import Settings
from service.store import follow_ups, pace, runs, urgings, visits
from service.store.database import Database
from service.store.visits import Chosen
from tests.browser import Browser, an_app, session_of
from tests.builders import (
    CITY,
    FANG,
    FANG_HERSELF,
    FENG,
    FENG_HIMSELF,
    GAO,
    NOW,
    OU,
    PLATFORM,
    SEEN,
    TODAY,
    ZHONGYUAN,
    Small,
    a_bank,
    a_demand,
    a_firm,
    a_firm_with_records,
    a_product,
    a_record,
    a_small_world,
    bai,
    bo,
    row_of,
    rows_of,
    some_tools,
)
from tests.kept_models import a_kept_model, an_operator
from tests.registering import SHI, a_waiting_deputy, walks
from tests.reports import fills_in
from tests.web.acceptance.pages import EXPORTS, MODELS, PAGES, STRICT, YESTERDAY

RED, NEW, CALLED_BACK = "91410199MA0000031F", "91410199MA00000998", uscc.synthetic("enterprise", 987_657)
LAST = date(2026, 5, 31)
OTTO = Who(Role.OPERATOR, 9, "欧")
OFFER = OfferForm(40_000_000, Decimal("0.0435"), 12, "credit")
FEED = f"uscc,period,tax,amount,days_late,status\n{FANG},2024-02,vat,很多,0,on_time\n{FANG},2024-03,vat,5,0,on_time\n"


@dataclass
class Town:
    """An app, who lives in it, and the keys of what `pages.py` names."""

    app: Any
    database: Database
    people: dict[str, Who | None] = field(default_factory=dict)
    things: dict[str, object] = field(default_factory=dict)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    """What else a person's browser carries, by person: a registration that is under way."""

    def page(self, name: str) -> tuple[Who | None, str]:
        """Who opens a page, and its address."""
        who, address = PAGES[name]
        return self.people[who], address.format(**self.things)

    def browser(self, who: str) -> Browser:
        """The browser of one of its people, without JavaScript."""
        browser = Browser(self.app, self.database, self.people[who])
        browser.client.cookies.update(self.cookies.get(who, {}))
        return browser


def a_town(database: Database, settings: Settings, folder: Path) -> Town:
    """All of it, in a database without rows."""
    app = an_app(settings, database, Clock(demo_on=TODAY))
    town = Town(app, database, {"nobody": None, "city": CITY, "operator": OTTO})
    model = _models(town, settings, folder)
    made = _demands(town, model)
    _people(town, made)
    _answers(town, made)
    _credit(town)
    _recall(town, model)
    _follow_ups(town)
    _visits(town)
    _letters(town, made)
    _objection(town)
    _scans(town, made)
    _registrations(town)
    _operations(town)
    _rehearsals(town, settings)
    _exports(town)
    for who, use in (("feng", "trade"), ("fang", "working_capital")):  # Fang has a demand for that use already
        fills_in(town.browser(who), amount_fen="50", term_months="12", use=use, first_bank=made.bank)
    return town


def _models(town: Town, settings: Settings, folder: Path) -> Any:
    """One in use, one as a shadow, one proposed, one that only waits."""
    made = {
        name: a_kept_model(settings, folder, 0.02 + place / 100, per_delay=0.3, as_of=LAST - timedelta(30 * place))
        for place, name in enumerate(MODELS)
    }
    with town.database.transaction(PLATFORM) as tx:
        use_model(tx, PLATFORM, made["used"], NOW)
        for name in MODELS[1:]:
            register_model(tx, PLATFORM, made[name], NOW)
    town.things |= {f"{name} model": model.version for name, model in made.items()}
    return made["used"]


def _demands(town: Town, model: Any) -> Small:
    """Seven firms' demands, one of them red, pushed to two banks whose places are short; and a firm without any."""
    with town.database.transaction(PLATFORM) as tx:
        made = a_small_world(tx)
        hard = {"min_months_in_business": 150, "min_employees": 50}
        a_product(tx, made.other_bank, "FAR", name="远贷", criteria=hard)
        tx.execute(text("UPDATE product SET places_per_day = 4"))
        tools = some_tools(tx, model=model)
        for number in range(4):
            a_demand(
                tx, a_firm_with_records(tx, f"91410199MA00001{number}1X", name=f"第{number}公司"), (made.bank,), tools
            )
        fangs = a_demand(tx, FANG, (made.bank, made.other_bank), tools)
        fengs = a_demand(tx, FENG, (made.other_bank,), tools)
        a_firm_with_records(tx, RED, name="郑州红灯实业有限公司")
        listed = {"code": "dishonest", "party": "court", "status": "open"}
        a_record(tx, RED, "dishonesty_listing", "list|1", TODAY.replace(month=3), **listed)
        red = a_demand(tx, RED, (made.bank,), some_tools(tx, model=model))
        a_firm(tx, NEW, name="郑州新设商贸有限公司")
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
        ask_for_a_person(tx, FENG_HIMSELF, fengs, tools, TODAY, NOW)
    town.things |= {
        "fangs": fangs, "fengs": fengs, "red demand": red, "bank": made.bank, "other bank": made.other_bank,
        "product": made.product, "other product": made.other_product,
    }  # fmt: skip
    return made


def _people(town: Town, made: Small) -> None:
    """Those who open pages; a bank's colleague with an account."""
    town.people |= {
        "fang": FANG_HERSELF, "feng": FENG_HIMSELF, "red firm": Who(Role.FIRM, 21, "红", uscc=RED),
        "new firm": Who(Role.FIRM, 22, "新", uscc=NEW), "officer": bai(made.bank), "bo": bo(made.other_bank),
        "bank admin": Who(Role.BANK_ADMIN, 8, "白总", bank_id=made.bank), "district": GAO, "other district": OU,
    }  # fmt: skip
    with town.database.transaction(PLATFORM) as tx:
        add_account(tx, PLATFORM, NewAccount("lin", "林", "officer", "long enough 1", bank="BAI"), NOW)
        town.things["membership"] = rows_of(tx, "membership", bank_id=made.bank)[0]["id"]


def _answers(town: Town, made: Small) -> None:
    """At the first bank one refused, one that lacks papers, two on the way to money; at the other one offered."""
    with town.database.transaction(PLATFORM) as tx:
        lines = rows_of(tx, "push_line")
    first = [line for line in lines if line["bank_id"] == made.bank and line["uscc"] != FANG]
    refused, lacking, paid = first[:3]
    others = {line["uscc"]: line for line in lines if line["bank_id"] == made.other_bank}
    offered, pushed = others[FANG], others[FENG]
    asked = AnswerForm(lacking["id"], "needs_papers", papers=("近一年流水", "营业执照"), text="盖章")
    for line, answer in (
        (refused, AnswerForm(refused["id"], "refused", ("industry",))),
        (lacking, asked),
        (paid, AnswerForm(paid["id"], "offered", offer=OFFER)),
        (offered, AnswerForm(offered["id"], "offered", offer=OFFER)),
    ):
        officer = bai(made.bank) if line["bank_id"] == made.bank else bo(made.other_bank)
        with town.database.transaction(officer) as tx:
            answer_line(tx, officer, answer, TODAY, NOW)
    named = {"refused": refused, "lacking": lacking, "paid": paid, "offered": offered, "pushed": pushed}
    town.things |= {name: line["id"] for name, line in named.items()}
    town.things |= {
        "list": refused["list_id"],
        "lacking demand": lacking["demand_id"],
        "paid demand": paid["demand_id"],
    }
    town.people["firm that lacks papers"] = Who(Role.FIRM, 23, "缺", uscc=lacking["uscc"])
    town.people["firm that is paid"] = Who(Role.FIRM, 24, "成", uscc=paid["uscc"])
    with town.database.transaction(PLATFORM) as tx:
        offers = {row["line_id"]: row["id"] for row in rows_of(tx, "offer")}
        pace.roll_up(tx, TODAY)
        town.things["certificate"] = rows_of(tx, "certificate")[0]["id"]
    town.things |= {"offer": offers[offered["id"]], "paid offer": offers[paid["id"]]}


def _credit(town: Town) -> None:
    """A firm accepts; its bank grants and pays."""
    firm, officer = town.people["firm that is paid"], town.people["officer"]
    assert firm is not None
    assert officer is not None
    with town.database.transaction(firm) as tx:
        accept_offer(tx, firm, int(str(town.things["paid offer"])), TODAY, NOW)
    with town.database.transaction(officer) as tx:
        form = GrantForm(int(str(town.things["paid"])), 40_000_000, Decimal("0.0435"), 12, "credit", TODAY)
        (granted,) = report_grants(tx, officer, [form], TODAY, NOW)
        form = DrawForm(granted.key, "HT-9", 10_000_000, Decimal("0.0435"), TODAY, TODAY.replace(year=2027))
        (drawn,) = report_drawdowns(tx, officer, [form], TODAY, NOW)
    town.things |= {"accepted": town.things["paid"], "grant": granted.key, "drawdown": drawn.key}


def _recall(town: Town, model: Any) -> None:
    """A third bank's list, of one firm, was a mistake and is called back."""
    with town.database.transaction(PLATFORM) as tx:
        third = a_bank(tx, "BAO")
        a_product(tx, third)
        tools = some_tools(tx, model=model)
        demand = a_demand(tx, a_firm_with_records(tx, CALLED_BACK, name="召回实业有限公司"), (third,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
        (line,) = rows_of(tx, "push_line", bank_id=third)
        recall_list(tx, OTTO, RecallForm(line["list_id"], "税务报送有误，已改正"), TODAY, NOW)
    town.people["officer of a list recalled"] = Who(Role.OFFICER, 5, "鲍", bank_id=third)
    town.people["firm of a list recalled"] = Who(Role.FIRM, 25, "召", uscc=CALLED_BACK)
    town.things |= {"recalled list": line["list_id"], "recalled line": line["id"], "recalled demand": demand}


def _follow_ups(town: Town) -> None:
    """One that is due, one that was ended."""
    common = {
        "demand_id": town.things["red demand"], "uscc": RED, "district": ZHONGYUAN, "obstacle": "premises",
        "office": "专班", "measure": "补证照", "owner": "district", "opened_on": YESTERDAY,
    }  # fmt: skip
    with town.database.transaction(PLATFORM) as tx:
        due, ended = follow_ups.add(
            tx, [common | {"next_on": TODAY}, common | {"obstacle": "licence", "next_on": TODAY}]
        )
        closing = {"id": ended, "on": TODAY}
        tx.execute(text("UPDATE follow_up SET closed_on = :on, outcome = 'resolved' WHERE id = :id"), closing)
    town.things |= {"follow up": due, "ended follow up": ended}


def _visits(town: Town) -> None:
    """Gao of the district has two firms to visit; at one of them something was found, and written down twice."""
    session_of(town.database, GAO, TODAY)
    with town.database.transaction(PLATFORM) as tx:
        colleague = rows_of(tx, "person", login="district-410102-高")[0]["id"]
    gao = replace(GAO, person_id=colleague)
    with town.database.transaction(gao) as tx:
        form = PlanForm("建设路街道", TODAY, colleague, (FANG, FENG), Chosen(), "town")
        plan = plan_visits(tx, gao, form, TODAY, NOW)
        visit, planned = (row.id for row in visits.list_of_plan(tx, gao, plan))
        soon = TODAY + timedelta(days=5)
        heard = Heard(visit, 0, TODAY, "owner", True, 30_000_000, ("title_lacking",), "补办权证", soon, "厂房已用多年")
        record_visit(tx, gao, heard, TODAY, NOW)
        record_visit(tx, gao, replace(heard, version=1, note="厂房 2015 年建成"), TODAY, NOW)
        obstacle = rows_of(tx, "obstacle")[0]["id"]
    town.things |= {"visit plan": plan, "visit": visit, "planned visit": planned, "obstacle": obstacle}
    town.things["colleague"] = colleague


def _letters(town: Town, made: Small) -> None:
    """A credit report on paper, whose code anyone may verify; an urging the other bank has not read."""
    assert town.browser("officer").client.get(f"/push-lines/{town.things['refused']}/report.pdf").status_code == 200
    urging = {"bank_id": made.other_bank, "ground": "disputed", "since_on": TODAY, "until_on": TODAY}
    urging |= {
        "figures": {"about": 1, "lines": 1, "contact_due": 1, "in_time": 0},
        "line_ids": [town.things["pushed"]],
        "words": "企业说没有人联系。",
    }
    sent = {"due_days": 3, "due_on": TODAY + timedelta(days=3), "sent_on": TODAY, "sent_at": NOW, "sent_by": None}
    with town.database.transaction(PLATFORM) as tx:
        town.things["urging"] = urgings.add(tx, urging | sent)
        town.things["report code"] = rows_of(tx, "issued_report")[0]["token"]


def _objection(town: Town) -> None:
    """Fang contests one of its records; another may be contested yet."""
    with town.database.transaction(FANG_HERSELF) as tx:
        contested, other, *_ = rows_of(tx, "record", uscc=FANG)
        said = ObjectionForm("amount", "金额多了一个零。")
        uploads = town.app.state.house.settings.uploads
        town.things["objection"] = raise_objection(tx, FANG_HERSELF, contested["id"], said, uploads, TODAY, NOW)
        town.things["record"] = other["id"]


def _scans(town: Town, made: Small) -> None:
    """An outlet and the city have codes, a third has ended; of two enquiries one was called, one taken back."""
    outlet = Who(Role.OFFICER, None, "白", bank_id=made.bank)
    hall = CodeForm(CodeKind.OUTLET, "网点大堂", TODAY, district=ZHONGYUAN, outlet="建设路支行")
    city = Who(Role.CITY, None, "市")
    with town.database.transaction(PLATFORM) as tx:
        codes = {
            "code": issue_code(tx, outlet, hall, TODAY, NOW),
            "city code": issue_code(tx, city, CodeForm(CodeKind.CITY, "大走访", TODAY), TODAY, NOW),
            "ended code": issue_code(tx, city, CodeForm(CodeKind.CITY, "旧活动", TODAY), TODAY, NOW),
        }
        withdraw_code(tx, city, codes["ended code"], TODAY, NOW)
        keys = {name: str(row_of(tx, "intake_code", code)["key"]) for name, code in codes.items()}
        for name, receipt in (("enquiry", "r" * 22), ("gone enquiry", "g" * 22)):
            said = EnquiryForm(receipt, "方记商贸", "方女士", "13800138000", 30_000_000, "trade", SEEN)
            town.things[name] = enquire(tx, THE_DOOR, keys["code"], said, From("town", NOW), TODAY, NOW).id
        caller, again_on = Who(Role.DISTRICT, None, "高", district=ZHONGYUAN), TODAY + timedelta(days=1)
        note_call(tx, caller, int(str(town.things["enquiry"])), Call(reached=False, again_on=again_on), TODAY, NOW)
        take_back(tx, THE_DOOR, keys["code"], "g" * 22, TODAY, NOW)
    town.things |= codes | {name.replace("code", "key"): key for name, key in keys.items() if name != "code"}
    town.things |= {"code key": keys["code"], "receipt": "r" * 22, "gone receipt": "g" * 22}


def _registrations(town: Town) -> None:
    """Somebody who has answered all and not yet sent it; somebody who has; a deputy of Fang's firm who waits."""
    for who, until, other in (
        ("registering", "check", {}),
        ("registered", "done", {"uscc": uscc.synthetic("enterprise", 987_655), "login": "shi-ming"}),
    ):
        town.people[who] = None
        browser = town.browser(who)
        walks(browser, until, **other)
        town.cookies[who] = dict(browser.client.cookies)
    another = uscc.synthetic("enterprise", 987_656)
    town.people["joining"] = None
    browser.opens("/identity")
    browser.sends("/register/another")
    browser.sends("/register/firm", uscc=another, firm_name="郑州另一家商贸有限公司", kind="enterprise")
    browser.sends("/register/person", capacity="representative")
    browser.sends("/register/identity", number=SHI[1], agrees="yes")
    browser.sends("/register/account", agrees="yes")
    town.cookies["joining"] = dict(browser.client.cookies)
    town.people["forgetful"] = None
    browser = town.browser("forgetful")
    browser.opens("/forgotten-password")
    browser.sends("/forgotten-password", named="shi-ming")
    town.cookies["forgetful"] = dict(browser.client.cookies)
    a_waiting_deputy(town.database, FANG)
    with town.database.transaction(PLATFORM) as tx:
        town.things["consent"] = rows_of(tx, "consent", uscc=FANG)[0]["id"]


def _operations(town: Town) -> None:
    """A feed with errors, a failed and a running run, a failed job, a shadow and a proposed model."""
    settings = town.app.state.house.settings
    with town.database.transaction(PLATFORM) as tx:
        town.things["failed run"] = runs.start(tx, "today", YESTERDAY, 7, NOW)
        runs.end(tx, int(str(town.things["failed run"])), "failed", "磁盘已满", NOW)
        town.things["run"] = runs.start(tx, "today", TODAY, 7, NOW)
        tx.execute(
            text("INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('default', 'today', 'failed')")
        )
        town.things["job"] = rows_of(tx, "procrastinate_jobs", status="failed")[0]["id"]
        start_shadow(tx, PLATFORM, settings.models, town.things["shadow model"], TODAY, TODAY, NOW)
        score_unscored(tx, PLATFORM, settings.models, TODAY, NOW)
        proposer = an_operator(tx, "otto", "欧")
        propose_model(tx, proposer, settings.models, town.things["next model"], "同样需求上排序更准。", TODAY, NOW)
    operator = town.browser("operator")
    operator.opens("/operator/feeds")
    page = operator.uploads("/operator/feeds", "file", ("tax_payment__2026-06.csv", FEED.encode(), "text/csv"))
    town.things["feed"] = page.address.rpartition("/")[2]


def _exports(town: Town) -> None:
    """The city's exports, one in each state."""
    session_of(town.database, CITY, TODAY)
    with town.database.transaction(PLATFORM) as tx:
        (person,) = rows_of(tx, "person", login=f"city-city-{CITY.name}")
    maker = replace(CITY, person_id=person["id"])
    for state in EXPORTS:
        with town.database.transaction(maker) as tx:
            wish = Wish(ExportKind.DEMANDS, f"only=all&q={state}", "zh_Hans_CN")
            town.things[f"{state} export"] = key = ask_export(tx, maker, wish, 8_200, TODAY, NOW)
        with town.database.transaction(PLATFORM) as tx:
            ended = (
                "UPDATE export SET state = :state, done = 3150, started_at = :now, size = 390000, message = '磁盘已满',"
                " expires_on = :on WHERE id = :id AND :state <> 'waiting'"
            )
            tx.execute(text(ended), {"state": state, "now": NOW, "on": TODAY + timedelta(days=7), "id": key})


def _rehearsals(town: Town, settings: Settings) -> None:
    """Done with changes, done by the live policy, failed, cancelled, running and waiting."""
    city = town.browser("city")

    def asked(content: bytes, **days: object) -> int:
        city.opens("/rehearsals")
        file = ("新口径.yaml", content, "application/yaml")
        page = city.uploads("/rehearsals", "policy", file, **{"from_on": TODAY, "to_on": TODAY} | days)
        return int(page.address.rpartition("/")[2])

    made = {"done": asked(STRICT), "same": asked(POLICY_FILE.read_bytes())}
    rehearse_waiting(settings)
    made |= {"failed": asked(STRICT), "cancelled": asked(STRICT, from_on=YESTERDAY)}
    ended = "UPDATE rehearsal SET state = :state, message = '磁盘已满', ended_at = now() WHERE id = :id"
    with town.database.transaction(PLATFORM) as tx:
        for state in ("failed", "cancelled"):
            tx.execute(text(ended), {"state": state, "id": made[state]})
    made |= {"running": asked(STRICT), "waiting": asked(STRICT, from_on=YESTERDAY)}
    with town.database.transaction(PLATFORM) as tx:
        begun = "UPDATE rehearsal SET state = 'running', done = 1, total = 3 WHERE id = :id"
        tx.execute(text(begun), {"id": made["running"]})
    town.things |= {f"{state} rehearsal": key for state, key in made.items()}
