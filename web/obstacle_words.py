"""What stands in a demand's way, in the language of the page: its name, its remedy, the department that must move."""

from typing import Any

from service.domain.obstacle import ObstacleKind, department_of, kind_of
from web import words
from web.explained import remedy
from web.language import SOURCE, spoken
from web.policy_words import criterion_name


def name(obstacle: str) -> str:
    """An obstacle is a criterion that fails, or one of the coded ones."""
    return words.of("obstacle", obstacle) if obstacle in words.GROUPS["obstacle"] else criterion_name(obstacle)


def in_ledger(code: str) -> str:
    """A follow-up's obstacle or a ledger's kind, by the ledger's word."""
    return words.of("obstacle_kind", code if code in frozenset(ObstacleKind) else kind_of(code))


def office(follow_up: Any) -> str:
    """The department that must move for a follow-up."""
    return words.of("department", department_of(follow_up.obstacle, follow_up.department))


def measure(follow_up: Any, verdict: Any = None) -> str:
    """What would remove it. Another language than the source's comes from the verdict that found it, or the code's."""
    if spoken() == SOURCE:
        return str(follow_up.measure)
    if follow_up.obstacle in words.GROUPS["remedy"]:
        return words.of("remedy", follow_up.obstacle)
    return remedy(verdict, follow_up.obstacle) or str(follow_up.measure)
