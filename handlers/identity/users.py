"""Administration of people."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, structs

from core.identity import people, users
from core.identity.passwords import hash_password
from core.kernel.call import Call, Reply
from models.contract import identity
from models.contract.parameters.identity import (
    UsersAssignRoleParameters,
    UsersDeleteParameters,
    UsersGetParameters,
    UsersListParameters,
    UsersRemoveRoleParameters,
    UsersUpdateParameters,
)


def users_list(call: Call[UsersListParameters, None]) -> list[identity.User]:
    """List the users."""
    page = people.list_people(call.principal.tenant_id, limit=call.parameters.limit, offset=call.parameters.offset)
    return [_user(person) for person in page]


def prepare_users_create(call: Call[None, identity.UserCreate]) -> str | None:
    """Hash the password."""
    return None if call.body.password is UNSET else hash_password(call.body.password)


def users_create(call: Call[None, identity.UserCreate]) -> Reply[identity.User, Literal[201]]:
    """Make a user."""
    values = _sent(call.body)
    values.pop("password", None)
    tenant_id = call.principal.tenant_id
    user = users.do_create_user(users.NewUser(**values, password_hash=_prepared_hash(call)), tenant_id)
    body = _user(people.get_person(user.id, tenant_id))
    return Reply(body, 201, headers={"Location": f"/auth/admin/users/{user.id}"})


def users_get(call: Call[UsersGetParameters, None]) -> identity.User:
    """Get a user."""
    return _user(people.get_person(call.parameters.id, call.principal.tenant_id))


def prepare_users_update(call: Call[UsersUpdateParameters, identity.UserUpdate]) -> str | None:
    """Hash the password."""
    return None if call.body.password is UNSET else hash_password(call.body.password)


def users_update(call: Call[UsersUpdateParameters, identity.UserUpdate]) -> identity.User:
    """Change a user."""
    changes = _sent(call.body)
    if changes.pop("password", None) is not None:
        changes["password_hash"] = _prepared_hash(call)
    user = users.do_update_user(call.parameters.id, changes)
    return _user(people.get_person(user.id, call.principal.tenant_id))


def users_delete(call: Call[UsersDeleteParameters, None]) -> None:
    """Delete a user."""
    users.do_delete_user(call.parameters.id)


def users_assign_role(call: Call[UsersAssignRoleParameters, None]) -> identity.User:
    """Give a user a role."""
    parameters, tenant_id = call.parameters, call.principal.tenant_id
    users.do_assign_role(parameters.user_id, parameters.role_id, tenant_id)
    return _user(people.get_person(parameters.user_id, tenant_id))


def users_remove_role(call: Call[UsersRemoveRoleParameters, None]) -> None:
    """Take a role from a user."""
    parameters = call.parameters
    users.do_remove_role(parameters.user_id, parameters.role_id, call.principal.tenant_id)


def _sent(body: identity.UserCreate | identity.UserUpdate) -> dict[str, Any]:
    return {name: value for name, value in structs.asdict(body).items() if value is not UNSET}


def _prepared_hash(call: Call[Any, Any]) -> str | None:
    prepared = call.context.prepared
    assert prepared is None or isinstance(prepared, str)
    return prepared


def _user(person: people.Person) -> identity.User:
    user = person.user
    return identity.User(
        id=user.id,
        email=user.email,
        username=user.username,
        phone_number=user.phone_number,
        first_name=user.first_name,
        last_name=user.last_name,
        is_active=user.is_active,
        federated_provider=user.federated_provider,
        roles=[identity.RoleReference(id=role.id, name=role.name) for role in person.roles],
        created_at=user.created_at,
    )
