"""The embedded PostgreSQL: made, started, watched and stopped here, for whoever has no server of their own.

One cluster lies in <home>/postgres and listens on a Unix socket only. Every process that needs it holds a lease; the
last one to leave stops it. A process that is killed loses its lease with its life (the kernel frees the lock), so the
server may outlive it: the next start adopts it, and `xindeng stop` ends it. `kill -9` loses no committed row.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

from service.settings import NotReady, Settings, runtime_folder, write_once
from service.store.programs import MAJOR, Servant, find_servant, let_enter, program_folder

ADMIN = "xindeng_admin"
LONGEST_SOCKET_FOLDER = 90  # bytes; the kernel allows 107 for the whole socket path, macOS 103
START_SECONDS = 120.0  # recovery after a crash under load takes its time
STOP_SECONDS = 60.0
CLUSTER = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
)
TUNING = {  # for two cores and a few GiB shared with the pages and the jobs
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "max_connections": "80",
    "synchronous_commit": "on",  # an answer given is an answer kept
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
}


@dataclass(frozen=True)
class EmbeddedServer:
    """The cluster of one data folder."""

    settings: Settings

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def data(self) -> Path:
        return self.home / "postgres" / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @cached_property
    def servant(self) -> Servant:
        return find_servant(self.settings.server_user)

    @property
    def socket_folder(self) -> Path:
        """In the data folder; when its path is too long for a socket, a private runtime folder named after it."""
        near = self.home / "postgres" / "socket"
        if len(os.fsencode(near)) < LONGEST_SOCKET_FOLDER:
            return near
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return runtime_folder() / f"xindeng-{os.geteuid()}-{digest}"

    @property
    def password(self) -> str:
        """The administrator's password, made once."""
        path = self.home / "postgres.password"
        if not path.exists():
            write_once(path, secrets.token_hex(24))
        return path.read_text(encoding="utf-8").strip()

    def url(self, database: str = "postgres") -> str:
        """How the administrator connects (libpq's form of address)."""
        where = quote(str(self.socket_folder), safe="")
        return f"postgresql://{ADMIN}:{self.password}@/{quote(database, safe='')}?host={where}"

    @contextmanager
    def lease(self) -> Iterator[str]:
        """Keep the server running for as long as the block lasts; yields the administrator's address."""
        lease = self.take_lease()
        try:
            yield self.url()
        finally:
            self.give_back(lease)

    def take_lease(self) -> int:
        """Start the server where needed and become one of its users; the answer is what `give_back` wants."""
        self.settings.make_home()
        with self._alone():
            lease = os.open(self.home / "postgres.users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lease, fcntl.LOCK_SH)
            try:
                self._ensure_running()
            except BaseException:
                os.close(lease)
                raise
        return lease

    def give_back(self, lease: int) -> None:
        """Stop using the server; the last user to leave stops it."""
        with self._alone():
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                is_last = False
            else:
                is_last = True
            os.close(lease)
            if is_last:
                self._end()

    def stop(self) -> bool:
        """End the server whoever uses it; whether there was one to end."""
        if not self.home.is_dir():
            return False
        with self._alone():
            return self._end()

    def is_answering(self) -> bool:
        """Whether a real connection succeeds: a process number in a file proves nothing."""
        try:
            psycopg.connect(self.url(), connect_timeout=5, autocommit=True).close()
        except psycopg.OperationalError as wrong:
            if "password authentication failed" in str(wrong):
                raise NotReady(
                    f"内置数据库不接受 {self.home / 'postgres.password'} 中的口令；请恢复原文件。",
                    f"The embedded database does not take the password in {self.home / 'postgres.password'}: "
                    "put the original file back.",
                ) from wrong
            return False
        return True

    def process(self) -> psutil.Process | None:
        """The running server of this data folder; a reused process number, a zombie or an old file is none."""
        try:
            number = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
            process = psutil.Process(number)
            is_ours = process.status() != psutil.STATUS_ZOMBIE and str(self.data) in process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        return process if is_ours else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts, joins, leaves or stops."""
        lock = os.open(self.home / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _ensure_running(self) -> None:
        if self.data.is_dir() and self.is_answering():
            return
        let_enter(self.servant, self.home)
        programs = program_folder(self.servant, self.home)
        self._make_folders()
        if not self.data.is_dir():
            self._make_cluster(programs)
        self._check_version()
        self._start(programs)

    def _make_folders(self) -> None:
        for folder in (self.data.parent, self.socket_folder):
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), self.servant.uid}:
                raise NotReady(f"{folder} 属于他人，不能使用。", f"{folder} belongs to somebody else: remove it.")
            self.servant.owns(folder).chmod(0o700)

    def _make_cluster(self, programs: Path) -> None:
        """Made aside and renamed, so that a start that was killed half-way leaves nothing that looks finished."""
        draft = self.data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        descriptor, name = tempfile.mkstemp(dir=self.data.parent, prefix="pw-")
        password_file = self.servant.owns(Path(name))
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(self.password)
            done = self._run([programs / "initdb", "-D", draft, "-U", ADMIN, f"--pwfile={password_file}", *CLUSTER])
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise NotReady(f"内置数据库无法建立：{done.stderr}", f"The database cannot be made: {done.stderr}")
        draft.rename(self.data)

    def _run(self, call: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own program and our own words
            call, check=False, capture_output=True, text=True, cwd=self.data.parent, **self.servant.popen
        )

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        if found != str(MAJOR):
            raise NotReady(
                f"数据由 PostgreSQL {found} 建立，现为 {MAJOR}：请用旧版本备份，再在新目录恢复。",
                f"The data are PostgreSQL {found}'s, this is {MAJOR}: back up with the old release, restore here.",
            )

    def _start(self, programs: Path) -> None:
        """Start until it answers. Orphans of a killed server hold its memory for a moment: then try again."""
        until = time.monotonic() + START_SECONDS
        child: subprocess.Popen[Any] | None = None
        while time.monotonic() < until:
            if self.process() is None and (child is None or child.poll() is not None):
                if child is not None and "still in use" not in self.last_words():
                    break
                self._clear_marks()
                child = self._launch(programs)
            time.sleep(0.02)
            if self.is_answering():
                return
        words = self.last_words()
        raise NotReady(
            f"内置数据库未能启动，见 {self.log}：{words}", f"The database did not start, see {self.log}: {words}"
        )

    def _clear_marks(self) -> None:
        """Remove the marks of a server that is gone: PostgreSQL itself believes any living process of that number.

        Orphans that still hold the old server's memory stay guarded: that lock lies in the kernel, not in a file.
        """
        for mark in (self.data / "postmaster.pid", self.socket_folder / ".s.PGSQL.5432.lock"):
            mark.unlink(missing_ok=True)

    def _launch(self, programs: Path) -> subprocess.Popen[Any]:
        options = [word for name, value in TUNING.items() for word in ("-c", f"{name}={value}")]
        call: list[str | Path] = [
            programs / "postgres",
            "-D",
            self.data,
            "-k",
            self.socket_folder,
            "-c",
            "listen_addresses=",
            *options,
        ]
        call += ["-c", "unix_socket_permissions=0700"]
        with self.log.open("ab") as log:
            os.fchmod(log.fileno(), 0o600)
            return subprocess.Popen(  # noqa: S603 - our own program and our own words
                call,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data.parent,
                start_new_session=True,  # a Ctrl-C meant for us is not meant for it
                **self.servant.popen,
            )

    def last_words(self) -> str:
        """The end of the server's log, for the person who must find out why."""
        with suppress(OSError), self.log.open("rb") as log:
            cut = max(0, self.log.stat().st_size - 600)
            log.seek(cut)
            words = log.read().decode("utf-8", "replace")
            return (words.partition("\n")[2] if cut else words).strip()
        return ""

    def _end(self) -> bool:
        process = self.process()
        if process is None:
            return False
        for word in (signal.SIGINT, signal.SIGQUIT):  # first in good order, then at once; both are safe
            with suppress(psutil.NoSuchProcess):
                process.send_signal(word)
            if _has_gone(process, STOP_SECONDS):
                break
        return True


def _has_gone(process: psutil.Process, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
                with suppress(ChildProcessError):
                    os.waitpid(process.pid, os.WNOHANG)  # if it was our own child
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False
