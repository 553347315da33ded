"""The accelerator: API limits, cached answers and 'has it changed?' by Redis, or as far as one process can by itself.

Never the truth: with Redis away, slow or absent every answer stays right, and limits hold in each process by itself.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Literal, Self, cast

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis

from service.clock import machine_now
from service.redis_line import RedisLine
from service.settings import Settings

A_DAY = 24 * 3600
MOST_KEPT = 500
MOST_COUNTED = 100_000
MOST_TOPICS = 500
"""More topics than this in one transaction, and everything counts as changed: one write instead of thousands."""


@dataclass(frozen=True)
class Pace:
    """How many requests a second, and how many at once after a pause; both over the same moving window."""

    name: str
    per_second: int
    burst: int

    @property
    def item(self) -> RateLimitItem:
        """`burst` requests in as many seconds as `per_second` needs for them."""
        return RateLimitItemPerSecond(self.burst, max(1, ceil(self.burst / self.per_second)), self.name)


@dataclass(frozen=True)
class Status:
    """What carries limits and caches at this moment. `process` although Redis is wanted: it is away since then."""

    kind: Literal["redis", "process"]
    is_wanted: bool
    version: str | None = None
    latency_ms: float | None = None
    away_since: datetime | None = None


class Accelerator:
    """One for each process. Without `redis_url` it works for its own process and tells no versions of topics."""

    def __init__(self, redis_url: str | None = None, prefix: str = "xindeng") -> None:
        self._prefix = prefix
        self._line = RedisLine(redis_url) if redis_url else None
        self._memory = MemoryStorage()
        self._own = MovingWindowRateLimiter(self._memory)
        self._shelf = Shelf()
        if self._line is not None and redis_url:
            shared = RedisStorage(redis_url, connection_pool=self._line.pool, key_prefix=f"{prefix}:limit")
            self._shared = MovingWindowRateLimiter(shared)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The accelerator these settings describe; two installations on one Redis do not meet."""
        if settings.redis_url is None:
            return cls()
        mark = hashlib.sha256(settings.secret_key.encode()).hexdigest()[:12]
        return cls(settings.redis_url.get_secret_value(), f"xindeng:{mark}")

    def wait_for(self, pace: Pace, whom: str) -> float:
        """Count one request of `whom`: 0.0 where it may pass, else the seconds until the next one may."""
        if self._line is not None:
            seconds = self._line.ask(lambda _: _take(self._shared, pace.item, whom))
            if seconds is not None:
                return seconds
        if len(self._memory.events) > MOST_COUNTED:  # the library forgets requests but not who made them
            self._memory.reset()
        return _take(self._own, pace.item, whom)

    def recall(self, key: str) -> str | None:
        """What was kept under the key and is not too old; with Redis away nothing is."""
        if self._line is None:
            return self._shelf.recall(key)
        return cast("str | None", self._line.ask(lambda redis: redis.get(f"{self._prefix}:kept:{key}")))

    def keep(self, key: str, text: str, seconds: int) -> None:
        """Keep a text for so long: across processes with Redis, in this one without."""
        if self._line is None:
            self._shelf.keep(key, text, seconds)
        else:
            self._line.ask(lambda redis: redis.set(f"{self._prefix}:kept:{key}", text, ex=seconds))

    def cached(self, key: str, seconds: int, make: Callable[[], str]) -> str:
        """The text kept under the key, or a fresh one. The key must say everything the text depends on."""
        kept = self.recall(key)
        if kept is None:
            kept = make()
            self.keep(key, kept, seconds)
        return kept

    def touched(self, topics: Collection[str]) -> None:
        """Say that these topics have changed: after the commit, before the answer."""
        if self._line is None or not topics:
            return
        names = sorted(topics) if len(topics) <= MOST_TOPICS else ["*"]

        def say(redis: Redis) -> Any:
            with redis.pipeline(transaction=False) as together:
                for name in names:
                    together.set(self._topic(name), secrets.token_hex(8), ex=A_DAY)
                return together.execute()

        self._line.ask(say)

    def version(self, topic: str) -> str | None:
        """Changes whenever the topic does; None where only looking can tell (no Redis, or Redis away).

        Read it before the transaction's first query. A process that dies, or loses Redis, between its commit and its
        word leaves an old version standing: whoever trusts one must look again within a minute all the same.
        """
        if self._line is None:
            return None
        return self._line.ask(lambda redis: self._version(redis, topic))

    def _version(self, redis: Redis, topic: str) -> str:
        names = [self._topic("*"), self._topic(topic)]
        every, own = cast("list[str | None]", redis.mget(names))
        if own is None:  # random, so that a version lost in Redis never comes back as another's
            redis.set(names[1], secrets.token_hex(8), ex=A_DAY, nx=True)
            every, own = cast("list[str | None]", redis.mget(names))
        return f"{every or ''}.{own}"

    def _topic(self, name: str) -> str:
        return f"{self._prefix}:topic:{name}"

    def status(self) -> Status:
        """For the operator's page: asks Redis once, as patiently as everybody else."""
        if self._line is None:
            return Status("process", is_wanted=False)
        started = time.perf_counter()
        told = self._line.ask(lambda redis: redis.info("server"))
        if told is None:
            return Status("process", is_wanted=True, away_since=self._line.away_since)
        latency = round((time.perf_counter() - started) * 1000, 2)
        return Status("redis", is_wanted=True, version=_version_of(told), latency_ms=latency)

    def close(self) -> None:
        """Let go of Redis."""
        if self._line is not None:
            self._line.close()


class Shelf:
    """Texts one process keeps for itself, for a while; the oldest leave when it is full."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, str]] = {}

    def recall(self, key: str) -> str | None:
        with self._lock:
            until, text = self._kept.get(key, (0.0, ""))
        return text if time.monotonic() < until else None

    def keep(self, key: str, text: str, seconds: int) -> None:
        with self._lock:
            self._kept.pop(key, None)
            while len(self._kept) >= self._most:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (time.monotonic() + seconds, text)


def _take(limiter: MovingWindowRateLimiter, item: RateLimitItem, whom: str) -> float:
    if limiter.hit(item, whom):
        return 0.0
    opens = limiter.get_window_stats(item, whom).reset_time
    return max(0.05, opens - machine_now().timestamp())


def _version_of(told: dict[str, Any]) -> str:
    """Valkey says the Redis it resembles, and its own name beside."""
    own = told.get("valkey_version")
    return f"Valkey {own}" if own else f"Redis {told.get('redis_version', '?')}"
