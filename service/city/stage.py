"""Where a demo lives: a data folder and a database of its own, beside the real ones and never over them."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import make_url

from service.domain.people import the_platform
from service.settings import NotReady, Settings, hand_on, read_settings
from service.settings import settings as known_settings
from service.store import platform_state
from service.store.database import Database, use
from service.store.migrate import migrate
from service.store.server import ServerAddress, drop_database, make_database, serving

MARKER, SUMMARY = "demo.json", "summary.json"


def demo_settings(known: Settings, name: str, day: date, policy: Path | None = None) -> Settings:
    """The settings of the demo called `name` ('demo', 'real'): `<home>-<name>`, and `<database>_<name>` on a server.

    They are the process's own settings from here on, and those of the processes it starts.
    """
    given: dict[str, Any] = {field: getattr(known, field) for field in known.model_fields_set}
    given |= {"home": known.home.with_name(f"{known.home.name}-{name}"), "demo": True, "demo_on": day}
    if policy is not None:
        given["policy"] = policy
    if known.database_url is not None:
        given["database_url"] = SecretStr(_renamed(known.database_url.get_secret_value(), name))
    settings = read_settings(**given)
    hand_on(settings)
    known_settings.cache_clear()
    return settings


def _renamed(url: str, name: str) -> str:
    parsed = make_url(url)
    return parsed.set(database=f"{parsed.database or 'xindeng'}_{name}").render_as_string(hide_password=False)


def is_finished(settings: Settings, plan: Mapping[str, Any]) -> bool:
    """Whether this very demo was built to its end before."""
    path = settings.home / MARKER
    return path.is_file() and json.loads(path.read_text("utf-8")) == {**plan, "finished": True}


def keep_summary(settings: Settings, summary: Mapping[str, Any]) -> None:
    """Keep what came out, for whoever asks again."""
    (settings.home / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, default=str) + "\n", "utf-8")


def kept_summary(settings: Settings) -> dict[str, Any]:
    """What came out when this demo was built."""
    path = settings.home / SUMMARY
    kept: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return kept


def write_marker(settings: Settings, plan: Mapping[str, Any], *, finished: bool) -> None:
    """Note what is being built here, or has been."""
    settings.make_home()
    (settings.home / MARKER).write_text(json.dumps({**plan, "finished": finished}) + "\n", "utf-8")


@contextmanager
def fresh_database(settings: Settings) -> Iterator[Database]:
    """An empty, migrated database open as the process's own; whatever demo was there before is gone.

    Errors: NotReady where the database in that place is no demo's.
    """
    with serving(settings) as server:
        refuse_strangers(server)
        drop_database(server, server.database)
        address = make_database(server, server.database)
        for folder in (settings.mirror, settings.models, settings.uploads, settings.home / "feeds"):
            shutil.rmtree(folder, ignore_errors=True)
        migrate(address.owner_url)
        database = use(Database(address, settings.pool_size))
        try:
            with database.transaction(the_platform("demo")) as tx:
                assert settings.demo_on is not None
                platform_state.set_demo_day(tx, settings.demo_on)
            yield database
        finally:
            database.dispose()


def refuse_strangers(address: ServerAddress) -> None:
    """Only an empty database, or one that says it is a demo's, may be built over."""
    if platform_state.is_a_citys(address):
        raise NotReady(
            f"数据库 {address.database} 不是演示数据库，里面已有数据，演示不会覆盖它；请用 XINDENG_HOME 另选一处。",
            f"The database {address.database} is no demo's and holds data; a demo never replaces it."
            " Choose another place by XINDENG_HOME.",
        )
