"""What every table has in common: the bound database and plain names."""

from __future__ import annotations

import peewee

from models.database import database


class Table(peewee.Model):
    """Base of all tables; the subclass names its table."""

    class Meta:
        database = database
        legacy_table_names = False
