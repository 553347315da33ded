"""Which PostgreSQL we work on, and as whom: the embedded one or any server; database and roles are made here.

xindeng_owner owns the tables and runs migrations, xindeng_web serves pages and API, xindeng_cycle runs jobs and intake.
None of them is a superuser or bypasses row-level security.
"""

import atexit
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import psycopg
from psycopg import Connection as AnyConnection
from psycopg.sql import SQL, Identifier
from psycopg.sql import Literal as Value
from sqlalchemy import URL, make_url

from service.settings import NotReady, Settings
from service.store.embedded import EmbeddedServer

OWNER, WEB, CYCLE = "xindeng_owner", "xindeng_web", "xindeng_cycle"
ROLES = (OWNER, WEB, CYCLE)
DATABASE = "xindeng"
OLDEST_MAJOR = 15
Connection = AnyConnection[Any]
PREPARING = 0x78696E64  # advisory lock: one process at a time makes roles and databases


@dataclass(frozen=True)
class ServerAddress:
    """Where each role finds the database, in libpq's form (`postgresql://user:password@host/database`)."""

    kind: Literal["embedded", "server"]
    database: str
    admin_url: str = field(repr=False)  # they carry passwords
    owner_url: str = field(repr=False)
    web_url: str = field(repr=False)
    cycle_url: str = field(repr=False)

    def for_database(self, name: str) -> "ServerAddress":
        """The same server and roles, another database."""
        urls = (_with(url, database=name) for url in (self.admin_url, self.owner_url, self.web_url, self.cycle_url))
        admin, owner, web, cycle = urls
        return replace(self, database=name, admin_url=admin, owner_url=owner, web_url=web, cycle_url=cycle)


def sqlalchemy_url(url: str) -> URL:
    """The address as SQLAlchemy with psycopg 3 takes it."""
    return make_url(url).set(drivername="postgresql+psycopg")


def prepare_server(settings: Settings) -> ServerAddress:
    """Start or reach PostgreSQL, make what is missing, say where it is; the embedded one is ours until we exit."""
    if settings.is_embedded:
        server = EmbeddedServer(settings)
        lease = server.take_lease()
        atexit.register(server.give_back, lease)
        return _prepare(settings, server.url())
    return _prepare(settings, _given(settings))


@contextmanager
def serving(settings: Settings) -> Iterator[ServerAddress]:
    """The same for the length of a block: at its end the embedded server stops, unless someone else still uses it."""
    if settings.is_embedded:
        with EmbeddedServer(settings).lease() as url:
            yield _prepare(settings, url)
    else:
        yield _prepare(settings, _given(settings))


def make_database(address: ServerAddress, name: str, template: str = "template0") -> ServerAddress:
    """A database owned by xindeng_owner; a copy of `template`, which nobody may be using just then."""
    with _door(address) as admin:
        _make_database(admin, name, template)
    return address.for_database(name)


def drop_database(address: ServerAddress, name: str) -> None:
    """Remove a database, whoever is connected to it."""
    with _door(address) as admin:
        admin.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))


def _prepare(settings: Settings, given: str) -> ServerAddress:
    kind: Literal["embedded", "server"] = "embedded" if settings.is_embedded else "server"
    name = DATABASE if settings.is_embedded else make_url(given).database or DATABASE
    if settings.database_web_url and settings.database_cycle_url:  # an administrator made everything by hand
        web, cycle = (url.get_secret_value() for url in (settings.database_web_url, settings.database_cycle_url))
        address = ServerAddress(kind, name, given, given, _libpq(web), _libpq(cycle))
    else:
        passwords = {role: _password(settings, role) for role in ROLES}
        urls = [_with(given, database=name, username=role, password=passwords[role]) for role in ROLES]
        address = ServerAddress(kind, name, _with(given, database=name), *urls)
        _make_what_is_missing(address, passwords)
    for url in (address.web_url, address.cycle_url):
        _refuse_bypass(url)
    return address


def _make_what_is_missing(address: ServerAddress, passwords: dict[str, str]) -> None:
    with _door(address) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [PREPARING])  # let go as the connection closes
        _check_version(admin)
        try:
            for role, password in passwords.items():
                _make_role(admin, role, password)
            _make_database(admin, address.database, "template0")
            for role, url in zip(ROLES, (address.owner_url, address.web_url, address.cycle_url), strict=True):
                _ensure_password(admin, role, url, passwords[role])
            _ensure_owner_may_build(address)
        except psycopg.errors.InsufficientPrivilege as wrong:
            raise NotReady(
                f"XINDENG_DATABASE_URL 的用户权限不足（{wrong.diag.message_primary}）；请授予 CREATEROLE 与 CREATEDB，"
                "或由管理员建好角色并设置 XINDENG_DATABASE_WEB_URL 与 XINDENG_DATABASE_CYCLE_URL。",
                f"The user of XINDENG_DATABASE_URL has too few rights ({wrong.diag.message_primary}): grant CREATEROLE "
                "and CREATEDB, or make the roles by hand and set XINDENG_DATABASE_WEB_URL and …_CYCLE_URL.",
            ) from wrong


@contextmanager
def _door(address: ServerAddress) -> Iterator[Connection]:
    """A connection of the administrator to a database that is there before ours is."""
    try:
        try:
            admin = psycopg.connect(_with(address.admin_url, database="postgres"), autocommit=True, connect_timeout=10)
        except psycopg.OperationalError:
            admin = psycopg.connect(address.admin_url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as wrong:
        said = str(wrong).strip()
        raise NotReady(f"连接不上 PostgreSQL：{said}", f"PostgreSQL cannot be reached: {said}") from wrong
    with admin:
        yield admin


def _check_version(admin: Connection) -> None:
    found = admin.info.server_version // 10000
    if found < OLDEST_MAJOR:
        raise NotReady(
            f"需要 PostgreSQL {OLDEST_MAJOR} 以上，现为 {found}。",
            f"PostgreSQL {OLDEST_MAJOR} or newer is needed, this is {found}.",
        )


def _make_role(admin: Connection, role: str, password: str) -> None:
    if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        admin.execute(
            SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                Identifier(role), SQL("NOINHERIT" if role == WEB else "INHERIT"), Value(password)
            )
        )


def _make_database(admin: Connection, name: str, template: str) -> None:
    """Our roles may come in, others may not; only the owner and the cycle need temporary tables (for COPY)."""
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None:
        return
    if admin.info.parameter_status("is_superuser") != "on":
        admin.execute(SQL("GRANT {} TO CURRENT_USER").format(Identifier(OWNER)))
    names = {"name": Identifier(name), "owner": Identifier(OWNER), "web": Identifier(WEB), "cycle": Identifier(CYCLE)}
    admin.execute(
        SQL("CREATE DATABASE {name} OWNER {owner} ENCODING 'UTF8' TEMPLATE {template}").format(
            template=Identifier(template), **names
        )
    )
    admin.execute(SQL("GRANT CONNECT ON DATABASE {name} TO {web}, {cycle}, CURRENT_USER").format(**names))
    admin.execute(SQL("GRANT TEMPORARY ON DATABASE {name} TO {cycle}").format(**names))
    admin.execute(SQL("REVOKE ALL ON DATABASE {name} FROM PUBLIC").format(**names))


def _ensure_password(admin: Connection, role: str, url: str, password: str) -> None:
    """Another data folder or a new secret gives other passwords: then the newest stands."""
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.OperationalError as wrong:
        if "password authentication failed" not in str(wrong):
            raise NotReady(f"{role} 不能登录：{wrong}", f"{role} cannot sign in: {wrong}") from wrong
        admin.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role), Value(password)))


def _ensure_owner_may_build(address: ServerAddress) -> None:
    """A database that was there before may belong to somebody else."""
    with psycopg.connect(address.admin_url, autocommit=True, connect_timeout=10) as admin:
        may = admin.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [OWNER]).fetchone()
        if may != (True,):
            admin.execute(SQL("GRANT ALL ON SCHEMA public TO {}").format(Identifier(OWNER)))


def _refuse_bypass(url: str) -> None:
    """Row-level security protects nobody from a role that may pass it by."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            found = connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolname = CURRENT_USER AND (rolsuper OR rolbypassrls)"
            ).fetchone()
    except psycopg.OperationalError as wrong:
        said = str(wrong).strip()
        raise NotReady(f"连接不上 PostgreSQL：{said}", f"PostgreSQL cannot be reached: {said}") from wrong
    if found is not None:
        raise NotReady(
            f"数据库用户 {found[0]} 可绕过行级安全，不能用于页面与任务。",
            f"The database user {found[0]} bypasses row-level security: it may not serve pages or jobs.",
        )


def _password(settings: Settings, role: str) -> str:
    """One per role and installation, drawn from its secret: pages and jobs on two machines agree without asking."""
    return hmac.new(settings.secret_key.encode(), f"database role {role}".encode(), hashlib.sha256).hexdigest()


def _given(settings: Settings) -> str:
    assert settings.database_url is not None
    return _libpq(settings.database_url.get_secret_value())


def _libpq(url: str) -> str:
    """`postgresql+psycopg://` is SQLAlchemy's way of saying `postgresql://`."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _with(url: str, **parts: str) -> str:
    return make_url(url).set(**parts).render_as_string(hide_password=False)  # type: ignore[arg-type]  # strings all
