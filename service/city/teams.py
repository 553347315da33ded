"""The last days of two district teams: base lists walked through, what was heard, what was promised, who has what."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

from service.actions.follow_up import assign_follow_ups, promise_follow_up
from service.actions.keep_ledger import clear_obstacle, promise_obstacle
from service.actions.plan_visits import PlanForm, plan_visits
from service.actions.record_visits import Heard, record_visits
from service.city.cast import officials
from service.city.decisions import coin
from service.clock import instant_on
from service.domain.obstacle import Department, ObstacleKind, department_of
from service.domain.people import Role, Who
from service.domain.visit import Met
from service.store import accounts, obstacles, visits, work_list
from service.store.visits import Chosen

WALKED = (("red", 8, "重点企业回访", 6), ("quiet", 14, "科技园片区", 3), ("unvisited", 12, "商贸街片区", 0))
"""(Whom, how many, where, how many days before the last one): the last list is still to be walked."""
MONEY_FEN = (20_000_000, 30_000_000, 50_000_000, 80_000_000, 150_000_000)
SEEN = (
    (ObstacleKind.GUARANTEE_LACKING, "没有可抵押的房产，愿意找担保公司"),
    (ObstacleKind.MORTGAGE_UNRELEASED, "前一笔贷款已还清，抵押登记还没有解除"),
    (ObstacleKind.TITLE_LACKING, "厂房建成多年，没有办下不动产权证"),
    (ObstacleKind.PERMIT_LACKING, "环评批复正在补办"),
    (ObstacleKind.RECORD_WRONG, "年报里的人数填错，影响了企业画像"),
    (ObstacleKind.ACCOUNTS_IRREGULAR, "只有流水，没有正式账簿"),
)


@dataclass(frozen=True)
class Team:
    """A district's people, by key, in the order of their names."""

    district: str
    people: tuple[tuple[int, str], ...]

    def who(self, place: int) -> Who:
        """One of them, in turn."""
        key, name = self.people[place % len(self.people)]
        return Who(Role.DISTRICT, key, name, district=self.district)


def teams_work(tx: Session, seed: int, day: date) -> None:
    """What the teams with people in the cast did by the evening of `day`."""
    for district in dict.fromkeys(card.district for card in officials() if card.district):
        people = accounts.names_of_district(tx, district, day)
        if people:
            team = Team(district, tuple(people.items()))
            _walk(tx, team, seed, day)
            _share_out(tx, team, day)


def _walk(tx: Session, team: Team, seed: int, day: date) -> None:
    """Each list on its day, and what was heard there; the latest is only planned."""
    for turn, (group, most, area, before) in enumerate(WALKED):
        on, who = day - timedelta(days=before), team.who(turn)
        found, _total = visits.list_candidates(tx, team.district, Chosen(group, most=most), on)
        if not found or who.person_id not in accounts.names_of_district(tx, team.district, on):
            continue  # in a short demo the team was not there yet
        form = PlanForm(
            area, on, who.person_id or 0, tuple(row.uscc for row in found), Chosen(group, most=most),
            form_key=f"demo-{team.district}-{turn}", companions="街道办" if turn else "",
        )  # fmt: skip
        plan = plan_visits(tx, who, form, on, instant_on(on, 8, 30))
        if before:
            rows = visits.list_of_plan(tx, who, plan)
            heard = [_heard(row.id, seed, on) for row in rows if coin(seed, "walked", row.id) < 0.8]
            record_visits(tx, who, heard, on, instant_on(on, 17))
    _promises(tx, team, day)


def _heard(visit_id: int, seed: int, on: date) -> Heard:
    draw = coin(seed, "heard", visit_id)
    if draw < 0.12:
        return Heard(visit_id, 0, on, Met.NOBODY.value, note="大门关着，邻居说下周开门")
    met = (Met.OWNER, Met.LEGAL_PERSON, Met.FINANCE, Met.STAFF)[int(draw * 400) % 4]
    kind, words = SEEN[int(coin(seed, "seen", visit_id) * len(SEEN))]
    is_stuck, has_need = coin(seed, "stuck", visit_id) < 0.45, draw > 0.5
    return Heard(
        visit_id, 0, on, met.value, has_need, MONEY_FEN[int(draw * 1000) % len(MONEY_FEN)] if has_need else None,
        (kind.value,) if is_stuck else (), words if is_stuck else "", on + timedelta(days=14) if is_stuck else None,
    )  # fmt: skip


def _promises(tx: Session, team: Team, day: date) -> None:
    """Departments promise some of what was found, a few promises are broken by now, one obstacle is gone."""
    who, sought = team.who(0), obstacles.Sought(district=team.district, limit=200)
    own = [row for row in obstacles.find(tx, who, sought, day)[0] if row.source == "obstacle"]
    for turn, row in enumerate(own):
        said_on = row.since_on + timedelta(days=1)
        if turn % 3:
            until = said_on if turn % 3 == 1 else day + timedelta(days=10)
            promise_obstacle(tx, who, row.id, row.department, until, said_on, instant_on(said_on, 10))
    for row in own[:1]:
        clear_obstacle(tx, who, row.id, "resolved", day, instant_on(day, 11))


def _share_out(tx: Session, team: Team, day: date) -> None:
    """Most follow-ups that are the team's have one of them as their owner; some departments have promised."""
    now = instant_on(day, 9)
    rows, _total = work_list.find(tx, team.who(0), work_list.Sought(owner="district", limit=500), day)
    for turn in range(len(team.people)):
        mine = [row.id for row in rows if row.id % (len(team.people) + 1) == turn]
        if mine:
            assign_follow_ups(tx, team.who(0), mine, team.who(turn).person_id, day, now)
    for turn, row in enumerate(rows):
        department = department_of(row.obstacle, row.department)
        if department is not Department.DISTRICT_TEAM and turn % 2:
            promise_follow_up(tx, team.who(0), row.id, department, day + timedelta(days=20), day, now)
