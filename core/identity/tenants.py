"""Tenants: who may see which; another's is like none at all."""

from __future__ import annotations

from uuid import UUID

from core.identity.scopes import ADMIN
from core.kernel.principal import Principal
from core.kernel.problems import NotFound
from models.database import read
from models.tables.identity import Tenant


def access_tenant(principal: Principal, tenant_id: UUID) -> Tenant:
    """Return the tenant when it is the caller's own; `iam:admin` is system-wide and opens every one.

    Raises:
        NotFound: there is none, or it is another's; both alike.
    """
    if tenant_id == principal.tenant_id or principal.holds(ADMIN):
        with read():
            tenant: Tenant | None = Tenant.get_or_none(Tenant.id == tenant_id)
        if tenant is not None:
            return tenant
    raise NotFound("No such tenant.")
