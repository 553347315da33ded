"""Somebody registers a firm: at the door as the actions see it, or page by page in a browser without JavaScript."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from service.actions import register_firm
from service.actions.register_firm import Proof, Sending
from service.clock import machine_now
from service.domain.people import THE_DOOR
from service.domain.real_name import Capacity, Claim, Finding, RealNameOutcome
from service.domain.standards import uscc
from service.store.database import Database
from tests.browser import Browser, Page
from tests.builders import NOW, TODAY

NEWS = uscc.synthetic("enterprise", 987_654)
"""A firm no register has spoken of."""
SHI, DAI = ("石鸣", "410199199001011006"), ("戴伴", "410199199001011014")
"""The sandbox confirms Shi as anything, Dai as a deputy."""
PASSWORD = "a quiet lantern"
PASSED = Finding(RealNameOutcome.PASSED, reference="R-1")

ASKED = {
    "firm": ("uscc", "firm_name", "kind", "as_printed"),
    "person": ("name", "mobile", "capacity", "authority"),
    "identity": ("number",),
    "account": ("login", "password"),
    "check": (),
}


def a_sending(code: str = NEWS, login: str = "shiming", **other: Any) -> Sending:
    """Everything a representative fills in."""
    whole = Sending(
        "石鸣", "13800000001", Capacity.REPRESENTATIVE, "", code, "郑州新芽商贸有限公司", "enterprise", login
    )
    return replace(whole, **other)


def fills(database: Database, sending: Sending, token: str = "token", number: str = SHI[1], digest: str = "") -> str:
    """A draft with everything in it, proved and not yet sent; the browser's token."""
    claim = Claim(sending.claim_name, number, sending.mobile, sending.uscc, sending.firm_name, sending.capacity)
    kept = {"firm": {"uscc": [sending.uscc]}}
    proof = Proof(claim, kept, digest or f"digest of {number}", "sandbox", "0" * 64)
    with database.transaction(THE_DOOR) as tx:
        register_firm.begin(tx, token, "10.0.0.1", NOW, machine_now())
        register_firm.keep_answers(tx, token, "firm", kept["firm"], NOW)
        register_firm.keep_account(tx, token, sending.login, PASSWORD, "1" * 64, NOW)
    with database.transaction(THE_DOOR) as tx:
        register_firm.note_finding(tx, token, proof, PASSED, TODAY, NOW)
    return token


def sends(database: Database, sending: Sending, token: str = "token") -> Any:
    """The registration as it stands after it was sent."""
    with database.transaction(THE_DOOR) as tx:
        return register_firm.send_registration(tx, token, sending, TODAY, NOW)


def a_waiting_deputy(database: Database, code: str = NEWS, token: str = "deputy", **other: Any) -> int:
    """Dai says that the firm sent him; the registration's key."""
    deputy = {"claim_name": DAI[0], "capacity": Capacity.DEPUTY, "authority": "6 月 1 日法定代表人签的授权书"}
    sending = a_sending(code, **{"login": f"dai-{token}"} | deputy | other)
    return int(sends(database, sending, fills(database, sending, token, DAI[1])).id)


def pages(browser: Browser, **other: Any) -> Iterator[Page]:
    """The pages from the first to the last, each answered rightly when the next is asked for."""
    said = {
        "uscc": NEWS, "firm_name": "郑州新芽商贸有限公司", "kind": "enterprise", "name": SHI[0],
        "mobile": "13800000001", "capacity": "representative", "number": SHI[1],
        "login": "shiming", "password": PASSWORD,
    } | other  # fmt: skip
    page = browser.opens("/register/firm")
    for step, names in ASKED.items():
        assert page.address == f"/register/{step}", page.words
        yield page
        agrees = {"agrees": "yes"} if step in ("identity", "account") else {}
        page = browser.sends(page.address, **{name: said[name] for name in names if name in said}, **agrees)
    yield page


def walks(browser: Browser, until: str = "done", **other: Any) -> Page:
    """Page by page with right answers, up to the page `until`; any answer may be another."""
    for page in pages(browser, **other):
        if page.address == f"/register/{until}":
            return page
    raise AssertionError(f"{until} was never reached")
