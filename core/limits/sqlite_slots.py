"""Slots in a SQLite file of their own, without waiting for the disk: exact, they survive kill -9, not a loss of power.

One connection a process serves all greenlets: a transaction is a few C calls in a row, so no other greenlet comes between.
A file that is damaged or gone is made anew under a lock and reported; the others notice by its inode.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import gevent

from core.kernel import clock
from core.kernel.problems import Unavailable

_log = logging.getLogger(__name__)
_NAME = "counters.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS slots (
    key TEXT NOT NULL, slot TEXT NOT NULL, expires_us INTEGER NOT NULL, PRIMARY KEY (key, slot)
) WITHOUT ROWID;
"""
_PRAGMAS = ("journal_mode=wal", "synchronous=off", "busy_timeout=0", "temp_store=memory", "cache_size=-8000")
_LOCKS = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_ERROR})
"""A file cut short answers with SQLITE_IOERR, one that was emptied with SQLITE_ERROR (no such table)."""
_YIELDS = 50
"""Another process holds the lock for some 20 microseconds: giving up the core this often is mostly enough."""
_WAIT_SECONDS = 0.0005
_LOOK_SECONDS = 0.25
ResultT = TypeVar("ResultT")


class _File:
    """The open file of this process; connections do not survive a fork."""

    def __init__(self, path: Path) -> None:
        self.pid = os.getpid()
        self.path = path
        self.connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        self.ask = self.connection.cursor().execute
        for pragma in _PRAGMAS:
            self.ask(f"PRAGMA {pragma}").fetchall()
        self.connection.executescript(_SCHEMA)
        self.inode = os.stat(path).st_ino
        self.looked_at = time.monotonic()

    def is_current(self) -> bool:
        """Say whether the file is still the one at its path; looked at a few times a second."""
        if time.monotonic() - self.looked_at < _LOOK_SECONDS:
            return True
        self.looked_at = time.monotonic()
        try:
            return os.stat(self.path).st_ino == self.inode
        except FileNotFoundError:
            return False


class SqliteSlots:
    """What the Counters interface says of slots, over `counters.db` in the data folder."""

    def __init__(self, data_dir: str, *, timeout_seconds: float = 10.0) -> None:
        self._path = Path(data_dir) / _NAME
        self._timeout_seconds = timeout_seconds
        self._file: _File | None = None

    def enter(self, key: str, slot: str, *, cap: int, seconds: float) -> bool:
        """Hold a slot, unless there are too many."""
        return self._run(lambda file: _enter(file, key, slot, cap, seconds))

    def keep(self, slots: Sequence[tuple[str, str]], *, seconds: float) -> None:
        """Hold these slots on."""
        until = clock.now_us() + int(seconds * 1e6)
        rows = [(key, slot, until) for key, slot in slots]
        self._run(lambda file: file.connection.executemany("INSERT OR REPLACE INTO slots VALUES (?, ?, ?)", rows))

    def leave(self, key: str, slot: str) -> None:
        """Give a slot back."""
        self._run(lambda file: file.ask("DELETE FROM slots WHERE key = ? AND slot = ?", (key, slot)))

    def sweep(self) -> int:
        """Forget what is over."""
        return self._run(
            lambda file: int(file.ask("DELETE FROM slots WHERE expires_us <= ?", (clock.now_us(),)).rowcount)
        )

    def ping(self) -> None:
        """Ask whether the store answers."""
        self._run(lambda file: file.ask("SELECT 1").fetchone())

    def _run(self, action: Callable[[_File], ResultT]) -> ResultT:
        """Run one transaction; waits for other processes, and makes a damaged file anew, once."""
        deadline, tries, is_renewed = 0.0, 0, False
        while True:
            try:
                return action(self._opened())
            except sqlite3.DatabaseError as error:
                if _code(error) in _DAMAGE and not is_renewed:
                    self._renew(error)
                    is_renewed = True
                    continue
                deadline = deadline or time.monotonic() + self._timeout_seconds
                if _code(error) not in _LOCKS or time.monotonic() > deadline:
                    raise Unavailable("The counters are busy.", retry_after_seconds=1, cause=str(error)) from error
                tries += 1
            if tries < _YIELDS:
                os.sched_yield()
            else:
                gevent.sleep(_WAIT_SECONDS)

    def _opened(self) -> _File:
        file = self._file
        if file is not None and file.pid == os.getpid() and file.is_current():
            return file
        if file is not None and file.pid == os.getpid():
            file.connection.close()
        self._file = None
        self._file = _File(self._path)
        return self._file

    def _renew(self, error: sqlite3.DatabaseError) -> None:
        """Put a fresh file in the place of a damaged one, unless another process has done so.

        Raises:
            Unavailable: there is no room for it.
        """
        if self._file is not None:
            self._file.connection.close()
            self._file = None
        try:
            is_new = self._replace()
        except (OSError, sqlite3.DatabaseError) as failure:
            cause = str(failure)
            raise Unavailable("The counters cannot be made anew.", retry_after_seconds=1, cause=cause) from failure
        if is_new:
            _log.error("counters were damaged and begin anew", extra={"file": str(self._path), "cause": str(error)})

    def _replace(self) -> bool:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_sound(self._path):
                return False
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            _File(self._path).connection.close()
            return True


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            connection.execute("SELECT 1 FROM slots LIMIT 1")
            return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def _code(error: sqlite3.DatabaseError) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


@contextmanager
def _writing(file: _File) -> Iterator[None]:
    file.ask("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        file.connection.rollback()
        raise
    file.ask("COMMIT")


def _enter(file: _File, key: str, slot: str, cap: int, seconds: float) -> bool:
    with _writing(file):
        now = clock.now_us()
        file.ask("DELETE FROM slots WHERE key = ? AND expires_us <= ?", (key, now))
        if file.ask("SELECT COUNT(*) FROM slots WHERE key = ?", (key,)).fetchone()[0] >= cap:
            return False
        file.ask("INSERT INTO slots VALUES (?, ?, ?)", (key, slot, now + int(seconds * 1e6)))
    return True
