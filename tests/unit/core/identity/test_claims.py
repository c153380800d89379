"""Addresses that registrations wrote: what the migration takes for one, among the users of before."""

from __future__ import annotations

from importlib import import_module
from uuid import UUID

from core.identity import tenants, users
from core.kernel.principal import ROOT_TENANT_ID
from core.kernel.settings import Settings
from models.database import database as door
from models.database import read, write
from models.tables.federation import FederatedIdentity
from models.tables.identity import ApiKey, Tenant, User

migration = import_module("models.migrations.0010_registrations")


def _registered(email: str) -> UUID:
    user_id: UUID = tenants.do_register(email=email, organization_name="A").key.maker_id
    return user_id


def test_migration_marks_those_who_registered_and_were_met_no_other_way(database: Settings) -> None:
    met = {name: _registered(f"{name}@example.org") for name in ("nobody", "password", "provider", "root", "twice")}
    with write():
        User.update(password_hash="a hash").where(User.id == met["password"]).execute()
        FederatedIdentity.create(authority="a", subject="s", user=met["provider"], linked_at=0)
        users.do_assign_role(met["root"], users.access.MEMBER_ROLE_ID, ROOT_TENANT_ID)
        key = ApiKey.get(ApiKey.maker == met["twice"])
        ApiKey.create(**(key.__data__ | {"id": Tenant.get().id}))
        expected = {met[name]: User.get_by_id(met[name]).registered_tenant_id for name in ("nobody", "twice")}
        User.update(registered_tenant_id=None).execute()
        door.execute_sql(migration._REGISTERED % migration._ROOT_TENANT)
    with read():
        marked = {
            row.id: row.registered_tenant_id for row in User.select().where(User.registered_tenant_id.is_null(False))
        }
    assert None not in expected.values()
    assert marked == expected
