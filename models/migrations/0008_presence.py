"""The index by which those are found who fell silent; whoever is offline is not in it."""

from __future__ import annotations

from typing import Any


def up(migrator: Any, db: Any) -> None:
    """Make the index."""
    db.execute_sql('CREATE INDEX "presence_heard_of" ON "presence" ("last_seen_at") WHERE status <> \'offline\'')
