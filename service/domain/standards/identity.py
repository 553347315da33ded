"""The resident identity number 居民身份号码 (GB 11643-1999): clean it, judge it, show no more than its end."""

import re
import unicodedata
from datetime import date

from stdnum.cn import ric

_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]")
SHOWN = 4


def clean(text: str) -> str:
    """Half-width, without spaces, upper case."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()


def is_possible(number: str) -> bool:
    """Whether a clean number has the form, a day of birth and the right check character.

    The first six digits are not looked up: divisions come and go, and the check of a person is not made here.
    """
    if not _SHAPE.fullmatch(number) or number[17] != ric.calc_check_digit(number):
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return True


def masked(number: str) -> str:
    """What a page may show of it and a table may keep: the last four characters."""
    return "*" * (len(number) - SHOWN) + number[-SHOWN:]
