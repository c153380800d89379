"""The turn of upkeep, and when a narrowed token was revoked, so that it can be forgotten."""

from __future__ import annotations

from typing import Any

import peewee
from playhouse.migrate import migrate

from core.kernel import clock
from models.tables.fields import InstantField


class UpkeepTurn(peewee.Model):
    id = peewee.IntegerField(primary_key=True)
    next_at = InstantField()

    class Meta:
        table_name = "upkeep_turn"
        legacy_table_names = False


def up(migrator: Any, db: Any) -> None:
    """Make the row that workers take turns by; what was revoked until now counts as revoked now."""
    with db.bind_ctx((UpkeepTurn,), bind_refs=False, bind_backrefs=False):
        db.create_tables((UpkeepTurn,))
        UpkeepTurn.insert(id=1, next_at=0).execute()
    migrate(migrator.add_column("revoked_blocks", "revoked_at", InstantField(default=clock.now())))
