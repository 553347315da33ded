"""A refusal of the service in the words of the page: translated, its codes and days written out for people."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

from service.domain.errors import DomainError
from web import formats, words
from web.language import gettext


def said(error: DomainError) -> str:
    """The sentence for people. A code given as its enumeration's member is shown as its word."""
    sentence = gettext(error.message)
    return sentence.format(**_written(error.values)) if error.values else sentence


def _written(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _one(value) for name, value in values.items()}


def _one(value: object) -> object:
    if isinstance(value, StrEnum):
        group = re.sub(r"(?<!^)(?=[A-Z])", "_", type(value).__name__).lower()
        return words.of(group, value.value) if group in words.GROUPS else value.value
    if isinstance(value, datetime):
        return formats.moment(value)
    return formats.day(value) if isinstance(value, date) else value
