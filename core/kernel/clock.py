"""The one place time comes from, so that tests can hold it still."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

_source: Callable[[], float] = time.time


def now() -> datetime:
    """Return the present as an aware UTC datetime with millisecond precision, the precision that is stored."""
    return from_ms(now_ms())


def now_ms() -> int:
    """Return Unix milliseconds."""
    return int(_source() * 1000)


def now_us() -> int:
    """Return Unix microseconds, for counters."""
    return int(_source() * 1_000_000)


def from_ms(value_ms: int) -> datetime:
    """Turn Unix milliseconds into an aware UTC datetime."""
    return datetime.fromtimestamp(value_ms / 1000, UTC)


def to_ms(value: datetime) -> int:
    """Turn an aware datetime into Unix milliseconds."""
    return round(value.timestamp() * 1000)


def set_source(source: Callable[[], float]) -> Callable[[], float]:
    """Replace the clock, for tests; returns the former source (seconds since 1970)."""
    global _source
    former, _source = _source, source
    return former
