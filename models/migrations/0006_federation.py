"""Identity providers, who is who there, logins under way, and what throttles guesses at passwords."""

from __future__ import annotations

from typing import Any

import peewee

from models.tables.fields import InstantField


class Table(peewee.Model):
    class Meta:
        legacy_table_names = False


class User(Table):
    id = peewee.UUIDField(primary_key=True)

    class Meta:
        table_name = "users"


class FederationProviderRow(Table):
    name = peewee.CharField(max_length=64, primary_key=True)
    document = peewee.TextField(null=True)
    sealed_secret = peewee.BlobField(null=True)
    changed_at = InstantField()

    class Meta:
        table_name = "federation_providers"


class FederatedIdentity(Table):
    authority = peewee.CharField(max_length=255)
    subject = peewee.CharField(max_length=255)
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    linked_at = InstantField()

    class Meta:
        table_name = "federated_identities"
        primary_key = peewee.CompositeKey("authority", "subject")


class LoginFlow(Table):
    digest = peewee.CharField(max_length=64, primary_key=True)
    provider = peewee.CharField(max_length=80)
    browser_digest = peewee.CharField(max_length=64)
    sealed = peewee.BlobField()
    person_name = peewee.CharField(max_length=250, null=True)
    expires_at = InstantField(index=True)

    class Meta:
        table_name = "login_flows"


class LoginThrottle(Table):
    key = peewee.CharField(max_length=64, primary_key=True)
    full_at = InstantField(index=True)

    class Meta:
        table_name = "login_throttles"


class LoginOrigin(Table):
    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    digest = peewee.CharField(max_length=64)
    seen_at = InstantField(index=True)

    class Meta:
        table_name = "login_origins"
        primary_key = peewee.CompositeKey("user", "digest")


_TABLES = (FederationProviderRow, FederatedIdentity, LoginFlow, LoginThrottle, LoginOrigin)


def up(migrator: Any, db: Any) -> None:
    """Make the tables; a user's one subject, which nothing wrote yet, gives way to the table of identities."""
    with db.bind_ctx((User, *_TABLES), bind_refs=False, bind_backrefs=False):
        db.create_tables(_TABLES)
    index = next(row.name for row in db.get_indexes("users") if "federated_subject" in row.columns)
    db.execute_sql(f'DROP INDEX "{index}"')
    db.execute_sql('ALTER TABLE "users" DROP COLUMN "federated_subject"')
