# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from .. import identity


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


class AssetAuthSetPasswordParameters(Struct, kw_only=True, frozen=True):
    """Parameters of asset_auth_set_password."""

    tenant_id: UUID


class FederationCallbackParameters(Struct, kw_only=True, frozen=True):
    """Parameters of federation_callback."""

    provider: identity.FederationName
    code: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    iss: str | UnsetType = UNSET
    login_flow: str | UnsetType = UNSET


class FederationDeleteParameters(Struct, kw_only=True, frozen=True):
    """Parameters of federation_delete."""

    name: identity.FederationName


class FederationGetParameters(Struct, kw_only=True, frozen=True):
    """Parameters of federation_get."""

    name: identity.FederationName


class FederationPutParameters(Struct, kw_only=True, frozen=True):
    """Parameters of federation_put."""

    name: identity.FederationName


class FederationStartParameters(Struct, kw_only=True, frozen=True):
    """Parameters of federation_start."""

    provider: identity.FederationName
    tenant_id: UUID | UnsetType = UNSET
    login_flow: str | UnsetType = UNSET


class OauthCallbackAppleParameters(Struct, kw_only=True, frozen=True):
    """Parameters of oauth_callback_apple."""

    code: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    iss: str | UnsetType = UNSET
    login_flow: str | UnsetType = UNSET


class OauthCallbackGithubParameters(Struct, kw_only=True, frozen=True):
    """Parameters of oauth_callback_github."""

    code: str | UnsetType = UNSET
    state: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    iss: str | UnsetType = UNSET
    login_flow: str | UnsetType = UNSET


class OauthStartAppleParameters(Struct, kw_only=True, frozen=True):
    """Parameters of oauth_start_apple."""

    return_to: str | UnsetType = UNSET
    tenant_id: UUID | UnsetType = UNSET
    login_flow: str | UnsetType = UNSET


class OauthStartGithubParameters(Struct, kw_only=True, frozen=True):
    """Parameters of oauth_start_github."""

    return_to: str | UnsetType = UNSET
    tenant_id: UUID | UnsetType = UNSET
    login_flow: str | UnsetType = UNSET


class RolesDeleteParameters(Struct, kw_only=True, frozen=True):
    """Parameters of roles_delete."""

    id: UUID


class RolesListParameters(Struct, kw_only=True, frozen=True):
    """Parameters of roles_list."""

    limit: int = 100
    offset: int = 0


class RolesUpdateScopesParameters(Struct, kw_only=True, frozen=True):
    """Parameters of roles_update_scopes."""

    id: UUID


class SessionsLoginParameters(Struct, kw_only=True, frozen=True):
    """Parameters of sessions_login."""

    device: str | UnsetType = UNSET


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
