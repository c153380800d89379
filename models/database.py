"""The one door to the database: bound once, then `read()` and `write()` scopes around every query.

SQLite: WAL; every write is BEGIN IMMEDIATE, because a deferred transaction that upgrades fails with "database is locked"
whatever the busy timeout; a lock held by another process is awaited with a green sleep, never in SQLite's busy handler,
which would freeze every greenlet of the worker. Nothing inside a SQLite write may switch greenlets.
PostgreSQL: READ COMMITTED, pooled, psycopg2 made green by a wait callback. A lock is waited for as long as the setting says; a
connection that says nothing for three times as long is given up by the worker, whatever TCP believes of it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, TypeVar

import gevent
import peewee
import psycopg2
from playhouse.pool import MaxConnectionsExceeded, PooledSqliteDatabase
from psycopg2.errorcodes import DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE, SERIALIZATION_FAILURE

from core.kernel.problems import Unavailable
from core.kernel.settings import Settings
from models import postgresql

database = peewee.DatabaseProxy()
_lock_timeout_seconds = 10.0
_durability = "full"
_LOCK_POLL_SECONDS = (0.0005, 0.01)
_ISOLATED_TRIES = 10
LOST = (peewee.OperationalError, peewee.InterfaceError)
"""A connection was lost, or a lock not had, in the midst of a query or transaction; `unavailable` tells callers so."""
AWAY = (Unavailable, *LOST)
"""The same, or no connection was to be had to begin with."""
OTHERS_MAY_REFER = "FOR NO KEY UPDATE"
"""How rows are held that others may go on to refer to."""
ResultT = TypeVar("ResultT")
_noted: ContextVar[list[bool] | None] = ContextVar("noted", default=None)
"""gevent gives each greenlet a context of its own."""
_sqlite_turn = threading.Lock()


def bind(settings: Settings) -> None:
    """Point the proxy at the configured database; opens nothing yet.

    Connections belong to a greenlet and are opened after gunicorn forks.
    """
    global _lock_timeout_seconds, _durability
    _lock_timeout_seconds, _durability = settings.database_timeout_seconds, settings.durability
    if database.obj is not None:
        database.close_all()
    database.initialize(_sqlite(settings) if settings.is_sqlite else postgresql.pool(settings))


def is_sqlite() -> bool:
    """Say which of the two databases is bound."""
    return isinstance(database.obj, peewee.SqliteDatabase)


def locked(rows: Any, mode: str = "FOR UPDATE") -> Any:
    """Return a query whose rows are held to the end of the transaction; SQLite has one writer anyway."""
    return rows if is_sqlite() else rows.for_update(mode)


def _sqlite(settings: Settings) -> Any:
    return PooledSqliteDatabase(
        settings.database_url.removeprefix("sqlite:///"),
        max_connections=None,
        timeout=None,
        check_same_thread=False,
        pragmas={
            "journal_mode": "wal",
            "synchronous": settings.durability,
            "foreign_keys": 1,
            "busy_timeout": 0,
            "cache_size": -16_000,
            "temp_store": "memory",
        },
    )


def give_up_silent() -> None:
    """End PostgreSQL's connections that were asked long ago and say nothing; called about once a second by every worker."""
    postgresql.give_up_silent(_lock_timeout_seconds)


@contextmanager
def unhurried() -> Iterator[None]:
    """Hold a connection that waits for locks, and between statements, as long as it takes: a migration's."""
    with read():
        if not is_sqlite():
            database.execute_sql("SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0")
        try:
            yield
        finally:
            database.manual_close()  # or the next one would be given a patient connection


@contextmanager
def read() -> Iterator[None]:
    """Hold a connection for queries that change nothing; joins the scope that is already open.

    Raises:
        Unavailable: no connection within the timeout, or the database cannot be reached.
    """
    if not database.is_closed():
        yield
        return
    _connect()
    try:
        yield
    finally:
        database.close()


@contextmanager
def write() -> Iterator[None]:
    """Hold a transaction that is committed at the end and rolled back on any exception; an inner one is a savepoint.

    Raises:
        Unavailable: no connection or no write lock within the timeout, or the database cannot be reached.
    """
    if not database.is_closed() and database.in_transaction():
        savepoint = database.atomic()
        savepoint.__enter__()
        with _ending(savepoint):
            yield
        return
    with _in_turn() as until, read(), _begun(until):
        yield
    if (noted := _noted.get()) is not None:
        noted.append(True)


@contextmanager
def noting_writes() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether this greenlet has committed what waited for the disk, since the beginning."""
    noted: list[bool] = []
    token = _noted.set(noted)
    try:
        yield lambda: bool(noted)
    finally:
        _noted.reset(token)


@contextmanager
def write_joined() -> Iterator[None]:
    """Hold a transaction as `write` does, but inside another be a part of it, without the two statements of a savepoint.

    What leaves it by an exception ends the whole: the outer transaction can no longer be committed.
    """
    if database.is_closed() or not database.in_transaction():
        with write():
            yield
        return
    try:
        yield
    except BaseException:
        database.top_transaction().is_doomed = True
        raise


@contextmanager
def write_relaxed() -> Iterator[None]:
    """Hold a transaction as `write` does that does not wait for the disk: a loss of power may take it back.

    For what is counted, not promised. Inside another transaction it is a part of that one.
    """
    if not database.is_closed() and database.in_transaction():
        with write():
            yield
        return
    with _in_turn() as until, read(), _unsynchronised(), _begun(until):
        if not is_sqlite():
            database.execute_sql("SET LOCAL synchronous_commit = off")
        yield


@contextmanager
def _unsynchronised() -> Iterator[None]:
    """Let SQLite's commits of this connection go without fsync; in WAL the file stays sound, and later ones hold."""
    if not is_sqlite() or _durability == "normal":
        yield
        return
    database.execute_sql("PRAGMA synchronous = normal")
    try:
        yield
    finally:
        database.execute_sql(f"PRAGMA synchronous = {_durability}")


@contextmanager
def _in_turn() -> Iterator[float]:
    """Wait until no other greenlet of this process waits for SQLite's lock, and give the monotonic time to wait until.

    One asks for the lock again and again; if all that wait did, they would fill a core, and each would hold a connection.
    """
    until = time.monotonic() + _lock_timeout_seconds
    if not is_sqlite():
        yield until
        return
    if not _sqlite_turn.acquire(timeout=_lock_timeout_seconds):
        raise Unavailable("The database is busy.", retry_after_seconds=1, cause="others wait for its lock")
    try:
        yield until
    finally:
        _sqlite_turn.release()


@contextmanager
def _begun(until: float) -> Iterator[None]:
    transaction = database.transaction("IMMEDIATE") if is_sqlite() else database.transaction()
    while True:
        try:
            transaction.__enter__()
            break
        except peewee.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise unavailable(error) from error
            gevent.sleep(random.uniform(*_LOCK_POLL_SECONDS))
    with _ending(transaction):
        yield
        if getattr(transaction, "is_doomed", False):
            raise RuntimeError("a part of the transaction failed, and its failure was swallowed")


@contextmanager
def _ending(scope: Any) -> Iterator[None]:
    """Commit an entered transaction or savepoint at the end, or roll it back and let what ended it pass as it is."""
    try:
        yield
    except BaseException as error:
        with suppress(*LOST):  # where the connection is lost, so is the work
            scope.__exit__(type(error), error, error.__traceback__)
        raise
    scope.__exit__(None, None, None)


def isolated(action: Callable[[], ResultT]) -> ResultT:
    """Run `action` in a transaction that commits only if what it changes was not changed since it was read.

    On PostgreSQL that is REPEATABLE READ: `action` runs again when another transaction was faster. SQLite has one writer.

    Raises:
        Unavailable: as `write`, or others were faster every time.
    """
    for _ in range(_ISOLATED_TRIES):
        try:
            with write():
                if not is_sqlite():
                    database.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                return action()
        except peewee.DatabaseError as error:
            if not _was_overtaken(error):
                raise
        gevent.sleep(random.uniform(*_LOCK_POLL_SECONDS))
    raise Unavailable("The resource is changed too often.", retry_after_seconds=1)


def _was_overtaken(error: peewee.DatabaseError) -> bool:
    return _postgresql_code(error) in {SERIALIZATION_FAILURE, DEADLOCK_DETECTED}


def unavailable(error: peewee.DatabaseError | peewee.InterfaceError) -> Unavailable:
    """Return what a caller is told of one of `LOST`."""
    is_busy = "locked" in str(error) or _postgresql_code(error) in {LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED}
    detail = "The database is busy." if is_busy else "The database cannot be reached."
    return Unavailable(detail, retry_after_seconds=1, cause=str(error))


def _postgresql_code(error: peewee.DatabaseError | peewee.InterfaceError) -> str | None:
    origin = getattr(error, "orig", None)
    return origin.pgcode if isinstance(origin, psycopg2.Error) else None


def transaction_id() -> int | None:
    """Return what `was_committed` knows the open write transaction by; None on SQLite, whose commits are never in doubt."""
    return None if is_sqlite() else int(database.execute_sql("SELECT txid_current()").fetchone()[0])


def was_committed(transaction: int) -> bool | None:
    """Say how a transaction ended whose connection was lost; None while it has not ended.

    Raises:
        Unavailable: as `read`.
    """
    with read():
        status = database.execute_sql("SELECT txid_status(%s)", (transaction,)).fetchone()[0]
    return None if status == "in progress" else bool(status == "committed")


def after_commit(action: Callable[[], None]) -> None:
    """Run `action` once the open transaction has committed (never after a rollback), or now when none is open."""
    if database.is_closed() or not database.in_transaction():
        action()
    else:
        database.after_commit(action)


def _connect() -> None:
    try:
        database.connect()
    except MaxConnectionsExceeded as error:
        raise Unavailable("The database is busy.", retry_after_seconds=1, cause=str(error)) from error
    except peewee.OperationalError as error:
        raise unavailable(error) from error
