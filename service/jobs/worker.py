"""The worker: does the queue's jobs, and at its start what today still lacks, so that a night's outage is caught up."""

from service.jobs.tasks import SILENT_SECONDS, Handed, make_app, put
from service.settings import Settings
from service.store.database import current
from service.store.queue import TODAY

AT_ONCE = 2
HEARTBEAT_SECONDS = 5.0


async def run(
    settings: Settings, handed: Handed | None = None, *, wait: bool = True, install_signal_handlers: bool = True
) -> None:
    """Work until told to stop (`wait` False: until the queue is empty). The process's database is open already."""
    app = make_app(settings, current().address.cycle_url, handed)
    async with app.open_async():
        await put(app, TODAY)
        await app.run_worker_async(
            concurrency=AT_ONCE,
            wait=wait,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=float(SILENT_SECONDS),
            install_signal_handlers=install_signal_handlers,
        )
