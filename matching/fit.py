"""Does a product take a demand? For one demand with every failed criterion in words; for columns see `fit_many`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from matching.admission import ADMISSIONS, Admission
from matching.facts import FACTS, GUARANTEES, SHARE_PLACES, code_of, guarantee_bits
from matching.judge import months_after
from matching.speech import choice_words, plain
from matching.terms import Asked, Fact, Facts, Product, Words

EXCLUDED = Words("该银行已就本需求拒绝或被排除", "this bank has refused or is excluded for this demand")
NOTHING = Words("无", "none")
OR, AND = Words("或", " or "), Words("、", " and ")
WAN_FEN = 1_000_000
Names = Mapping[str, Words]


@dataclass(frozen=True)
class Failed:
    """One admission criterion a demand fails: measured value, the product's line, how far, and both in words.

    Money in fen, shares as such, a grade by its place; all None where the product names a set or the fact is missing.
    """

    criterion: str
    state: str
    value: Decimal | None
    line: Decimal | None
    distance: Decimal | None
    sentence_zh: str
    sentence_en: str


@dataclass(frozen=True)
class Fit:
    """One product against one demand."""

    product_id: int
    bank_id: int
    passes: bool
    failed: tuple[Failed, ...]


def asked_facts(asked: Asked) -> dict[str, Fact]:
    """A demand's wants as facts of the source 'demand', for `judge`, `fit` and `columns_of` alike."""
    facts = {
        "amount_fen": Fact(asked.amount_fen, "demand"),
        "term_months": Fact(asked.term_months, "demand"),
        "use": Fact(asked.use, "demand"),
        "guarantees": Fact(guarantee_bits(asked.guarantees), "demand"),
    }
    if asked.rate_ceiling is not None:
        facts["rate_ceiling"] = Fact(asked.rate_ceiling, "demand")
    return facts


def fit(asked: Asked, facts: Facts, product: Product, today: date, names: Names | None = None) -> Fit:
    """Whether the product takes the demand, with every criterion it fails. A missing fact fails the lines on it."""
    return fit_all(asked, facts, (product,), today, names)[0]


def fit_all(
    asked: Asked, facts: Facts, products: Iterable[Product], today: date, names: Names | None = None
) -> tuple[Fit, ...]:
    """Every product against one demand: those that take it first, then those that fail on least, ties by id.

    `names`: what areas and industries are called, by code or its beginning; a code without a name is said as it is.
    """
    known = {**facts, **asked_facts(asked)}
    numbers = [admission.read(known, today) for admission in ADMISSIONS]
    fits = []
    for product in products:
        failed = [_excluded()] if product.bank_id in asked.excluded_banks else []
        failed += [
            _failed(admission, product, number, known, names or {})
            for admission, number in zip(ADMISSIONS, numbers, strict=True)
            if not admission.passes(product, number)
        ]
        fits.append(Fit(product.id, product.bank_id, not failed, tuple(failed)))
    return tuple(sorted(fits, key=lambda one: (len(one.failed), one.product_id)))


def _excluded() -> Failed:
    return Failed("excluded_bank", "known", None, None, None, EXCLUDED.zh, EXCLUDED.en)


def _failed(admission: Admission, product: Product, number: int | None, facts: Facts, names: Names) -> Failed:
    if number is None:
        return _missing(admission, product)
    line, taken = admission.line(product), admission.taken(product)
    needs = admission.needs_none if admission.needs_none and line == 0 else admission.needs
    blanks = {
        "line": _join([_choice(admission, one, names) for one in taken], OR) if taken else _say(admission, line, names),
        "value": _say(admission, number, names),
        "gap": _gap(admission, number, line),
        "when": _from_when(admission, line, facts),
    }
    return Failed(
        criterion=admission.id,
        state="known",
        value=None if line is None else _exact(admission, number),
        line=_exact(admission, line),
        distance=None if line is None else _exact(admission, abs(line - number)),
        sentence_zh=(needs.zh + admission.has.zh).format(**{blank: words.zh for blank, words in blanks.items()}),
        sentence_en=(needs.en + admission.has.en).format(**{blank: words.en for blank, words in blanks.items()}),
    )


def _missing(admission: Admission, product: Product) -> Failed:
    fact, line = FACTS[admission.fact], _exact(admission, admission.line(product))
    zh, en = f"缺少{fact.zh}，无法判断", f"not known, so it cannot be told: {fact.en}"
    return Failed(admission.id, "missing", None, line, None, zh, en)


def _exact(admission: Admission, number: int | None) -> Decimal | None:
    return None if number is None else Decimal(number).scaleb(-SHARE_PLACES if admission.unit == "share" else 0)


def _say(admission: Admission, number: int | None, names: Names) -> Words:
    if number is None:
        return Words("", "")
    if admission.unit == "choice":
        return _choice(admission, FACTS[admission.fact].choices[number], names)
    if admission.unit == "code":
        return _choice(admission, code_of(number), names)
    if admission.unit == "guarantees":
        given = [mode for mode in GUARANTEES if number & guarantee_bits((mode,))]
        return _join([_choice(admission, mode, names) for mode in given], AND) if given else NOTHING
    return _amount(admission.unit, number)


def _amount(unit: str, number: int) -> Words:
    """A whole number of the unit in words; money without fen that are 0, in 万元 where that is exact."""
    if unit == "share":
        text = f"{plain(Decimal(number).scaleb(2 - SHARE_PLACES))}%"
        return Words(text, text)
    if unit == "money":
        yuan = f"{Decimal(number) / 100:,.2f}".removesuffix(".00")
        short = abs(number) >= WAN_FEN and number % (WAN_FEN // 100) == 0
        return Words(f"{plain(Decimal(number) / WAN_FEN)}万元" if short else f"{yuan}元", f"CNY {yuan}")
    zh, en = {"months": ("个月", "month"), "days": ("天", "day"), "people": ("人", "")}[unit]
    return Words(f"{number}{zh}", f"{number} {en}{'' if number == 1 else 's'}" if en else str(number))


def _gap(admission: Admission, number: int, line: int | None) -> Words:
    if line is None or admission.unit == "choice":
        return Words("", "")
    if admission.unit == "share":
        points = plain(abs(Decimal(line - number)).scaleb(2 - SHARE_PLACES))
        return Words(f"{points}个百分点", f"{points} percentage point{'' if points == '1' else 's'}")
    return _amount(admission.unit, abs(line - number))


def _choice(admission: Admission, choice: str, names: Names) -> Words:
    """A choice by its words; a code by the name of the longest beginning that has one."""
    if admission.unit == "guarantees":
        return choice_words("guarantee", choice)
    if admission.unit == "choice":
        return choice_words(admission.fact, choice)
    known = (names[choice[:length]] for length in range(len(choice), 0, -1) if choice[:length] in names)
    return next(known, Words(choice, choice))


def _join(choices: Sequence[Words], last: Words) -> Words:
    """'A', 'A or B', 'A, B or C', each name once."""
    *others, final = dict.fromkeys(choices)
    if not others:
        return final
    return Words(
        "、".join(one.zh for one in others) + last.zh + final.zh,
        ", ".join(one.en for one in others) + last.en + final.en,
    )


def _from_when(admission: Admission, line: int | None, facts: Facts) -> Words:
    start = facts[admission.fact].value if admission.months else None
    if line is None or not isinstance(start, date):
        return Words("", "")
    day = months_after(start, line).isoformat()
    return Words(day, day)
