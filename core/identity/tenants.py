"""Tenants: registered by a newcomer, or made by a system-wide administrator."""

from __future__ import annotations

from core.identity import access, accounts, api_keys, scopes, users
from core.identity.access import TENANT_ROLES
from core.kernel import clock
from core.kernel.ids import new_uuid
from core.kernel.principal import Principal
from models.database import write
from models.tables.identity import Tenant

_FIRST_KEY = "registration"


def do_register(*, email: str, organization_name: str) -> api_keys.MadeKey:
    """Make a tenant, its admin and a key with all that an admin may do, for a newcomer.

    Anybody may write anybody's address, and the key acts as the admin. So the address is only noted: it leads nobody to
    this user ("pre-hijacking", Sudhodanan and Paverd, 2022), is taken from nobody, and whether others have it is not told.
    """
    with write():
        tenant = _create(organization_name)
        new = users.NewUser(email=None, registered_address=email.lower())
        admin = users.do_create_user(new, tenant.id, role_id=TENANT_ROLES["admin"])
        granted = scopes.grant(None, access.get_scopes(admin.id, tenant.id))
        return api_keys.do_store_key(tenant.id, admin.id, api_keys.NewKey(name=_FIRST_KEY), granted)


def do_create_tenant(principal: Principal, name: str, email: str | None) -> Tenant:
    """Make a tenant, and its admin when there is an e-mail address for one.

    Raises:
        ScopeExceedsCaller, UserExists: see `accounts.do_create_account`.
    """
    with write():
        tenant = _create(name)
        if email is not None:
            accounts.do_create_account(principal, tenant.id, email=email, name=None, role="admin")
        return tenant


def _create(name: str) -> Tenant:
    tenant: Tenant = Tenant.create(id=new_uuid(), name=name, created_at=clock.now())
    return tenant
