"""The unified social credit code 统一社会信用代码 (GB 32100-2015): clean it, judge it, make a synthetic one.

python-stdnum's check digit is right and used here; its `validate` is not, because it wants eight digits in front and so
refuses the military (A), rural collectives (N) and others (Y), which the province's plan covers.
A wrong check digit is no reason to refuse a firm: such codes are in real use. It is flagged and counted (重错码率).
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt
from stdnum.cn import uscc as stdnum_uscc

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
DEPARTMENTS = "123456789ANY"
SYNTHETIC_DIVISION = "410199"  # not assigned by GB/T 2260, so a synthetic code is never somebody's

_SHAPE = re.compile(f"[{DEPARTMENTS}][{ALPHABET}][0-9]{{6}}[{ALPHABET}]{{10}}")
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_BODY_VALUES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PREFIX = {"enterprise": ("91", "MA"), "individual": ("92", "MA"), "cooperative": ("93", "MA"), "village": ("N2", "MF")}


LOOKS_LIKE = {"I": "1", "L": "1", "O": "0", "Q": "0", "D": "0", "Z": "2", "S": "5", "B": "8", "V": "U", "G": "6"}
"""What is read from a licence in its place: I, O, Z, S and V are in no code, and places 3–8 take digits only."""


class CodeState(StrEnum):
    """What a code is worth: `wrong_check` may be somebody's true code and is let in with a flag."""

    VALID = "valid"
    WRONG_CHECK = "wrong_check"
    BAD_FORMAT = "bad_format"


FaultKind = Literal["length", "character", "body", "outside"]
"""Not 18; a character that cannot stand there; a check that fails within places 9–17, or outside them."""


def clean(text: str) -> str:
    """Trimmed, half-width, upper case: how every code is written before it is looked at."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def check_character(first_17: str) -> str:
    """The 18th character for the first 17 (weights 3^(i-1) mod 31)."""
    return str(stdnum_uscc.calc_check_digit(first_17))


def state_of(code: str) -> CodeState:
    """Judge a clean code."""
    if not _SHAPE.fullmatch(code):
        return CodeState.BAD_FORMAT
    return CodeState.VALID if code[17] == check_character(code[:17]) else CodeState.WRONG_CHECK


@dataclass(frozen=True)
class Fault:
    """What is wrong with a code, and as nearly as can be told where: the first and last of the places in question."""

    kind: FaultKind
    first: int = 1
    last: int = 18
    letter: str = ""
    likely: str = ""
    """The character that is easily taken for it, where that one may stand there."""


def fault_of(code: str) -> Fault | None:
    """What to look at first in a clean code, or None for a valid one.

    Characters 9–17 carry a check of their own, so a code that does not add up is wrong inside them or outside them.
    """
    if len(code) != 18:
        return Fault("length", last=len(code))
    for place, letter in enumerate(code, 1):
        allowed = DEPARTMENTS if place == 1 else "0123456789" if 3 <= place <= 8 else ALPHABET
        if letter not in allowed:
            likely = LOOKS_LIKE.get(letter, "")
            return Fault("character", place, place, letter, likely if likely in allowed else "")
    if code[17] == check_character(code[:17]):
        return None
    return Fault("outside" if body_is_consistent(code) else "body", 9, 17)


def is_valid(text: str) -> bool:
    """Whether the text, once cleaned, is a code with the right check character."""
    return state_of(clean(text)) is CodeState.VALID


def body_is_consistent(code: str) -> bool:
    """Whether characters 9–17 carry the right check of their own (GB 11714)."""
    return code[16] == _body_check(code[8:16])


def synthetic(kind: str, number: int) -> str:
    """The code of the made-up firm `number` of a kind (enterprise, individual, cooperative, village).

    Both check characters are right. Numbers 0 to 999,999 give digits, larger ones letters, to 31^6 in all.
    """
    prefix, opening = _PREFIX[kind]
    body = opening + _serial(number)
    first_17 = prefix + SYNTHETIC_DIVISION + body + _body_check(body)
    return first_17 + check_character(first_17)


def states_of_bytes(letters: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The same judgement for many clean codes at once, from rows of 18 bytes: 0 valid, 1 wrong check, 2 bad."""
    values = _VALUE_OF[letters]
    bad = (values == _NO_VALUE).any(axis=1) | (values[:, 2:8] > 9).any(axis=1) | ~_IS_DEPARTMENT[letters[:, 0]]
    total = values[:, :17].astype(np.int32) @ np.array(WEIGHTS, np.int32)
    wrong = values[:, 17] != (-total) % 31
    return np.where(bad, 2, np.where(wrong, 1, 0)).astype(np.uint8)


def _body_check(first_8: str) -> str:
    total = sum(_BODY_VALUES.index(letter) * weight for letter, weight in zip(first_8, _BODY_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def _serial(number: int) -> str:
    """Six characters: decimal while it fits, then base 31 above every decimal (they begin with a letter)."""
    if number < 0:
        raise ValueError("A firm's number cannot be negative")
    if number < 1_000_000:
        return f"{number:06d}"
    rest, letters = number - 1_000_000 + 10 * 31**5, ""
    for _ in range(6):
        rest, digit = divmod(rest, 31)
        letters = ALPHABET[digit] + letters
    if rest:
        raise ValueError("No synthetic code has room for so high a number")
    return letters


_NO_VALUE = 255
_VALUE_OF = np.full(256, _NO_VALUE, np.uint8)
_VALUE_OF[np.frombuffer(ALPHABET.encode(), np.uint8)] = np.arange(31)
_IS_DEPARTMENT = np.zeros(256, bool)
_IS_DEPARTMENT[np.frombuffer(DEPARTMENTS.encode(), np.uint8)] = True
