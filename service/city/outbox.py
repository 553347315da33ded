"""Messages of the demo's last day: whom the cast is reached by, what would have left to them, and what still waits."""

from dataclasses import dataclass
from datetime import date, datetime

from service import security
from service.actions.send_messages import ADDRESS, Sending, send_messages
from service.city.opening import DEMO
from service.clock import Clock, instant_on
from service.domain.outgoing import LEAVES, MessageChannel, masked_address
from service.domain.people import Role
from service.message_providers import providers_of
from service.processes import writer
from service.settings import Settings
from service.store import contacts, outgoing
from service.store import demo as looks
from service.store.database import transaction

MOST_A_FIRM = 2
"""Fewer than the day's number: what somebody tries out in the demo must leave too."""


@dataclass(frozen=True)
class Standing(Clock):
    """A clock at one instant."""

    at: datetime | None = None

    def now(self) -> datetime:
        return self.at or super().now()


def reach_people(settings: Settings, day: date) -> None:
    """Firms by SMS, banks and districts by e-mail; the day's last notices and the morning's digests in the sandbox."""
    with transaction(DEMO) as tx:
        for person in looks.people_to_reach(tx):
            is_firm = person.role == Role.FIRM
            address = f"138000{person.id:05d}" if is_firm else f"demo-{person.id}@example.cn"
            channel = (MessageChannel.SMS if is_firm else MessageChannel.EMAIL).value
            kept = security.sealed(settings.secret_key, ADDRESS, address)
            now = instant_on(day, 9)
            contacts.ask(tx, person.id, channel, sealed=kept, shown=masked_address(address), salt="demo", now=now)
            contacts.confirm(tx, person.id, channel, now)
        outgoing.queue(tx, looks.latest_to_firms(tx, LEAVES, day, MOST_A_FIRM))
    silent = settings.model_copy(update={"sms_url": None, "smtp_host": ""})  # made-up people are sent nothing
    send_messages(Sending(settings, providers_of(silent), writer(settings)), Standing(at=instant_on(day, 19, 30)))
