"""Backup and restore: what comes back is what went in; a touched archive is refused, nothing is overwritten."""

import io
import json
import os
import shutil
import stat
import tarfile
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from service.domain.errors import Conflict, NotPossible
from service.settings import Settings, read_settings
from service.store.backup import back_up, put_back
from service.store.embedded import EmbeddedServer
from service.store.migrate import migrate
from service.store.server import ServerAddress, drop_database, serving

pytestmark = pytest.mark.database
NewHouse = Callable[[], Settings]


@pytest.fixture
def new_house(server: ServerAddress) -> Iterator[NewHouse]:
    """Settings of an empty installation: a folder and an embedded server (or a database on the server) of its own."""
    made: list[tuple[Path, Settings]] = []

    def make() -> Settings:
        folder = Path(tempfile.mkdtemp(prefix="xd-", dir="/tmp"))
        folder.chmod(0o711)
        elsewhere = (
            server.for_database(f"xd_backup_{uuid.uuid4().hex[:8]}").admin_url if server.kind == "server" else None
        )
        house = read_settings(home=folder / "home", database_url=elsewhere, secret="s" * 40)
        made.append((folder, house))
        return house

    yield make
    for folder, house in made:
        if house.database_url is None:
            EmbeddedServer(house).stop()
        else:
            drop_database(server, house.database_url.get_secret_value().rpartition("/")[2].partition("?")[0])
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def lived_in(new_house: NewHouse) -> Settings:
    """An installation with people, a model and an upload."""
    house = new_house()
    house.make_home()
    with serving(house) as address:
        migrate(address.owner_url)
        with psycopg.connect(address.admin_url) as admin:
            admin.execute(
                "INSERT INTO person (login, name, password_hash, is_active, is_demo, created_at)"
                " SELECT 'p' || n, '冯' || n, 'hash', true, false, now() FROM generate_series(1, 500) AS n"
            )
    (house.models / "v1").mkdir(parents=True)
    (house.models / "v1" / "model.txt").write_text("tree\n" * 1000)
    house.uploads.mkdir()
    (house.uploads / "营业执照.pdf").write_bytes(os.urandom(100_000))
    return house


def people_in(house: Settings) -> list[tuple[str, str]]:
    with serving(house) as address, psycopg.connect(address.admin_url) as admin:
        return admin.execute("SELECT login, name FROM person ORDER BY id").fetchall()


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with its members changed by somebody."""
    with tarfile.open(path) as archive:
        members = {name: archive.extractfile(name).read() for name in archive.getnames()}  # type: ignore[union-attr]
    change(members)
    other = path.with_name("changed.tar")
    with tarfile.open(other, "w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return other


def test_what_comes_back_is_what_went_in(lived_in: Settings, new_house: NewHouse, tmp_path: Path) -> None:
    done = back_up(lived_in, tmp_path / "all.tar")
    assert stat.S_IMODE((tmp_path / "all.tar").stat().st_mode) == 0o600
    there = new_house()
    back = put_back(there, tmp_path / "all.tar")
    assert (back.files, back.rows) == (done.files, done.rows)
    assert people_in(there) == people_in(lived_in)
    for file in ("models/v1/model.txt", "uploads/营业执照.pdf"):
        assert (there.home / file).read_bytes() == (lived_in.home / file).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["all.tar"], "nothing half-written stays behind"
    assert not list(there.home.glob(".restoring-*"))


def test_row_level_security_and_rights_come_back_too(lived_in: Settings, new_house: NewHouse, tmp_path: Path) -> None:
    question = (
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner), c.relacl::text"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'"
        " ORDER BY 1"
    )
    policies = "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2"
    back_up(lived_in, tmp_path / "all.tar")
    there = new_house()
    put_back(there, tmp_path / "all.tar")
    answers = []
    for house in (lived_in, there):
        with serving(house) as address, psycopg.connect(address.admin_url) as admin:
            answers.append((admin.execute(question).fetchall(), admin.execute(policies).fetchall()))
    assert answers[0] == answers[1]
    assert any(row[1] and row[2] for row in answers[1][0]), "there is row-level security to come back"


def test_a_lived_in_house_is_not_overwritten_unless_forced(lived_in: Settings, tmp_path: Path) -> None:
    back_up(lived_in, tmp_path / "all.tar")
    with serving(lived_in) as address, psycopg.connect(address.admin_url) as admin:
        admin.execute("DELETE FROM person WHERE login = 'p1'")
    (lived_in.models / "v1" / "model.txt").write_text("spoilt")
    with pytest.raises(Conflict):
        put_back(lived_in, tmp_path / "all.tar")
    assert len(people_in(lived_in)) == 499, "a refusal changes nothing"
    put_back(lived_in, tmp_path / "all.tar", force=True)
    assert len(people_in(lived_in)) == 500
    assert (lived_in.models / "v1" / "model.txt").read_text() == "tree\n" * 1000


def test_an_archive_that_was_touched_is_refused_before_anything_happens(
    lived_in: Settings, new_house: NewHouse, tmp_path: Path
) -> None:
    back_up(lived_in, tmp_path / "all.tar")

    def spoil(members: dict[str, bytes]) -> None:
        members["models/v1/model.txt"] = b"leaf\n" * 1000

    def add(members: dict[str, bytes]) -> None:
        members["models/extra"] = b"more"

    def escape(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        manifest["files"][1]["name"] = "models/../../secret"
        members["models/../../secret"] = members.pop("models/v1/model.txt")
        members["manifest.json"] = json.dumps(manifest).encode()

    def newer(members: dict[str, bytes]) -> None:
        manifest = json.loads(members["manifest.json"])
        manifest["schema"] = "9999_from_the_future"
        members["manifest.json"] = json.dumps(manifest).encode()

    for change, words in ((spoil, "校验和"), (add, "多出"), (escape, "不合规"), (newer, "更新的版本")):
        there = new_house()
        with pytest.raises(NotPossible, match=words):
            put_back(there, rewritten(tmp_path / "all.tar", change))
        assert not there.home.exists()


def test_a_database_that_does_not_load_leaves_the_house_as_it_was(lived_in: Settings, tmp_path: Path) -> None:
    import gzip
    import hashlib

    back_up(lived_in, tmp_path / "all.tar")

    def break_the_end(members: dict[str, bytes]) -> None:
        script = gzip.compress(gzip.decompress(members["database.sql.gz"]) + b"\nSELECT nothing FROM nowhere;\n")
        manifest = json.loads(members["manifest.json"])
        manifest["files"][0] |= {"size": len(script), "sha256": hashlib.sha256(script).hexdigest()}
        members |= {"database.sql.gz": script, "manifest.json": json.dumps(manifest).encode()}

    with pytest.raises(NotPossible, match="nowhere"):
        put_back(lived_in, rewritten(tmp_path / "all.tar", break_the_end), force=True)
    assert len(people_in(lived_in)) == 500
    with serving(lived_in) as address, psycopg.connect(address.admin_url) as admin:
        left = admin.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{address.database}\\_%"])
        assert left.fetchall() == []


def test_the_secret_is_in_the_archive_only_when_asked_for(lived_in: Settings, tmp_path: Path) -> None:
    (lived_in.home / "secret").write_text("k" * 48)
    back_up(lived_in, tmp_path / "plain.tar")
    back_up(lived_in, tmp_path / "with.tar", with_secret=True)
    for name, is_in in (("plain.tar", False), ("with.tar", True)):
        with tarfile.open(tmp_path / name) as archive:
            assert ("secret" in archive.getnames()) is is_in


def test_no_password_stands_on_a_command_line(
    lived_in: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess

    calls: list[list[str]] = []
    real = subprocess.Popen

    class Listening(real):  # type: ignore[type-arg, misc, valid-type]
        def __init__(self, args: list[str], **more: object) -> None:
            calls.append([str(word) for word in args])
            super().__init__(args, **more)

    monkeypatch.setattr(subprocess, "Popen", Listening)
    back_up(lived_in, tmp_path / "all.tar")
    with serving(lived_in) as address:
        password = psycopg.conninfo.conninfo_to_dict(address.admin_url).get("password", "no password here")
    assert any("pg_dump" in call[0] for call in calls)
    assert not any(str(password) in word for call in calls for word in call)
