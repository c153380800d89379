# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from uuid import UUID

from msgspec import Struct


class AccountsCreateParameters(Struct, kw_only=True, frozen=True):
    """Parameters of accounts_create."""

    tenant_id: UUID


class AccountsGetParameters(Struct, kw_only=True, frozen=True):
    """Parameters of accounts_get."""

    tenant_id: UUID
    account_id: UUID


class AccountsListParameters(Struct, kw_only=True, frozen=True):
    """Parameters of accounts_list."""

    tenant_id: UUID
    limit: int = 100
    offset: int = 0


class AccountsUpdateParameters(Struct, kw_only=True, frozen=True):
    """Parameters of accounts_update."""

    tenant_id: UUID
    account_id: UUID


class ApiKeysCreateParameters(Struct, kw_only=True, frozen=True):
    """Parameters of api_keys_create."""

    tenant_id: UUID


class ApiKeysDeleteParameters(Struct, kw_only=True, frozen=True):
    """Parameters of api_keys_delete."""

    tenant_id: UUID
    key_id: UUID


class ApiKeysListParameters(Struct, kw_only=True, frozen=True):
    """Parameters of api_keys_list."""

    tenant_id: UUID
    limit: int = 100
    offset: int = 0


class ApiKeysRotateParameters(Struct, kw_only=True, frozen=True):
    """Parameters of api_keys_rotate."""

    tenant_id: UUID
    key_id: UUID


class TenantsGetParameters(Struct, kw_only=True, frozen=True):
    """Parameters of tenants_get."""

    tenant_id: UUID


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
