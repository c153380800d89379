"""The security epoch: a number that grows with every revocation, cheap enough to be asked on every request.

On SQLite a connection of its own asks `PRAGMA data_version` (no I/O but a look at shared memory) and reads the row only
after some other connection has committed; on PostgreSQL it is one indexed read.
"""

from __future__ import annotations

import os
import sqlite3

from core.kernel.problems import Unavailable
from models.database import database, is_sqlite, read
from models.tables.system import SecurityEpoch

_ROW_ID = 1
_SELECT = "SELECT value FROM security_epoch WHERE id = 1"


class _SqliteWatch:
    """Follows one database file in one process."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        self._ask = self._connection.cursor().execute
        self._version = -1
        self._value = 0

    def value(self) -> int:
        version = self._ask("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._value = int(self._connection.execute(_SELECT).fetchone()[0])
            self._version = version
        return self._value

    def close(self) -> None:
        self._connection.close()


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
    except sqlite3.Error as error:
        raise Unavailable("The database is busy.", retry_after_seconds=1, cause=str(error)) from error
