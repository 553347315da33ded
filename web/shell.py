"""What surrounds every page: the site's name and furniture, who is here, how they like to read, the menu, a message."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from starlette.requests import Request

from service import doors
from service.clock import Clock
from service.domain.people import BANK_ROLES
from service.settings import Settings
from web.flash import Flash
from web.language import LANGUAGES, SOURCE, spoken
from web.language import lazy as _
from web.menu import MENUS, Item, current, parted

SIZES = ("16", "18", "24")
SIZE_COOKIE = "size"
CONTRAST_COOKIE = "contrast"
KEYS_COOKIE = "keys"


@dataclass(frozen=True)
class Furniture:
    """A line at the foot of each page: 主办单位, ICP number …; shown only where it is configured."""

    label: str
    address: str = ""


@dataclass(frozen=True)
class Dress:
    """What the web floor keeps for the life of the process: made once in `main.dress`, found on `app.state.dress`."""

    settings: Settings
    clock: Clock
    key: str

    @property
    def session_cookie(self) -> str:
        return doors.cookie_name(self.settings)

    @property
    def site(self) -> str:
        return self.settings.site_name if spoken() == SOURCE else self.settings.site_name_en

    @property
    def city(self) -> str:
        return self.settings.city_name if spoken() == SOURCE else self.settings.city_name_en

    @property
    def furniture(self) -> list[Furniture]:
        """What the installation configured; an empty setting is hidden."""
        known = self.settings
        pieces = (
            (_("主办单位：%(value)s"), known.sponsor, ""),
            (_("联系方式：%(value)s"), known.contact, ""),
            (_("网站标识码：%(value)s"), known.site_code, ""),
            (_("备案号：%(value)s"), known.icp_number, ""),
            (_("公安备案：%(value)s"), known.police_number, ""),
            (_("无障碍说明"), known.accessibility_url, known.accessibility_url),
            (_("为政府网站找错"), known.error_report_url, known.error_report_url),
        )
        return [Furniture(str(label.with_(value=value)), address) for label, value, address in pieces if value]


@dataclass(frozen=True)
class Badge:
    """The signed-in person as the header shows them; a page router may put a fuller one on `request.state.badge`."""

    name: str
    role: str
    place: str = ""
    """The firm, bank or district they act for, in words."""
    tallies: dict[str, int] = field(default_factory=dict)
    """Counts beside menu entries, by name: {'notices': 3}."""


@dataclass(frozen=True)
class Shell:
    """Everything base.html needs beside the page's own view."""

    dress: Dress
    path: str
    here: str
    """Path with query: where the display switches lead back to."""
    language: str
    size: str
    is_high_contrast: bool
    has_keys: bool
    """Whether single keys act on lists: some people's input methods and helps need them for themselves."""
    badge: Badge | None
    demo_on: date | None
    flash: Flash | None

    @property
    def lang(self) -> str:
        return LANGUAGES[self.language]

    @property
    def address(self) -> str:
        """The whole address of this page, for paper."""
        return str(self.dress.settings.public_url).rstrip("/") + self.here

    @property
    def knows_keys(self) -> bool:
        """Whether this person has lists that single keys act on."""
        return self.badge is not None and self.badge.role in BANK_ROLES

    @property
    def menu(self) -> tuple[Item, ...]:
        return MENUS.get(self.badge.role, ()) if self.badge else ()

    @property
    def menu_parts(self) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
        """Entries in sight on a phone, and those under 'more'."""
        return parted(self.menu)

    @property
    def current(self) -> Item | None:
        return current(self.menu, self.path)

    def tally(self, item: Item) -> int:
        return self.badge.tallies.get(item.tally or "", 0) if self.badge else 0

    def tally_of(self, items: Sequence[Item]) -> int:
        """What is counted beside all of them together."""
        return sum(map(self.tally, items))


def badge_of(request: Request) -> Badge | None:
    """The badge a page router wrote, or what the door knows of the person."""
    written = getattr(request.state, "badge", None)
    if isinstance(written, Badge):
        return written
    visitor = getattr(request.state, "visitor", None)
    return Badge(visitor.who.name, visitor.who.role) if isinstance(visitor, doors.Visitor) else None


def shell_of(request: Request, flash: Flash | None) -> Shell:
    """The shell of this request's page."""
    dress: Dress = request.app.state.dress
    size = request.cookies.get(SIZE_COOKIE, SIZES[0])
    query = f"?{request.url.query}" if request.url.query else ""
    return Shell(
        dress=dress,
        path=request.url.path,
        here=request.url.path + query if request.method == "GET" else request.url.path,
        language=spoken(),
        size=size if size in SIZES else SIZES[0],
        is_high_contrast=request.cookies.get(CONTRAST_COOKIE) == "high",
        has_keys=request.cookies.get(KEYS_COOKIE) != "off",
        badge=badge_of(request),
        demo_on=dress.clock.demo_on if dress.settings.demo else None,
        flash=flash,
    )
