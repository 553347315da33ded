"""What people typed becomes values, or errors by field in their words; what they typed is kept either way."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from fastapi import Depends, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from starlette.datastructures import FormData, UploadFile

from service.domain.errors import DomainError, NotPossible
from service.domain.standards import identity, regions
from service.domain.standards import uscc as codes
from web.code_words import phrase_of
from web.formats import money as money_text
from web.formats import percent as percent_text
from web.language import Phrase, gettext
from web.language import lazy as _
from web.refusals import said


class Form(BaseModel):
    """Base of every form: a field per question, each `Annotated[type, reader, Ask(…)]`; others are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


@dataclass(frozen=True)
class Ask:
    """The words of a question: label, hint, and what is said when a needed answer is missing."""

    label: Phrase
    hint: Phrase | None = None
    blank: Phrase | None = None


def wrong(message: str, **values: Any) -> PydanticCustomError:
    """The mistake of one field, in words: a message id with the values of its named places."""
    return PydanticCustomError("said", "{message}", {"message": message, "values": values})


# --- readers: what stands before the type in Annotated ---------------------------------------------------------------

_UNSEEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF])
_NUMBER_NOISE = re.compile(r"[\s,_'¥￥]")
_MONEY = re.compile(r"(\d{1,16})(?:\.(\d{1,8}))?(亿元?|万元?|元)?", re.ASCII)
_FEN_IN = {"元": 100, "万": 1_000_000, "亿": 10_000_000_000}
_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?", re.ASCII)


def clean(text: str) -> str:
    """Without what nobody sees or means: control characters, zero-width ones, spaces at the ends (full-width too)."""
    return text.translate(_UNSEEN).replace("\r\n", "\n").strip()


def plain(text: str) -> str:
    """A number or code as typed on any keyboard: half-width, no spaces, no thousands separators, 。 as a point."""
    return _NUMBER_NOISE.sub("", unicodedata.normalize("NFKC", clean(text)).replace("。", "."))


def money(unit: Literal["yuan", "wan"] = "yuan", *, least: int = 1, most: int = 10_000_000_000_000) -> BeforeValidator:
    """An amount to exact fen. A bare number counts in `unit`; '50万', '1.2亿元' say their own. Bounds in fen."""
    usual = "万" if unit == "wan" else "元"

    def read(text: object) -> object:
        if not isinstance(text, str):
            return text
        match = _MONEY.fullmatch(plain(text))
        if not match:
            raise wrong("请只填数字，例如 50 或 50.5")
        whole, cents, said = match.groups()
        fen = Decimal(f"{whole}.{cents or 0}") * _FEN_IN[(said or usual)[0]]
        if fen != int(fen):
            raise wrong("金额最多精确到分")
        if not least <= fen <= most:
            raise wrong("金额应在 %(least)s 到 %(most)s 之间", least=Fen(least), most=Fen(most))
        return int(fen)

    return BeforeValidator(read)


def percent(*, least: Decimal = Decimal(0), most: Decimal = Decimal(1), places: int = 4) -> BeforeValidator:
    """'3.43' or '3.43%' to the share Decimal('0.0343')."""

    def read(text: object) -> object:
        if not isinstance(text, str):
            return text
        typed = plain(text).removesuffix("%")
        if not re.fullmatch(rf"[0-9]{{1,4}}(\.[0-9]{{1,{places}}})?", typed):
            raise wrong("请填百分数，例如 3.45")
        share = Decimal(typed) / 100
        if not least <= share <= most:
            raise wrong("应在 %(least)s 到 %(most)s 之间", least=Share(least), most=Share(most))
        return share

    return BeforeValidator(read)


def whole(*, least: int = 0, most: int = 1_000_000_000) -> BeforeValidator:
    """A whole number."""

    def read(text: object) -> object:
        if not isinstance(text, str):
            return text
        typed = plain(text)
        if not re.fullmatch(r"[0-9]{1,18}", typed):
            raise wrong("请填整数，例如 12")
        if not least <= int(typed) <= most:
            raise wrong("应在 %(least)s 到 %(most)s 之间", least=least, most=most)
        return int(typed)

    return BeforeValidator(read)


def wording(*, most: int = 200, least: int = 0, lines: bool = False) -> BeforeValidator:
    """Words; on one line unless `lines`."""

    def read(typed: object) -> object:
        if not isinstance(typed, str):
            return typed
        words = clean(typed) if lines else " ".join(clean(typed).split())
        if len(words) > most:
            raise wrong("最多 %(most)s 个字，现在有 %(now)s 个", most=most, now=len(words))
        if len(words) < least:
            raise wrong("至少 %(least)s 个字", least=least)
        return words

    return BeforeValidator(read)


def _read_day(typed: object) -> object:
    if not isinstance(typed, str):
        return typed
    match = _DAY.fullmatch(plain(typed))
    try:
        return date(*map(int, match.groups())) if match else _no_day()
    except ValueError:
        return _no_day()


def _no_day() -> date:
    raise wrong("请填日期，例如 2026-06-30")


def _read_uscc(typed: object) -> object:
    if not isinstance(typed, str):
        return typed
    code = codes.clean(plain(typed).replace("-", ""))
    fault = codes.fault_of(code)
    if fault is not None and codes.state_of(code) is codes.CodeState.BAD_FORMAT:
        phrase = phrase_of(fault)
        raise wrong(phrase.message, **phrase.values)
    return code


def _read_phone(typed: object) -> object:
    if not isinstance(typed, str):
        return typed
    number = plain(typed).replace("-", "").removeprefix("+86")
    if not re.fullmatch(r"1[0-9]{10}|0[0-9]{9,11}|400[0-9]{7}", number):
        raise wrong("请填手机号或带区号的固定电话")
    return number


def _read_mobile(typed: object) -> object:
    if not isinstance(typed, str):
        return typed
    number = plain(typed).replace("-", "").removeprefix("+86")
    if not re.fullmatch(r"1[3-9][0-9]{9}", number):
        raise wrong("请填 11 位手机号")
    return number


def _read_resident_number(typed: object) -> object:
    if not isinstance(typed, str):
        return typed
    number = identity.clean(plain(typed))
    if not identity.is_possible(number):
        raise wrong("请检查身份证号：18 位，最后一位可能是 X")
    return number


def _read_district(typed: object) -> object:
    if typed not in regions.REGIONS:
        raise wrong("请从给出的区县中选择")
    return typed


District = Annotated[str, BeforeValidator(_read_district)]
"""One of the city's reporting areas."""
Day = Annotated[date, BeforeValidator(_read_day)]
Uscc = Annotated[str, BeforeValidator(_read_uscc)]
"""18 characters, clean. A wrong check character is let in: it is flagged and counted elsewhere, never blocked."""
Phone = Annotated[str, BeforeValidator(_read_phone)]
Mobile = Annotated[str, BeforeValidator(_read_mobile)]
ResidentNumber = Annotated[str, BeforeValidator(_read_resident_number)]


@dataclass(frozen=True)
class Fen:
    """An amount inside a message, written in the language of the page."""

    amount: int

    def __str__(self) -> str:
        return money_text(self.amount)


@dataclass(frozen=True)
class Share:
    """A share inside a message."""

    share: Decimal

    def __str__(self) -> str:
        return percent_text(self.share)


async def typed_of(request: Request) -> FormData:
    """The submitted form; a dependency, so that pages may stay plain functions beside the event loop."""
    return await request.form()


Typed = Annotated[FormData, Depends(typed_of)]

# --- filled forms ----------------------------------------------------------------------------------------------------

F = TypeVar("F", bound=Form)


@dataclass(frozen=True)
class Filled(Generic[F]):
    """A form with what was typed: either its values, or its errors by field (field '' is the form as a whole)."""

    form: type[F]
    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    values: F | None = None

    @property
    def is_right(self) -> bool:
        return self.values is not None

    @property
    def answers(self) -> F:
        """The values of a form without errors; a field no person fills may have been tampered with: NotPossible."""
        if self.values is None:
            raise NotPossible("表单内容不完整或格式不对，没有提交。请返回页面重新填写。")
        return self.values

    def refused(self, error: DomainError) -> "Filled[F]":
        """The same form with a refusal of the service beside the field it names."""
        name = error.field if error.field in self.form.model_fields else ""
        return replace(self, errors={**self.errors, name or "": said(error)}, values=None)

    def said(self, name: str) -> str:
        """What stands in a control."""
        return next(iter(self.typed.get(name, ())), "")

    def has(self, name: str, value: object) -> bool:
        """Whether a choice is taken."""
        return str(value) in self.typed.get(name, ())

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    def ask(self, name: str) -> Ask:
        """The words of a question."""
        return _ask(self.form, name)

    def is_optional(self, name: str) -> bool:
        return not self.form.model_fields[name].is_required()


def blank(form: type[F], **typed: object) -> Filled[F]:
    """An empty form, or one with first answers as a person would type them: blank(DemandForm, term_months=12)."""
    several = {name: value if isinstance(value, list | tuple) else [value] for name, value in typed.items()}
    return Filled(form, {name: [str(one) for one in values] for name, values in several.items()})


def read(form: type[F], data: FormData | Mapping[str, str]) -> Filled[F]:
    """Read a submitted form."""
    pairs: list[tuple[str, Any]]
    pairs = data.multi_items() if isinstance(data, FormData) else list(data.items())
    typed: dict[str, list[str]] = {}
    files: dict[str, list[UploadFile]] = {}
    for name, value in pairs:
        if name in form.model_fields and isinstance(value, str):
            typed.setdefault(name, []).append(value)
        elif name in form.model_fields and isinstance(value, UploadFile) and value.filename:
            files.setdefault(name, []).append(value)
    given = {name: value for name in form.model_fields if (value := _given(form, name, typed, files)) is not None}
    try:
        return Filled(form, typed, {}, form.model_validate(given))
    except ValidationError as mistakes:
        return Filled(form, typed, _errors(form, mistakes))


def _given(
    form: type[Form], name: str, typed: Mapping[str, list[str]], files: Mapping[str, list[UploadFile]]
) -> object:
    answers: list[Any] = [one for one in typed.get(name, ()) if clean(one)] or list(files.get(name, ()))
    if not answers:
        return None
    return answers if _takes_several(form.model_fields[name].annotation) else answers[-1]


def _takes_several(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return any(_takes_several(one) for one in get_args(annotation) if one is not NoneType)
    if origin is Annotated:
        return _takes_several(get_args(annotation)[0])
    return origin in (list, tuple, set, frozenset)


def _ask(form: type[Form], name: str) -> Ask:
    for word in form.model_fields[name].metadata:
        if isinstance(word, Ask):
            return word
    raise TypeError(f"{form.__name__}.{name} has no Ask(…): people would see no label")


def _errors(form: type[Form], mistakes: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for mistake in mistakes.errors(include_url=False):
        name = str(mistake["loc"][0]) if mistake["loc"] else ""
        found.setdefault(name, _sentence(form, name, mistake))
    order = {name: place for place, name in enumerate(form.model_fields)}
    return dict(sorted(found.items(), key=lambda pair: order.get(pair[0], -1)))


def _sentence(form: type[Form], name: str, mistake: ErrorDetails) -> str:
    context = mistake.get("ctx", {})
    if mistake["type"] == "said":
        return str(Phrase(context["message"], context["values"]))
    if mistake["type"] == "value_error":
        return gettext(str(context["error"]))
    if not name:
        return gettext("请检查填写的内容")
    ask = _ask(form, name)
    if mistake["type"] == "missing":
        return str(ask.blank or _("请填写：%(label)s").with_(label=ask.label))
    pattern = (
        _("请从给出的选项中选择：%(label)s") if mistake["type"] in {"literal_error", "enum"} else _("请检查：%(label)s")
    )
    return str(pattern.with_(label=ask.label))
