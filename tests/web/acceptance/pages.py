"""Every page in every state of a town: name → who opens it and where; and which addresses show no page, and why.

A new page gets a line here (or a reason below) or `test_pages.py` fails; what its address names is made in `town.py`.
"""

from matching.policy import POLICY_FILE
from tests.builders import TODAY
from tests.reports import STEPS

YESTERDAY = TODAY.replace(day=TODAY.day - 1)
MODELS = ("used", "shadow", "next", "other")
REHEARSALS = ("done", "same", "failed", "cancelled", "running", "waiting")
CLOCKS = ("pushed", "refused", "offered")
STRICT = POLICY_FILE.read_bytes().replace(
    b'2024-10-15: {green: "12", yellow: "6"}', b'2024-10-15: {green: "120", yellow: "110"}'
)

DOOR = {
    "sign-in": ("nobody", "/sign-in"),
    "sign-in with a way back": ("nobody", "/sign-in?back=/figures"),
    "identity": ("operator", "/identity"),
    "every macro": ("nobody", "/styleguide"),
    "not found": ("fang", "/no-such-page"),
    "not found, unknown visitor": ("nobody", "/no-such-page"),
    "a report's code": ("nobody", "/verify/{report code}"),
    "a code nobody issued": ("nobody", "/verify/no-such-code"),
    "not yours": ("fang", "/figures"),
}
FIRM = {
    "home of a firm": ("fang", "/firm"),
    "home with a draft": ("feng", "/firm"),
    "home of a firm without a demand": ("new firm", "/firm"),
    "demand that is offered": ("fang", "/firm/demands/{fangs}"),
    "demand that waits": ("feng", "/firm/demands/{fengs}"),
    "demand that lacks papers": ("firm that lacks papers", "/firm/demands/{lacking demand}"),
    "demand that is paid": ("firm that is paid", "/firm/demands/{paid demand}"),
    "demand that is red": ("red firm", "/firm/demands/{red demand}"),
    "offers beside each other": ("fang", "/firm/demands/{fangs}/offers"),
    "accept an offer": ("fang", "/offers/{offer}/acceptance"),
    "withdraw a demand": ("feng", "/firm/demands/{fengs}/withdrawal"),
    "edit a demand: check": ("feng", "/firm/demands/{fengs}/edit/check"),
    "edit a demand: amount": ("feng", "/firm/demands/{fengs}/edit/amount"),
    **{f"report: {step}": ("feng", f"/firm/reports/{step}") for step in (*STEPS, "check")},
    "report: a second for one use": ("fang", "/firm/reports/check"),
    "papers to hand in": ("firm that lacks papers", "/push-lines/{lacking}/papers"),
    "consents": ("fang", "/firm/consents"),
    "consents: none yet": ("new firm", "/firm/consents"),
    "withdraw a consent": ("feng", "/firm/consents/{other bank}/withdrawal"),
    "records of a firm": ("fang", "/firm/records"),
    "records of a firm: none": ("new firm", "/firm/records"),
    "contest a record": ("fang", "/firm/records/{record}/objection"),
    "an objection for its firm": ("fang", "/firm/objections/{objection}"),
    "messages of a firm": ("fang", "/firm/notices"),
    "messages of a firm: none": ("new firm", "/firm/notices"),
    "products beside a demand": ("fang", "/products"),
    "products without a demand": ("new firm", "/products"),
    "policy in words": ("fang", "/policy"),
}
BANK = {
    "list of the day": ("officer", "/push-lists"),
    "list of the day: nothing found": ("officer", "/push-lists?only=all&q=zzz"),
    "list of the day, all": ("officer", "/push-lists?only=all"),
    "list": ("officer", "/push-lists/{list}"),
    "answers by Excel": ("officer", "/push-lists/answers"),
    "line: refused": ("officer", "/push-lines/{refused}"),
    "line: papers asked": ("officer", "/push-lines/{lacking}"),
    "line: paid": ("officer", "/push-lines/{paid}"),
    "line: offered": ("bo", "/push-lines/{offered}"),
    "line: new": ("bo", "/push-lines/{pushed}"),
    "line: make an offer": ("bo", "/push-lines/{pushed}?answer=offered"),
    "line: refuse": ("bo", "/push-lines/{pushed}?answer=refused"),
    "line: ask for papers": ("bo", "/push-lines/{pushed}?answer=needs_papers"),
    "grant": ("officer", "/push-lines/{accepted}/grant"),
    "drawdown": ("officer", "/grants/{grant}/drawdown"),
    "repayment": ("officer", "/drawdowns/{drawdown}/repayment"),
    "products of a bank": ("officer", "/bank/products"),
    "new product": ("bank admin", "/bank/products/new"),
    "edit a product": ("bank admin", "/bank/products/{product}"),
    "versions of a product": ("bo", "/bank/products/{other product}/versions"),
    "figures of a bank": ("officer", "/bank/figures"),
    "appetite of a bank": ("bo", "/bank/appetite"),
    "people of a bank": ("bank admin", "/bank/people"),
    "urgings of a bank": ("bo", "/bank/urgings"),
    "urgings of a bank: none": ("officer", "/bank/urgings"),
    "an urging for its bank": ("bo", "/bank/urgings/{urging}"),
    "messages of a bank": ("officer", "/bank/notices"),
}
EXPORTS = ("waiting", "running", "done", "failed", "cancelled", "expired")
OFFICIAL = {
    "exports": ("city", "/exports"),
    "exports: none": ("district", "/exports"),
    **{f"export: {state}": ("city", f"/exports/{{{state} export}}") for state in EXPORTS},
    "work of a district": ("district", "/district"),
    "work of a district: none": ("other district", "/district"),
    "messages of a district": ("district", "/district/notices"),
    "follow-up": ("district", "/follow-ups/{follow up}"),
    "follow-up: ended": ("district", "/follow-ups/{ended follow up}"),
    "visits": ("district", "/visits"),
    "visits: none": ("other district", "/visits"),
    "visits for the city": ("city", "/visits"),
    "plan visits": ("district", "/visit-plans/new"),
    "plan visits: nothing found": ("other district", "/visit-plans/new?group=red"),
    "visits by Excel": ("district", "/visit-plans/results"),
    "visit plan": ("district", "/visit-plans/{visit plan}"),
    "visit: to be made": ("district", "/visits/{planned visit}"),
    "visit: made": ("district", "/visits/{visit}"),
    "visit: corrected": ("district", "/visits/{visit}?correct=yes"),
    "obstacle ledger": ("district", "/obstacles"),
    "obstacle ledger: none": ("other district", "/obstacles"),
    "obstacle ledger for the city": ("city", "/obstacles?only=all"),
    "enter an obstacle": ("district", "/obstacles/new"),
    "obstacle": ("district", "/obstacles/{obstacle}"),
    "colleagues": ("district", "/colleagues"),
    "hand over": ("district", "/colleagues/{colleague}/handover"),
    "objections": ("district", "/objections"),
    "objections: none": ("other district", "/objections"),
    "an objection for a district": ("district", "/objections/{objection}"),
    "demands of a district": ("district", "/demands"),
    "demands: nothing found": ("district", "/demands?q=zzz"),
    "demand for a district": ("district", "/demands/{fangs}"),
    "demand for the city": ("city", "/demands/{fangs}"),
    "demand that is red, for the city": ("city", "/demands/{red demand}"),
    "review a demand": ("district", "/demands/{fengs}?act=review"),
    "override a light": ("district", "/demands/{fangs}?act=override"),
    "figures": ("city", "/figures?map=reported"),
    "figures of a district": ("district", "/figures"),
    "figures by bank": ("city", "/figures?by=bank"),
    "figures as of a past day": ("city", f"/figures?as_of={YESTERDAY}"),
    "events of figures": ("city", "/figures/events?only=new"),
    "banks": ("city", "/banks"),
    "urge a bank": ("city", "/banks/{bank}/urgings/new?ground=overdue"),
    "urgings": ("city", "/urgings?only=all"),
    "urgings: none found": ("city", "/urgings?only=answered"),
    "an urging": ("city", "/urgings/{urging}"),
    "daily briefing": ("city", f"/briefings?on={YESTERDAY}"),
    "weekly briefing": ("city", f"/briefings?kind=week&on={TODAY}"),
    "projection": ("city", "/projection"),
    "appetite for the city": ("city", "/appetite?bank={bank}"),
    "certificates": ("city", "/certificates"),
    "certificate": ("city", "/certificates/{certificate}"),
    "rehearsals": ("city", "/rehearsals"),
    **{f"rehearsal: {state}": ("city", f"/rehearsals/{{{state} rehearsal}}") for state in REHEARSALS},
    "rehearsal: lights that turn": ("city", "/rehearsals/{done rehearsal}/demands"),
}
OPERATOR = {
    "objections for an operator": ("operator", "/objections"),
    "an objection for an operator": ("operator", "/objections/{objection}"),
    "health": ("operator", "/operator"),
    "feeds": ("operator", "/operator/feeds"),
    "feed with errors": ("operator", "/operator/feeds/{feed}"),
    "departments": ("operator", "/operator/feeds/departments"),
    "jobs": ("operator", "/operator/jobs"),
    "run that fails": ("operator", "/operator/runs/{failed run}"),
    "run that runs": ("operator", "/operator/runs/{run}"),
    "pause the cycle": ("operator", "/operator/cycle"),
    "calendar": ("operator", "/operator/calendar"),
    "clocks": ("operator", "/operator/clocks"),
    "clocks without a line": ("operator", "/operator/clocks?only=silent"),
    **{f"clock of a line {state}": ("operator", f"/operator/clocks/{{{state}}}") for state in CLOCKS},
    "people": ("operator", "/operator/people"),
    "end a person": ("operator", "/operator/people/{membership}/end"),
    "trail": ("operator", "/operator/trail"),
    "chains": ("operator", "/operator/trail/chains"),
    "models": ("operator", "/operator/models"),
    **{
        f"model {state}: {part}": ("operator", f"/operator/models/{{{state} model}}{tail}")
        for state in MODELS
        for part, tail in {"card": "", "drift": "/drift", "shadow": "/shadow", "use": "/promotion"}.items()
    },
}  # fmt: skip
PAGES: dict[str, tuple[str, str]] = DOOR | FIRM | BANK | OFFICIAL | OPERATOR

EXPECTED = {"a code nobody issued": 404, "not found": 404, "not found, unknown visitor": 404, "not yours": 403}
"""Pages that are answers to a mistake; every other one is answered 200."""

NO_PAGES = {
    "/": "sends each to their home",
    "/health": "for machines",
    "/metrics": "for machines",
    "/firm/demands/new": "sends to the first question that is open",
    "/firm/demands/{demand_id}/edit": "takes up the answers as a draft and sends to their check",
    "/objections/{objection_id}/paper": "a file a firm sent with its objection",
    "/papers/{paper_id}": "a file a firm handed in",
    "/operator/models/{version}/files/{name}": "a file of a model",
}
FILES = (".xlsx", ".pdf", ".zip", ".csv", ".json", ".png", ".svg", ".ics")
