"""What is checked in a row, field by field, a column at a time: text becomes values, or a fault with a coded reason.

Columns with few different values (dates, months, choices, rates) are judged once for each different value; amounts,
numbers and codes by vectorised kernels, and only what these refuse is looked at one by one.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from service.domain.errors import NotPossible
from service.domain.record import Reason
from service.domain.standards import money, uscc
from service.intake.catalogue import KNOWN_ON, Field, Item

IGNORED_HEADERS = frozenset({"", "序号"})
EARLIEST_YEAR = 1900

_DATE = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[ T]\d{1,2}:\d{2}\S*)?|(\d{4})(\d{2})(\d{2})")
_MONTH = re.compile(r"(\d{4})[-/.年]?(\d{1,2})月?")
_YEAR = re.compile(r"(\d{4})年?度?")
_PLAIN = np.zeros(256, bool)
_PLAIN[np.frombuffer(b"0123456789.-", np.uint8)] = True
_AMOUNT = r"^-?\d{1,13}(\.\d{1,2}0*)?$"
_NUMBER = r"^-?\d{1,15}(\.\d{1,12})?$"


@dataclass(frozen=True)
class Fault:
    """Rows of one batch that share a fault in one field."""

    rows: npt.NDArray[np.int64]
    field: Field
    reason: Reason


@dataclass
class Checked:
    """A batch as values, null where there is none or it is faulty; `wrong_codes` holds the codes with a wrong check."""

    values: dict[str, pa.Array]
    faults: list[Fault]
    wrong_codes: set[str]

    def faulty(self, count: int) -> npt.NDArray[np.bool_]:
        """One flag a row."""
        flags = np.zeros(count, bool)
        for fault in self.faults:
            flags[fault.rows] = True
        return flags


def columns_of(item: Item, header: Sequence[str], *, is_history: bool) -> list[Field | None]:
    """The field of each column; NotPossible names the columns that are unknown, missing or there twice."""
    by_word = {_folded(word): field for field in item.fields for word in (field.name, field.zh, *field.also)}
    fields = [by_word.get(_folded(name)) for name in header]
    unknown = [
        name for name, field in zip(header, fields, strict=True) if field is None and name not in IGNORED_HEADERS
    ]
    if unknown:
        raise NotPossible(
            "“{item}”目录中没有这些列：{columns}；目录以外的数据不得归集", item=item.zh, columns="、".join(unknown)
        )
    known = [field for field in fields if field]
    if missing := [field.zh for field in item.fields if field.required and field not in known]:
        raise NotPossible("文件缺少“{item}”的必填列：{columns}", item=item.zh, columns="、".join(missing))
    if twice := sorted({field.zh for field in known if known.count(field) > 1}):
        raise NotPossible("文件中有重复的列：{columns}", columns="、".join(twice))
    if KNOWN_ON in known and not is_history:
        raise NotPossible("文件含“归集日期”列，只能作为历史数据补录，不能作为当日报送")
    return fields


def check(item: Item, columns: Mapping[str, pa.Array], received_on: date) -> Checked:
    """Judge a batch: `columns` is field name → trimmed text ('' = empty), at least the required ones."""
    checked = Checked({}, [], set())
    count = len(columns["uscc"])
    for field in item.fields:
        text = columns.get(field.name)
        if text is None:
            checked.values[field.name] = pa.nulls(count, _TYPE_OF[field.type])
            continue
        empty = pc.equal(pc.binary_length(text), 0)
        if field.required:
            _note(checked, empty, field, Reason.MISSING_REQUIRED)
        filled = pc.if_else(empty, None, text)
        checked.values[field.name] = _parse(checked, field, filled)
    _check_days(checked, item, received_on)
    return checked


def _parse(checked: Checked, field: Field, text: pa.Array) -> pa.Array:
    if field.type == "uscc":
        return _codes(checked, field, text)
    if field.type == "text":
        long = pc.greater(pc.utf8_length(text), field.max_length)
        _note(checked, long, field, Reason.TOO_LONG)
        return text
    if field.type == "choice":
        values = _by_value(text, lambda word: field.choice_of(_half_width(word)), pa.string())
        return _noted(checked, text, values, field, Reason.UNKNOWN_CHOICE)
    if field.type in _READERS:
        reader, reason = _READERS[field.type]
        values = _noted(checked, text, _by_value(text, reader, _TYPE_OF[field.type]), field, reason)
    elif field.type == "money":
        values = _noted(checked, text, amounts(text), field, Reason.BAD_AMOUNT)
    else:
        values = _noted(checked, text, numbers(text), field, Reason.BAD_TYPE)
        if field.type == "integer":
            _note(checked, pc.not_equal(values, pc.floor(values)), field, Reason.BAD_TYPE)
    if field.min is not None:
        _note(checked, pc.less(values, field.min), field, Reason.OUT_OF_RANGE)
    if field.type == "share":
        outside = pc.or_(pc.less(values, 0.0), pc.greater(values, 1.0))
        _note(checked, outside, field, Reason.OUT_OF_RANGE)
    return values


def _check_days(checked: Checked, item: Item, received_on: date) -> None:
    """Nothing is known before it happens, and nothing is known later than the day it is received."""
    values = checked.values
    known = values[KNOWN_ON.name]
    _note(checked, pc.greater(known, pa.scalar(received_on)), KNOWN_ON, Reason.FUTURE_DATE)
    known = pc.fill_null(known, pa.scalar(received_on))
    values[KNOWN_ON.name] = known
    days = {field.role: field for field in item.fields if field.role}
    happened = days["happened_on"]
    for role in ("happened_on", "withdrawn_on"):
        if role in days:
            _note(checked, pc.greater(values[days[role].name], known), days[role], Reason.FUTURE_DATE)
    if "ends_on" in days:
        early = pc.less(values[days["ends_on"].name], values[happened.name])
        _note(checked, early, days["ends_on"], Reason.OUT_OF_RANGE)


def _note(checked: Checked, flags: pa.Array, field: Field, reason: Reason) -> None:
    rows = np.flatnonzero(np.asarray(pc.fill_null(flags, False)))
    if len(rows):
        checked.faults.append(Fault(rows, field, reason))


def _noted(checked: Checked, text: pa.Array, values: pa.Array, field: Field, reason: Reason) -> pa.Array:
    """Values, after noting where there was text and no value came of it."""
    if values.null_count > text.null_count:
        _note(checked, pc.and_(pc.is_valid(text), pc.is_null(values)), field, reason)
    return values


def _by_value(text: pa.Array, read: Callable[[str], object], kind: pa.DataType) -> pa.Array:
    coded = text.dictionary_encode()
    return pa.array([read(word) for word in coded.dictionary.to_pylist()], kind).take(coded.indices)


def _codes(checked: Checked, field: Field, text: pa.Array) -> pa.Array:
    """Clean codes; a malformed one is a fault, a wrong check character only a flag."""
    if _bytes_of(text).max(initial=0) > 127:
        text = _by_value(text, uscc.clean, pa.string())
    text = pc.ascii_upper(text)
    fits = np.asarray(pc.fill_null(pc.equal(pc.binary_length(text), 18), False))
    codes = text.filter(pa.array(fits))
    states = np.full(len(text), 2, np.uint8)
    states[fits] = uscc.states_of_bytes(_bytes_of(codes).reshape(-1, 18))
    _note(checked, pc.and_(pc.is_valid(text), pa.array(states == 2)), field, Reason.BAD_USCC_FORMAT)
    checked.wrong_codes.update(text.filter(pa.array(states == 1)).unique().to_pylist())
    return text


def amounts(text: pa.Array) -> pa.Array:
    """Fen from yuan, exactly; null for what is no amount."""
    fast = text if _PLAIN[_bytes_of(text)].all() else None
    if fast is not None:
        try:
            return _fen_of(fast)
        except pa.ArrowInvalid:
            pass
    regular = pc.match_substring_regex(text, _AMOUNT)
    trimmed = pc.replace_substring_regex(pc.if_else(regular, text, None), r"(\.\d\d)0+$", r"\1")
    return _one_by_one(text, _fen_of(trimmed), _fen_or_none)


def numbers(text: pa.Array) -> pa.Array:
    """Float64 from plain digits; null for what is no number."""
    if _PLAIN[_bytes_of(text)].all():
        try:
            return text.cast(pa.float64())
        except pa.ArrowInvalid:
            pass
    regular = pc.match_substring_regex(text, _NUMBER)
    return _one_by_one(text, pc.if_else(regular, text, None).cast(pa.float64()), _number_or_none)


def _fen_of(text: pa.Array) -> pa.Array:
    """A decimal with two places is an integer of fen: its low 64 bits are taken as they stand."""
    exact = text.cast(pa.decimal128(15, 2))
    low = np.frombuffer(exact.buffers()[1], np.int64)[exact.offset * 2 : (exact.offset + len(exact)) * 2 : 2]
    return pa.array(low, mask=np.asarray(exact.is_null())) if exact.null_count else pa.array(low)


def _one_by_one(text: pa.Array, values: pa.Array, read: Callable[[str], object]) -> pa.Array:
    """Look again, with patience, at what the kernel refused: full-width digits, thousands separators."""
    refused = np.flatnonzero(np.asarray(pc.and_(pc.is_valid(text), pc.is_null(values))))
    found = {place: value for place in refused if (value := read(_half_width(text[int(place)].as_py()))) is not None}
    if not found:
        return values
    mask = np.zeros(len(values), bool)
    mask[list(found)] = True
    return pc.replace_with_mask(values, pa.array(mask), pa.array(list(found.values()), values.type))


def _fen_or_none(text: str) -> int | None:
    try:
        return money.to_fen(text)
    except ValueError:
        return None


def _number_or_none(text: str) -> float | None:
    plain = text.replace(",", "") if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text) else text
    return float(plain) if re.fullmatch(_NUMBER.strip("^$"), plain) else None


def read_date(text: str) -> date | None:
    """2026-03-01, 2026/3/1, 2026.3.1, 20260301, 2026年3月1日, with or without a time of day behind it."""
    plain = _half_width(text).replace("年", "-").replace("月", "-").removesuffix("日")
    match = _DATE.fullmatch(plain)
    if not match:
        return None
    year, _, month, day, *together = match.groups()
    return _day(int(year), int(month), int(day)) if year else _day(*(int(part) for part in together))


def read_month(text: str) -> date | None:
    """The last day of 2026-03, 202603, 2026/3, 2026年3月; of a day, its month's."""
    match = _MONTH.fullmatch(_half_width(text))
    if not match:
        whole = read_date(text)
        return whole and whole.replace(day=monthrange(whole.year, whole.month)[1])
    year, month = int(match[1]), int(match[2])
    return _day(year, month, monthrange(year, month)[1]) if 1 <= month <= 12 and year >= EARLIEST_YEAR else None


def read_year(text: str) -> str | None:
    """'2025' of 2025, 2025年, 2025年度."""
    match = _YEAR.fullmatch(_half_width(text))
    return match[1] if match and int(match[1]) >= EARLIEST_YEAR else None


def read_share(text: str) -> float | None:
    """0.0343 of '0.0343' or '3.43%'."""
    text = _half_width(text)
    try:
        number = Decimal(text.removesuffix("%"))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    return float(number / 100 if text.endswith("%") else number)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= EARLIEST_YEAR else None
    except ValueError:
        return None


def _half_width(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def _folded(name: str) -> str:
    return _half_width(name).casefold().replace(" ", "")


def _bytes_of(text: pa.Array) -> npt.NDArray[np.uint8]:
    """The letters of all strings of an array, one behind the other."""
    data = text.buffers()[2]
    if data is None or not len(text):
        return np.empty(0, np.uint8)
    offsets = np.frombuffer(text.buffers()[1], np.int32)[text.offset : text.offset + len(text) + 1]
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]


_TYPE_OF = {
    "uscc": pa.string(),
    "text": pa.string(),
    "choice": pa.string(),
    "date": pa.date32(),
    "month": pa.date32(),
    "year": pa.string(),
    "money": pa.int64(),
    "number": pa.float64(),
    "integer": pa.float64(),
    "share": pa.float64(),
}
_READERS: dict[str, tuple[Callable[[str], object], Reason]] = {
    "date": (read_date, Reason.BAD_DATE),
    "month": (read_month, Reason.BAD_DATE),
    "year": (read_year, Reason.BAD_TYPE),
    "share": (read_share, Reason.BAD_TYPE),
}
