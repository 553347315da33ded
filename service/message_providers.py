"""Who carries messages away: SMS over HTTP, e-mail over SMTP, the demo's sandbox that sends nothing, or nobody yet."""

import smtplib
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as LINES
from typing import Literal

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from service.clock import Clock
from service.domain.outgoing import (
    Letter,
    MessageChannel,
    MessageFault,
    MessageOutcome,
    MessageProvider,
    Receipt,
)
from service.domain.people import the_platform
from service.settings import Settings
from service.store import outgoing
from service.store.database import transaction

log = structlog.get_logger(__name__)
O = MessageOutcome  # noqa: E741  (read at a glance below)
UNAVAILABLE, UNCERTAIN, ABSENT = Receipt(O.UNAVAILABLE), Receipt(O.UNCERTAIN), Receipt(O.ABSENT)
NOT_TAKEN = frozenset({401, 403, 429, 503})
"""Our key, our pace or their rest: nothing of the message was looked at."""
PERMANENT = 500
"""From here on SMTP's answers are final."""


class Said(BaseModel):
    """What an SMS service answers with 200; anything else is no answer."""

    model_config = ConfigDict(extra="ignore")
    outcome: Literal[MessageOutcome.ACCEPTED, MessageOutcome.REFUSED]
    code: MessageFault | None = None
    reference: str = ""

    def as_receipt(self) -> Receipt:
        fault = (self.code or MessageFault.REFUSED) if self.outcome is O.REFUSED else None
        return Receipt(self.outcome, fault, self.reference[:120])


@dataclass(frozen=True)
class HttpSms:
    """A licensed SMS service: POST one message under its key, GET what became of a key."""

    name: str
    url: str
    key: str
    seconds: float
    is_connected: bool = True

    def send(self, letter: Letter) -> Receipt:
        """Hand it over. What fails before a connection stands was not taken; what fails after it may have been."""
        asked = {"key": letter.key, "to": letter.to, "words": letter.words.body}
        try:
            with self._client() as client:
                answer = client.post(self.url, json=asked, headers={"Idempotency-Key": letter.key})
        except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
            return self._noted(UNAVAILABLE, type(fault).__name__)
        except httpx.HTTPError as fault:
            return self._noted(UNCERTAIN, type(fault).__name__)
        if answer.status_code in NOT_TAKEN:
            return self._noted(UNAVAILABLE, str(answer.status_code))
        return self._read(answer)

    def find(self, key: str) -> Receipt:
        """Ask for it: known with its end, not known at all, or no answer now."""
        try:
            with self._client() as client:
                answer = client.get(f"{self.url.rstrip('/')}/{key}")
        except httpx.HTTPError as fault:
            return self._noted(UNCERTAIN, type(fault).__name__)
        return ABSENT if answer.status_code == httpx.codes.NOT_FOUND else self._read(answer)

    def _client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return httpx.Client(timeout=self.seconds, trust_env=False, headers=headers)

    def _read(self, answer: httpx.Response) -> Receipt:
        if answer.status_code != httpx.codes.OK:
            return self._noted(UNCERTAIN, str(answer.status_code))
        try:
            return Said.model_validate_json(answer.content).as_receipt()
        except ValidationError:
            return self._noted(UNCERTAIN, "an answer that cannot be read")

    @staticmethod
    def _noted(receipt: Receipt, reason: str) -> Receipt:
        log.warning("sms: not confirmed", outcome=receipt.outcome.value, reason=reason)
        return receipt


@dataclass(frozen=True)
class SmtpMail:
    """A mail server, over TLS (`security` none: on this machine only). It cannot be asked what became of a letter."""

    name: str
    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    user: str
    password: str
    seconds: float
    is_connected: bool = True

    def send(self, letter: Letter) -> Receipt:
        """Hand it over. Until its text goes out nothing was taken."""
        try:
            server = self._open()
            try:
                self._address(server, letter.to)
                return self._hand_over(server, letter)
            finally:
                _leave(server)
        except smtplib.SMTPRecipientsRefused as refused:
            (code, _said), *_ = refused.recipients.values()
            if code >= PERMANENT:
                return Receipt(O.REFUSED, MessageFault.ADDRESS_REFUSED, str(code))
            return UNAVAILABLE
        except (smtplib.SMTPException, OSError) as fault:
            log.warning("mail: not taken", reason=type(fault).__name__)
            return UNAVAILABLE

    def find(self, _key: str) -> Receipt:
        return Receipt(O.UNASKABLE)

    def _open(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.seconds, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.seconds)
        try:
            if self.security == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server

    def _address(self, server: smtplib.SMTP, to: str) -> None:
        server.ehlo_or_helo_if_needed()
        code, said = server.mail(self.sender)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, said, self.sender)
        code, said = server.rcpt(to)
        if code not in {250, 251}:
            raise smtplib.SMTPRecipientsRefused({to: (code, said)})

    def _hand_over(self, server: smtplib.SMTP, letter: Letter) -> Receipt:
        """From here on a broken line leaves it open whether the letter was taken."""
        try:
            code, said = server.data(self._written(letter).as_bytes(policy=LINES))
        except smtplib.SMTPDataError as refused:
            code, said = refused.smtp_code, refused.smtp_error if isinstance(refused.smtp_error, bytes) else b""
        except (smtplib.SMTPException, OSError) as fault:
            log.warning("mail: not confirmed", reason=type(fault).__name__)
            return UNCERTAIN
        if code == 250:
            return Receipt(O.ACCEPTED, reference=said.decode("utf-8", "replace")[:120])
        return Receipt(O.REFUSED, MessageFault.WORDS_REFUSED, str(code)) if code >= PERMANENT else UNAVAILABLE

    def _written(self, letter: Letter) -> EmailMessage:
        """Its key is its Message-ID, by which servers and people recognise the same letter."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self.sender, letter.to, letter.words.subject
        mail["Message-ID"] = f"<{letter.key}@{self.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.words.body)
        return mail


def _leave(server: smtplib.SMTP) -> None:
    """A farewell that fails changes nothing of what was taken before it."""
    with suppress(smtplib.SMTPException, OSError):
        server.quit()
    server.close()


@dataclass(frozen=True)
class Sandbox:
    """Keeps what would have been sent, and sends nothing."""

    channel: MessageChannel
    clock: Clock
    name: str = "sandbox"
    is_connected: bool = True

    def send(self, letter: Letter) -> Receipt:
        """Kept once, however often it comes."""
        with transaction(the_platform("sandbox")) as tx:
            outgoing.keep_in_sandbox(tx, self.channel, letter, self.clock.now())
        return Receipt(O.ACCEPTED, reference=letter.key[:8])

    def find(self, key: str) -> Receipt:
        with transaction(the_platform("sandbox"), read_only=True) as tx:
            is_here = outgoing.is_in_sandbox(tx, key)
        return Receipt(O.ACCEPTED, reference=key[:8]) if is_here else ABSENT


@dataclass(frozen=True)
class NotConnected:
    """No provider is set: nothing leaves by this channel, and nothing is kept back to leave weeks later."""

    name: str = ""
    is_connected: bool = False

    def send(self, _letter: Letter) -> Receipt:
        return UNAVAILABLE

    def find(self, _key: str) -> Receipt:
        return ABSENT


Providers = Mapping[MessageChannel, MessageProvider]


def providers_of(settings: Settings) -> Providers:
    """Channel → the provider the settings name; the sandbox in the demo, never beside real people's data."""
    return {MessageChannel.SMS: _sms_of(settings), MessageChannel.EMAIL: _email_of(settings)}


def _sms_of(settings: Settings) -> MessageProvider:
    if settings.sms_url is not None:
        key = settings.sms_key.get_secret_value() if settings.sms_key else ""
        return HttpSms(settings.sms_provider, str(settings.sms_url), key, settings.message_seconds)
    return _without(settings, MessageChannel.SMS)


def _email_of(settings: Settings) -> MessageProvider:
    if settings.smtp_host:
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
        return SmtpMail(
            settings.smtp_host, settings.smtp_host, settings.smtp_port, settings.smtp_security, settings.smtp_sender,
            settings.smtp_user, password, settings.message_seconds,
        )  # fmt: skip
    return _without(settings, MessageChannel.EMAIL)


def _without(settings: Settings, channel: MessageChannel) -> MessageProvider:
    return Sandbox(channel, Clock(settings.demo_on)) if settings.demo else NotConnected()
