# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from uuid import UUID

from msgspec import Struct


class UsersAssignRoleParameters(Struct, kw_only=True, frozen=True):
    """Parameters of users_assign_role."""

    user_id: UUID
    role_id: UUID


class UsersDeleteParameters(Struct, kw_only=True, frozen=True):
    """Parameters of users_delete."""

    id: UUID


class UsersGetParameters(Struct, kw_only=True, frozen=True):
    """Parameters of users_get."""

    id: UUID


class UsersListParameters(Struct, kw_only=True, frozen=True):
    """Parameters of users_list."""

    limit: int = 100
    offset: int = 0


class UsersRemoveRoleParameters(Struct, kw_only=True, frozen=True):
    """Parameters of users_remove_role."""

    user_id: UUID
    role_id: UUID


class UsersUpdateParameters(Struct, kw_only=True, frozen=True):
    """Parameters of users_update."""

    id: UUID
