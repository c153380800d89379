"""The one interface of the counter stores: buckets that are charged all or none, and slots that are held while work goes on.

What they keep must be exact across processes and need not survive a loss of power: a mapped file on one machine, UNLOGGED
tables on PostgreSQL, or Redis. tests/unit/core/limits/counter_rules.py is the one set of tests for all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from core.kernel.settings import Settings
from core.limits.meters import Charge, State

GRACE_SECONDS = 60
"""Buckets are kept for so long after they are over: the clock of a worker that closes a calendar's window may run behind."""


class Taken(NamedTuple):
    """states: what the charges' buckets held before, in their order; None for one that nobody had drawn on."""

    is_admitted: bool
    now_us: int
    states: Sequence[State | None]


class Counters(Protocol):
    """A store of counters, shared by all workers. Every method raises Unavailable when the store cannot be asked."""

    def take(self, charges: Sequence[Charge], *, now_us: int | None = None) -> Taken:
        """Charge every bucket with one request, or none of them when one has no room.

        now_us: Unix microseconds; the store's own clock when None, the same for all workers.
        """

    def look(self, charges: Sequence[Charge], *, now_us: int | None = None) -> Taken:
        """Read the buckets and charge nothing."""

    def enter(self, key: str, slot: str, *, cap: int, seconds: float) -> bool:
        """Hold a slot of `key` for some time, unless `cap` of them are held."""

    def keep(self, slots: Sequence[tuple[str, str]], *, seconds: float) -> None:
        """Hold these (key, slot) pairs for some time from now."""

    def leave(self, key: str, slot: str) -> None:
        """Give a slot back."""

    def sweep(self) -> int:
        """Forget some of what is over, for at most some milliseconds, and return how much that was."""

    def ping(self) -> None:
        """Ask whether the store answers."""


def choose(settings: Settings) -> Counters:
    """Return the store that the settings call for; opens nothing yet."""
    if settings.redis_url:
        from core.limits.redis_counters import RedisCounters  # noqa: PLC0415  (its client is loaded where it is used)

        return RedisCounters(settings.redis_url)
    if settings.is_sqlite:
        from core.limits.mapped_counters import MappedCounters  # noqa: PLC0415  (here and below: only the one that is used is loaded)

        return MappedCounters(settings.data_dir, timeout_seconds=settings.database_timeout_seconds)
    from core.limits.postgresql_counters import PostgresqlCounters  # noqa: PLC0415  (see above)

    return PostgresqlCounters()
