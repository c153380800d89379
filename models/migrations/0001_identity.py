"""Tenants, people, roles, sessions, tokens, the set-up's guard, the security epoch and idempotency records."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import peewee

from core.kernel import clock
from models.tables.fields import InstantField

_ROOT_TENANT = UUID(int=0)
_TENANT_READ = ("chat:read", "file:read", "projects:read", "store:read", "tenant:read", "usage:read", "account:read")
_TENANT_WRITE = (
    "account:create",
    "account:update",
    "asset:manage",
    "chat:create",
    "chat:delete",
    "estimator:create",
    "file:delete",
    "file:upload",
    "git:commit",
    "git:push",
    "model:*",
    "projects:write",
    "runs:control",
    "runs:start",
    "store:manage",
    "store:sync",
)
_KEYS = ("apikey:create", "apikey:delete", "apikey:read", "apikey:rotate")
_ROLES = (
    (1, "superadmin", True, "Everything, in every tenant.", ("iam:admin",)),
    (2, "admin", False, "Everything inside the tenant.", _TENANT_READ + _TENANT_WRITE + _KEYS),
    (3, "member", False, "Everything inside the tenant but its keys.", _TENANT_READ + _TENANT_WRITE),
    (4, "viewer", False, "Reads inside the tenant.", _TENANT_READ),
)


class Table(peewee.Model):
    class Meta:
        legacy_table_names = False


class SetupGuard(Table):
    id = peewee.IntegerField(primary_key=True)
    closed_at = InstantField(null=True)

    class Meta:
        table_name = "setup_guard"


class SecurityEpoch(Table):
    id = peewee.IntegerField(primary_key=True)
    value = peewee.BigIntegerField()

    class Meta:
        table_name = "security_epoch"


class IdempotencyRecord(Table):
    id = peewee.CharField(max_length=64, primary_key=True)
    fingerprint = peewee.BlobField()
    is_secret = peewee.BooleanField()
    answer = peewee.BlobField(null=True)
    replay_until = InstantField()
    expires_at = InstantField(index=True)

    class Meta:
        table_name = "idempotency_records"


class Tenant(Table):
    id = peewee.UUIDField(primary_key=True)
    name = peewee.CharField(max_length=200)
    created_at = InstantField()

    class Meta:
        table_name = "tenants"


class User(Table):
    id = peewee.UUIDField(primary_key=True)
    email = peewee.CharField(max_length=254, unique=True)
    username = peewee.CharField(max_length=64, unique=True, null=True)
    phone_number = peewee.CharField(max_length=16, unique=True, null=True)
    password_hash = peewee.CharField(max_length=255, null=True)
    first_name = peewee.CharField(max_length=100, null=True)
    last_name = peewee.CharField(max_length=100, null=True)
    is_active = peewee.BooleanField()
    federated_provider = peewee.CharField(max_length=64, null=True)
    federated_subject = peewee.CharField(max_length=255, null=True)
    created_at = InstantField()

    class Meta:
        table_name = "users"
        indexes = ((("federated_provider", "federated_subject"), True),)


class Membership(Table):
    id = peewee.UUIDField(primary_key=True)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE", index=False)
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    created_at = InstantField()

    class Meta:
        table_name = "memberships"
        indexes = ((("tenant", "user"), True),)


class Role(Table):
    id = peewee.UUIDField(primary_key=True)
    name = peewee.CharField(max_length=64, unique=True)
    description = peewee.CharField(max_length=500, null=True)
    is_builtin = peewee.BooleanField()
    is_system = peewee.BooleanField()
    created_at = InstantField()

    class Meta:
        table_name = "roles"


class RoleScope(Table):
    role = peewee.ForeignKeyField(Role, on_delete="CASCADE", index=False)
    scope = peewee.CharField(max_length=128)

    class Meta:
        table_name = "role_scopes"
        primary_key = peewee.CompositeKey("role", "scope")


class UserRole(Table):
    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE")
    role = peewee.ForeignKeyField(Role, on_delete="CASCADE")

    class Meta:
        table_name = "user_roles"
        primary_key = peewee.CompositeKey("user", "tenant", "role")


class Session(Table):
    id = peewee.UUIDField(primary_key=True)
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE")
    issued_at = InstantField()
    expires_at = InstantField()
    absolute_expires_at = InstantField()
    ended_at = InstantField(null=True)
    client_address = peewee.CharField(max_length=64)
    user_agent = peewee.CharField(max_length=512)

    class Meta:
        table_name = "sessions"


class SessionSecret(Table):
    digest = peewee.CharField(max_length=64, primary_key=True)
    session = peewee.ForeignKeyField(Session, on_delete="CASCADE")
    csrf_digest = peewee.CharField(max_length=64)
    replaced_at = InstantField(null=True)

    class Meta:
        table_name = "session_secrets"


class TokenFamily(Table):
    id = peewee.UUIDField(primary_key=True)
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE")
    scopes = peewee.TextField(null=True)
    created_at = InstantField()
    expires_at = InstantField()
    revoked_at = InstantField(null=True)

    class Meta:
        table_name = "token_families"


class Token(Table):
    revocation_id = peewee.CharField(max_length=128, primary_key=True)
    family = peewee.ForeignKeyField(TokenFamily, on_delete="CASCADE")
    expires_at = InstantField()
    replaced_at = InstantField(null=True)

    class Meta:
        table_name = "tokens"


class RevokedBlock(Table):
    revocation_id = peewee.CharField(max_length=128, primary_key=True)
    family = peewee.ForeignKeyField(TokenFamily, on_delete="CASCADE")

    class Meta:
        table_name = "revoked_blocks"


class Successor(Table):
    digest = peewee.CharField(max_length=64, primary_key=True)
    sealed = peewee.BlobField()
    expires_at = InstantField(index=True)

    class Meta:
        table_name = "successors"


_TABLES = (
    SetupGuard,
    SecurityEpoch,
    IdempotencyRecord,
    Tenant,
    User,
    Membership,
    Role,
    RoleScope,
    UserRole,
    Session,
    SessionSecret,
    TokenFamily,
    Token,
    RevokedBlock,
    Successor,
)


def up(migrator: Any, db: Any) -> None:
    """Make the tables, the guarded rows, the root workspace and the built-in roles."""
    with db.bind_ctx(_TABLES, bind_refs=False, bind_backrefs=False):
        db.create_tables(_TABLES)
        now = clock.now()
        SetupGuard.insert(id=1).execute()
        SecurityEpoch.insert(id=1, value=1).execute()
        Tenant.insert(id=_ROOT_TENANT, name="root", created_at=now).execute()
        for number, name, is_system, description, scopes in _ROLES:
            role = {"id": UUID(int=0x4000_8000 << 48 | number), "name": name, "description": description}
            Role.insert(**role, is_builtin=True, is_system=is_system, created_at=now).execute()
            RoleScope.insert_many([{"role": role["id"], "scope": scope} for scope in scopes]).execute()
