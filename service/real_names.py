"""Who can be asked for a person's real name: a service over HTTP, the demo's sandbox, or nobody yet."""

import threading
from dataclasses import dataclass

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from service.domain.real_name import Capacity, Claim, Finding, RealNameOutcome, RealNameProvider, RealNameRefusal
from service.settings import Settings

log = structlog.get_logger(__name__)
UNAVAILABLE = Finding(RealNameOutcome.UNAVAILABLE)
AT_ONCE = 2
"""Checks under way in one process: a slow provider must not take the seats of those who only read."""
_places = threading.BoundedSemaphore(AT_ONCE)


class Said(BaseModel):
    """What the service answers with 200; anything else is no answer."""

    model_config = ConfigDict(extra="ignore")
    outcome: RealNameOutcome
    code: RealNameRefusal | None = None
    reference: str = ""


@dataclass(frozen=True)
class HttpProvider:
    """A city's or a licensed provider's service: one POST, one answer, no repeats (each is paid for)."""

    name: str
    url: str
    key: str
    seconds: float

    def check(self, claim: Claim) -> Finding:
        """Ask it; whatever goes wrong on the way says nothing of the person."""
        if not _places.acquire(timeout=self.seconds):
            log.warning("real names: all places taken")
            return UNAVAILABLE
        try:
            return self._ask(claim)
        except httpx.HTTPError as fault:
            log.warning("real names: no answer", reason=type(fault).__name__)
        except ValidationError:
            log.warning("real names: an answer that cannot be read")
        finally:
            _places.release()
        return UNAVAILABLE

    def _ask(self, claim: Claim) -> Finding:
        asked = {
            "name": claim.name,
            "number": claim.number,
            "mobile": claim.mobile,
            "uscc": claim.uscc,
            "firm_name": claim.firm_name,
            "capacity": claim.capacity.value,
        }
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        with httpx.Client(timeout=self.seconds, trust_env=False) as client:
            answer = client.post(self.url, json=asked, headers=headers)
        if answer.status_code != httpx.codes.OK:
            log.warning("real names: refused to answer", status=answer.status_code)
            return UNAVAILABLE
        said = Said.model_validate_json(answer.content)
        if (said.outcome is RealNameOutcome.REFUSED) is (said.code is None):
            log.warning("real names: an answer without its reason, or with one too many")
            return UNAVAILABLE
        return Finding(said.outcome, said.code, said.reference[:80])


@dataclass(frozen=True)
class TestIdentity:
    """A made-up person; its number's division is assigned to no place, so it is nobody's."""

    __test__ = False
    name: str
    number: str
    as_representative: Finding
    as_deputy: Finding

    @property
    def says(self) -> str:
        """What this identity is there to show, as a code."""
        if self.as_representative.outcome is self.as_deputy.outcome:
            return self.as_deputy.code.value if self.as_deputy.code else self.as_deputy.outcome.value
        return "deputy_only"


PASSED = Finding(RealNameOutcome.PASSED, reference="sandbox")


def _refused(code: RealNameRefusal) -> Finding:
    return Finding(RealNameOutcome.REFUSED, code, "sandbox")


def _both(name: str, number: str, finding: Finding) -> TestIdentity:
    return TestIdentity(name, number, finding, finding)


TEST_IDENTITIES = (
    _both("石鸣", "410199199001011006", PASSED),
    TestIdentity("戴伴", "410199199001011014", _refused(RealNameRefusal.NOT_REPRESENTATIVE), PASSED),
    _both("梅伏", "410199199001011022", _refused(RealNameRefusal.IDENTITY_DIFFERS)),
    _both("郝婷", "410199199001011030", _refused(RealNameRefusal.MOBILE_DIFFERS)),
    _both("邵侯", "410199199001011049", UNAVAILABLE),
)


@dataclass(frozen=True)
class Sandbox:
    """Knows the test identities and nobody else; asks nobody."""

    name: str

    def check(self, claim: Claim) -> Finding:
        """What is documented for this identity."""
        for one in TEST_IDENTITIES:
            if (one.name, one.number) == (claim.name, claim.number):
                return one.as_representative if claim.capacity is Capacity.REPRESENTATIVE else one.as_deputy
        return _refused(RealNameRefusal.IDENTITY_DIFFERS)


@dataclass(frozen=True)
class NotConnected:
    """No provider is set: nobody is confirmed, and nobody is refused."""

    name: str

    def check(self, _claim: Claim) -> Finding:
        return UNAVAILABLE


def provider_of(settings: Settings) -> RealNameProvider:
    """The one the settings name; the sandbox in the demo, never beside real people's data."""
    if settings.real_name_url is not None:
        key = settings.real_name_key.get_secret_value() if settings.real_name_key else ""
        return HttpProvider(settings.real_name_provider, str(settings.real_name_url), key, settings.real_name_seconds)
    return Sandbox("sandbox") if settings.demo else NotConnected(settings.real_name_provider)
