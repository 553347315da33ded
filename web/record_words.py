"""The catalogue's items, fields and values in the language of the page."""

from datetime import date

from service.intake.catalogue import Field, Item
from service.profiles.profile import Fact
from web import words
from web.formats import day, money, percent
from web.language import SOURCE, spoken


def named(thing: Item | Field) -> str:
    """An item's or a field's name."""
    return thing.zh if spoken() == SOURCE else thing.en


def department(item: Item) -> str:
    """The department an item comes from."""
    return item.department.zh if spoken() == SOURCE else item.department.en


def said(field: Field, value: object) -> str:
    """A value as people write it: amounts, shares and dates by the page's language, codes as the catalogue's words."""
    if field.type == "money" and isinstance(value, int):
        return money(value)
    if field.type == "share" and isinstance(value, float | int):
        return percent(value)
    if isinstance(value, date):
        return day(value)
    if field.choices or field.choices_from:
        return _choice(field, str(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def lines(fact: Fact) -> list[tuple[str, str]]:
    """A record as people read it: what each field is called, and what it says."""
    return [(named(field), said(field, value)) for field, value in fact.values]


def _choice(field: Field, code: str) -> str:
    if field.choices_from:
        return words.district(code) if field.choices_from == "regions" else words.industry(code)
    known = field.choices.get(code, ())
    return known[0] if known and spoken() == SOURCE else code.replace("_", " ")
