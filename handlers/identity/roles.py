"""Administration of roles."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET

from core.identity import roles
from core.kernel.call import Call, Reply
from models.contract import identity
from models.contract.parameters.identity import RolesDeleteParameters, RolesListParameters, RolesUpdateScopesParameters


def roles_list(call: Call[RolesListParameters, None]) -> list[identity.Role]:
    """List the roles."""
    return [_role(role) for role in roles.list_roles(limit=call.parameters.limit, offset=call.parameters.offset)]


def roles_create(call: Call[None, identity.RoleCreate]) -> Reply[identity.Role, Literal[201]]:
    """Make a role."""
    body = call.body
    description = None if body.description is UNSET else body.description
    scopes = () if body.scopes is UNSET else body.scopes
    return Reply(
        _role(roles.do_create_role(roles.NewRole(name=body.name, description=description, scopes=scopes))), 201
    )


def roles_delete(call: Call[RolesDeleteParameters, None]) -> None:
    """Delete a role."""
    roles.do_delete_role(call.parameters.id)


def roles_update_scopes(call: Call[RolesUpdateScopesParameters, identity.RoleScopesUpdate]) -> identity.Role:
    """Change the scopes of a role."""
    body, role_id = call.body, call.parameters.id
    if body.scopes is not UNSET:
        return _role(roles.do_replace_scopes(role_id, body.scopes))
    add = () if body.add is UNSET else body.add
    remove = () if body.remove is UNSET else body.remove
    return _role(roles.do_change_scopes(role_id, add=add, remove=remove))


def _role(scoped: roles.ScopedRole) -> identity.Role:
    role = scoped.role
    return identity.Role(
        id=role.id,
        name=role.name,
        description=role.description,
        scopes=scoped.scopes,
        is_builtin=role.is_builtin,
        created_at=role.created_at,
    )
