"""The database door: scopes, savepoints, rollback, actions after the commit, locks, on both databases."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import peewee
import pytest

from core.kernel.problems import Unavailable
from core.kernel.settings import Settings
from models.database import after_commit, bind, is_sqlite, read, write, write_relaxed
from models.database import database as door
from models.tables.system import SetupGuard

_HOLD_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


class Note(peewee.Model):
    text = peewee.TextField()

    class Meta:
        database = door


@pytest.fixture
def notes(empty_database: Settings) -> Settings:
    with write():
        door.create_tables([Note])
    return empty_database


def _texts() -> list[str]:
    with read():
        return [note.text for note in Note.select().order_by(Note.id)]


def _write_and_fail(before: Callable[[], None] = lambda: None) -> None:
    with write():
        Note.create(text="lost")
        before()
        raise KeyError("stop")


def test_the_backend_is_the_one_asked_for(notes: Settings, backend: str) -> None:
    assert is_sqlite() is (backend == "sqlite")


def test_rows_are_kept_when_the_scope_ends_well(notes: Settings) -> None:
    with write():
        Note.create(text="kept")
    assert _texts() == ["kept"]
    assert door.is_closed()


def test_rows_are_undone_when_the_scope_raises(notes: Settings) -> None:
    with pytest.raises(KeyError):
        _write_and_fail()
    assert _texts() == []
    assert door.is_closed()


def test_only_the_inner_rows_are_undone_when_an_inner_scope_raises(notes: Settings) -> None:
    with write():
        Note.create(text="outer")
        with pytest.raises(KeyError):
            _write_and_fail()
    assert _texts() == ["outer"]


def test_an_action_waits_for_the_commit_and_never_follows_a_rollback(notes: Settings) -> None:
    seen: list[str] = []
    with write():
        after_commit(lambda: seen.append("committed"))
        assert seen == []
    assert seen == ["committed"]
    with pytest.raises(KeyError):
        _write_and_fail(lambda: after_commit(lambda: seen.append("never")))
    assert seen == ["committed"]
    after_commit(lambda: seen.append("at once"))
    assert seen == ["committed", "at once"]


def test_no_write_is_lost_when_threads_write_at_once(notes: Settings) -> None:
    def add() -> None:
        for number in range(20):
            with write():
                Note.create(text=str(number))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(_texts()) == 80


def test_writers_are_refused_with_503_when_the_lock_stays_held(notes: Settings) -> None:
    with _lock_held_elsewhere(_with_timeout(notes, 0.2)), pytest.raises(Unavailable), write():
        pytest.fail("the lock was not held")
    with write():
        Note.create(text="after")
    assert _texts() == ["after"]


def test_one_connection_serves_all_writers_that_wait_for_the_lock(notes: Settings) -> None:
    def add(number: int) -> None:
        with write():
            Note.create(text=f"{number:02}")

    with _lock_held_elsewhere(_with_timeout(notes, 5)) as path:
        writers = [threading.Thread(target=add, args=(number,)) for number in range(30)]
        for writer in writers:
            writer.start()
        time.sleep(0.2)  # time enough for each to open one, if it did
        assert _descriptors(path) == 1
    for writer in writers:
        writer.join(10)
    assert len(_texts()) == 30


def test_writers_that_wait_behind_others_are_refused_with_503_in_time(notes: Settings) -> None:
    refused: list[float] = []

    def write_in_vain() -> None:
        with suppress(Unavailable), write():
            return
        refused.append(time.monotonic())

    with _lock_held_elsewhere(_with_timeout(notes, 0.3)):
        began = time.monotonic()
        writers = [threading.Thread(target=write_in_vain) for _ in range(5)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(10)
    assert len(refused) == 5
    assert min(refused) - began >= 0.3
    assert max(refused) - began < 1


@contextmanager
def _lock_held_elsewhere(settings: Settings) -> Iterator[str]:
    """Bind SQLite, hold its write lock in another process, and give the file."""
    if not settings.is_sqlite:
        pytest.skip("PostgreSQL locks rows, not the database")
    bind(settings)
    path = settings.database_url.removeprefix("sqlite:///")
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD_LOCK, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    try:
        yield path
    finally:
        holder.communicate("\n", timeout=10)


def _descriptors(path: str) -> int:
    return sum(os.path.realpath(each) == path for each in Path("/proc/self/fd").iterdir())


def test_callers_are_refused_with_503_when_the_pool_is_empty(notes: Settings) -> None:
    if is_sqlite():
        pytest.skip("SQLite connections are not limited")
    bind(_with_timeout(notes, 0.2, pool_size=1))
    outcome: list[type[BaseException]] = []

    def try_to_read() -> None:
        try:
            with read():
                pytest.fail("a second connection was given")
        except Unavailable as error:
            outcome.append(type(error))

    with read():
        thread = threading.Thread(target=try_to_read)
        thread.start()
        thread.join(10)
    assert outcome == [Unavailable]


def _with_timeout(settings: Settings, seconds: float, pool_size: int = 20) -> Settings:
    return msgspec.structs.replace(settings, database_timeout_seconds=seconds, database_pool_size=pool_size)


@pytest.mark.settings(durability="full")
def test_a_relaxed_write_commits_and_leaves_the_others_durable(database: Settings) -> None:
    with read():
        before = _durability()
        with write_relaxed():
            inside = _durability()
            SetupGuard.update(closed_at=1).execute()
        assert _durability() == before
    assert (before, inside) == ((2, 1) if is_sqlite() else ("on", "off"))
    with read():
        assert SetupGuard.get().closed_at is not None


@pytest.mark.settings(durability="full")
def test_a_relaxed_write_inside_another_is_as_durable_as_that(database: Settings) -> None:
    with read():
        before = _durability()
        with write(), write_relaxed():
            assert door.execute_sql(_SHOWN[is_sqlite()]).fetchone()[0] == before


_SHOWN = {True: "PRAGMA synchronous", False: "SHOW synchronous_commit"}


def _durability() -> object:
    """Return how the connection commits; the PostgreSQL of the tests does not wait for the disk unless it is told to."""
    if not is_sqlite() and not door.in_transaction():
        door.execute_sql("SET synchronous_commit = on")
    return door.execute_sql(_SHOWN[is_sqlite()]).fetchone()[0]
