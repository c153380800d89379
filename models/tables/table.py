"""What every table has in common: the bound database and plain names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import peewee

from models.database import database


class Table(peewee.Model):
    """Base of all tables; the subclass names its table, and has `tenant` where a tenant owns its rows."""

    tenant: Any

    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def of_tenant(cls, tenant_id: UUID) -> Any:
        """Select the rows that a tenant owns, of a table with `tenant`: another tenant's row is like none at all."""
        return cls.select().where(cls.tenant == tenant_id)
