"""Codes and enquiries in words: whom a code leads to, where it is printed, whether it holds."""

from datetime import date
from typing import Any

from service.domain.scan_code import CodeKind
from service.settings import Settings
from web import words
from web.language import SOURCE, gettext, spoken


def team_of(district: str) -> str:
    """The team that looks after a district's firms."""
    return gettext("%(district)s融资服务专班") % {"district": words.district(district)}


def leads_to(code: Any, settings: Settings) -> str:
    """Whom one talks to by a code (or talked to by the code of an enquiry): the city, a team, an outlet, a person."""
    if code.kind == CodeKind.CITY:
        return city_of(settings) + gettext("融资服务专班")
    place = code.bank_name or team_of(code.district or "")
    return " ".join(part for part in (place, code.outlet, code.person_name) if part)


def city_of(settings: Settings) -> str:
    """The city's name in the language of the page."""
    return settings.city_name if spoken() == SOURCE else settings.city_name_en


def address_of(key: str, settings: Settings) -> str:
    """The address a code carries."""
    return f"{str(settings.public_url).rstrip('/')}/s/{key}"


def standing_of(code: Any, today: date) -> tuple[str, str]:
    """Whether a code holds, in a word and its tone."""
    if code.withdrawn_on is not None:
        return gettext("已停用"), "off"
    if code.until_on is not None and code.until_on < today:
        return gettext("已到期"), "off"
    if code.from_on > today:
        return gettext("未开始"), "wait"
    return gettext("有效"), "done"
