"""The embedded PostgreSQL: starts fast, survives kill -9, is started once by many, and opens nothing to others."""

import multiprocessing
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from service.settings import NotReady, Settings, read_settings
from service.store.embedded import EmbeddedServer
from service.store.programs import Servant, find_servant, program_folder
from service.store.server import CYCLE, OWNER, WEB, drop_database, make_database, serving

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder of the test's own, in a folder that the database's user may pass to."""
    folder = Path(tempfile.mkdtemp(prefix="xd-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder / "home"
    EmbeddedServer(settings_in(folder / "home")).stop()
    shutil.rmtree(folder, ignore_errors=True)


def settings_in(home: Path) -> Settings:
    return read_settings(home=home, database_url=None, secret=None)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def test_it_starts_in_seconds_and_stops_with_its_last_user(home: Path) -> None:
    server = EmbeddedServer(settings_in(home))
    with server.lease() as url:
        with server.lease():
            assert ask(url, "SELECT 1") == 1
        assert ask(url, "SELECT 1") == 1, "somebody still uses it"
    assert not server.is_answering()
    started = time.monotonic()
    with server.lease() as url:
        assert ask(url, "SELECT 1") == 1
    assert time.monotonic() - started < 60  # a fraction of a second on an idle machine; tests run on busy ones


def test_after_kill_nine_it_comes_back_with_every_committed_row(home: Path) -> None:
    server = EmbeddedServer(settings_in(home))
    with server.lease() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        process = server.process()
        assert process is not None
        process.kill()
        assert not server.is_answering()
        with server.lease() as again:
            assert ask(again, "SELECT count(*) FROM kept") == 1000
            assert server.process() != process


def test_a_process_number_in_a_file_proves_nothing(home: Path) -> None:
    server = EmbeddedServer(settings_in(home))
    with server.lease():
        process = server.process()
        assert process is not None
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        text = f"{stranger.pid}\n{server.data}\n1\n5432\n{server.socket_folder}\n\n  1 1\nready\n"
        (server.data / "postmaster.pid").write_text(text)
        assert server.process() is None
        with server.lease() as url:
            assert ask(url, "SELECT 1") == 1
        assert psutil.pid_exists(stranger.pid), "a stranger of the same number is left alone"
    finally:
        stranger.kill()
        stranger.wait()


def _use(home: str) -> int:
    """Another process: joins, asks for the server's process number, waits a little, leaves."""
    server = EmbeddedServer(settings_in(Path(home)))
    with server.lease() as url:
        process = server.process()
        assert process is not None
        assert ask(url, "SELECT 1") == 1
        time.sleep(0.3)
        return process.pid


def test_many_starting_at_once_start_one(home: Path) -> None:
    with EmbeddedServer(settings_in(home)).lease(), multiprocessing.get_context("spawn").Pool(4) as pool:
        numbers = pool.map(_use, [str(home)] * 4, chunksize=1)
    assert len(set(numbers)) == 1


def test_three_cold_starts_at_once_end_well(home: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        numbers = pool.map(_use, [str(home)] * 3, chunksize=1)
    assert len(numbers) == 3
    assert EmbeddedServer(settings_in(home)).process() is None, "the last one out stopped it"


def test_a_user_who_was_killed_does_not_keep_it_alive(home: Path) -> None:
    words = (
        "import sys, time; from service.settings import read_settings; "
        "from service.store.embedded import EmbeddedServer; "
        "EmbeddedServer(read_settings(home=sys.argv[1], database_url=None)).take_lease(); "
        "print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", words, str(home)], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"
    other.kill()
    other.wait()
    server = EmbeddedServer(settings_in(home))
    assert server.is_answering(), "nobody could stop it"
    with server.lease():
        pass
    assert server.process() is None


def test_a_start_killed_half_way_leaves_nothing_that_looks_finished(home: Path) -> None:
    server = EmbeddedServer(settings_in(home))
    (home / "postgres" / "data.new").mkdir(parents=True)
    (home / "postgres" / "data.new" / "PG_VERSION").write_text("18\n")
    with server.lease() as url:
        assert ask(url, "SELECT 1") == 1


def test_data_of_another_version_are_refused_not_touched(home: Path) -> None:
    server = EmbeddedServer(settings_in(home))
    with server.lease():
        pass
    (server.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(NotReady, match="PostgreSQL 16"):
        server.take_lease()


def test_a_long_path_gets_a_private_socket_folder_elsewhere(home: Path) -> None:
    deep = home / ("a-rather-long-name-of-a-folder" * 4)
    deep.parent.mkdir(mode=0o711)
    server = EmbeddedServer(settings_in(deep))
    try:
        with server.lease() as url:
            assert len(os.fsencode(server.socket_folder)) < 90
            assert stat.S_IMODE(server.socket_folder.stat().st_mode) == 0o700
            assert ask(url, "SELECT 1") == 1
    finally:
        shutil.rmtree(server.socket_folder, ignore_errors=True)


def test_a_socket_folder_that_is_not_ours_is_refused(home: Path) -> None:
    server = EmbeddedServer(settings_in(home))
    (home / "postgres").mkdir(parents=True)
    (home / "elsewhere").mkdir()
    (home / "postgres" / "socket").symlink_to(home / "elsewhere")
    with pytest.raises(NotReady, match="somebody else"):
        server.take_lease()


def test_it_listens_on_no_network_address_and_asks_everybody_for_a_password(home: Path) -> None:
    server = EmbeddedServer(settings_in(home))
    with server.lease() as url:
        assert ask(url, "SHOW listen_addresses") == ""
        assert ask(url, "SHOW synchronous_commit") == "on"
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url.replace(server.password, "wrong"))
        process = server.process()
        assert process is not None
        assert not [one for one in process.net_connections() if one.status == psutil.CONN_LISTEN]


def test_the_three_roles_own_nothing_more_than_they_need(home: Path) -> None:
    with serving(settings_in(home)) as address:
        rows = {}
        with psycopg.connect(address.admin_url) as admin:
            for row in admin.execute(
                "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolinherit FROM pg_roles"
                " WHERE rolname LIKE 'xindeng%' AND rolname <> current_user"
            ):
                rows[row[0]] = row[1:]
        assert rows == {
            OWNER: (False, False, False, False, True),
            WEB: (False, False, False, False, False),
            CYCLE: (False, False, False, False, True),
        }
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(address.web_url) as web:
            web.execute("CREATE TABLE mine (n int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), psycopg.connect(address.web_url) as web:
            web.execute("CREATE TEMPORARY TABLE mine (n int)")
        with psycopg.connect(address.owner_url) as owner:
            owner.execute("CREATE TABLE ours (n int)")
        assert address.web_url.split("@")[0] not in repr(address)


def test_a_changed_secret_changes_the_passwords(home: Path) -> None:
    with serving(read_settings(home=home, database_url=None, secret="a" * 40)) as first:
        assert ask(first.web_url, "SELECT 1") == 1
        with serving(read_settings(home=home, database_url=None, secret="b" * 40)) as second:
            assert second.web_url != first.web_url
            assert ask(second.web_url, "SELECT 1") == 1


def test_a_database_is_made_from_a_template_and_dropped_under_its_users(home: Path) -> None:
    with serving(settings_in(home)) as address:
        template = make_database(address, "xd_template")
        with psycopg.connect(template.owner_url) as owner:
            owner.execute("CREATE TABLE seeds AS SELECT 7 AS n")
        copy = make_database(address, "xd_copy", template="xd_template")
        user = psycopg.connect(copy.owner_url)
        assert user.execute("SELECT n FROM seeds").fetchone() == (7,)
        drop_database(address, "xd_copy")
        with pytest.raises(psycopg.OperationalError):
            user.execute("SELECT 1")
        user.close()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(copy.owner_url)


def test_the_data_folder_stays_closed_to_other_people(home: Path) -> None:
    above = stat.S_IMODE(home.parent.stat().st_mode)
    with EmbeddedServer(settings_in(home)).lease():
        assert stat.S_IMODE(home.parent.stat().st_mode) == above, "folders above are not ours to change"
        assert stat.S_IMODE(home.stat().st_mode) & stat.S_IRWXO == 0
        for name in ("postgres.password", "postgres.log", "postgres/data"):
            assert stat.S_IMODE((home / name).stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO) == 0, name


@pytest.mark.skipif(not AS_ROOT, reason="only root starts the database as somebody else")
def test_root_never_runs_it_as_root(home: Path) -> None:
    server = EmbeddedServer(settings_in(home))
    with server.lease():
        process = server.process()
        assert process is not None
        assert process.username() == "xindeng"
        assert pwd.getpwuid(server.data.stat().st_uid).pw_name == "xindeng"


@pytest.mark.skipif(not AS_ROOT, reason="only root starts the database as somebody else")
def test_root_is_told_which_folder_is_closed_instead_of_opening_it(home: Path) -> None:
    home.parent.chmod(0o700)
    with pytest.raises(NotReady, match=str(home.parent)):
        EmbeddedServer(settings_in(home)).take_lease()
    assert stat.S_IMODE(home.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="only root starts the database as somebody else")
def test_programs_in_a_private_folder_are_copied_where_the_server_may_run_them(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = home.parent / "private"
    installed = program_folder(Servant(os.geteuid(), os.getegid(), is_other=False), home).parents[1]
    shutil.copytree(installed, private / "site" / installed.name, ignore=shutil.ignore_patterns("include", "pgxs"))
    shutil.copytree(installed.with_name(f"{installed.name}.libs"), private / "site" / f"{installed.name}.libs")
    private.chmod(0o700)
    monkeypatch.setattr(
        "service.store.programs.shipped_folder", lambda: private / "site" / installed.name / "pginstall18" / "bin"
    )
    server = EmbeddedServer(settings_in(home))
    with server.lease() as url:
        assert ask(url, "SELECT 1") == 1
        process = server.process()
        assert process is not None
        assert process.exe().startswith(str(home / "programs"))
    assert find_servant("xindeng").is_other
