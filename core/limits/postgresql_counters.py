"""Counters in UNLOGGED tables of PostgreSQL: one statement a request, judged by a function of the database.

The function (migration 0005) locks the buckets in the order of their keys and reads the clock behind that, so that all
workers on all machines go by one clock. The tables are emptied when the server crashes, not when a worker does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.kernel.problems import Unavailable
from core.limits.counters import GRACE_SECONDS, Taken
from core.limits.meters import Charge, State
from models.database import LOST, database, read

_TAKE = "SELECT * FROM counters.take(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint)"
_LOOK = """
SELECT key, a, b, floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint
FROM unnest(%s::text[]) AS asked (key) LEFT JOIN counters.buckets USING (key)
"""
_KEEP = """
INSERT INTO counters.slots SELECT key, slot, clock_timestamp() + %s * interval '1 second'
FROM unnest(%s::text[], %s::text[]) AS held (key, slot)
ON CONFLICT (key, slot) DO UPDATE SET expires_at = excluded.expires_at
"""
_SWEEP = """
WITH next AS (SELECT key FROM counters.buckets WHERE key > %s ORDER BY key LIMIT %s),
gone AS (
    DELETE FROM counters.buckets WHERE key IN (SELECT key FROM next)
    AND expires_us <= (extract(epoch FROM clock_timestamp()) - %s) * 1000000 RETURNING 1
)
SELECT (SELECT max(key) FROM next), (SELECT count(*) FROM next), (SELECT count(*) FROM gone)
"""
_SWEEP_ROWS = 2000


class PostgresqlCounters:
    """The Counters interface over the schema `counters` of the bound database."""

    def __init__(self) -> None:
        self._swept = ""

    def take(self, charges: Sequence[Charge], *, now_us: int | None = None) -> Taken:
        """Charge every bucket, or none of them."""
        ordered = sorted(charges)
        columns = [list(column) for column in zip(*ordered, strict=True)]
        ((is_admitted, now, a, b),) = _rows(_TAKE, (*columns, now_us))
        states = {charge.key: _state(*pair) for charge, *pair in zip(ordered, a, b, strict=True)}
        return Taken(is_admitted, now, [states[charge.key] for charge in charges])

    def look(self, charges: Sequence[Charge], *, now_us: int | None = None) -> Taken:
        """Read the buckets."""
        rows = _rows(_LOOK, ([charge.key for charge in charges],))
        states = {key: _state(a, b) for key, a, b, _ in rows}
        return Taken(True, rows[0][3] if now_us is None else now_us, [states[charge.key] for charge in charges])

    def enter(self, key: str, slot: str, *, cap: int, seconds: float) -> bool:
        """Hold a slot, unless there are too many."""
        return bool(_rows("SELECT counters.enter(%s, %s, %s, %s)", (key, slot, cap, seconds))[0][0])

    def keep(self, slots: Sequence[tuple[str, str]], *, seconds: float) -> None:
        """Hold these slots on."""
        ordered = sorted(slots)
        _rows(_KEEP, (seconds, [key for key, _ in ordered], [slot for _, slot in ordered]))

    def leave(self, key: str, slot: str) -> None:
        """Give a slot back."""
        _rows("DELETE FROM counters.slots WHERE key = %s AND slot = %s", (key, slot))

    def sweep(self) -> int:
        """Look at the next keys, and forget those that are over."""
        ((last, looked_at, gone),) = _rows(_SWEEP, (self._swept, _SWEEP_ROWS, GRACE_SECONDS))
        self._swept = last if looked_at == _SWEEP_ROWS else ""
        _rows("DELETE FROM counters.slots WHERE expires_at <= clock_timestamp()", ())
        return int(gone)

    def ping(self) -> None:
        """Ask whether the store answers."""
        _rows("SELECT 1", ())


def _state(a: int | None, b: int | None) -> State | None:
    return None if a is None or b is None else (a, b)


def _rows(statement: str, values: tuple[Any, ...]) -> list[Any]:
    """Run one statement by itself; what an open transaction would roll back must not be counted in it."""
    try:
        with read():
            cursor = database.execute_sql(statement, values)
            return list(cursor.fetchall()) if cursor.description else []
    except LOST as error:
        raise Unavailable("The counters cannot be reached.", retry_after_seconds=1, cause=str(error)) from error
