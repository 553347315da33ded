"""How fast machines may ask: each key or session, and each address, on /api/v1; refused with 429 and Retry-After."""

import hashlib
from ipaddress import IPv6Address, ip_address
from math import ceil

import anyio.to_thread
from fastapi import Request
from prometheus_client import Counter

from service.accelerator import Accelerator, Pace
from service.domain.errors import DomainError
from service.doors import House, TheHouse, cookie_name
from service.settings import Settings

LIMITED = Counter("xindeng_limited", "Requests refused for coming too fast, by whose measure was full", ("pace",))
API = "/api/"
PAGES = {"verify": Pace("verify", 1, 30)}
"""Pages anyone may open whose addresses must not be tried out."""
A_NETWORK = 64  # bits: what one subscriber is given of IPv6


class TooFast(DomainError):
    """Too many requests: wait `seconds`."""

    code = "too_fast"

    @property
    def retry_after(self) -> int:
        """Seconds, as the header says them."""
        return int(str(self.values["seconds"]))


async def paced(request: Request, house: TheHouse) -> None:
    """Before anything is looked up: a machine in a hurry waits outside, and the database never hears of it."""
    if request.url.path.startswith(API):
        await anyio.to_thread.run_sync(count, house.accelerator, house.settings, request)


def count(accelerator: Accelerator, settings: Settings, request: Request) -> None:
    """Count a request against its address and its key or session. Errors: TooFast."""
    takes = [(Pace("address", settings.api_address_rate, settings.api_address_burst), address_of(request))]
    shown = credential_of(request, settings)
    if shown:
        takes.append((Pace("key", settings.api_rate, settings.api_burst), shown))
    for pace, whom in takes:
        seconds = accelerator.wait_for(pace, whom)
        if seconds:
            LIMITED.labels(pace.name).inc()
            raise TooFast("请求太频繁，请在 {seconds} 秒后再试。", seconds=max(1, ceil(seconds)))


def credential_of(request: Request, settings: Settings) -> str:
    """A mark for the key or session shown, real or not, that betrays neither; empty where none is."""
    shown = request.headers.get("authorization") or request.cookies.get(cookie_name(settings)) or ""
    return hashlib.sha256(shown.encode()).hexdigest()[:32] if shown else ""


def address_of(request: Request) -> str:
    """Who is at the other end of the line, by whole networks of IPv6; the server has looked behind trusted proxies."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Address(int(address) >> A_NETWORK << A_NETWORK))
    return host


def slow_down(house: House, pace: str, request: Request) -> None:
    """Count a visit of a page that strangers may open by guessing, against its address. Errors: TooFast."""
    seconds = house.accelerator.wait_for(PAGES[pace], address_of(request))
    if seconds:
        LIMITED.labels(pace).inc()
        raise TooFast("请求太频繁，请在 {seconds} 秒后再试。", seconds=max(1, ceil(seconds)))
