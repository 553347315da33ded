"""`xindeng demo`: build the synthetic city, let it live through the front door, say what came of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlmodel import Session

from service.actions.rematch import rematch
from service.actions.run_cycle import run_cycle
from service.city import days, funnel, lastday, opening, paperwork, steering
from service.city.cast import Card, add_cast
from service.city.character import Character
from service.city.city import City, draw_city
from service.city.days import Life
from service.city.demands import draw_demands
from service.city.deputies import come_to_the_door
from service.city.desks import share_desks
from service.city.feeds import FeedFile, write_feeds
from service.city.opening import DEMO
from service.city.outbox import reach_people
from service.city.rehearsing import rehearse
from service.city.scans import hang_up_codes
from service.city.stage import demo_settings, fresh_database, is_finished, keep_summary, kept_summary, write_marker
from service.city.teams import teams_work
from service.city.watch import Watch, peak_megabytes
from service.clock import instant_on
from service.domain.people import Role
from service.profiles.tools import load_tools
from service.settings import DEMO_DAY, Settings
from service.store import demo as looks
from service.store import people
from service.store.calendar import calendar
from service.store.database import Database
from service.telemetry import set_up_logging


@dataclass(frozen=True)
class Plan:
    """What was asked for: the same plan gives the same city."""

    firms: int
    days: int
    seed: int

    @property
    def start(self) -> date:
        """The first live day."""
        return DEMO_DAY - timedelta(days=self.days - 1)


def run_demo(known: Settings, plan: Plan, console: Console, *, fresh: bool = False) -> tuple[Settings, dict[str, Any]]:
    """Build the demo, unless this very one stands; the settings to serve it under, and the summary."""
    settings = demo_settings(known, "demo", DEMO_DAY)
    if not fresh and is_finished(settings, asdict(plan)):
        console.print(
            "这个演示城市已经建好，直接使用；--fresh 可重建。 This very demo stands already; --fresh rebuilds it."
        )
        return settings, kept_summary(settings)
    set_up_logging(settings.model_copy(update={"log_level": "warning"}))  # one line a request is for servers
    write_marker(settings, asdict(plan), finished=False)
    with Watch(console) as watch, fresh_database(settings) as database:
        built = build(database, settings, plan, watch)
    keep_summary(settings, built.summary)
    write_marker(settings, asdict(plan), finished=True)
    _show(built.summary, console)
    console.print(built.figures)
    console.print(watch.table())
    return settings, built.summary


@dataclass(frozen=True)
class Built:
    """What a demo leaves behind beside its database."""

    life: Life
    summary: dict[str, Any]
    figures: Table


def build(
    database: Database, settings: Settings, plan: Plan, watch: Watch, character: Character | None = None
) -> Built:
    """Build the city of a plan in an empty database."""
    with watch.phase("draw the city"):
        city = draw_city(plan.firms, plan.start, DEMO_DAY, plan.seed, character)
    with watch.phase("write the feeds"):
        files = write_feeds(city, settings.home / "feeds")
    life, version = _open(database, settings, city, files, watch)
    _live(database, settings, life, files, watch)
    with watch.phase("papers and objections"), database.transaction(DEMO) as tx:
        paperwork.add(tx, settings.uploads, DEMO_DAY)
    with watch.phase("district teams"), database.transaction(DEMO) as tx:
        teams_work(tx, plan.seed, DEMO_DAY)
    with watch.phase("banks' desks"), database.transaction(DEMO) as tx:
        share_desks(tx, DEMO_DAY)
    with database.transaction(DEMO) as tx:
        _add_firms(tx, settings)
        come_to_the_door(tx, settings, instant_on(DEMO_DAY, 19))
        steering.set_year(tx, DEMO_DAY)
    with watch.phase("policy rehearsed"):
        rehearse(database, settings, city)
    with watch.phase("messages leave"):
        reach_people(settings, DEMO_DAY)
    with database.transaction(DEMO) as tx:
        summary, figures = _summary(tx, plan, life, version)
    summary |= {"seconds": watch.as_json(), "memory_mb": round(peak_megabytes())}
    return Built(life, summary, figures)


def _open(
    database: Database, settings: Settings, city: City, files: Sequence[FeedFile], watch: Watch
) -> tuple[Life, str]:
    """Banks, history, model: the eve of the first day."""
    with watch.phase("banks and people"), database.transaction(DEMO) as tx:
        keys, days_of_work = opening.open_banks(tx, city), calendar(tx)
    history = [file for file in files if file.is_history]
    bar = watch.bar("历史数据报送 history in", len(history))
    with watch.phase("history through intake"):
        opening.take_history(database, settings, history, lambda file: watch.advance(bar, file.path.name))
    bar = watch.bar("训练模型 model", 1)
    with watch.phase("train the model"):
        version = opening.learn(database, settings, city)
    watch.advance(bar, version[:12] or "太少，没有模型 too few loans, none")
    return Life(city, keys, days_of_work, draw_demands(city)), version


def _live(database: Database, settings: Settings, life: Life, files: Sequence[FeedFile], watch: Watch) -> None:
    """Day after day; the last day's banks come over HTTP."""
    length = (life.city.when.end - life.city.when.start).days + 1
    bar = watch.bar("城市的日子 days", length)
    for ahead in range(length):
        day = life.city.when.start + timedelta(days=ahead)
        todays = [file for file in files if not file.is_history and file.received_on == day]
        with watch.phase("daily feeds through intake"):
            opening.take_files(database, settings, todays, lambda _: None)
        _morning(database, settings, life, day, watch)
        _afternoon(database, settings, life, day, watch)
        watch.advance(bar, day.isoformat())


def _morning(database: Database, settings: Settings, life: Life, day: date, watch: Watch) -> None:
    """Demands, judged; districts; the morning's lists."""
    with watch.phase("demands reported and judged"), database.transaction(DEMO) as tx:
        days.report(tx, life, load_tools(tx, settings, day), day)
    with watch.phase("districts"), database.transaction(DEMO) as tx:
        days.district_work(tx, life, load_tools(tx, settings, day), day)
    with watch.phase("morning lists"):
        run_cycle(settings, day, instant_on(day, 10))
    with database.transaction(DEMO) as tx:
        days.read_lists(tx, life)


def _afternoon(database: Database, settings: Settings, life: Life, day: date, watch: Watch) -> None:
    """Banks answer, firms choose, money moves, supplements go out."""
    if day == life.city.when.end:
        with watch.phase("banks answer over HTTP"):
            _over_http(database, settings, life)
    else:
        with watch.phase("banks answer"), database.transaction(DEMO) as tx:
            days.answer(tx, life, day)
    with watch.phase("firms act"), database.transaction(DEMO) as tx:
        days.firms_act(tx, life, day)
    with watch.phase("grants and drawdowns"), database.transaction(DEMO) as tx:
        days.lend(tx, life, day)
    with watch.phase("supplements"), database.transaction(DEMO) as tx:
        rematch(tx, DEMO, day, instant_on(day, 18), load_tools(tx, settings, day))
    with database.transaction(DEMO) as tx:
        days.read_lists(tx, life)
        steering.urge(tx, life, day)


def _over_http(database: Database, settings: Settings, life: Life) -> None:
    with database.transaction(DEMO) as tx:
        keys = lastday.give_keys(tx, life, instant_on(life.city.when.end, 14))
    with lastday.door(settings, database) as address:
        life.over_http = lastday.banks_answer(address, life, keys)


def _add_firms(tx: Session, settings: Settings) -> None:
    """Sign-in cards for firms worth looking at: one with offers to compare, one red, one with its loan drawn."""
    assert settings.demo_on is not None
    firms = looks.firms_worth_a_look(tx)
    cards = [Card(f"demo-firm-{row.what}", row.name, Role.FIRM, uscc=row.uscc) for row in firms]
    add_cast(tx, DEMO, cards, settings.demo_on, instant_on(settings.demo_on, 19))
    hang_up_codes(tx, settings.demo_on, firms)


def _summary(tx: Session, plan: Plan, life: Life, version: str) -> tuple[dict[str, Any], Table]:
    rows = looks.funnel(tx)
    ratios, sums = funnel.ratios(rows), funnel.sums_of(rows)
    summary = {
        "plan": asdict(plan),
        "model": version,
        "sums": sums,
        "ratios": {one.name: {"demo": one.value, "published": one.published} for one in ratios},
        "refused_by_the_platform": dict(sorted(life.refused.items(), key=lambda one: -one[1])),
        "last_day_over_http": {"lines_read": life.over_http[0], "answers_taken": life.over_http[1]},
        "people": [row._asdict() for row in people.list_demo_people(tx, DEMO_DAY)],
        **looks.tallies(tx),
    }
    return summary, funnel.table_of(ratios, sums)


def _show(summary: dict[str, Any], console: Console) -> None:
    rows = summary["rows"]
    table = Table(title="演示城市 The city", show_header=False)
    for name, count in rows.items():
        table.add_row(name, f"{count:,}")
    for name in ("lights", "demands", "lines"):
        table.add_row(name, " · ".join(f"{word or '–'} {count:,}" for word, count in summary[name].items()))
    table.add_row("feeds", " · ".join(f"{word} {count:,}" for word, count in summary["feeds"].items()))
    console.print(table)
    for sentence, times in summary["refused_by_the_platform"].items():
        console.print(f"  平台未受理 not taken × {times}: {sentence}", style="dim", markup=False)
