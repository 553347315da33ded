"""What stands between a demand and its loan, as work for someone with a date."""

from dataclasses import dataclass
from datetime import date, timedelta

from matching.terms import Light, Verdict
from service.domain.demand import Actor
from service.domain.standards.calendar import CalendarNotPublished
from service.profiles.tools import Tools

NO_PRODUCT_FITS = "no_product_fits"


@dataclass(frozen=True)
class Obstacle:
    """A criterion's id (or no_product_fits), the office in charge, the remedy, whose work it is, its clock."""

    id: str
    office: str
    measure: str
    owner: Actor
    clock: str


def obstacles_of(verdict: Verdict, fits: int) -> list[Obstacle]:
    """Every red finding; and for a green verdict that no product answers, a dated plan."""
    found = [
        Obstacle(one.criterion, one.office_zh, one.changes_when_zh or one.sentence_zh, Actor.DISTRICT, "follow_up")
        for one in verdict.findings
        if one.light is Light.RED
    ]
    if verdict.light is Light.GREEN and not fits:
        plan = "尚无产品匹配：请各银行补充产品，或与企业商议调整金额、期限，或引入担保。"
        found.append(Obstacle(NO_PRODUCT_FITS, "平台", plan, Actor.PLATFORM, "second_plan"))
    return found


def next_date(tools: Tools, clock: str, district: str, today: date) -> date:
    """When the work is looked at again: the policy's term, moved to a working day; a plain date beyond the calendar."""
    term = tools.policy.on(today, district).clock(clock)
    day = tools.calendar.due_on(today, term.length, term.unit) or today + timedelta(days=-(-term.length * 7 // 5))
    try:
        while not tools.calendar.is_working_day(day):
            day += timedelta(days=1)
    except CalendarNotPublished:
        pass
    return day
