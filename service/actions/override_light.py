"""A person's light beside the verdict: with a name, a sentence and an end."""

from datetime import date, datetime

from sqlmodel import Session

from service.actions.settle_demand import settling
from service.domain.demand import BEFORE_GRANT, LightWord
from service.domain.errors import Conflict, NotAllowed, NotPossible
from service.domain.people import Who
from service.store import demands, notices, trail, verdicts
from service.store.notices import Message
from service.store.trail import Act

LONGEST_SENTENCE = 500


def override_light(
    tx: Session, who: Who, demand_id: int, light: str, sentence: str, until_on: date, today: date, now: datetime
) -> int:
    """Set a demand's light by a person's word until a day; the verdict stays as it was. The override's key."""
    if not who.is_official or who.person_id is None:
        raise NotAllowed("人工改判由区县专班或市级人员署名作出。")
    row = demands.lock_one(tx, who, demand_id)
    if row.state not in BEFORE_GRANT:
        raise Conflict("这笔需求已结束，不能改判。", state=row.state)
    if light not in frozenset(LightWord):
        raise NotPossible("请选择改判后的灯色。", field="light")
    if not sentence.strip() or len(sentence) > LONGEST_SENTENCE:
        raise NotPossible("请用一句话写明理由，不超过 {most} 个字。", field="sentence", most=LONGEST_SENTENCE)
    if until_on <= today:
        raise NotPossible("改判须有今天之后的截止日期。", field="until_on")
    there = verdicts.live_overrides(tx, [row.id], today).get(row.id)
    if there is not None and (there.light, there.sentence, there.until_on) == (light, sentence.strip(), until_on):
        return int(there.id)
    whose = {"demand_id": row.id, "uscc": row.uscc, "district": row.district}
    by = {"made_by": who.person_id, "made_at": now, "until_on": until_on}
    key = verdicts.add_override(tx, whose | by | {"light": light, "sentence": sentence.strip()})
    told = {"until_on": until_on.isoformat(), "verdict_id": row.verdict_id}
    acts = [Act("override", "override", key, new=light, details=told, **whose)]
    acts += settling(tx, who, [row.id], today, now, "overridden")
    notices.add(tx, [Message("light_overridden", uscc=row.uscc, demand_id=row.id, values={"light": light})], today, now)
    trail.append(tx, who, acts, now)
    return key
