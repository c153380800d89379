"""Connections to PostgreSQL: pooled, green under gevent, and given up when they say nothing or hold locks without a word."""

from __future__ import annotations

import heapq
import os
import select
import socket
import time
from contextlib import nullcontext, suppress
from typing import Any

import gevent
import gevent.monkey
import gevent.socket
import peewee
import psycopg2.extensions
from playhouse.pool import MaxConnectionsExceeded, PoolConnection, PooledDatabase, PooledPostgresqlDatabase

from core.kernel.settings import Settings

_original_poll = gevent.monkey.get_original("select", "poll")
_SILENCE_TIMEOUTS = 3
"""A statement may take so many times as long as a lock is waited for; so may a pause between two of a transaction."""
_KEEPALIVES = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
"""A connection without a request under way never notices that its server has vanished, unless TCP asks."""
_waiting_since: dict[psycopg2.extensions.connection, float] = {}
"""Connections of which an answer is awaited, and monotonic seconds."""


def pool(settings: Settings) -> peewee.Database:
    """Make the pool; opens nothing yet."""
    psycopg2.extensions.set_wait_callback(_wait_green)
    timeout_ms = max(1, int(settings.database_timeout_seconds * 1000))
    parameters = {"tcp_user_timeout": timeout_ms} | psycopg2.extensions.parse_dsn(settings.database_url)
    return _Pool(
        parameters.pop("dbname", ""),
        timeout_ms=timeout_ms,
        max_connections=settings.database_pool_size,
        timeout=settings.database_timeout_seconds,
        stale_timeout=300,
        **(_KEEPALIVES | parameters),
    )


class _Pool(PooledPostgresqlDatabase):
    """Tells a dead connection by its socket: an idle one has nothing to say, so one that can be read has ended.

    peewee's own check is a query, a round trip on every checkout. And it connects under two locks that whoever gives a
    connection back waits for: one that takes long to be made would hold up everybody.
    """

    def __init__(self, *arguments: Any, timeout_ms: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timeout_ms = timeout_ms
        self._lock = nullcontext()  # what it guards belongs to one greenlet
        self._in_the_making = 0

    def _connect(self) -> psycopg2.extensions.connection:
        with self._pool_lock:
            if (idle := self._take_idle()) is not None:
                return idle
            if len(self._in_use) + self._in_the_making >= self._max_connections:
                raise MaxConnectionsExceeded
            self._in_the_making += 1
        try:
            connection = self._begin_session()
            self._in_use[self.conn_key(connection)] = PoolConnection(time.time(), connection, time.time())
        finally:
            with self._pool_lock:
                self._in_the_making -= 1
                self._pool_available.notify()
        return connection

    def _begin_session(self) -> psycopg2.extensions.connection:
        """Connect, with locks given up: those it waits for, and those it holds when nothing more comes from here.

        A worker that is frozen, or whose machine has gone, would hold them for as long as TCP believes in it, which is hours.
        """
        silence = psycopg2.OperationalError("it takes connections and says nothing")
        with gevent.Timeout(self._timeout_ms / 1000, silence):
            connection: psycopg2.extensions.connection = super(PooledDatabase, self)._connect()
            connection.cursor().execute(
                "SET lock_timeout = %s; SET idle_in_transaction_session_timeout = %s",
                (self._timeout_ms, _SILENCE_TIMEOUTS * self._timeout_ms),
            )
        return connection

    def _take_idle(self) -> psycopg2.extensions.connection | None:
        """Return a connection that waits to be used, the oldest first; None when there is none."""
        while self._connections:
            since, _, idle = heapq.heappop(self._connections)
            connection: psycopg2.extensions.connection = idle
            if self._is_closed(connection):
                continue
            if self._is_stale(since):
                self._close_raw(connection)
                continue
            self._in_use[self.conn_key(connection)] = PoolConnection(since, connection, time.time())
            return connection
        return None

    def _is_closed(self, conn: psycopg2.extensions.connection) -> bool:
        if conn.closed or conn.get_transaction_status() != psycopg2.extensions.TRANSACTION_STATUS_IDLE:
            return True
        poll = _original_poll()
        poll.register(conn.fileno(), select.POLLIN)
        return bool(poll.poll(0))


def _wait_green(connection: psycopg2.extensions.connection) -> None:
    """Let other greenlets run while PostgreSQL works (psycogreen's callback, which is unmaintained)."""
    while True:
        state = connection.poll()
        if state == psycopg2.extensions.POLL_OK:
            return
        if state == psycopg2.extensions.POLL_READ:
            wait = gevent.socket.wait_read
        elif state == psycopg2.extensions.POLL_WRITE:
            wait = gevent.socket.wait_write
        else:
            raise psycopg2.OperationalError(f"unexpected poll state {state}")
        _waiting_since[connection] = time.monotonic()
        try:
            wait(connection.fileno())
        finally:
            del _waiting_since[connection]


def give_up_silent(timeout_seconds: float) -> None:
    """End the connections that were asked three timeouts ago and say nothing; whoever waits for one is told that it is lost.

    A timer for each wait would cost as much as the wait itself.
    """
    silent_since = time.monotonic() - _SILENCE_TIMEOUTS * timeout_seconds
    for connection in [each for each, since in _waiting_since.items() if since < silent_since]:
        with suppress(OSError, psycopg2.InterfaceError), socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)
