"""One archive of everything that cannot be made again, and the way back: database, models, uploads, checksums.

The archive is a plain tar: `database.sql.gz` (readable without us), the files of the data folder, and `manifest.json`
with a checksum for each and the number of rows of each table. The Parquet mirror is left out: it is rebuilt from the
records.
"""

import gzip
import hashlib
import io
import json
import os
import secrets
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import psycopg
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from service.clock import machine_now
from service.domain.errors import Conflict, NotPossible, Unavailable
from service.settings import Settings, surroundings
from service.store.migrate import alembic_config, migrate
from service.store.programs import shipped_folder
from service.store.server import ServerAddress, drop_database, make_database, serving

FORMAT = 1
DATABASE = "database.sql.gz"
MANIFEST = "manifest.json"
FOLDERS = ("models", "uploads")
CHUNK = 1 << 20
ONLY_NEWER = b"SET transaction_timeout = 0;\n"  # servers before 17 do not know it
HEAD_LINES = 60
TABLES = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Archive:
    """What an archive holds."""

    files: int
    rows: int
    size: int


def back_up(settings: Settings, path: Path, *, with_secret: bool = False) -> Archive:
    """Write the archive, whole or not at all; nobody has to stop working meanwhile."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with serving(settings) as address, tempfile.TemporaryDirectory(prefix="xindeng-") as folder:
            dump = Path(folder) / DATABASE
            manifest: dict[str, Any] = {"format": FORMAT, "made_at": machine_now().isoformat()}
            manifest |= _dump(address, dump)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                manifest["files"] = _write(file, dump, settings.home, manifest, with_secret=with_secret)
                file.flush()
                os.fsync(file.fileno())
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return Archive(len(manifest["files"]), sum(manifest["rows"].values()), path.stat().st_size)


def put_back(settings: Settings, path: Path, *, force: bool = False) -> Archive:
    """Check the archive, build everything beside what is there, then change places.

    Errors: NotPossible for a damaged or unknown archive, Conflict when there are data already and not `force`.
    """
    with tarfile.open(path) as archive:
        manifest = _checked(archive)
        settings.make_home()
        with serving(settings) as address:
            _refuse_to_overwrite(settings, address, force=force)
            new = f"{address.database}_{secrets.token_hex(4)}"
            beside = Path(tempfile.mkdtemp(prefix=".restoring-", dir=settings.home))
            try:
                _load(make_database(address, new), archive)
                _compare(address.for_database(new), manifest["rows"])
                _extract(archive, manifest, beside)
                _change_databases(address, new)
                _change_files(settings.home, beside, manifest)
            finally:
                drop_database(address, new)
                shutil.rmtree(beside, ignore_errors=True)
            migrate(address.owner_url)
    return Archive(len(manifest["files"]), sum(manifest["rows"].values()), path.stat().st_size)


def _dump(address: ServerAddress, dump: Path) -> dict[str, Any]:
    """Dump and count in one snapshot, so that the numbers must agree after the way back."""
    with psycopg.connect(address.admin_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        snapshot = _one(connection, "SELECT pg_export_snapshot()")
        _run("pg_dump", address, f"--snapshot={snapshot}", "--format=plain", "--compress=gzip:5", f"--file={dump}")
        return {
            "server": _one(connection, "SHOW server_version"),
            "schema": _one(connection, "SELECT to_regclass('alembic_version')")
            and _one(connection, "SELECT version_num FROM alembic_version"),
            "rows": _count(connection),
        }


def _write(
    file: IO[bytes], dump: Path, home: Path, manifest: dict[str, Any], *, with_secret: bool
) -> list[dict[str, Any]]:
    with tarfile.open(fileobj=file, mode="w") as archive:
        files = [_add(archive, DATABASE, dump)]
        files += [_add(archive, str(found.relative_to(home)), found) for found in _kept(home, with_secret=with_secret)]
        text = json.dumps(manifest | {"files": files}, indent=1).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return files


def _kept(home: Path, *, with_secret: bool) -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted(found for found in (home / folder).rglob("*") if found.is_file() and not found.is_symlink())
    if with_secret and (home / "secret").is_file():
        yield home / "secret"


def _add(archive: tarfile.TarFile, name: str, path: Path) -> dict[str, Any]:
    """What was hashed is what was written, even if the file changes under us."""
    with path.open("rb") as file:
        entry = tarfile.TarInfo(name)
        entry.size = os.fstat(file.fileno()).st_size
        reader = _Hashing(file)
        archive.addfile(entry, reader)
    return {"name": name, "size": entry.size, "sha256": reader.digest.hexdigest()}


class _Hashing(io.BufferedIOBase):
    """Passes bytes on and keeps their checksum."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def read(self, size: int | None = -1, /) -> bytes:
        found = self.file.read(-1 if size is None else size)
        self.digest.update(found)
        return found


def _checked(archive: tarfile.TarFile) -> dict[str, Any]:
    """The manifest, after every file was found there, alone, and unchanged."""
    try:
        members = {member.name: member for member in archive.getmembers()}
        manifest: dict[str, Any] = json.load(_open(archive, MANIFEST))
        listed = {file["name"]: file for file in manifest["files"]}
        known = manifest["format"] == FORMAT
    except (KeyError, ValueError, tarfile.TarError) as wrong:
        raise NotPossible("这不是完整的备份文件。") from wrong
    if not known or not _is_known(manifest["schema"]):
        raise NotPossible("备份由更新的版本写成，请先升级本系统。")
    if set(listed) | {MANIFEST} != set(members) or DATABASE not in listed:
        raise NotPossible("备份文件缺少内容或多出内容。")
    for name, file in listed.items():
        if not _is_ours(name) or not members[name].isreg():
            raise NotPossible("备份文件中的名称不合规：{name}", name=name)
        if _checksum(_open(archive, name)) != file["sha256"]:
            raise NotPossible("备份文件已损坏：{name} 的校验和不符。", name=name)
    return manifest


def _is_known(revision: str | None) -> bool:
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    return revision is None or revision in known


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    is_inside = not path.is_absolute() and ".." not in path.parts
    return is_inside and (name in {DATABASE, "secret"} or (len(path.parts) > 1 and path.parts[0] in FOLDERS))


def _refuse_to_overwrite(settings: Settings, address: ServerAddress, *, force: bool) -> None:
    if force:
        return
    with psycopg.connect(address.admin_url) as connection:
        is_used = bool(connection.execute(TABLES).fetchone())
    if is_used or any(any((settings.home / folder).glob("*")) for folder in FOLDERS):
        raise Conflict("目标已有数据；请恢复到空的数据目录与数据库，或用 --force 替换。")


def _load(address: ServerAddress, archive: tarfile.TarFile) -> None:
    """One transaction, by psql from standard input: nothing is unpacked to disk."""
    call, surely = _call("psql", address, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
    with (
        tempfile.TemporaryFile() as complaints,
        gzip.open(_open(archive, DATABASE)) as script,
        subprocess.Popen(  # noqa: S603 - our own program and our own words
            call, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints, env=surely
        ) as psql,
    ):
        assert psql.stdin is not None
        try:
            for _ in range(HEAD_LINES):
                line = script.readline()
                psql.stdin.write(b"" if line == ONLY_NEWER else line)
            shutil.copyfileobj(script, psql.stdin, CHUNK)
            psql.stdin.close()
        except BrokenPipeError:
            pass  # it has stopped on a mistake: its words follow
        if psql.wait() != 0:
            complaints.seek(0)
            raise NotPossible("数据库未能恢复：{words}", words=complaints.read().decode("utf-8", "replace")[-600:])


def _compare(address: ServerAddress, wanted: dict[str, int]) -> None:
    with psycopg.connect(address.admin_url) as connection:
        found = _count(connection)
    if found != wanted:
        different = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        raise NotPossible("恢复后的行数与备份不符：{tables}", tables=", ".join(different))


def _extract(archive: tarfile.TarFile, manifest: dict[str, Any], beside: Path) -> None:
    for file in manifest["files"]:
        if file["name"] == DATABASE:
            continue
        target = beside / file["name"]
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            shutil.copyfileobj(_open(archive, file["name"]), out, CHUNK)


def _change_files(home: Path, beside: Path, manifest: dict[str, Any]) -> None:
    """The old folders go into the staging folder, which is removed at the end."""
    for folder in FOLDERS:
        if (home / folder).exists():
            (home / folder).rename(beside / f"old-{folder}")
        if (beside / folder).exists():
            (beside / folder).rename(home / folder)
    if any(file["name"] == "secret" for file in manifest["files"]):
        (beside / "secret").replace(home / "secret")


def _change_databases(address: ServerAddress, new: str) -> None:
    """Old and new swap names in one transaction; the caller drops the old one, which now has the new one's."""
    aside = f"{new}_old"
    with psycopg.connect(address.for_database("postgres").admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = ANY(%s) AND pid <> pg_backend_pid()",
            [[address.database, new]],
        )
        with admin.transaction():
            for old_name, new_name in ((address.database, aside), (new, address.database), (aside, new)):
                admin.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(old_name), Identifier(new_name)))


def _call(program: str, address: ServerAddress, *words: str) -> tuple[list[str], dict[str, str]]:
    """The password goes by the environment: a command line is read by everybody on the machine."""
    parts = conninfo_to_dict(address.admin_url)
    password = str(parts.pop("password", ""))
    surely = {**surroundings("PATH", "LD_LIBRARY_PATH"), "LC_ALL": "C", "PGPASSWORD": password}
    return [str(shipped_folder() / program), *words, "--dbname", make_conninfo("", **parts), "--no-password"], surely


def _run(program: str, address: ServerAddress, *words: str) -> None:
    call, surely = _call(program, address, *words)
    done = subprocess.run(call, check=False, capture_output=True, text=True, env=surely)  # noqa: S603 - our own words
    if done.returncode != 0:
        raise Unavailable("备份未能完成：{words}", words=done.stderr.strip()[-600:])


def _count(connection: psycopg.Connection[Any]) -> dict[str, int]:
    tables = connection.execute(TABLES).fetchall()
    return {
        f"{schema}.{table}": int(_one(connection, SQL("SELECT count(*) FROM {}").format(Identifier(schema, table))))
        for schema, table in tables
    }


def _one(connection: psycopg.Connection[Any], question: Any) -> Any:
    row = connection.execute(question).fetchone()
    assert row is not None
    return row[0]


def _open(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file


def _checksum(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
