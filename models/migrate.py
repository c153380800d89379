"""Bring the schema up to date: numbered, forward-only scripts, one runner at a time across processes and machines."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playhouse.migrations import Runner

from models.database import database, is_sqlite, read, unhurried

_DIRECTORY = Path(__file__).parent / "migrations"
_HISTORY_TABLE = "schema_migrations"
_ADVISORY_LOCK = 0x0ACC03D


def apply() -> list[str]:
    """Run every pending migration in order and return their names; waits while another process is at it.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with unhurried(), _alone():
        return list(_runner().up())


def pending() -> list[str]:
    """Return the names of the migrations that this build has and the database has not.

    Raises:
        Unavailable: the database cannot be reached.
    """
    with read():
        return [migration.name for migration in _runner().status() if migration.path and not migration.applied]


def _runner() -> Runner:
    return Runner(database.obj, directory=str(_DIRECTORY), table_name=_HISTORY_TABLE)


@contextmanager
def _alone() -> Iterator[None]:
    if is_sqlite():
        with Path(f"{database.obj.database}.migrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    database.execute_sql("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
    try:
        yield
    finally:
        database.execute_sql("SELECT pg_advisory_unlock(%s)", (_ADVISORY_LOCK,))
