"""The access specification: every route of the whole platform and who may use it; a route that is not here fails.

Refused is: sent to the sign-in page, 401, or 403 because of who one is. A foreign thing is simply not there: 404.
"""

import re
import secrets
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import text
from starlette.routing import Mount

from service.actions.answer_push import answer_line
from service.actions.choose_offer import accept_offer
from service.actions.enquire import EnquiryForm, From, enquire
from service.actions.issue_key import issue_key
from service.actions.keep_ledger import Found, enter_obstacle
from service.actions.make_export import ask_export
from service.actions.plan_visits import PlanForm, plan_visits
from service.actions.push_lists import push_missing
from service.actions.raise_objection import ObjectionForm, raise_objection
from service.actions.report_credit import report_drawdowns, report_grants
from service.clock import Clock
from service.domain.answering import AnswerForm, OfferForm
from service.domain.export import ExportKind, Wish
from service.domain.people import THE_DOOR, Role, Who, the_platform
from service.domain.reporting import DrawForm, GrantForm
from service.doors import cookie_name
from service.store import follow_ups, intake_codes, outlets, papers, urgings, visits
from service.store.visits import Chosen
from tests.browser import PAGES, Client, an_app, session_of
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
    TODAY,
    ZHONGMU,
    a_demand,
    a_list_at_work,
    a_small_world,
    bai,
    bo,
    rows_of,
    some_tools,
)  # fmt: skip
from tests.registering import a_waiting_deputy
from web import csrf

FIRM, BANK = frozenset({"firm"}), frozenset({"officer", "bank_admin"})
ADMIN, DISTRICT, CITY_ONLY = frozenset({"bank_admin"}), frozenset({"district"}), frozenset({"city"})
OFFICIALS, OPERATOR = DISTRICT | CITY_ONLY, frozenset({"operator"})
CALLERS = OFFICIALS | BANK
SIGNED_IN = FIRM | BANK | OFFICIALS | OPERATOR
EVERYONE = SIGNED_IN | {"nobody"}

WHO_MAY = {
    # the door, and what needs no one
    "GET /": SIGNED_IN,  # to one's home; strangers to the sign-in page
    "GET /sign-in": EVERYONE,
    "POST /sign-in": EVERYONE,
    "POST /demo-sign-in": EVERYONE,
    "POST /sign-out": EVERYONE,
    "GET /identity": SIGNED_IN,
    "POST /identity": SIGNED_IN,
    "GET /account/password": SIGNED_IN,
    "POST /account/password": SIGNED_IN,
    "GET /forgotten-password": EVERYONE,
    "POST /forgotten-password": EVERYONE,
    "GET /forgotten-password/code": EVERYONE,
    "POST /forgotten-password/code": EVERYONE,
    "GET /register": EVERYONE,
    "GET /register/{step}": EVERYONE,
    "POST /register/another": FIRM,
    "POST /register/firm": EVERYONE,
    "POST /register/person": EVERYONE,
    "POST /register/identity": EVERYONE,
    "POST /register/account": EVERYONE,
    "POST /register/check": EVERYONE,
    "POST /register/removal": EVERYONE,
    "GET /register/done": EVERYONE,
    "POST /display": EVERYONE,
    "GET /styleguide": EVERYONE,
    "GET /verify/{token}": EVERYONE,
    "POST /verify/{token}": EVERYONE,
    "GET /health": EVERYONE,
    "GET /metrics": EVERYONE,
    "GET /api/v1/openapi.json": EVERYONE,
    # who acts for a firm
    "GET /firm/people": FIRM,
    "GET /registrations": OFFICIALS,
    "POST /registrations/{registration_id}/admission": FIRM | OFFICIALS,
    "POST /registrations/{registration_id}/refusal": FIRM | OFFICIALS,
    # behind a scanned code
    "GET /s/{key}": EVERYONE,
    "POST /s/{key}": EVERYONE,
    "GET /s/{key}/receipts/{receipt}": EVERYONE,
    "POST /s/{key}/receipts/{receipt}/withdrawal": EVERYONE,
    # whoever is signed in
    "GET /products": SIGNED_IN,
    "GET /policy": SIGNED_IN,
    "GET /messages/preferences": SIGNED_IN,
    "POST /messages/preferences": SIGNED_IN,
    "POST /messages/addresses/{channel}": SIGNED_IN,
    "POST /messages/addresses/{channel}/confirmation": SIGNED_IN,
    "POST /messages/addresses/{channel}/removal": SIGNED_IN,
    # firms
    "GET /n/{notice_id}": FIRM,
    "GET /firm": FIRM,
    "GET /firm/demands/new": FIRM,
    "GET /firm/reports/{step}": FIRM,
    "POST /firm/reports/{step}": FIRM,
    "POST /firm/draft/removal": FIRM,
    "POST /firm/demands": FIRM,
    "GET /firm/demands/{demand_id}": FIRM,
    "GET /firm/demands/{demand_id}/edit": FIRM,
    "POST /firm/demands/{demand_id}/edit": FIRM,
    "GET /firm/demands/{demand_id}/edit/{step}": FIRM,
    "POST /firm/demands/{demand_id}/edit/{step}": FIRM,
    "POST /firm/demands/{demand_id}/draft": FIRM,
    "POST /firm/demands/{demand_id}/withdrawal": FIRM,
    "POST /firm/demands/{demand_id}/confirmation": FIRM,
    "POST /firm/demands/{demand_id}/repetition": FIRM,
    "POST /firm/demands/{demand_id}/consents": FIRM,
    "POST /firm/demands/{demand_id}/review": FIRM,
    "POST /offers/{offer_id}/acceptance": FIRM,
    "POST /offers/{offer_id}/decline": FIRM,
    # what is asked before something ends
    "GET /firm/demands/{demand_id}/offers": FIRM,
    "GET /firm/demands/{demand_id}/offers.pdf": FIRM,
    "GET /firm/demands/{demand_id}/withdrawal": FIRM,
    "GET /offers/{offer_id}/acceptance": FIRM,
    # the papers a bank asked for
    "GET /push-lines/{line_id}/papers": FIRM,
    "POST /push-lines/{line_id}/papers": FIRM,
    "POST /push-lines/{line_id}/papers/files": FIRM,
    "POST /papers/{paper_id}/removal": FIRM,
    "GET /papers/{paper_id}": FIRM | BANK,
    "POST /push-lines/{line_id}/dispute": FIRM,
    "GET /firm/consents": FIRM,
    "GET /consents/{consent_id}": FIRM,
    "GET /firm/consents/{bank_id}/withdrawal": FIRM,
    "POST /firm/consents/{bank_id}/withdrawal": FIRM,
    "GET /firm/records": FIRM,
    "GET /firm/records.zip": FIRM,
    # a record that is wrong
    "GET /firm/records/{record_id}/objection": FIRM,
    "POST /firm/records/{record_id}/objection": FIRM,
    "GET /firm/objections/{objection_id}": FIRM,
    "POST /firm/objections/{objection_id}/withdrawal": FIRM,
    "GET /objections/{objection_id}/paper": FIRM | OFFICIALS | OPERATOR,
    "GET /objections": DISTRICT | OPERATOR,
    "GET /objections/{objection_id}": DISTRICT | OPERATOR,
    "POST /objections/{objection_id}/notes": DISTRICT | OPERATOR,
    "POST /objections/{objection_id}/inquiry": DISTRICT | OPERATOR,
    "POST /objections/{objection_id}/decision": DISTRICT | OPERATOR,
    "GET /firm/notices": FIRM,
    "GET /bank/notices": BANK,
    "GET /district/notices": DISTRICT,
    "POST /api/v1/demands": FIRM,
    "GET /api/v1/demands": FIRM,
    "GET /api/v1/demands/{demand_id}": FIRM,
    # banks
    "GET /push-lists": BANK,
    "GET /push-lists/{list_id}": BANK,
    "GET /push-lists/{list_id}.xlsx": BANK,
    "GET /push-lists/answers": BANK,
    "POST /push-lists/answers": BANK,
    "POST /push-lists/answers/confirmation": BANK,
    "POST /push-lists/answers/copy": BANK,
    "POST /push-lines/answers": BANK,
    "POST /push-lines/assignment": BANK,
    "POST /held-answers": BANK,
    "POST /held-answers/{batch}/withdrawal": BANK,
    "GET /bank/filters": BANK,
    "POST /bank/filters": BANK,
    "POST /bank/filters/{filter_id}/name": BANK,
    "POST /bank/filters/{filter_id}/default": BANK,
    "POST /bank/filters/{filter_id}/removal": BANK,
    "POST /bank/columns": BANK,
    "GET /push-lines/{line_id}": BANK,
    "GET /push-lines/{line_id}/report.pdf": BANK,
    "POST /push-lines/{line_id}/answer": BANK,
    "POST /offers/{offer_id}/withdrawal": BANK,
    "GET /push-lines/{line_id}/grant": BANK,
    "POST /push-lines/{line_id}/grants": BANK,
    "GET /grants/{grant_id}/drawdown": BANK,
    "POST /grants/{grant_id}/drawdowns": BANK,
    "POST /grants/{grant_id}/voiding": BANK,
    "GET /drawdowns/{drawdown_id}/repayment": BANK,
    "POST /drawdowns/{drawdown_id}/repayment": BANK,
    "POST /drawdowns/{drawdown_id}/voiding": BANK,
    "GET /bank/outlets": ADMIN,
    "POST /bank/outlets": ADMIN,
    "POST /bank/outlets/people": ADMIN,
    "POST /bank/outlets/{outlet_id}/intake": ADMIN,
    "POST /bank/outlets/{outlet_id}/end": ADMIN,
    "GET /bank/stand-ins": BANK,
    "POST /bank/stand-ins": BANK,
    "POST /bank/stand-ins/{stand_in_id}/end": BANK,
    "GET /bank/credit": BANK,
    "GET /bank/credit.xlsx": BANK,
    "POST /bank/credit/reports": BANK,
    "POST /bank/credit/reports/confirmation": BANK,
    "POST /bank/credit/reports/copy": BANK,
    "GET /bank/products": BANK,
    "GET /bank/figures": BANK,
    "GET /bank/appetite": BANK,
    "GET /bank/urgings": BANK,
    "GET /bank/urgings/{urging_id}": BANK,
    "POST /bank/urgings/{urging_id}/answer": BANK,
    "GET /bank/products/new": ADMIN,
    "GET /bank/products/{product_id}": ADMIN,
    "GET /bank/products/{product_id}/versions": BANK,
    "POST /bank/products/preview": ADMIN,
    "POST /bank/products": ADMIN,
    "POST /bank/products/{product_id}/end": ADMIN,
    "GET /bank/people": ADMIN,
    "POST /bank/people": ADMIN,
    "POST /bank/people/{membership_id}/end": ADMIN,
    "GET /bank/people/{membership_id}/password": ADMIN,
    "POST /bank/people/{membership_id}/password": ADMIN,
    "POST /bank/keys": ADMIN,
    "POST /bank/keys/{key_id}/revocation": ADMIN,
    "GET /api/v1/push-lists": BANK,
    "GET /api/v1/push-lines": BANK,
    "GET /api/v1/push-lines/{line_id}": BANK,
    "POST /api/v1/push-lines/{line_id}/answer": BANK,
    "POST /api/v1/answers": BANK,
    "POST /api/v1/grants": BANK,
    "POST /api/v1/drawdowns": BANK,
    "GET /api/v1/products": BANK,
    # long lists as Excel
    "GET /exports": BANK | OFFICIALS | OPERATOR,
    "POST /exports": BANK | OFFICIALS | OPERATOR,
    "GET /exports/{export_id}": BANK | OFFICIALS | OPERATOR,
    "GET /exports/{export_id}.xlsx": BANK | OFFICIALS | OPERATOR,
    "POST /exports/{export_id}/cancellation": BANK | OFFICIALS | OPERATOR,
    # officials
    "GET /district": DISTRICT,
    "POST /reviews/decisions": DISTRICT,
    "GET /follow-ups/{follow_up_id}": OFFICIALS,
    "POST /follow-ups/{follow_up_id}/notes": OFFICIALS,
    "POST /follow-ups/{follow_up_id}/end": OFFICIALS,
    "POST /follow-ups/{follow_up_id}/owner": OFFICIALS,
    # codes to be scanned, and the enquiries that come by them
    "GET /enquiries": CALLERS,
    "GET /enquiries/{enquiry_id}": CALLERS,
    "POST /enquiries/{enquiry_id}/calls": CALLERS,
    "POST /enquiries/{enquiry_id}/firm": CALLERS,
    "POST /enquiries/{enquiry_id}/end": CALLERS,
    "GET /enquiries/codes": CALLERS,
    "GET /enquiries/codes/new": CALLERS,
    "POST /enquiries/codes": CALLERS,
    "GET /enquiries/codes/{code_id}": CALLERS,
    "GET /enquiries/codes/{code_id}.svg": CALLERS,
    "GET /enquiries/codes/{code_id}.png": CALLERS,
    "GET /enquiries/codes/{code_id}/poster.pdf": CALLERS,
    "POST /enquiries/codes/{code_id}/withdrawal": CALLERS,
    "POST /follow-ups/{follow_up_id}/promise": OFFICIALS,
    "GET /follow-ups.xlsx": DISTRICT,
    "POST /follow-ups/assignment": OFFICIALS,
    "GET /obstacles": OFFICIALS,
    "GET /obstacles.xlsx": OFFICIALS,
    "GET /obstacles/new": OFFICIALS,
    "POST /obstacles": OFFICIALS,
    "GET /obstacles/{obstacle_id}": OFFICIALS,
    "POST /obstacles/{obstacle_id}/notes": OFFICIALS,
    "POST /obstacles/{obstacle_id}/promise": OFFICIALS,
    "POST /obstacles/{obstacle_id}/owner": OFFICIALS,
    "POST /obstacles/{obstacle_id}/end": OFFICIALS,
    "GET /visits": OFFICIALS,
    "GET /visit-plans/new": DISTRICT,
    "POST /visit-plans": DISTRICT,
    "GET /visit-plans/results": DISTRICT,
    "POST /visit-plans/results": DISTRICT,
    "POST /visit-plans/results/confirmation": DISTRICT,
    "POST /visit-plans/results/copy": DISTRICT,
    "GET /visit-plans/{plan_id}": OFFICIALS,
    "GET /visit-plans/{plan_id}.xlsx": OFFICIALS,
    "GET /visits/{visit_id}": OFFICIALS,
    "POST /visits/{visit_id}/record": DISTRICT,
    "POST /visits/{visit_id}/draft": DISTRICT,
    "POST /visits/{visit_id}/follow-up": DISTRICT,
    "GET /colleagues": DISTRICT,
    "GET /colleagues/{person_id}/handover": DISTRICT,
    "POST /colleagues/{person_id}/handover": DISTRICT,
    "GET /demands": OFFICIALS,
    "GET /demands/{demand_id}": OFFICIALS,
    "POST /demands/{demand_id}/review": OFFICIALS,
    "POST /demands/{demand_id}/override": OFFICIALS,
    "GET /figures": OFFICIALS,
    "GET /figures.xlsx": OFFICIALS,
    "GET /figures/events": OFFICIALS,
    "GET /api/v1/figures": OFFICIALS,
    "GET /api/v1/figures/events": OFFICIALS,
    # the city on its banks
    "GET /banks": CITY_ONLY,
    "GET /briefings": CITY_ONLY,
    "GET /briefings.xlsx": CITY_ONLY,
    "GET /briefings.pdf": CITY_ONLY,
    "GET /banks.xlsx": CITY_ONLY,
    "GET /banks/{bank_id}/urgings/new": CITY_ONLY,
    "POST /banks/{bank_id}/urgings": CITY_ONLY,
    "GET /targets": CITY_ONLY,
    "GET /targets.xlsx": CITY_ONLY,
    "POST /targets": CITY_ONLY,
    "GET /targets/sheet": CITY_ONLY,
    "GET /targets/sheet.xlsx": CITY_ONLY,
    "POST /targets/sheet": CITY_ONLY,
    "POST /targets/sheet/confirmation": CITY_ONLY,
    "POST /targets/sheet/copy": CITY_ONLY,
    "GET /urgings": CITY_ONLY,
    "GET /urgings.xlsx": CITY_ONLY,
    "GET /urgings.pdf": CITY_ONLY,
    "GET /urgings/{urging_id}": CITY_ONLY,
    "POST /urgings/{urging_id}/end": CITY_ONLY,
    "POST /urgings/{urging_id}/withdrawal": CITY_ONLY,
    "GET /projection": CITY_ONLY,
    "GET /rehearsals": CITY_ONLY,
    "POST /rehearsals": CITY_ONLY,
    "GET /rehearsals/{rehearsal_id}": CITY_ONLY,
    "GET /rehearsals/{rehearsal_id}/demands": CITY_ONLY,
    "POST /rehearsals/{rehearsal_id}/cancellation": CITY_ONLY,
    "GET /appetite": CITY_ONLY,
    "GET /certificates": CITY_ONLY,
    "GET /certificates/{certificate_id}": CITY_ONLY,
    "GET /certificates/{certificate_id}.pdf": CITY_ONLY,
    # the operator
    "GET /operator": OPERATOR,
    "GET /operator/feeds": OPERATOR,
    "POST /operator/feeds": OPERATOR,
    "GET /operator/feeds/departments": OPERATOR,
    "GET /operator/feeds/{feed_id}": OPERATOR,
    "GET /operator/feeds/{feed_id}/errors.csv": OPERATOR,
    "GET /operator/jobs": OPERATOR,
    "GET /operator/jobs/{job_id}": OPERATOR,
    "GET /operator/doctor": OPERATOR,
    "POST /operator/jobs/{job_id}/retry": OPERATOR,
    "POST /operator/runs": OPERATOR,
    "GET /operator/runs/{run_id}": OPERATOR,
    "POST /operator/runs/{run_id}/cancellation": OPERATOR,
    "GET /operator/cycle": OPERATOR,
    "POST /operator/cycle/pause": OPERATOR,
    "POST /operator/cycle/resumption": OPERATOR,
    "GET /operator/outbox": OPERATOR,
    "POST /operator/outbox/{message_id}/retry": OPERATOR,
    "POST /operator/outbox/{message_id}/settlement": OPERATOR,
    "GET /operator/calendar": OPERATOR,
    "POST /operator/calendar": OPERATOR,
    "GET /operator/lists": OPERATOR,
    "GET /operator/lists/{list_id}": OPERATOR,
    "GET /operator/lists/{list_id}/recall": OPERATOR,
    "POST /operator/lists/{list_id}/recall": OPERATOR,
    "GET /operator/clocks": OPERATOR,
    "GET /operator/clocks/{line_id}": OPERATOR,
    "GET /operator/people": OPERATOR,
    "POST /operator/people": OPERATOR,
    "GET /operator/people/{membership_id}/end": OPERATOR,
    "POST /operator/people/{membership_id}/end": OPERATOR,
    "GET /operator/people/{membership_id}/password": OPERATOR,
    "POST /operator/people/{membership_id}/password": OPERATOR,
    "GET /operator/trail": OPERATOR,
    "GET /operator/trail/chains": OPERATOR,
    "POST /operator/trail/chains": OPERATOR,
    "GET /operator/models": OPERATOR,
    "GET /operator/models/{version}": OPERATOR,
    "GET /operator/models/{version}/files/{name}": OPERATOR,
    "GET /operator/models/{version}/drift": OPERATOR,
    "GET /operator/models/{version}/shadow": OPERATOR,
    "POST /operator/models/{version}/shadow": OPERATOR,
    "POST /operator/models/{version}/shadow/end": OPERATOR,
    "GET /operator/models/{version}/promotion": OPERATOR,
    "POST /operator/models/{version}/promotion": OPERATOR,
    "POST /operator/promotions/{promotion_id}/confirmation": OPERATOR,
    "POST /operator/promotions/{promotion_id}/withdrawal": OPERATOR,
}
NOT_YOURS = "您的身份不能使用这一页"
NOBODYS = "999999"
IN_A_WORD = {"accept": "application/json"}
"""A refusal said so is the same refusal without its page: most of two thousand askings end in one."""


@pytest.fixture
def world(database):
    """Fang with Bai's bank in 中原区; everything foreign is Feng's, of Bo's bank, in 中牟县."""
    with database.transaction(the_platform("test")) as tx:
        made = a_small_world(tx)
        tx.execute(text("UPDATE firm SET district = :d WHERE uscc = :u"), {"d": ZHONGMU, "u": FENG})
        tools = some_tools(tx)
        a_demand(tx, FANG, (made.bank,), tools)
        fengs = a_demand(tx, FENG, (made.other_bank,), tools)
        push_missing(tx, PLATFORM, TODAY, NOW, tools)
    return made, fengs


@pytest.fixture
def foreign(database, settings, world) -> dict[str, object]:
    """Parameter → the key of something that belongs to Feng, to Bo's bank, or to another district."""
    made, fengs = world
    officer, admin = bo(made.other_bank), Who(Role.BANK_ADMIN, name="薄总", bank_id=made.other_bank)
    with database.transaction(the_platform("test")) as tx:
        (line,) = rows_of(tx, "push_line", demand_id=fengs)
    with database.transaction(officer) as tx:
        offer = OfferForm(40_000_000, Decimal("0.0435"), 12, "credit")
        answer_line(tx, officer, AnswerForm(line["id"], "offered", offer=offer), TODAY, NOW)
    with database.transaction(FENG_HIMSELF) as tx:
        (offered,) = rows_of(tx, "offer")
        accept_offer(tx, FENG_HIMSELF, offered["id"], TODAY, NOW)
    with database.transaction(officer) as tx:
        form = GrantForm(line["id"], 40_000_000, Decimal("0.0435"), 12, "credit", TODAY)
        (granted,) = report_grants(tx, officer, [form], TODAY, NOW)
        form = DrawForm(granted.key, "HT-9", 10_000_000, Decimal("0.0435"), TODAY, TODAY.replace(year=2027))
        (drawn,) = report_drawdowns(tx, officer, [form], TODAY, NOW)
    with database.transaction(admin) as tx:
        issue_key(tx, admin, "系统", NOW)
    session_of(database, officer, TODAY)
    with database.transaction(the_platform("test")) as tx:
        (key,) = rows_of(tx, "api_key")
        (membership,) = rows_of(tx, "membership", bank_id=made.other_bank)
        of_its_list = a_list_at_work(tx, replace(officer, person_id=membership["person_id"]), line["id"])
        follow_up = {
            "demand_id": fengs, "uscc": FENG, "district": ZHONGMU, "obstacle": "premises", "office": "专班",
            "measure": "补证照", "owner": "district", "next_on": TODAY, "opened_on": TODAY,
        }  # fmt: skip
        (follow_up_id,) = follow_ups.add(tx, [follow_up])
    session_of(database, OU, TODAY)
    with database.transaction(OU) as tx:
        obstacle_id = enter_obstacle(tx, OU, Found(FENG, "title_lacking", TODAY + timedelta(days=9)), TODAY, NOW)
    with database.transaction(the_platform("test")) as tx:
        (ous,) = rows_of(tx, "membership", district=ZHONGMU)
    with database.transaction(OU) as tx:
        plan = PlanForm("中牟县城", TODAY, ous["person_id"], (FENG,), Chosen(), "key")
        plan_id = plan_visits(tx, OU, plan, TODAY, NOW)
        (visit,) = visits.list_of_plan(tx, OU, plan_id)
    with database.transaction(the_platform("test")) as tx:
        (answer,) = rows_of(tx, "answer")
        paper = {"line_id": line["id"], "answer_id": answer["id"], "demand_id": fengs, "uscc": FENG}
        paper |= {"bank_id": made.other_bank, "asked": "流水", "kind": "none", "words": "冯氏没有", "added_at": NOW}
        paper_id = papers.add(tx, {**paper, "file_name": "", "sha256": "", "size": 0, "handed_at": NOW})
        urging = {"bank_id": made.other_bank, "ground": "disputed", "since_on": TODAY, "until_on": TODAY}
        urging |= {"figures": {"about": 1, "lines": 1}, "line_ids": [line["id"]], "words": "冯氏说没有人联系"}
        sent = {"due_days": 3, "due_on": TODAY + timedelta(days=3), "sent_on": TODAY, "sent_at": NOW, "sent_by": None}
        urging_id = urgings.add(tx, urging | sent)
    with database.transaction(FENG_HIMSELF) as tx:
        (record, *_) = rows_of(tx, "record", uscc=FENG)
        (consent, *_) = rows_of(tx, "consent", uscc=FENG)
        said = ObjectionForm("amount", "冯氏的数字")
        objection = raise_objection(tx, FENG_HIMSELF, record["id"], said, settings.uploads, TODAY, NOW)
    with database.transaction(the_platform("test")) as tx:
        row = {"key": "a" * 16, "kind": "outlet", "district": ZHONGMU, "bank_id": made.other_bank, "outlet": "东路支行"}
        code_id = intake_codes.add(tx, {**row, "campaign": "冯氏专场", "from_on": TODAY, "made_at": NOW})
        said = EnquiryForm("r" * 22, "冯氏机械", "冯", "13800138000", 100_000_000, "trade", "0" * 64, FENG)
        enquiry_id = enquire(tx, THE_DOOR, "a" * 16, said, From("10.0.0.9", NOW), TODAY, NOW).id
        wish = Wish(ExportKind.PUSH_LINES, "only=all", "zh_Hans_CN")
        (person,) = rows_of(tx, "person", name=officer.name)
        (notice, *_) = rows_of(tx, "notice", uscc=FENG)
        outlet_id = outlets.add(tx, officer, "冯氏支行", ZHONGMU, TODAY)
        stand_in_id = outlets.add_stand_in(tx, officer, person["id"], ous["person_id"], (TODAY, TODAY), NOW)
        export_id = ask_export(tx, replace(officer, person_id=person["id"]), wish, 3_000, TODAY, NOW)
    return {
        "registration_id": a_waiting_deputy(database, FENG),
        "code_id": code_id, "enquiry_id": enquiry_id,
        "demand_id": fengs, "line_id": line["id"], "list_id": line["list_id"], "offer_id": offered["id"],
        "grant_id": granted.key, "drawdown_id": drawn.key, "product_id": made.other_product, **of_its_list,
        "membership_id": membership["id"], "key_id": key["id"], "follow_up_id": follow_up_id,
        "paper_id": paper_id, "urging_id": urging_id,
        "record_id": record["id"], "objection_id": objection, "consent_id": consent["id"],
        "export_id": export_id, "notice_id": notice["id"],
        "outlet_id": outlet_id, "stand_in_id": stand_in_id,
        "obstacle_id": obstacle_id, "person_id": ous["person_id"],
        "plan_id": plan_id, "visit_id": visit.id,
    }  # fmt: skip


@pytest.fixture
def app(database, settings, world):
    return an_app(settings, database, Clock(demo_on=TODAY))


@pytest.fixture
def people(world) -> dict[str, Who | None]:
    made, _fengs = world
    return {
        "firm": FANG_HERSELF,
        "officer": bai(made.bank),
        "bank_admin": Who(Role.BANK_ADMIN, 8, "白总", bank_id=made.bank),
        "district": GAO,
        "city": CITY,
        "operator": Who(Role.OPERATOR, 10, "运"),
        "nobody": None,
    }


def routes_of(app) -> list[str]:
    """'GET /path' of everything the application answers, mounted files apart; a route without methods counts as ANY."""
    found = []
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, Mount):
            methods = sorted((context.methods or {"ANY"}) - {"HEAD", "OPTIONS"})
            found += [f"{method} {context.path}" for method in methods]
    return found


class Visit:
    """Someone's requests, each with a fresh session and, where it is a form, its token."""

    def __init__(self, app, database, who: Who | None, headers=PAGES) -> None:
        self.app, self.database, self.who, self.headers = app, database, who, headers

    def asks(self, route: str, **parameters: object):
        """The answer to a route, its places filled; redirects are not followed."""
        method, path = route.split(" ", 1)
        client = Client(self.app, headers=self.headers, follow_redirects=False)
        address = re.sub(r"\{(\w+)\}", lambda place: str(parameters.get(place[1], NOBODYS)), path)
        if self.who is not None:
            client.cookies.set(cookie_name(self.app.state.house.settings), self.session)
        if method == "GET":
            return client.get(address)
        if path.startswith("/api/"):
            return client.post(address, json={})
        seed = secrets.token_hex(16)
        client.cookies.set(csrf.SEED_COOKIE, seed)
        token = csrf.token(self.app.state.dress.key, seed, self.session if self.who else "")
        return client.post(address, data={csrf.FIELD: token})

    @property
    def session(self) -> str:
        if not hasattr(self, "_session"):
            self._session = session_of(self.database, self.who, TODAY)
        return self._session

    def signs_in_again(self) -> None:
        if hasattr(self, "_session"):
            del self._session


def is_refused(answer, route: str) -> bool:
    """Whether the door was closed because of who came."""
    if answer.status_code in (302, 303):
        return route != "POST /sign-out" and answer.headers["location"].startswith("/sign-in")
    return answer.status_code == 401 or (answer.status_code == 403 and NOT_YOURS in answer.text)


def test_every_route_is_in_the_table_and_every_entry_is_a_route(app) -> None:
    routes = set(routes_of(app))
    assert len(routes) > 80
    assert routes - set(WHO_MAY) == set()
    assert set(WHO_MAY) - routes == set()


def test_the_doors_open_to_whom_the_table_says_and_to_nobody_else(app, database, people) -> None:
    wrong = []
    for name, who in people.items():
        visit = Visit(app, database, who, IN_A_WORD)
        for route, may in WHO_MAY.items():
            answer = visit.asks(route)
            if answer.status_code >= 500 or is_refused(answer, route) is (name in may):
                wrong.append((name, route, answer.status_code))
            if route == "POST /sign-out":
                visit.signs_in_again()
    assert wrong == []


def test_what_belongs_to_others_is_simply_not_there(app, database, people, foreign) -> None:
    wrong = []
    for name in ("firm", "officer", "bank_admin", "district"):
        visit = Visit(app, database, people[name])
        for route, may in WHO_MAY.items():
            if name not in may or "{" not in route:
                continue
            answer = visit.asks(route, **foreign)
            is_form_mistake = route.startswith("POST") and answer.status_code == 422
            if not (answer.status_code == 404 or is_form_mistake) or FENG in answer.text or "冯氏" in answer.text:
                wrong.append((name, route, answer.status_code))
    assert wrong == []


def test_what_does_not_exist_looks_the_same_as_what_is_foreign(app, database, people, foreign) -> None:
    visit = Visit(app, database, people["officer"])
    there, nowhere = visit.asks("GET /push-lines/{line_id}", **foreign), visit.asks("GET /push-lines/{line_id}")
    assert there.status_code == nowhere.status_code == 404
    said = re.compile(r"<h1>.*?</h1>", re.DOTALL)
    assert said.findall(there.text) == said.findall(nowhere.text)
