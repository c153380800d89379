"""API keys, asset passwords, the plan of a tenant, names and states of accounts, elevated tokens."""

from __future__ import annotations

from typing import Any

import peewee
from playhouse.migrate import migrate

from models.tables.fields import InstantField


class Tenant(peewee.Model):
    id = peewee.UUIDField(primary_key=True)

    class Meta:
        table_name = "tenants"
        legacy_table_names = False


class User(peewee.Model):
    id = peewee.UUIDField(primary_key=True)

    class Meta:
        table_name = "users"
        legacy_table_names = False


class ApiKey(peewee.Model):
    id = peewee.UUIDField(primary_key=True)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE")
    maker = peewee.ForeignKeyField(User, on_delete="CASCADE")
    name = peewee.CharField(max_length=100)
    prefix = peewee.CharField(max_length=16)
    scopes = peewee.TextField()
    created_at = InstantField()
    expires_at = InstantField(null=True)
    last_used_at = InstantField(null=True)

    class Meta:
        table_name = "api_keys"
        legacy_table_names = False


class ApiKeySecret(peewee.Model):
    id = peewee.UUIDField(primary_key=True)
    digest = peewee.CharField(max_length=64, unique=True)
    key = peewee.ForeignKeyField(ApiKey, on_delete="CASCADE")
    expires_at = InstantField(null=True)

    class Meta:
        table_name = "api_key_secrets"
        legacy_table_names = False


class AssetPassword(peewee.Model):
    tenant = peewee.ForeignKeyField(Tenant, primary_key=True, on_delete="CASCADE")
    password_hash = peewee.CharField(max_length=255)
    changed_at = InstantField()

    class Meta:
        table_name = "asset_passwords"
        legacy_table_names = False


_MADE = (ApiKey, ApiKeySecret, AssetPassword)


def up(migrator: Any, db: Any) -> None:
    """Make the tables and add the columns; every account and token of before is active and not elevated."""
    with db.bind_ctx((Tenant, User, *_MADE), bind_refs=False, bind_backrefs=False):
        db.create_tables(_MADE)
    migrate(
        migrator.add_column("tenants", "plan", peewee.CharField(max_length=32, default="free")),
        migrator.add_column("memberships", "name", peewee.CharField(max_length=200, null=True)),
        migrator.add_column("memberships", "is_active", peewee.BooleanField(default=True)),
        migrator.add_column("token_families", "is_elevated", peewee.BooleanField(default=False)),
        migrator.add_column("token_families", "device_name", peewee.CharField(max_length=100, null=True)),
    )
