"""What the platform stands on here, what is missing, and what to do about it: the table of `xindeng doctor`."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.table import Table
from rich.text import Text

from service.settings import NotReady, Settings

GIB = 1 << 30
LEAST_FREE = 2 * GIB
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class State(StrEnum):
    """Needed and there, missing but optional, missing though needed."""

    GOOD = "good"
    WITHOUT = "without"
    BAD = "bad"


MARKS = {State.GOOD: ("✓", "有", "ok", "green"), State.WITHOUT: ("–", "无", "absent", "yellow")}
MARKS |= {State.BAD: ("✗", "缺", "missing", "red")}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what it is for, what was found, what to do."""

    thing: str
    state: State
    found: str
    advice_zh: str = ""
    advice_en: str = ""

    @property
    def is_failure(self) -> bool:
        return self.state is State.BAD

    def to_json(self) -> dict[str, str]:
        return asdict(self)


Look = Callable[[Settings], Finding]


def examine(settings: Settings, database: Look | None = None) -> list[Finding]:
    """Everything, in the order in which a person would repair it.

    `database`: how a platform that is running looks at its own; else each role signs in anew.
    """
    looks: Sequence[Look] = (
        _python,
        _packages,
        _home,
        database or _database,
        redis_finding,
        _real_names,
        _messages,
        _lightgbm,
        _documents,
        _fonts,
        _browser,
    )
    return [look(settings) for look in looks]


def table_of(findings: Sequence[Finding], language: str) -> Table:
    """The findings for a person: mark, word and colour, and what to do."""
    is_english = language.startswith("en")
    titles = ("", "Part", "State", "Found", "What to do") if is_english else ("", "部件", "状态", "现状", "怎么办")
    table = Table(title="xindeng doctor", title_justify="left")
    for title in titles:
        table.add_column(title, overflow="fold")
    for finding in findings:
        mark, zh, en, colour = MARKS[finding.state]
        advice = finding.advice_en if is_english else finding.advice_zh
        cells = (mark, finding.thing, en if is_english else zh, finding.found, advice)
        table.add_row(*(Text(cell) for cell in cells), style=None if finding.state is State.GOOD else colour)
    return table


def _python(_: Settings) -> Finding:
    found = ".".join(str(part) for part in sys.version_info[:3])
    state = State.GOOD if sys.version_info >= (3, 11) else State.BAD
    return Finding("Python ≥ 3.11", state, found, *_unless(state, "请安装 Python 3.11 以上。", "Install Python 3.11+."))


def _packages(_: Settings) -> Finding:
    """The pair that breaks at run time while the installer stays silent is named here."""
    try:
        found = f"xindeng {version('xindeng')}, ibis {version('ibis-framework')}, duckdb {version('duckdb')}"
        fits = version("duckdb").startswith("1.") and version("sqlglot").startswith("29.")
    except PackageNotFoundError as missing:
        found, fits = f"{missing.name}: not installed", False
    state = State.GOOD if fits else State.BAD
    return Finding("Packages", state, found, *_unless(state, "运行 make setup。", "Run make setup."))


def _home(settings: Settings) -> Finding:
    try:
        free = shutil.disk_usage(settings.make_home()).free
        _ = settings.secret_key
    except NotReady as wrong:
        return Finding("XINDENG_HOME", State.BAD, str(settings.home), wrong.zh, wrong.en)
    except OSError as wrong:
        return Finding(
            "XINDENG_HOME", State.BAD, f"{settings.home}: {wrong.strerror}", "检查权限。", "Check its rights."
        )
    state = State.GOOD if free > LEAST_FREE else State.BAD
    found = f"{settings.home}, {free / GIB:.0f} GiB free"
    return Finding("XINDENG_HOME", state, found, *_unless(state, "请腾出磁盘空间。", "Free some disk space."))


def _database(settings: Settings) -> Finding:
    """A real connection as each role, not a look at a process list."""
    import psycopg

    from service.store.server import serving

    kind = "embedded" if settings.is_embedded else "server"
    try:
        with serving(settings) as address:
            roles = [_signed_in(url) for url in (address.owner_url, address.web_url, address.cycle_url)]
    except NotReady as wrong:
        return Finding("PostgreSQL ≥ 15", State.BAD, kind, wrong.zh, wrong.en)
    except psycopg.Error as wrong:
        said = str(wrong).strip()
        return Finding("PostgreSQL ≥ 15", State.BAD, f"{kind}: {said}", "检查数据库日志。", "Look at the server's log.")
    names = ", ".join(role for role, _ in roles)
    return in_use(kind, roles[0][1], names)


def in_use(kind: str, version: str, roles: str) -> Finding:
    """The database as it answers: embedded or server, its version, the roles that are signed in."""
    return Finding("PostgreSQL ≥ 15", State.GOOD, f"{kind}, {version}; {roles}")


def _signed_in(url: str) -> tuple[str, str]:
    import psycopg

    with psycopg.connect(url, connect_timeout=10) as connection:
        return connection.info.user, connection.info.parameter_status("server_version") or "?"


def redis_finding(settings: Settings) -> Finding:
    """Optional: said to be away is no failure, the platform stays right without it."""
    import redis

    zh = "可选；没有时限速与缓存按进程各自进行。"
    en = "Optional; without it limits and caches are kept per process."
    if settings.redis_url is None:
        return Finding("Redis", State.WITHOUT, "XINDENG_REDIS_URL: not set", zh, en)
    try:
        with redis.Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=3) as client:
            found = dict(client.info("server"))
    except (redis.RedisError, ValueError) as wrong:
        return Finding("Redis", State.WITHOUT, f"cannot be reached: {type(wrong).__name__}", zh, en)
    return Finding("Redis", State.GOOD, str(found.get("redis_version", "?")))


def _real_names(settings: Settings) -> Finding:
    """Nobody is asked about to find out whether the service answers: it is paid for by the question."""
    zh, en = "没有时企业不能自行登记。", "Without it firms cannot register by themselves."
    if settings.real_name_url is not None:
        return Finding(
            "实名核验 real names", State.GOOD, f"{settings.real_name_provider}, {settings.real_name_url.host}"
        )
    if settings.demo:
        return Finding("实名核验 real names", State.GOOD, "sandbox of the demo")
    return Finding("实名核验 real names", State.WITHOUT, "XINDENG_REAL_NAME_URL: not set", zh, en)


def _messages(settings: Settings) -> Finding:
    """Nothing is sent to find out whether it would arrive."""
    thing, found = "外发消息 messages", [f"SMS {settings.sms_url.host}"] if settings.sms_url else []
    found += [f"SMTP {settings.smtp_host}"] if settings.smtp_host else []
    if found:
        return Finding(thing, State.GOOD, ", ".join(found))
    if settings.demo:
        return Finding(thing, State.GOOD, "sandbox of the demo")
    zh, en = "可选；没有时消息只在站内。", "Optional; without them notices stay on the site."
    return Finding(thing, State.WITHOUT, "XINDENG_SMS_URL, XINDENG_SMTP_HOST: not set", zh, en)


def _lightgbm(_: Settings) -> Finding:
    """Without libgomp the import fails with an OSError."""
    try:
        found = str(import_module("lightgbm").__version__)
    except (ImportError, OSError) as wrong:
        zh, en = (
            "安装 libgomp1（Debian: apt-get install libgomp1）。",
            "Install libgomp1 (Debian: apt-get install libgomp1).",
        )
        return Finding("LightGBM, libgomp", State.BAD, str(wrong), zh, en)
    return Finding("LightGBM, libgomp", State.GOOD, found)


def _documents(_: Settings) -> Finding:
    try:
        pango = import_module("weasyprint.text.ffi")
        found = f"WeasyPrint {version('weasyprint')}, Pango {_dotted(pango.pango.pango_version())}"
    except (ImportError, OSError):
        zh = "可选（PDF）：apt-get install libpango-1.0-0 libpangoft2-1.0-0。"
        en = "Optional (PDF): apt-get install libpango-1.0-0 libpangoft2-1.0-0."
        return Finding("WeasyPrint, Pango", State.WITHOUT, "Pango not found", zh, en)
    return Finding("WeasyPrint, Pango", State.GOOD, found)


def _dotted(number: int) -> str:
    """Pango says 15012 for 1.50.12."""
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"


def cjk_fonts() -> list[str]:
    """Families of fonts here that can draw Chinese."""
    lister = shutil.which("fc-list")
    return _said([lister, ":lang=zh", "family"]).splitlines() if lister else []


def _fonts(_: Settings) -> Finding:
    """For PDF and pictures; pages use the reader's own fonts."""
    names = cjk_fonts()
    if not names:
        zh, en = (
            "可选（PDF、截图）：apt-get install fonts-noto-cjk。",
            "Optional (PDF): apt-get install fonts-noto-cjk.",
        )
        return Finding("CJK fonts", State.WITHOUT, "none found", zh, en)
    return Finding("CJK fonts", State.GOOD, f"{len(names)}: {min(names)}")


def _browser(_: Settings) -> Finding:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        zh, en = "可选（浏览器测试）：apt-get install chromium。", "Optional (browser tests): apt-get install chromium."
        return Finding("Chromium", State.WITHOUT, "not found", zh, en)
    return Finding("Chromium", State.GOOD, _said([path, "--version"]).strip() or Path(path).name)


def _said(call: list[str]) -> str:
    try:
        done = subprocess.run(call, check=False, capture_output=True, text=True, timeout=20)  # noqa: S603 - found by name
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def _unless(state: State, zh: str, en: str) -> tuple[str, str]:
    return ("", "") if state is State.GOOD else (zh, en)
