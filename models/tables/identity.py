"""Tables of the identity area: tenants, people, roles, sessions and tokens.

A grant (`user_roles`) gives a user a role in one tenant; a role that is system-wide counts in every tenant. What may be
done is always read from the grants, never from the credential alone. Secrets are kept as SHA-256 only. A bare `x_id: UUID`
tells the type checker of the attribute that a foreign key adds.
"""

from __future__ import annotations

from uuid import UUID

import peewee

from core.kernel.ids import new_uuid
from models.tables.fields import InstantField
from models.tables.table import Table


class Tenant(Table):
    """A workspace; the root workspace has the nil UUID and is made by migration. plan: what its limits are read from."""

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    name = peewee.CharField(max_length=200)
    created_at = InstantField()
    plan = peewee.CharField(max_length=32, default="free")
    billing_anchor_day = peewee.IntegerField(null=True)

    class Meta:
        table_name = "tenants"


class User(Table):
    """A person. email, username: lower case. password_hash: an Argon2id string, or null where no password logs in.

    federated_provider: the provider of the first login by one; the subjects are `FederatedIdentity`'s.
    registered_address: what somebody wrote when registering a tenant; nothing proves it, and it is never `email`.
    """

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    email = peewee.CharField(max_length=254, unique=True)
    username = peewee.CharField(max_length=64, unique=True, null=True)
    phone_number = peewee.CharField(max_length=16, unique=True, null=True)
    password_hash = peewee.CharField(max_length=255, null=True)
    first_name = peewee.CharField(max_length=100, null=True)
    last_name = peewee.CharField(max_length=100, null=True)
    is_active = peewee.BooleanField(default=True)
    federated_provider = peewee.CharField(max_length=64, null=True)
    created_at = InstantField()
    registered_address = peewee.CharField(max_length=254, null=True)

    class Meta:
        table_name = "users"


class Membership(Table):
    """A user's belonging to a tenant; the `account` of the tenant surface.

    name: what the tenant calls the user. is_active: false ends what the user may do in this tenant, and nowhere else.
    """

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    tenant_id: UUID
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE", index=False)
    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    created_at = InstantField()
    name = peewee.CharField(max_length=200, null=True)
    is_active = peewee.BooleanField(default=True)

    class Meta:
        table_name = "memberships"
        indexes = ((("tenant", "user"), True),)


class Role(Table):
    """A named set of scopes. is_system: its grants count in every tenant, whichever they were made in."""

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    name = peewee.CharField(max_length=64, unique=True)
    description = peewee.CharField(max_length=500, null=True)
    is_builtin = peewee.BooleanField(default=False)
    is_system = peewee.BooleanField(default=False)
    created_at = InstantField()

    class Meta:
        table_name = "roles"


class RoleScope(Table):
    """One scope of a role."""

    role_id: UUID
    role = peewee.ForeignKeyField(Role, on_delete="CASCADE", backref="scopes", index=False)
    scope = peewee.CharField(max_length=128)

    class Meta:
        table_name = "role_scopes"
        primary_key = peewee.CompositeKey("role", "scope")


class UserRole(Table):
    """One grant."""

    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    tenant_id: UUID
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE")
    role_id: UUID
    role = peewee.ForeignKeyField(Role, on_delete="CASCADE")

    class Meta:
        table_name = "user_roles"
        primary_key = peewee.CompositeKey("user", "tenant", "role")


class Session(Table):
    """A browser session through all its rotations. expires_at: when it ends if it is not used."""

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    tenant_id: UUID
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
    """One SESSION_ID of a session and the CSRF token that goes with it. replaced_at: when a refresh made the next one."""

    digest = peewee.CharField(max_length=64, primary_key=True)
    session_id: UUID
    session = peewee.ForeignKeyField(Session, on_delete="CASCADE")
    csrf_digest = peewee.CharField(max_length=64)
    replaced_at = InstantField(null=True)

    class Meta:
        table_name = "session_secrets"


class TokenFamily(Table):
    """A bearer token through all its refreshes.

    scopes: the wanted ones, separated by spaces; null for all of the user's. is_elevated: made for a password given once more; it
    may hold the elevated scopes and is not refreshed. device_name: what the client called itself.
    """

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    tenant_id: UUID
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE")
    scopes = peewee.TextField(null=True)
    created_at = InstantField()
    expires_at = InstantField()
    revoked_at = InstantField(null=True)
    is_elevated = peewee.BooleanField(default=False)
    device_name = peewee.CharField(max_length=100, null=True)

    class Meta:
        table_name = "token_families"


class Token(Table):
    """One issued Biscuit, named by the revocation id of its first block."""

    revocation_id = peewee.CharField(max_length=128, primary_key=True)
    family_id: UUID
    family = peewee.ForeignKeyField(TokenFamily, on_delete="CASCADE")
    expires_at = InstantField()
    replaced_at = InstantField(null=True)

    class Meta:
        table_name = "tokens"


class RevokedBlock(Table):
    """A block that a holder appended and revoked, with everything narrowed from it."""

    revocation_id = peewee.CharField(max_length=128, primary_key=True)
    family_id: UUID
    family = peewee.ForeignKeyField(TokenFamily, on_delete="CASCADE")
    revoked_at = InstantField()

    class Meta:
        table_name = "revoked_blocks"


class Successor(Table):
    """What a refresh made, for a caller who repeats it within the grace: encrypted under the credential it replaced."""

    digest = peewee.CharField(max_length=64, primary_key=True)
    sealed = peewee.BlobField()
    expires_at = InstantField(index=True)

    class Meta:
        table_name = "successors"


class ApiKey(Table):
    """A tenant's key through all its rotations.

    maker: whom it acts for; what that user may not do, the key may not. scopes: separated by spaces. last_used_at: exact to a minute.
    """

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    tenant_id: UUID
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE")
    maker_id: UUID
    maker = peewee.ForeignKeyField(User, on_delete="CASCADE")
    name = peewee.CharField(max_length=100)
    prefix = peewee.CharField(max_length=16)
    scopes = peewee.TextField()
    created_at = InstantField()
    expires_at = InstantField(null=True)
    last_used_at = InstantField(null=True)

    class Meta:
        table_name = "api_keys"


class ApiKeySecret(Table):
    """One secret of a key, by its SHA-256. expires_at: the end of its overlap with the secret that a rotation made."""

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    digest = peewee.CharField(max_length=64, unique=True)
    key_id: UUID
    key = peewee.ForeignKeyField(ApiKey, on_delete="CASCADE")
    expires_at = InstantField(null=True)

    class Meta:
        table_name = "api_key_secrets"


class AssetPassword(Table):
    """The password of a tenant's assets, as an Argon2id string."""

    tenant_id: UUID
    tenant = peewee.ForeignKeyField(Tenant, primary_key=True, on_delete="CASCADE")
    password_hash = peewee.CharField(max_length=255)
    changed_at = InstantField()

    class Meta:
        table_name = "asset_passwords"
