"""The security epoch: a number that grows with every revocation, cheap enough to be asked on every request.

On SQLite the row is read only after something has committed. Whether it has is told by the head of the WAL-index, the memory
that all connections to the file share (sqlite.org/walformat.html, 2.1): every commit ends by writing it, and SQLite itself
compares it to know whether what it has cached still holds. On PostgreSQL it is one indexed read.
"""

from __future__ import annotations

import mmap
import os
import sqlite3
import sys

from core.kernel.problems import Unavailable
from models.database import database, is_sqlite, read
from models.tables.system import SecurityEpoch

_ROW_ID = 1
_SELECT = "SELECT value FROM security_epoch WHERE id = 1"
_INDEX_VERSION = 3_007_000
_INDEX_BYTES = 32_768
_HEAD_BYTES = 48


class _SqliteWatch:
    """Follows one database file in one process.

    Its open connection keeps the WAL-index in place. No descriptor of that file may be closed while others of this process use the
    database: POSIX would give up their locks.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        self._ask = self._connection.cursor().execute
        self._value = self._read()
        self._descriptor, self._index = _index_of(path)
        self._head = b""

    def value(self) -> int:
        if self._index is None:
            return self._read()
        head = self._index[:_HEAD_BYTES]
        if head != self._head:
            self._value = self._read()
            self._head = head  # as it was before the reading: a commit in between is seen by the next request
        return self._value

    def close(self) -> None:
        """Close it, once the database is bound elsewhere and nobody uses the file any more."""
        self._connection.close()
        if self._index is not None:
            self._index.close()
            os.close(self._descriptor)

    def _read(self) -> int:
        return int(self._ask(_SELECT).fetchone()[0])


def _index_of(path: str) -> tuple[int, mmap.mmap | None]:
    """Map the WAL-index, whose descriptor stays open; None where there is none, or one of another version."""
    try:
        descriptor = os.open(f"{path}-shm", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return -1, None
    index = mmap.mmap(descriptor, _INDEX_BYTES, prot=mmap.PROT_READ)
    is_known = int.from_bytes(index[:4], sys.byteorder) == _INDEX_VERSION
    return descriptor, index if is_known else None


_watch: _SqliteWatch | None = None


def _forget() -> None:
    """Connections do not survive a fork, and may not be closed by the child either."""
    global _watch
    _inherited.append(_watch)
    _watch = None


_inherited: list[_SqliteWatch | None] = []
os.register_at_fork(after_in_child=_forget)


def bump() -> None:
    """Move the epoch on; call it inside the write transaction of what is revoked or narrowed."""
    SecurityEpoch.update(value=SecurityEpoch.value + 1).where(SecurityEpoch.id == _ROW_ID).execute()


def current() -> int:
    """Return the committed epoch.

    Raises:
        Unavailable: the database cannot be asked.
    """
    if is_sqlite():
        return _sqlite_value()
    with read():  # written out, since it is asked on every request and building the query costs more than running it
        return int(database.execute_sql(_SELECT).fetchone()[0])


def _sqlite_value() -> int:
    global _watch
    path = database.obj.database
    try:
        if _watch is None or _watch.path != path:
            if _watch is not None:
                _watch.close()
            _watch = _SqliteWatch(path)
        return _watch.value()
    except (sqlite3.Error, OSError) as error:
        raise Unavailable("The database is busy.", retry_after_seconds=1, cause=str(error)) from error
