"""The line to Redis: short patience and a rest after each failure, so that a slow or dead server costs nobody much.

Whoever asks gets an answer or None, never an exception. After a failure nobody asks for a few seconds; then one caller
tries, and the others ask again once that worked.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import structlog
from prometheus_client import Counter
from redis import ConnectionPool, Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from service.clock import machine_now

PATIENCE_SECONDS = 0.2
REST_SECONDS = 3.0
FAILURES = Counter("xindeng_redis_failures", "Times Redis did not answer in time, by what was wrong", ("error",))
log = structlog.get_logger("xindeng")
T = TypeVar("T")


class RedisLine:
    """One process's connections to Redis. Errors: ValueError for an address Redis' own library does not understand."""

    def __init__(self, url: str) -> None:
        self.pool = ConnectionPool.from_url(
            url,
            socket_connect_timeout=PATIENCE_SECONDS,
            socket_timeout=PATIENCE_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._redis = Redis(connection_pool=self.pool)
        self._lock = threading.Lock()
        self._rests_until = 0.0
        self.away_since: datetime | None = None

    def ask(self, call: Callable[[Redis], T]) -> T | None:
        """What `call` answers; None while Redis is away. A `call` does one short thing."""
        if not self._may_try():
            return None
        try:
            answer = call(self._redis)
        except (RedisError, OSError) as wrong:
            self._note_failure(wrong)
            return None
        self._note_success()
        return answer

    def _may_try(self) -> bool:
        """While Redis is away one caller tries after each rest; the others do not wait for it."""
        with self._lock:
            if self.away_since is None:
                return True
            if time.monotonic() < self._rests_until:
                return False
            self._rests_until = time.monotonic() + REST_SECONDS
            return True

    def _note_failure(self, wrong: Exception) -> None:
        FAILURES.labels(type(wrong).__name__).inc()
        with self._lock:
            is_news = self.away_since is None
            self.away_since = self.away_since or machine_now()
            self._rests_until = time.monotonic() + REST_SECONDS
        if is_news:
            log.warning("redis is away", error=type(wrong).__name__)

    def _note_success(self) -> None:
        with self._lock:
            was_away, self.away_since = self.away_since is not None, None
        if was_away:
            log.info("redis is back")

    def close(self) -> None:
        """Give the connections back."""
        self.pool.disconnect()
