"""Migrations 0010 and 0012: who registered is found, and what they held of other people's addresses goes to users of its own."""

from __future__ import annotations

from importlib import import_module
from uuid import UUID

import peewee
from playhouse.migrate import SchemaMigrator, migrate

from core.identity import access, tenants, users
from core.kernel import clock
from core.kernel.principal import ROOT_TENANT_ID
from core.kernel.settings import Settings
from models.database import database as door
from models.database import read, write
from models.tables.federation import FederatedIdentity
from models.tables.identity import ApiKey, Membership, Tenant, User, UserRole

marking = import_module("models.migrations.0010_registrations")
migration = import_module("models.migrations.0012_addresses")


def _registered(name: str, **more: str) -> tuple[Tenant, User]:
    """Make what a registration left before: a user who holds the address."""
    tenant = Tenant.create(name=name, created_at=clock.now())
    user = users.do_create_user(users.NewUser(email=f"{name}@example.org", **more), tenant.id)
    return tenant, user


def _as_before(registered: list[tuple[Tenant, User]]) -> SchemaMigrator:
    migrator = SchemaMigrator.from_database(door.obj)
    migrate(
        migrator.drop_column("users", "registered_address"),
        migrator.add_column("users", "registered_tenant_id", peewee.UUIDField(null=True)),
    )
    field = peewee.UUIDField()
    for tenant, user in registered:
        ids = (field.db_value(tenant.id), field.db_value(user.id))
        door.execute_sql(f"UPDATE users SET registered_tenant_id = {door.param} WHERE id = {door.param}", ids)
    return migrator


def _tenants_of(user_id: UUID) -> set[UUID]:
    tables = (Membership, UserRole)
    found = [{row.tenant_id for row in table.select().where(table.user == user_id)} for table in tables]
    assert found[0] == found[1]
    return found[0]


def test_addresses_go_to_users_of_their_own_with_the_invitations_to_them(database: Settings) -> None:
    with write():
        alone, invited, vouched = (
            _registered("alone"),
            _registered("invited"),
            _registered("vouched", password_hash="h"),
        )
        host = Tenant.create(name="host", created_at=clock.now())
        for tenant_id in (host.id, ROOT_TENANT_ID):
            users.do_assign_role(invited[1].id, access.MEMBER_ROLE_ID, tenant_id)
        migration.up(_as_before([alone, invited, vouched]), door)
    with read():
        shown = {row.id: (row.email, row.registered_address) for row in User.select()}
        owner = User.get(User.email == "invited@example.org")
        assert shown[alone[1].id] == (f"{alone[1].id.hex}@unproven.invalid", "alone@example.org")
        assert shown[invited[1].id] == (f"{invited[1].id.hex}@unproven.invalid", "invited@example.org")
        assert shown[vouched[1].id] == ("vouched@example.org", None)
        assert (owner.is_active, owner.password_hash, owner.registered_address) == (True, None, None)
        assert _tenants_of(owner.id) == {host.id}
        assert _tenants_of(invited[1].id) == {invited[0].id, ROOT_TENANT_ID}
        assert len(shown) == 4


def test_those_who_registered_and_were_met_no_other_way_are_marked(database: Settings) -> None:
    names = ("nobody", "password", "provider", "root", "twice")
    with write():
        keys = {name: tenants.do_register(email=f"{name}@example.org", organization_name="A").key for name in names}
        met = {name: key.maker_id for name, key in keys.items()}
        User.update(password_hash="a hash").where(User.id == met["password"]).execute()
        FederatedIdentity.create(authority="a", subject="s", user=met["provider"], linked_at=0)
        users.do_assign_role(met["root"], access.MEMBER_ROLE_ID, ROOT_TENANT_ID)
        ApiKey.create(**(keys["twice"].__data__ | {"id": Tenant.get().id}))
        _as_before([])
        door.execute_sql(marking._REGISTERED % marking._ROOT_TENANT)
    with read():
        query = "SELECT id, registered_tenant_id FROM users WHERE registered_tenant_id IS NOT NULL"
        marked = {UUID(str(row[0])): UUID(str(row[1])) for row in door.execute_sql(query).fetchall()}
    assert marked == {met[name]: keys[name].tenant_id for name in ("nobody", "twice")}
