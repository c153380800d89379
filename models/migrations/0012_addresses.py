"""Whoever registered a tenant holds no address: what was written is kept beside, and invitations to it go to a user of its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import peewee
from playhouse.migrate import migrate

from core.kernel import clock
from core.kernel.ids import new_uuid
from models.tables.fields import InstantField

_ROOT_TENANT = UUID(int=0)
_NOWHERE = "@unproven.invalid"


class User(peewee.Model):
    id = peewee.UUIDField(primary_key=True)
    email = peewee.CharField(max_length=254)
    password_hash = peewee.CharField(null=True)
    is_active = peewee.BooleanField()
    created_at = InstantField()
    registered_tenant_id = peewee.UUIDField(null=True)
    registered_address = peewee.CharField(null=True)

    class Meta:
        table_name = "users"


class Membership(peewee.Model):
    id = peewee.UUIDField(primary_key=True)
    tenant_id = peewee.UUIDField()
    user_id = peewee.UUIDField()

    class Meta:
        table_name = "memberships"


class UserRole(peewee.Model):
    user_id = peewee.UUIDField()
    tenant_id = peewee.UUIDField()

    class Meta:
        table_name = "user_roles"
        primary_key = False


def up(migrator: Any, db: Any) -> None:
    """Take the address from those who registered with it; one whom an administrator gave a password keeps it."""
    migrate(migrator.add_column("users", "registered_address", peewee.CharField(max_length=254, null=True)))
    with db.bind_ctx((User, Membership, UserRole), bind_refs=False, bind_backrefs=False):
        holders = User.select().where(User.registered_tenant_id.is_null(False), User.password_hash.is_null())
        for holder in list(holders.where(~User.email.endswith(_NOWHERE))):
            taken = {"email": f"{holder.id.hex}{_NOWHERE}", "registered_address": holder.email}
            User.update(taken).where(User.id == holder.id).execute()
            _pass_on(holder)
    migrate(migrator.drop_column("users", "registered_tenant_id"))


def _pass_on(holder: User) -> None:
    """Give the accounts that other tenants made for the address to a new user, who waits for whoever proves it."""
    stays = [holder.registered_tenant_id, _ROOT_TENANT]
    invited = [(table.user_id == holder.id) & table.tenant_id.not_in(stays) for table in (Membership, UserRole)]
    if not Membership.select().where(invited[0]).exists():
        return
    owner = User.create(id=new_uuid(), email=holder.email, is_active=True, created_at=clock.now())
    for table, condition in zip((Membership, UserRole), invited, strict=True):
        table.update(user_id=owner.id).where(condition).execute()
