"""How a person is shown on the surfaces: names, and the roles under each surface's own words."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from core.identity import access, users
from core.kernel.principal import DEV_USER_ID, Principal
from core.kernel.problems import Unauthenticated
from models.database import read
from models.tables.identity import Role, User

DEV_GROUP = "dev"
ConversationRole = Literal["admin", "member", "read_only"]
_CONVERSATION_ROLES: dict[str, ConversationRole] = {
    "superadmin": "admin",
    "admin": "member",
    "member": "member",
    "viewer": "read_only",
}


class Person(msgspec.Struct, frozen=True):
    """A user with the roles that count in one tenant, the most powerful first."""

    user: User
    roles: list[Role]

    @property
    def username(self) -> str:
        return self.user.username or self.user.email

    @property
    def display_name(self) -> str:
        """Return first and last name; empty where neither is known."""
        return " ".join(name for name in (self.user.first_name, self.user.last_name) if name)

    @property
    def name(self) -> str:
        return self.display_name or self.username

    @property
    def role(self) -> str:
        """Return the name of the most powerful role; empty without any."""
        return self.roles[0].name if self.roles else ""

    @property
    def conversation_roles(self) -> list[ConversationRole]:
        """Return the roles in the conversation surface's words; roles that it does not know are left out."""
        known = [_CONVERSATION_ROLES[role.name] for role in self.roles if role.is_builtin]
        return list(dict.fromkeys(known))


def get_person(user_id: UUID, tenant_id: UUID) -> Person:
    """Return the person.

    Raises:
        NotFound: there is none.
    """
    with read():
        return Person(users.get_user(user_id), access.get_roles(user_id, tenant_id))


def get_caller(principal: Principal) -> Person:
    """Return the person behind a principal.

    Raises:
        Unauthenticated: the dev profile's caller, who is no one.
    """
    with read():
        user = User.get_or_none(User.id == principal.user_id)
        if user is None:
            raise Unauthenticated
        return Person(user, access.get_roles(principal.user_id, principal.tenant_id))


def list_people(tenant_id: UUID, *, limit: int, offset: int) -> list[Person]:
    """Return people in the order they were made."""
    with read():
        found = users.list_users(limit=limit, offset=offset)
        roles = access.get_roles_of_many([user.id for user in found], tenant_id)
    return [Person(user, roles[user.id]) for user in found]


def get_groups(principal: Principal) -> list[str]:
    """Return the names of the caller's roles, the most powerful first; `dev` for the dev profile's caller."""
    if principal.user_id == DEV_USER_ID:
        return [DEV_GROUP]
    with read():
        return access.get_role_names(principal.user_id, principal.tenant_id)
