"""A page as a signed-in person asks for it, and how long the server takes: what the benches of pages share."""

import time
from datetime import date, timedelta

from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from service import security
from service.clock import machine_now
from service.domain.people import THE_DOOR, Membership, Person, SignIn, Who, the_platform
from service.store import people
from service.store.database import Database


def signed_in(database: Database, who: Who, on: date) -> str:
    """The token of an open session of somebody new with this role and scope."""
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


class Timed:
    """An application, and how long its last answer took from the call to the last byte; the client's own work apart."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.took_ms = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        await self.app(scope, receive, send)
        self.took_ms = 1000 * (time.perf_counter() - begun)


def measured(app: Timed, client: TestClient, path: str, runs: int) -> list[float]:
    """Milliseconds of the server in each run after the first."""
    found = []
    for _ in range(runs + 1):
        answer = client.get(path)
        found.append(app.took_ms)
        if answer.status_code != 200:
            raise RuntimeError(answer.text[:300])
    return found[1:]
