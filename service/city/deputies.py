"""Who stands at the demo's door on its last day: a deputy who waits for a firm's yes, another for the office's."""

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from service import security
from service.actions import register_firm
from service.actions.register_firm import Proof, Sending
from service.domain.real_name import Capacity, Claim
from service.real_names import TEST_IDENTITIES, Sandbox
from service.settings import Settings
from service.store import demo as looks

MOBILE = "13800000000"
"""Nobody's: the demo calls no one."""


def come_to_the_door(tx: Session, settings: Settings, now: datetime) -> None:
    """One deputy for each of two firms: of the first somebody acts here already, of the second nobody does."""
    looks.enter_registered(tx)
    for number, firm in enumerate(looks.firms_for_deputies(tx)):
        _ask(tx, settings, firm, number, now)


def _ask(tx: Session, settings: Settings, firm: Row[Any], number: int, now: datetime) -> None:
    """All pages of a registration, as the door's actions keep them."""
    token, today, person = security.new_token(), now.date(), TEST_IDENTITIES[number]
    uscc, name, kind = str(firm.uscc), str(firm.name), str(firm.kind)
    authority = "2026 年 6 月 29 日法定代表人签的授权委托书"
    claim = Claim(person.name, person.number, MOBILE, uscc, name, Capacity.DEPUTY)
    digest = security.keyed_digest(settings.secret_key, "identity", person.number)
    sending = Sending(person.name, MOBILE, Capacity.DEPUTY, authority, uscc, name, kind, f"demo-deputy-{number + 1}")
    register_firm.begin(tx, token, "demo", now, now)
    register_firm.keep_account(tx, token, sending.login, secrets.token_urlsafe(24), security.hash_token("terms"), now)
    proof = Proof(claim, {}, digest, "sandbox", security.hash_token("check"))
    register_firm.note_finding(tx, token, proof, Sandbox("sandbox").check(claim), today, now)
    register_firm.send_registration(tx, token, sending, today, now)
