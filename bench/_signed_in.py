"""A page as a signed-in person asks for it, and how long the server takes: what the benches of pages share."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from service import security
from service.clock import Clock, machine_now
from service.domain.people import THE_DOOR, Membership, Person, SignIn, Who, the_platform
from service.doors import cookie_name
from service.settings import Settings
from service.store import people
from service.store.database import Database
from web.main import build_app


class Timed:
    """An application, and how long its last answer took from the call to the last byte; the client's own work apart."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.took_ms = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        await self.app(scope, receive, send)
        self.took_ms = 1000 * (time.perf_counter() - begun)


@dataclass(frozen=True)
class Asker:
    """Someone signed in, before an application whose event loop goes on from one request to the next, as a server's."""

    app: Timed
    client: TestClient

    def measured(self, path: str, runs: int) -> list[float]:
        """Milliseconds of the server in each run after the first; RuntimeError where the page does not come."""
        found = []
        for _ in range(runs + 1):
            answer = self.client.get(path)
            found.append(self.app.took_ms)
            if answer.status_code != 200:
                raise RuntimeError(answer.text[:300])
        return found[1:]


@contextmanager
def asking(settings: Settings, database: Database, who: Who, on: date) -> Iterator[Asker]:
    """Somebody new with this role and scope, on this day of the demo."""
    app = Timed(build_app(settings, database, Clock(demo_on=on)))
    client = TestClient(app, headers={"accept": "text/html"})
    client.cookies.set(cookie_name(settings), _signed_in(database, who, on))
    with start_blocking_portal() as client.portal:
        yield Asker(app, client)


def _signed_in(database: Database, who: Who, on: date) -> str:
    """The token of an open session."""
    token, now = security.new_token(), machine_now()
    with database.transaction(the_platform("bench")) as tx:
        person = Person(login=f"bench-{now:%H%M%S%f}", name=who.name, password_hash="x", created_at=now)
        scope = {"uscc": who.uscc, "bank_id": who.bank_id, "district": who.district}
        people.add_person(tx, person, Membership(person_id=0, role=who.role.value, since_on=on, **scope))
        membership = people.list_memberships(tx, person.id or 0, on)[0]
    with database.transaction(THE_DOOR) as tx:
        sign_in = SignIn(
            token_hash=security.hash_token(token), person_id=person.id or 0, membership_id=membership.id,
            form_token="", created_at=now, seen_at=now, expires_at=now + timedelta(hours=8),
        )  # fmt: skip
        people.add_sign_in(tx, sign_in)
    return token
