"""Health: what this process is like, and whether what it depends on answers."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import gevent
import httpx
import msgspec
from gevent.lock import Semaphore

from core.identity import hashing
from core.kernel import clock, settings
from core.kernel.problems import Unavailable
from core.kernel.settings import Settings
from core.limits import counters
from models.database import AWAY, LOST, database, read

_MB = 1024 * 1024
_DATABASE_SECONDS = 1.5
_AI_SECONDS = 1.5
_REDIS_SECONDS = 2.0
KEPT_SECONDS = 3.0
_started = time.monotonic()
_AnswerT = TypeVar("_AnswerT")
_asking: dict[str, gevent.Greenlet] = {}


Missing = Literal["database_connection_unavailable", "schema_behind", "readiness_check_failed"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One dependency."""

    status: Literal["pass", "fail", "skipped"]
    latency_ms: float = 0.0
    error: str | None = None


class Checks(msgspec.Struct, frozen=True, kw_only=True):
    """Every dependency; only the AI endpoint is optional."""

    database: Check
    redis: Check
    ai: Check
    total_latency_ms: float
    checked_at: datetime

    @property
    def is_ready(self) -> bool:
        return "fail" not in {self.database.status, self.redis.status}


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Resident memory in MB: now, and at its highest."""

    used_mb: float
    peak_mb: float


def find_missing(pending_migrations: Callable[[], Sequence[str]]) -> list[Missing]:
    """Return the names of what requests need and do not have, empty when they can be served; asks for 1.5 s at most."""
    gone: list[Missing] = ["database_connection_unavailable"]

    def ask() -> list[Missing]:
        try:
            return ["schema_behind"] if pending_migrations() else []
        except AWAY:
            return gone

    return _within(_DATABASE_SECONDS, "schema", ask, gone)


def check_dependencies() -> Checks:
    """Ask each dependency, within its time."""
    began = time.perf_counter()
    database_check = _timed("database", _ask_database, _DATABASE_SECONDS)
    ai_check = _timed("ai", _ask_ai, _AI_SECONDS) if settings.current().ai_base_url else Check(status="skipped")
    redis_check = (
        _timed("redis", _ask_redis, _REDIS_SECONDS) if settings.current().redis_url else Check(status="skipped")
    )
    return Checks(
        database=database_check,
        redis=redis_check,
        ai=ai_check,
        total_latency_ms=_since_ms(began),
        checked_at=clock.now(),
    )


class _Kept:
    """The last checks: made by one request at a time, on which the others wait, and good for a few seconds.

    Anyone may ask for them, and each would otherwise cost a request to the AI endpoint.
    """

    def __init__(self) -> None:
        self._asking = Semaphore()
        self._last: tuple[Checks, float, Settings] | None = None

    def get(self) -> Checks:
        with self._asking:
            if self._last is None or time.monotonic() >= self._last[1] or self._last[2] is not settings.current():
                checks = check_dependencies()
                self._last = checks, time.monotonic() + KEPT_SECONDS, settings.current()
            return self._last[0]


_kept = _Kept()


def get_checks() -> Checks:
    """Return what the dependencies answered at most `KEPT_SECONDS` ago, asking them when that is longer ago."""
    return _kept.get()


def get_uptime_seconds() -> float:
    """Return the age of this process's copy of this module."""
    return time.monotonic() - _started


def get_memory() -> Memory:
    """Return what this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    used_mb = pages * resource.getpagesize() / _MB
    return Memory(used_mb=used_mb, peak_mb=max(peak_kb / 1024, used_mb))


def get_status() -> Literal["healthy", "degraded", "unhealthy"]:
    """Judge this process: unhealthy without what it needs, degraded while too many logins wait for the hashing thread."""
    if not get_checks().is_ready:
        return "unhealthy"
    return "degraded" if hashing.queue.is_full else "healthy"


def _timed(name: str, ask: Callable[[], str | None], limit_seconds: float) -> Check:
    began = time.perf_counter()
    silence: str | None = f"no answer within {limit_seconds:g} s"
    error = _within(limit_seconds, name, ask, silence)
    return Check(status="fail" if error else "pass", latency_ms=_since_ms(began), error=error)


def _within(limit_seconds: float, name: str, ask: Callable[[], _AnswerT], silence: _AnswerT) -> _AnswerT:
    """Return what is answered in time, else `silence`.

    It is asked in a greenlet of its own, on whose way out nobody waits, and one for all who probe meanwhile: however many
    they are, they take one connection from the pool.
    """
    asked = _asking.get(name)
    if asked is None or asked.dead:
        asked = _asking[name] = gevent.spawn(ask)
    asked.join(limit_seconds)
    if not asked.ready():
        asked.kill(block=False)
        return silence
    answer = asked.get()
    return silence if isinstance(answer, gevent.GreenletExit) else answer


def _ask_database() -> str | None:
    try:
        with read():
            database.execute_sql("SELECT 1").fetchone()
    except Unavailable as problem:
        return problem.detail
    except LOST:
        return "The connection to the database broke."
    return None


def _ask_redis() -> str | None:
    try:
        counters.choose(settings.current()).ping()
    except Unavailable as problem:
        return problem.detail
    return None


def _ask_ai() -> str | None:
    """Ask for the list of models; any answer below 500 shows that the endpoint is there."""
    base_url = settings.current().ai_base_url or ""
    try:
        status = httpx.get(f"{base_url.rstrip('/')}/models", timeout=_AI_SECONDS).status_code
    except httpx.HTTPError as error:
        return type(error).__name__
    return f"HTTP {status}" if status >= 500 else None


def _since_ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)
