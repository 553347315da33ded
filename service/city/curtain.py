"""The demo on show: its address, its sign-in cards, then pages and jobs until told to stop."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from service.domain.people import THE_DOOR
from service.processes import open_database, run_pages
from service.settings import NotReady, Settings, hand_on
from service.store import people

WORKER = "from service.cli import main; main()"


def show(settings: Settings, console: Console) -> None:
    """Print where the demo is and who may come in, then serve it."""
    assert settings.demo_on is not None
    with open_database(settings) as database, database.transaction(THE_DOOR) as tx:
        cards = people.list_demo_people(tx, settings.demo_on)
    table = Table(title=f"登录卡 Sign-in cards · {settings.public_url}")
    for column in ("", "角色 role", "所属 for"):
        table.add_column(column)
    for card in cards:
        table.add_row(card.name, card.role, card.firm_name or card.bank_name or card.district or "")
    console.print(table)
    console.print(f"演示日期 demo date {settings.demo_on} · 数据目录 data {settings.home} · Ctrl-C 结束 ends it")
    console.print(f"再次打开 again: XINDENG_DEMO=1 XINDENG_HOME={settings.home} xindeng serve")
    with _jobs(settings):
        run_pages(settings)


@contextmanager
def _jobs(settings: Settings) -> Iterator[None]:
    """The queue's worker beside the pages, in a process of its own; it ends with them."""
    hand_on(settings)
    worker = subprocess.Popen([sys.executable, "-c", WORKER, "work"])  # noqa: S603 - our own command
    try:
        yield
    finally:
        worker.terminate()
        try:
            worker.wait(timeout=30)
        except subprocess.TimeoutExpired:
            worker.kill()


def refuse_given_roles(known: Settings) -> None:
    """A demo makes and drops its own database, which roles made by hand for another one cannot."""
    if known.database_web_url or known.database_cycle_url:
        raise NotReady(
            "演示自建数据库，不能使用手工建好的角色；请去掉 XINDENG_DATABASE_WEB_URL 和 …_CYCLE_URL。",
            "A demo makes its own database: unset XINDENG_DATABASE_WEB_URL and XINDENG_DATABASE_CYCLE_URL.",
        )
