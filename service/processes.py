"""The two processes that stay: pages (uvicorn) and jobs (the queue's worker); how they start and how they end."""

import asyncio
import inspect
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

import uvicorn

from service.accelerator import Accelerator
from service.domain.outgoing import Compose
from service.settings import Settings, hand_on, share_metrics
from service.settings import settings as known_settings
from service.store.database import Database, use
from service.store.migrate import migrate
from service.store.server import serving
from service.telemetry import set_up_logging

PAGES = "web.main:create_app"  # by name: the floors run down, and these processes stand below the pages
WORKER = "service.jobs.worker:run"
HANDED = "web.handed:of"
WRITER = "web.message_words:compose"
GRACE_SECONDS = 20  # for the answers on their way when we are told to stop


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database, reached or started, its schema up to date, open as this process's own for the length of a block."""
    with serving(settings) as address:
        migrate(address.owner_url)
        accelerator = Accelerator.of(settings)  # what jobs change, pages hear of
        database = use(Database(address, settings.pool_size, accelerator))
        try:
            yield database
        finally:
            database.dispose()
            accelerator.close()


def run_pages(settings: Settings) -> None:
    """Serve pages and API until told to stop; the embedded database stops with its last user."""
    hand_on(settings)
    set_up_logging(settings)
    with ending_in_order(), serving(settings) as address:
        migrate(address.owner_url)
        if settings.workers > 1:
            share_metrics(settings.home / "metrics")
        uvicorn.run(
            f"{__name__}:dressed_pages",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            proxy_headers=True,
            forwarded_allow_ips=settings.trusted_proxies,
            server_header=False,
            access_log=False,  # service/telemetry.py writes one line a request, with identifiers masked
            log_config=None,
            timeout_graceful_shutdown=GRACE_SECONDS,
            timeout_worker_healthcheck=30,  # a busy machine is no dead process
        )


def dressed_pages() -> Any:
    """What uvicorn calls in each page process: the pages, with that process's log in our form."""
    set_up_logging(known_settings())
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_leave_after, args=(parent,), daemon=True).start()
    return _named(PAGES)()


def _leave_after(parent: Any) -> None:
    """A parent that is killed cannot tell its children: without this they would keep the port and the database."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def run_jobs(settings: Settings) -> None:
    """Do the queue's jobs until told to stop."""
    hand_on(settings)
    set_up_logging(settings)
    with ending_in_order(), open_database(settings):
        work = _named(WORKER)(settings, _named(HANDED)(settings))
        if inspect.isawaitable(work):
            asyncio.run(_finished(work))


def writer(settings: Settings) -> Compose:
    """Who writes the messages that leave, for whoever works below the pages."""
    return partial(_named(WRITER), settings)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """SIGTERM ends us like a wish to leave, not like an axe: leases are given back on the way out."""
    os.umask(0o077)  # uploads and logs are nobody else's
    before = signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def _finished(work: Any) -> None:
    await work


def _named(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
