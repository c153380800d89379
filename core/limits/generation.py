"""The generation of profiles and assignments: it grows with every change, so that every worker notices by one small read."""

from __future__ import annotations

from models.database import after_commit, database, read
from models.tables.limits import LimitsGeneration

_SELECT = "SELECT value FROM limits_generation WHERE id = 1"
_changes_here = 0


def bump() -> None:
    """Move it on, inside the write transaction of the change; this process notices at the commit."""
    LimitsGeneration.update(value=LimitsGeneration.value + 1).where(LimitsGeneration.id == 1).execute()
    after_commit(_note)


def current() -> int:
    """Return the committed generation."""
    with read():  # written out: it is asked several times a second by every worker
        return int(database.execute_sql(_SELECT).fetchone()[0])


def changes_here() -> int:
    """Return how many changes this process has committed itself."""
    return _changes_here


def _note() -> None:
    global _changes_here
    _changes_here += 1
