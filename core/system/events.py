"""Durable event channels: appended in the transaction of the data they tell of, read by every worker's tailer.

A position is taken by an UPDATE of the channel's row, which holds its lock until the commit; so within a channel the
order of commits is the order of positions, and a reader that has seen position n has seen everything before it.
Wake-ups carry nothing: PostgreSQL's NOTIFY (one a commit), or a change of SQLite's `PRAGMA data_version`, which says
that another connection has committed; commits of this process also wake it at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import gevent
import gevent.select
import msgspec
import peewee
import psycopg2

from core.kernel import clock as time
from core.kernel.call import Event
from core.kernel.durable import ChannelState
from models import statements
from models.database import after_commit, database, is_sqlite, read, write
from models.statements import Bound, Statement
from models.tables.events import Channel, EventRow

_Item = TypeVar("_Item")
_SQLITE_POLL_SECONDS = 0.01
_RECONNECT_SECONDS = 0.5
_STOP_POLL_SECONDS = 0.25
_NAMES_PER_QUERY = 500
_PRUNE_BATCH = 500
_PG_CHANNEL = "accord_events"
_ROWS_PER_INSERT = 50
_ADVANCE = Statement(
    "INSERT INTO channels (name, seq, pruned) VALUES (:channel, :count, 0)"
    " ON CONFLICT (name) DO UPDATE SET seq = channels.seq + :count RETURNING seq"
)
_ADVANCE_CLOCK = Statement(
    "INSERT INTO channels (name, seq, pruned) VALUES (:channel, :now + :more, 0) ON CONFLICT (name) DO UPDATE"
    " SET seq = CASE WHEN channels.seq < :now THEN :now ELSE channels.seq + 1 END + :more RETURNING seq"
)
_NOTIFY = Statement(f"SELECT pg_notify('{_PG_CHANNEL}', '')")

_wakers: set[Callable[[], None]] = set()


class NewEvent(msgspec.Struct, frozen=True):
    """An event to append; id builds the SSE id from its position."""

    type: str
    data: bytes
    id: Callable[[int], str] = str


def append(
    channel: str, type: str, data: bytes, *, id: Callable[[int], str] | None = None, clock: bool = False
) -> Event:
    """Append one event, inside a write transaction, and return it.

    clock: the position is the present in Unix milliseconds, or one more than the last where that is greater.
    """
    return append_all(channel, [NewEvent(type, data, id or str)], clock=clock)[0]


def append_all(channel: str, events: Sequence[NewEvent], *, clock: bool = False) -> list[Event]:
    """Append events in their order, inside a write transaction; see `append`."""
    first = advance(channel, len(events), clock=clock)
    return insert(channel, events, first=first)


def advance(channel: str, count: int, *, clock: bool = False) -> int:
    """Take `count` positions, at least one, under the channel's lock and return the first."""
    if clock:
        rows = _ADVANCE_CLOCK.rows(channel=channel, now=time.now_ms(), more=count - 1)
    else:
        rows = _ADVANCE.rows(channel=channel, count=count)
    return int(rows[0][0]) - count + 1


def insert(channel: str, events: Sequence[NewEvent], *, first: int, before: Sequence[Bound] = ()) -> list[Event]:
    """Write events at positions that `advance` gave, and arrange the wake-up; run other statements before, at once."""
    written = [
        Event(channel=channel, seq=seq, type=event.type, id=event.id(seq), data=event.data)
        for seq, event in enumerate(events, first)
    ]
    notify = () if is_sqlite() or not written else (_NOTIFY.bind(),)
    statements.run([*before, *_inserted(channel, written), *notify])
    if written:
        after_commit(_wake_here)
    return written


def _inserted(channel: str, events: Sequence[Event]) -> Iterator[Bound]:
    for rows in _batches(events, _ROWS_PER_INSERT):
        values: dict[str, Any] = {"channel": channel, "now": time.now_ms()}
        for index, row in enumerate(rows):
            values |= {f"seq_{index}": row.seq, f"type_{index}": row.type}
            values |= {f"id_{index}": row.id, f"data_{index}": row.data}
        yield _insert(len(rows)).bind(**values)


@cache
def _insert(count: int) -> Statement:
    rows = ", ".join(f"(:channel, :seq_{i}, :type_{i}, :id_{i}, :data_{i}, :now)" for i in range(count))
    return Statement(f"INSERT INTO events (channel, seq, type, event_id, data, created_at) VALUES {rows}")


def head(channel: str) -> int:
    """Return the position of the channel's newest event, 0 when there is none."""
    return int(Channel.select(Channel.seq).where(Channel.name == channel).scalar() or 0)


def _wake_here() -> None:
    for wake in tuple(_wakers):
        wake()


def prune(older_than_ms: int) -> int:
    """Delete a batch of the events written before then, oldest first; mark their channels and return how many went."""
    with read():
        oldest: Any = EventRow.select(EventRow.channel, EventRow.seq).where(EventRow.created_at < older_than_ms)
        batch = oldest.order_by(EventRow.created_at, EventRow.channel, EventRow.seq).limit(_PRUNE_BATCH).alias("batch")
        query: Any = (
            EventRow.select(batch.c.channel, peewee.fn.MAX(batch.c.seq))
            .from_(batch)
            .group_by(batch.c.channel)
            .order_by(batch.c.channel)
            .tuples()
        )
        ends = list(query)
    if not ends:
        return 0
    with write():
        return sum(_prune_channel(channel, end) for channel, end in ends)


def _prune_channel(channel: str, end: int) -> int:
    Channel.update(pruned=end).where(Channel.name == channel, Channel.pruned < end).execute()
    return int(EventRow.delete().where(EventRow.channel == channel, EventRow.seq <= end).execute())


class SqlEventLog:
    """The EventLog port over the database's own tables."""

    def state(self, channel: str) -> ChannelState:
        """Return where the channel stands."""
        with read():
            row = Channel.get_or_none(Channel.name == channel)
        return ChannelState(head=row.seq, pruned=row.pruned) if row else ChannelState(head=0, pruned=0)

    def read(self, positions: Mapping[str, int], limit: int) -> list[Event]:
        """Return at most `limit` events behind `positions` (channel → seq), each channel's in seq order."""
        found: list[Event] = []
        with read():
            for channel in self._moved(positions):
                found += _events(channel, positions[channel], limit - len(found))
                if len(found) >= limit:
                    break
        return found

    def listen(self, wake: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Call `wake` soon after any commit that wrote events, until `stopped()`; blocks its greenlet."""
        _wakers.add(wake)
        try:
            if is_sqlite():
                _poll_sqlite(wake, stopped)
            else:
                _listen_postgresql(wake, stopped)
        finally:
            _wakers.discard(wake)

    def _moved(self, positions: Mapping[str, int]) -> Iterator[str]:
        for names in _batches(list(positions), _NAMES_PER_QUERY):
            heads: Any = Channel.select(Channel.name, Channel.seq).where(Channel.name.in_(names)).tuples()
            yield from [name for name, seq in heads if seq > positions[name]]


def _events(channel: str, after: int, limit: int) -> list[Event]:
    rows: Any = (
        EventRow.select(EventRow.seq, EventRow.type, EventRow.event_id, EventRow.data)
        .where(EventRow.channel == channel, EventRow.seq > after)
        .order_by(EventRow.seq)
        .limit(limit)
        .tuples()
    )
    return [Event(channel=channel, seq=row[0], type=row[1], id=row[2], data=bytes(row[3])) for row in rows]


def _batches(items: Sequence[_Item], size: int) -> Iterable[Sequence[_Item]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _poll_sqlite(wake: Callable[[], None], stopped: Callable[[], bool]) -> None:
    connection = sqlite3.connect(database.database, check_same_thread=False)
    try:
        seen = None
        while not stopped():
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if version != seen:
                seen = version
                wake()
            gevent.sleep(_SQLITE_POLL_SECONDS)
    finally:
        connection.close()


def _listen_postgresql(wake: Callable[[], None], stopped: Callable[[], bool]) -> None:
    while not stopped():
        try:
            _listen_once(wake, stopped)
        except psycopg2.OperationalError:
            # The server went away: what was missed meanwhile is read after the wake that follows reconnecting.
            gevent.sleep(_RECONNECT_SECONDS)


def _listen_once(wake: Callable[[], None], stopped: Callable[[], bool]) -> None:
    connection = psycopg2.connect(dbname=database.database, **database.connect_params)
    try:
        connection.autocommit = True
        connection.cursor().execute(f"LISTEN {_PG_CHANNEL}")
        wake()
        while not stopped():
            gevent.select.select([connection.fileno()], [], [], _STOP_POLL_SECONDS)
            connection.poll()
            if connection.notifies:
                connection.notifies.clear()
                wake()
    finally:
        connection.close()
