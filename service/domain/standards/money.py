"""Money: whole fen inside, strings of yuan at the edge, never a float."""

import re
from decimal import Decimal

_YUAN = re.compile(r"([+-]?)(\d{1,13})(?:\.(\d{1,2})0*)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")


def to_fen(yuan: str | int | Decimal) -> int:
    """Exact fen from yuan: '1234.5' → 123450. ValueError for more than two decimals; TypeError for a float."""
    if isinstance(yuan, bool | float):
        raise TypeError("A float is not money: write the amount as a string, an integer or a Decimal")
    text = format(yuan, "f") if isinstance(yuan, Decimal) else str(yuan).strip()
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    match = _YUAN.fullmatch(text)
    if not match:
        raise ValueError(f"Not an amount in yuan: {yuan!r}")
    sign, whole, cents = match.groups()
    fen = int(whole) * 100 + int((cents or "").ljust(2, "0"))
    return -fen if sign == "-" else fen


def to_yuan(fen: int) -> str:
    """The exact string of yuan with two decimals: 123450 → '1234.50'."""
    if isinstance(fen, bool) or not isinstance(fen, int):
        raise TypeError("Fen are whole numbers")
    whole, cents = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{cents:02d}"
