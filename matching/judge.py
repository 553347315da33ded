"""The judgement: measure, compare, the worst finding wins; unknown is yellow and says which source is missing or stale.

Give facts, a policy and a day, and the same verdict comes back for ever: nothing here reads a clock or a database.
A fact a person confirmed is handed in as a known fact with the source 'person'.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from matching.criteria import Measure, day_number
from matching.facts import FACTS, encode
from matching.policy import Criterion, Policy, Rule
from matching.speech import say
from matching.terms import Fact, Facts, FactState, Finding, Light, NotJudged, Verdict, Words

MISSING = Fact(None, "", None, "missing")
WHEN_KNOWN = Words("来源更新或经人工确认后自动重新判定。", "Judged again when the source answers or a person confirms.")


def judge(facts: Facts, policy: Policy, today: date) -> Verdict:
    """The verdict of one demand on one day, under the lines then in force in the firm's district.

    `facts` by the names of `matching.facts.FACTS`; one not handed in is missing. ValueError where a value cannot be one
    of its kind. Recommended = among the five criteria none is red and none unknown (DOMAIN, step 2).
    """
    district = facts.get("district", MISSING)
    in_force = policy.on(today, str(district.value) if district.value is not None else None)
    findings, not_judged = [], list(policy.not_judged_here)
    for rule in in_force.rules:
        if rule.criterion.optional and state_of(rule.criterion.measure, facts) == "missing":
            not_judged.append(_skipped(rule.criterion))
        else:
            findings.append(find(rule, facts, policy, today))
    five = [finding for rule in in_force.rules if rule.criterion.one_of_five for finding in findings
            if finding.criterion == rule.criterion.id]  # fmt: skip
    return Verdict(
        light=max(finding.light for finding in findings),
        recommended=all(finding.light < Light.RED and finding.state == "known" for finding in five),
        findings=tuple(findings),
        not_judged=tuple(not_judged),
        policy_version=policy.version,
        policy_hash=policy.hash,
        judged_on=today,
    )


def find(rule: Rule, facts: Facts, policy: Policy, today: date) -> Finding:
    """What one criterion in force says of one demand."""
    state = state_of(rule.criterion.measure, facts)
    if state != "known":
        return _unknown(rule.criterion, state, facts, policy)
    number = measured(rule.criterion.measure, facts, today)
    return _known(rule, number, facts)


def state_of(measure: Measure, facts: Facts) -> FactState:
    """Missing where any fact the measure needs is missing, else stale where any is stale, else known."""
    states = {facts.get(need, MISSING).state for need in measure.needs}
    return "missing" if "missing" in states else "stale" if "stale" in states else "known"


def measured(measure: Measure, facts: Facts, today: date) -> int:
    """The measure of known facts, in its whole-number units."""
    return int(measure.of(day_number(today), *(encode(need, facts[need].value) for need in measure.needs)))


def compare(criterion: Criterion, number: int, green: int, yellow: int) -> Light:
    """Where a number stands between the two lines; reaching a line counts as inside."""
    sign = -1 if criterion.more_is_better else 1
    if sign * number <= sign * green:
        return Light.GREEN
    return Light.YELLOW if sign * number <= sign * yellow else Light.RED


def _known(rule: Rule, number: int, facts: Facts) -> Finding:
    criterion, step = rule.criterion, rule.step
    place = compare(criterion, number, step.green_number, step.yellow_number)
    light = min(place, criterion.worst)
    value = Decimal(number).scaleb(-criterion.measure.places)
    line = step.yellow if place is Light.RED else step.green
    blanks = _blanks(rule, value, line, facts)
    sentence = _fill(criterion.sentences[place.word], blanks)
    repair = _fill(criterion.repair, blanks) if place > Light.GREEN else Words("", "")
    office = criterion.office if light is Light.RED else Words("", "")
    return Finding(
        criterion.id, criterion.group, light, "known", value, line,
        sentence.zh, sentence.en, repair.zh, repair.en, office.zh, office.en,
    )  # fmt: skip


def _unknown(criterion: Criterion, state: FactState, facts: Facts, policy: Policy) -> Finding:
    gaps = {need: facts.get(need, MISSING) for need in criterion.measure.needs}
    gaps = {need: fact for need, fact in gaps.items() if fact.state != "known"}
    sources = tuple(dict.fromkeys(fact.source or FACTS[need].source for need, fact in gaps.items()))
    sentence = _fill(criterion.sentences["unknown"], {"sources": _sources(gaps, policy)})
    return Finding(
        criterion.id, criterion.group, Light.YELLOW, state, None, None,
        sentence.zh, sentence.en, WHEN_KNOWN.zh, WHEN_KNOWN.en, sources=sources,
    )  # fmt: skip


def _skipped(criterion: Criterion) -> NotJudged:
    return NotJudged(criterion.id, criterion.name.zh, criterion.name.en, criterion.reason.zh, criterion.reason.en)


def _sources(gaps: Mapping[str, Fact], policy: Policy) -> Words:
    zh: dict[str, None] = {}
    en: dict[str, None] = {}
    for need, fact in gaps.items():
        source = fact.source or FACTS[need].source
        name = policy.sources.get(source, Words(source, source))
        if fact.state == "missing":
            zh[name.zh + "缺失"] = en[f"{name.en} missing"] = None
        else:
            seen = fact.known_on.isoformat() if fact.known_on else "?"
            zh[f"{name.zh}已过时（最近{seen}）"] = en[f"{name.en} stale (last {seen})"] = None
    return Words("、".join(zh), ", ".join(en))


def _blanks(rule: Rule, value: Decimal, line: Decimal, facts: Facts) -> dict[str, Words]:
    criterion, step = rule.criterion, rule.step
    numbers = {
        "value": value, "line": line, "green": step.green, "yellow": step.yellow, "gap": abs(step.green - value),
    }  # fmt: skip
    blanks = {name: say(number, criterion.unit, criterion.values) for name, number in numbers.items()}
    when = _when(criterion, step.green, facts)
    return {**blanks, "when": Words(when, when)}


def _when(criterion: Criterion, line: Decimal, facts: Facts) -> str:
    start = facts[criterion.measure.since].value if criterion.measure.since else None
    return months_after(start, int(line)).isoformat() if isinstance(start, date) else ""


def months_after(start: date, months: int) -> date:
    """The first day on which so many full months have passed since `start`."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    try:
        return start.replace(year=year, month=month + 1)
    except ValueError:  # the 31st of a shorter month: full on the first of the next
        year, month = divmod(year * 12 + month + 1, 12)
        return date(year, month + 1, 1)


def _fill(words: Words, blanks: Mapping[str, Words]) -> Words:
    return Words(
        words.zh.format(**{name: said.zh for name, said in blanks.items()}),
        words.en.format(**{name: said.en for name, said in blanks.items()}),
    )
