"""Tables of login throttling: buckets that wrong passwords fill, and where each user has logged in from."""

from __future__ import annotations

from uuid import UUID

import peewee

from models.tables.fields import InstantField
from models.tables.identity import User
from models.tables.table import Table


class LoginThrottle(Table):
    """How far wrong passwords have filled one bucket (GCRA). key: SHA-256 of what is counted. full_at: when it is empty again."""

    key = peewee.CharField(max_length=64, primary_key=True)
    full_at = InstantField(index=True)

    class Meta:
        table_name = "login_throttles"


class LoginOrigin(Table):
    """Where a user has logged in from: SHA-256 of an address, or of the cookie that a browser was given."""

    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    digest = peewee.CharField(max_length=64)
    seen_at = InstantField(index=True)

    class Meta:
        table_name = "login_origins"
        primary_key = peewee.CompositeKey("user", "digest")
