"""What a user may do in a tenant, always read from the grants, and who may reach which tenant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from core.identity.scopes import ADMIN
from core.kernel.principal import ROOT_TENANT_ID, Principal
from core.kernel.problems import NotFound
from models.database import read
from models.statements import Statement, as_uuid
from models.tables.identity import Membership, Role, RoleScope, Tenant, User, UserRole

SUPERADMIN_ROLE_ID = UUID("00000000-0000-4000-8000-000000000001")
MEMBER_ROLE_ID = UUID("00000000-0000-4000-8000-000000000003")
TENANT_ROLES = {
    "admin": UUID("00000000-0000-4000-8000-000000000002"),
    "member": MEMBER_ROLE_ID,
    "viewer": UUID("00000000-0000-4000-8000-000000000004"),
}
"""The built-in roles of an account, the most powerful first."""
_COUNTING = """
    FROM user_roles JOIN roles ON roles.id = user_roles.role_id
    WHERE user_roles.user_id = :user AND (user_roles.tenant_id = :tenant OR roles.is_system)
"""
_NAMES = Statement(f"SELECT DISTINCT name, is_builtin {_COUNTING}")
_SCOPES = Statement(f"SELECT DISTINCT scope FROM role_scopes WHERE role_id IN (SELECT roles.id {_COUNTING})")
_JOINED = Statement("SELECT tenant_id FROM memberships WHERE user_id = :user AND is_active ORDER BY id")
_RANKS = ("superadmin", "admin", "member", "viewer")


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


def find_home_tenant(user_id: UUID) -> UUID | None:
    """Return the tenant that a login leads to: the root workspace for its members, else the first joined; or None."""
    tenant_ids = [as_uuid(tenant_id) for (tenant_id,) in _JOINED.rows(user=user_id)]
    if ROOT_TENANT_ID in tenant_ids:
        return ROOT_TENANT_ID
    return tenant_ids[0] if tenant_ids else None


def is_active(user_id: UUID) -> bool:
    """Say whether the user exists and is not disabled."""
    return bool(User.select().where(User.id == user_id, User.is_active).exists())


def is_member(user_id: UUID, tenant_id: UUID) -> bool:
    """Say whether the user is active and belongs to the tenant, with an account that is active too."""
    found = Membership.select().join(User).where(Membership.user == user_id, Membership.tenant == tenant_id)
    return bool(found.where(User.is_active, Membership.is_active).exists())


def may_act_by_key(user_id: UUID, tenant_id: UUID, held: frozenset[str]) -> bool:
    """Say whether a key of the user's may act in the tenant: a member's, or a system-wide administrator's without an account there.

    held: the user's scopes in the tenant.
    """
    if ADMIN in held:
        account = Membership.select().where(Membership.user == user_id, Membership.tenant == tenant_id)
        if not account.exists():
            return is_active(user_id)
    return is_member(user_id, tenant_id)


def get_scopes(user_id: UUID, tenant_id: UUID) -> frozenset[str]:
    """Return the scopes of all roles that count for the user in the tenant."""
    return frozenset(scope for (scope,) in _SCOPES.rows(user=user_id, tenant=tenant_id))


def get_role_scopes(role_id: UUID) -> frozenset[str]:
    """Return the scopes of a role."""
    return frozenset(row.scope for row in RoleScope.select(RoleScope.scope).where(RoleScope.role == role_id))


def get_role_names(user_id: UUID, tenant_id: UUID) -> list[str]:
    """Return the names of `get_roles`; clients ask for them again and again."""
    found = _NAMES.rows(user=user_id, tenant=tenant_id)
    return [name for name, is_builtin in sorted(found, key=lambda row: _rank(*row))]


def get_roles(user_id: UUID, tenant_id: UUID) -> list[Role]:
    """Return the roles that count for the user in the tenant, the most powerful first."""
    return get_roles_of_many([user_id], tenant_id)[user_id]


def get_roles_of_many(user_ids: Sequence[UUID], tenant_id: UUID) -> dict[UUID, list[Role]]:
    """Return `get_roles` of several users in one query."""
    rows = UserRole.select(UserRole, Role).join(Role)
    rows = rows.where(UserRole.user.in_(user_ids), (UserRole.tenant == tenant_id) | Role.is_system)
    found: defaultdict[UUID, dict[UUID, Role]] = defaultdict(dict)
    for row in rows:
        found[row.user_id][row.role.id] = row.role
    return defaultdict(
        list,
        {
            user_id: sorted(roles.values(), key=lambda role: _rank(role.name, role.is_builtin))
            for user_id, roles in found.items()
        },
    )


def is_last_superadmin(user_id: UUID) -> bool:
    """Say whether taking this user away would leave no active user who holds iam:admin.

    Call it inside a write transaction that holds the role's row.
    """
    holders = User.select(User.id).join(UserRole).join(Role).join(RoleScope)
    holders = holders.where(RoleScope.scope == ADMIN, Role.is_system, User.is_active)
    return {holder.id for holder in holders} == {user_id}


def _rank(name: str, is_builtin: bool) -> tuple[int, str]:
    return (_RANKS.index(name) if is_builtin else len(_RANKS), name)
