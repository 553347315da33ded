"""`xindeng serve` as people start it: real processes, told to stop, leaving nothing behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from service.settings import read_settings
from service.store.embedded import EmbeddedServer

ENOUGH = 120.0
"""Seconds to wait on a machine that does everything else beside it; from nothing it takes ten to thirty."""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="xd-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder / "home"
    EmbeddedServer(read_settings(home=folder / "home", database_url=None)).stop()
    shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def xindeng(*words: str, home: Path, **settings: str) -> subprocess.Popen[str]:
    told = {name: value for name, value in os.environ.items() if not name.startswith("XINDENG_")}
    told |= {"XINDENG_HOME": str(home), **{f"XINDENG_{name.upper()}": value for name, value in settings.items()}}
    call = [sys.executable, "-m", "service.cli", *words]
    return subprocess.Popen(call, env=told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def answers(address: str) -> httpx.Response:
    until = time.monotonic() + ENOUGH
    while True:
        try:
            return httpx.get(address, timeout=10)
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_pages_are_served_from_nothing_and_leave_nothing_when_told_to_stop(home: Path, workers: str) -> None:
    port = free_port()
    pages = xindeng("serve", "--port", str(port), "--workers", workers, home=home, demo="1")
    try:
        assert answers(f"http://127.0.0.1:{port}/health").json() == {"status": "ok"}
        counted = answers(f"http://127.0.0.1:{port}/metrics").text
        assert "xindeng_request_seconds_count" in counted
    finally:
        pages.send_signal(signal.SIGTERM)
        said, _ = pages.communicate(timeout=ENOUGH)
    assert pages.returncode == 0, said
    assert EmbeddedServer(read_settings(home=home, database_url=None)).process() is None


def test_page_processes_leave_when_their_parent_is_killed(home: Path) -> None:
    port = free_port()
    pages = xindeng("serve", "--port", str(port), "--workers", "2", home=home)
    try:
        assert answers(f"http://127.0.0.1:{port}/health").status_code == 200
    finally:
        pages.kill()
        pages.communicate(timeout=ENOUGH)  # ends when the last process that holds the pipe has left
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/health", timeout=5)


def test_stop_ends_a_database_that_was_left_running(home: Path) -> None:
    server = EmbeddedServer(read_settings(home=home, database_url=None))
    lease = server.take_lease()
    stop = xindeng("stop", home=home)
    said, _ = stop.communicate(timeout=ENOUGH)
    assert "has stopped" in said
    assert not server.is_answering()
    server.give_back(lease)
    again = xindeng("stop", home=home)
    assert "Nothing was running" in again.communicate(timeout=ENOUGH)[0]


def test_a_mistake_ends_in_a_sentence_not_in_a_traceback(home: Path) -> None:
    wrong = xindeng("migrate", home=home, database_url="postgresql://nobody@127.0.0.1:1/none")
    said, _ = wrong.communicate(timeout=ENOUGH)
    assert wrong.returncode == 1
    assert "连接不上 PostgreSQL" in said
    assert "PostgreSQL cannot be reached" in said
    assert "Traceback" not in said


def test_a_person_is_let_in_by_the_command_line(home: Path) -> None:
    words = ("user", "add", "ann", "--role", "operator", "--name", "安", "--password", "a long enough word")
    assert "Added: ann" in xindeng(*words, home=home).communicate(timeout=ENOUGH)[0]
