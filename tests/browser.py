"""A browser for tests, without JavaScript: opens pages, fills the form it sees, follows where it is sent."""

from contextlib import ExitStack
from copy import copy
from functools import cache
from html import unescape
from html.parser import HTMLParser
from typing import Any

from anyio import CapacityLimiter
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from starlette.datastructures import State

from service import security
from service.accelerator import Accelerator
from service.actions.issue_key import issue_key
from service.clock import Clock, machine_now
from service.domain.people import THE_DOOR, Membership, Person, Role, SignIn, Who, the_platform
from service.doors import House, cookie_name
from service.settings import Settings
from service.store import people
from service.store.database import Database, use
from web.main import build_app
from web.shell import Dress

PAGES = {"accept": "text/html"}


_routed: dict[bool, FastAPI] = {}
"""By `settings.demo`: an app whose routes are worked out, which takes a second. The apps of tests share them."""


def an_app(settings: Settings, database: Database, clock: Clock) -> FastAPI:
    """`web.main.build_app` for the tests' own settings: a house and a clock of its own, the routes shared by all."""
    if settings.demo not in _routed:
        _routed[settings.demo] = build_app(settings, database, clock)
    app = copy(_routed[settings.demo])
    app.state, app.middleware_stack = State(), None
    accelerator = database.accelerator = Accelerator.of(settings)
    use(database)
    app.state.house = House(settings, database, clock, CapacityLimiter(database.pool_size), accelerator)
    app.state.dress = Dress(settings=settings, clock=clock, key=settings.secret_key)
    return app


class Page(HTMLParser):
    """What a person sees of an answer: its words, its links, its forms with what stands in them."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.address = str(answer.url.path)
        self.html = answer.text
        self.links: list[str] = []
        self.forms: list[dict[str, Any]] = []
        self._words: list[str] = []
        self._silent = 0
        self.feed(self.html)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self._words).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag in {"script", "style", "title"}:
            self._silent += 1
        if tag == "a":
            self.links.append(given.get("href", ""))
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "method": given.get("method", "get"), "fields": {}})
        stands_there = given.get("type") not in {"checkbox", "radio", "file"} or "checked" in given
        if tag == "input" and self.forms and given.get("name") and stands_there:
            self.forms[-1]["fields"].setdefault(given["name"], []).append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style", "title"}:
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words.append(unescape(data))

    def form(self, action: str) -> dict[str, Any]:
        """The form that leads to an address."""
        found = [form for form in self.forms if form["action"].split("?")[0] == action and form["method"] == "post"]
        assert found, f"no form to {action} on {self.address}: {[form['action'] for form in self.forms]}"
        return found[-1]


until_the_end = ExitStack()
"""What stays open from one test to the next; conftest closes it after the last."""


@cache
def the_loop() -> BlockingPortal:
    """An event loop that goes on from one request to the next, as a server's does."""
    return until_the_end.enter_context(start_blocking_portal())


class Client(TestClient):
    """TestClient by itself starts a loop, and threads in it, for every request."""

    def __init__(self, app: FastAPI, **given: Any) -> None:
        super().__init__(app, raise_server_exceptions=False, **given)
        self.portal = the_loop()


class Browser:
    """Someone's browser: signed in as `who`, or as nobody."""

    def __init__(self, app: FastAPI, database: Database, who: Who | None = None) -> None:
        self.client = Client(app, headers=PAGES)
        if who is not None:
            name = cookie_name(app.state.house.settings)
            self.client.cookies.set(name, session_of(database, who, app.state.house.clock.today()))
        self.page: Page | None = None

    def opens(self, address: str) -> Page:
        """Go to an address."""
        self.page = Page(self.client.get(address))
        return self.page

    def sends(self, action: str, **fields: object) -> Page:
        """Fill the form on the page that leads to `action`, and send it; a list gives several values."""
        assert self.page is not None, "open a page first"
        form = dict(self.page.form(action)["fields"])
        form |= {name: list(value) if isinstance(value, list | tuple) else [value] for name, value in fields.items()}
        data = {name: [str(one) for one in values] for name, values in form.items()}
        address = next(one["action"] for one in reversed(self.page.forms) if one["action"].split("?")[0] == action)
        self.page = Page(self.client.post(address, data=data))
        return self.page

    def uploads(self, action: str, name: str, file: tuple[str, bytes, str] | None, **fields: object) -> Page:
        """The same with a file (name, content, type) in the field `name`; None chooses none."""
        assert self.page is not None, "open a page first"
        data = {key: values[0] for key, values in self.page.form(action)["fields"].items()}
        data |= {key: str(value) for key, value in fields.items()}
        self.page = Page(self.client.post(action, data=data, files={name: file} if file else None))
        return self.page


def session_of(database: Database, who: Who, today: Any) -> str:
    """The cookie of an open session: the person and the membership are made when they are new."""
    token, now = security.new_token(), machine_now()
    login = f"{who.role}-{who.uscc or who.bank_id or who.district or 'city'}-{who.name}"
    with database.transaction(the_platform("test")) as tx:
        person = people.find_by_login(tx, login)
        if person is None:
            scope: dict[str, Any] = {"uscc": who.uscc, "bank_id": who.bank_id, "district": who.district}
            membership = Membership(person_id=0, role=who.role.value, since_on=today, **scope)
            person = Person(login=login, name=who.name or login, password_hash="x", created_at=now)
            people.add_person(tx, person, membership)
        membership_id = people.list_memberships(tx, person.id or 0, today)[0].id
    with database.transaction(THE_DOOR) as tx:
        sign_in = SignIn(
            token_hash=security.hash_token(token), person_id=person.id or 0, membership_id=membership_id,
            form_token="", created_at=now, seen_at=now, expires_at=now.replace(year=now.year + 1),
        )  # fmt: skip
        people.add_sign_in(tx, sign_in)
    return token


def machine(app: FastAPI, database: Database, who: Who) -> Client:
    """A bank's own system, with a key its admin issued."""
    admin = Who(Role.BANK_ADMIN, name="白总", bank_id=who.bank_id)
    with database.transaction(admin) as tx:
        secret = issue_key(tx, admin, "信贷系统", app.state.house.clock.now()).secret
    return Client(app, headers={"Authorization": f"Bearer {secret}"})
