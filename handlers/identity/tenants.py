"""Tenants, and the door by which newcomers make one."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET

from core.identity import access, tenants
from core.kernel.call import Call, Reply
from core.limits import usage
from models.contract import identity
from models.contract.parameters.identity import TenantsGetParameters
from models.tables.identity import Tenant
from server.limits import usage_headers


def tenants_register(call: Call[None, identity.Registration]) -> Reply[identity.RegisteredAnswer, Literal[201]]:
    """Register an organization."""
    made = tenants.do_register(email=call.body.email, organization_name=call.body.organization_name)
    data = identity.Registered(api_key=made.secret, tenant_id=made.key.tenant_id, scopes=made.key.scopes.split())
    headers = usage_headers(usage.of_new_tenant(made.key.tenant_id))
    return Reply(identity.RegisteredAnswer(success=True, data=data), 201, headers=headers)


def tenants_get_own(call: Call[None, None]) -> identity.TenantAnswer:
    """Get the caller's tenant."""
    return _answer(access.access_tenant(call.principal, call.principal.tenant_id))


def tenants_create(call: Call[None, identity.TenantCreate]) -> Reply[identity.TenantAnswer, Literal[201]]:
    """Make a tenant."""
    email = None if call.body.email is UNSET else call.body.email
    tenant = tenants.do_create_tenant(call.principal, call.body.name, email)
    return Reply(_answer(tenant), 201, headers={"Location": f"/api/v1/tenants/{tenant.id}"})


def tenants_get(call: Call[TenantsGetParameters, None]) -> identity.TenantAnswer:
    """Get a tenant."""
    return _answer(access.access_tenant(call.principal, call.parameters.tenant_id))


def _answer(tenant: Tenant) -> identity.TenantAnswer:
    data = identity.Tenant(
        id=tenant.id,
        name=tenant.name,
        plan=tenant.plan,
        status="active",
        rag_store_id=tenant.id,
        created_at=tenant.created_at,
    )
    return identity.TenantAnswer(success=True, data=data)
