"""A judgement as plain documents: what is stored beside a light, and the hash that a replay must give again.

The words are those of `matching.evidence`, written out field by field, because batches wait for nothing else so long.
"""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from matching.facts import Value
from matching.terms import Facts, Finding, NotJudged, Verdict

NOT_JUDGED = "not_judged"


def facts_document(facts: Facts) -> dict[str, dict[str, Any]]:
    """The facts by name, exact numbers as text, days as ISO dates; `facts_from_json` reads it back."""
    return {
        name: {
            "value": _plain(fact.value),
            "source": fact.source,
            "known_on": fact.known_on.isoformat() if fact.known_on else None,
            "state": fact.state,
        }
        for name, fact in sorted(facts.items())
    }


def findings_document(verdict: Verdict) -> list[dict[str, Any]]:
    """Every finding in the policy's order; then what could not be judged here, without a light but with its reason."""
    return [_finding(one) for one in verdict.findings] + [_not_judged(one) for one in verdict.not_judged]


def content_hash(facts: dict[str, dict[str, Any]], findings: list[dict[str, Any]], verdict: Verdict, fits: int) -> str:
    """SHA-256 over facts, findings and outcome in canonical JSON (keys sorted, no spaces, UTF-8)."""
    body = {
        "facts": facts,
        "findings": findings,
        "light": verdict.light.word,
        "recommended": verdict.recommended,
        "fitting_products": fits,
        "policy": [verdict.policy_version, verdict.policy_hash],
    }
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "criterion": one.criterion,
        "group": one.group,
        "light": one.light.word,
        "state": one.state,
        "value": _plain(one.value),
        "line": _plain(one.line),
        "sentence_zh": one.sentence_zh,
        "sentence_en": one.sentence_en,
        "changes_when_zh": one.changes_when_zh,
        "changes_when_en": one.changes_when_en,
        "office_zh": one.office_zh,
        "office_en": one.office_en,
        "sources": list(one.sources),
    }


def _not_judged(one: NotJudged) -> dict[str, Any]:
    return {
        "criterion": one.criterion,
        "name_zh": one.name_zh,
        "name_en": one.name_en,
        "light": None,
        "state": NOT_JUDGED,
        "sentence_zh": one.reason_zh,
        "sentence_en": one.reason_en,
    }


def _plain(value: Value) -> str | int | bool | None:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value
