"""Does a product take a demand? For one demand with every failed criterion in words; for columns see `fit_many`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from matching.admission import ADMISSIONS, Admission
from matching.facts import FACTS, GUARANTEES, SHARE_PLACES, code_of, guarantee_bits
from matching.judge import months_after
from matching.speech import choice_words, say
from matching.terms import Asked, Fact, Facts, Product, Words

EXCLUDED = Words("该银行已就本需求拒绝或被排除", "this bank has refused or is excluded for this demand")


@dataclass(frozen=True)
class Failed:
    """One admission criterion a demand fails: measured value, the product's line, how far, and both in words."""

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


def fit(asked: Asked, facts: Facts, product: Product, today: date) -> Fit:
    """Whether the product takes the demand, with every criterion it fails. A missing fact fails the lines on it."""
    known = {**facts, **asked_facts(asked)}
    failed = []
    if product.bank_id in asked.excluded_banks:
        failed.append(Failed("excluded_bank", "known", None, None, None, EXCLUDED.zh, EXCLUDED.en))
    for admission in ADMISSIONS:
        number = admission.read(known, today)
        if not admission.passes(product, number):
            failed.append(_failed(admission, product, number, known))
    return Fit(product.id, product.bank_id, not failed, tuple(failed))


def fit_all(asked: Asked, facts: Facts, products: Iterable[Product], today: date) -> tuple[Fit, ...]:
    """Every product against one demand: those that take it first, then those that fail on least, ties by id."""
    fits = (fit(asked, facts, product, today) for product in products)
    return tuple(sorted(fits, key=lambda one: (len(one.failed), one.product_id)))


def _failed(admission: Admission, product: Product, number: int | None, facts: Facts) -> Failed:
    line = admission.line(product)
    if number is None:
        meaning = FACTS[admission.fact]
        zh, en = f"缺少{meaning.zh}，无法判断", f"{meaning.en} unknown, so it cannot be told"
        return Failed(admission.id, "missing", None, _exact(admission, line), None, zh, en)
    spoken, spoken_line = _say(admission, number), _say(admission, line) if line is not None else Words("", "")
    tail = _from_when(admission, line, facts)
    return Failed(
        criterion=admission.id,
        state="known",
        value=_exact(admission, number),
        line=_exact(admission, line),
        distance=None if line is None else abs(_sure(_exact(admission, line)) - _sure(_exact(admission, number))),
        sentence_zh=admission.words.zh.format(value=spoken.zh, line=spoken_line.zh) + tail.zh,
        sentence_en=admission.words.en.format(value=spoken.en, line=spoken_line.en) + tail.en,
    )


def _sure(value: Decimal | None) -> Decimal:
    assert value is not None
    return value


def _exact(admission: Admission, number: int | None) -> Decimal | None:
    if number is None or admission.unit == "code":
        return None
    return Decimal(number).scaleb(-SHARE_PLACES if admission.unit == "share" else 0)


def _say(admission: Admission, number: int) -> Words:
    if admission.unit == "choice":
        return choice_words(admission.fact, FACTS[admission.fact].choices[number])
    if admission.unit == "code":
        letters = code_of(number)
        return Words(letters, letters)
    if admission.unit == "guarantees":
        given = [choice_words("guarantee", mode) for mode in GUARANTEES if number & guarantee_bits((mode,))]
        return Words("、".join(one.zh for one in given) or "无", ", ".join(one.en for one in given) or "none")
    unit = {"months": Words("个月", " months"), "days": Words("天", " days")}.get(admission.unit, Words("", ""))
    spoken = say(_sure(_exact(admission, number)), admission.unit, {})
    return Words(spoken.zh + unit.zh, spoken.en + unit.en)


def _from_when(admission: Admission, line: int | None, facts: Facts) -> Words:
    start = facts[admission.fact].value if admission.months else None
    if line is None or not isinstance(start, date):
        return Words("", "")
    day = months_after(start, line).isoformat()
    return Words(f"，自{day}起满足", f": from {day}")
