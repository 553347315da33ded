"""The last day's banks, as their own machines would: over HTTP, with a key each, reading their lists and answering."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx
import uvicorn
from sqlmodel import Session

from service import security
from service.api import ROUTERS
from service.app import create_app
from service.city.banks import BANKS
from service.city.days import Life
from service.city.decisions import Said
from service.clock import Clock
from service.domain.people import ApiKey, Role
from service.domain.standards.money import to_yuan
from service.settings import Settings
from service.store import people
from service.store.database import Database

PATIENCE_SECONDS = 20
A_BATCH = 500


def give_keys(tx: Session, life: Life, now: datetime) -> dict[int, str]:
    """A machine key for each bank, by its place; shown to nobody, ended after use."""
    keys = {}
    for place, bank_id in enumerate(life.bank_ids):
        new = security.new_api_key()
        name = f"demo {BANKS[place].code}"
        people.add_api_key(
            tx,
            ApiKey(prefix=new.prefix, key_hash=new.hash, role=Role.OFFICER.value, bank_id=bank_id, name=name,
                   created_at=now),
        )  # fmt: skip
        keys[place] = new.secret
    return keys


@contextmanager
def door(settings: Settings, database: Database) -> Iterator[str]:
    """The platform's API on a free port of this machine for the length of a block; its address."""
    app = create_app(settings, database, Clock(settings.demo_on), ROUTERS)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + PATIENCE_SECONDS
    while not server.started:
        if time.monotonic() > until or not thread.is_alive():
            raise RuntimeError("the API did not start")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE_SECONDS)


def banks_answer(address: str, life: Life, keys: dict[int, str]) -> tuple[int, int]:
    """Each bank reads its open lines and says what it has to say today; (lines read, answers taken)."""
    assert life.city.when.end
    said = defaultdict[int, dict[int, list[Said]]](lambda: defaultdict(list))
    for place, line, one in life.due.pop(life.city.when.end, []):
        said[place][line].append(one)
    lines = taken = 0
    trust = httpx.create_ssl_context()  # once: loading the authorities takes as long as a bank's whole answer
    for place, key in keys.items():
        own = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=address, headers=own, timeout=60, verify=trust) as bank:
            seen = _open_lines(bank)
            lines += len(seen)
            for turn in (0, 1):
                answers = [
                    _as_json(line, answers[turn]) for line, answers in said[place].items()
                    if line in seen and len(answers) > turn
                ]  # fmt: skip
                taken += _send(bank, life, answers)
    return lines, taken


def _open_lines(bank: httpx.Client) -> set[int]:
    seen: set[int] = set()
    while True:
        reply = bank.get("/api/v1/push-lines", params={"only": "open", "limit": A_BATCH, "offset": len(seen)})
        reply.raise_for_status()
        page = [row["id"] for row in reply.json()["push_lines"]]
        seen |= set(page)
        if len(page) < A_BATCH:
            return seen


def _send(bank: httpx.Client, life: Life, answers: list[dict[str, Any]]) -> int:
    if not answers:
        return 0
    reply = bank.post("/api/v1/answers", json={"answers": answers})
    reply.raise_for_status()
    taken = 0
    for one in reply.json()["answers"]:
        taken += "answer_id" in one
        if "error" in one:
            life.refused[one["detail"]] += 1
    return taken


def _as_json(line: int, said: Said) -> dict[str, Any]:
    body: dict[str, Any] = {"line_id": line, "kind": said.kind.value}
    if said.reasons:
        body["reasons"] = list(said.reasons)
    if said.text:
        body["text"] = said.text
    if said.papers:
        body["papers"] = list(said.papers)
    if said.offer is not None:
        body["offer"] = {
            "amount_yuan": to_yuan(said.offer.amount_fen),
            "rate": str(said.offer.rate),
            "term_months": said.offer.term_months,
            "loan_type": said.offer.loan_type,
            "fees_yuan": to_yuan(said.offer.fees_fen),
        }
    return body
