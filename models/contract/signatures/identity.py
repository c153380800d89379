# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from typing import Literal, Protocol

from core.kernel.call import Call, Reply
from models.contract import identity
from models.contract.parameters import identity as identity_parameters


class AccountsCreate(Protocol):
    """POST /api/v1/tenants/{tenantId}/accounts (spec/paths/identity/accounts.yaml:48)."""

    def __call__(self, call: Call[identity_parameters.AccountsCreateParameters, identity.AccountCreate], /) -> identity.AccountAnswer | Reply[identity.AccountAnswer, Literal[201]]: ...


class AccountsGet(Protocol):
    """GET /api/v1/tenants/{tenantId}/accounts/{accountId} (spec/paths/identity/accounts.yaml:115)."""

    def __call__(self, call: Call[identity_parameters.AccountsGetParameters, None], /) -> identity.AccountAnswer | Reply[identity.AccountAnswer, Literal[200]]: ...


class AccountsList(Protocol):
    """GET /api/v1/tenants/{tenantId}/accounts (spec/paths/identity/accounts.yaml:10)."""

    def __call__(self, call: Call[identity_parameters.AccountsListParameters, None], /) -> identity.AccountListAnswer | Reply[identity.AccountListAnswer, Literal[200]]: ...


class AccountsUpdate(Protocol):
    """PATCH /api/v1/tenants/{tenantId}/accounts/{accountId} (spec/paths/identity/accounts.yaml:152)."""

    def __call__(self, call: Call[identity_parameters.AccountsUpdateParameters, identity.AccountUpdate], /) -> identity.AccountAnswer | Reply[identity.AccountAnswer, Literal[200]]: ...


class ApiKeysCreate(Protocol):
    """POST /api/v1/tenants/{tenantId}/api-keys (spec/paths/identity/api_keys.yaml:48)."""

    def __call__(self, call: Call[identity_parameters.ApiKeysCreateParameters, identity.ApiKeyCreate], /) -> identity.ApiKeyMadeAnswer | Reply[identity.ApiKeyMadeAnswer, Literal[201]]: ...


class ApiKeysDelete(Protocol):
    """DELETE /api/v1/tenants/{tenantId}/api-keys/{keyId} (spec/paths/identity/api_keys.yaml:118)."""

    def __call__(self, call: Call[identity_parameters.ApiKeysDeleteParameters, None], /) -> identity.ApiKeyDeletedAnswer | Reply[identity.ApiKeyDeletedAnswer, Literal[200]]: ...


class ApiKeysList(Protocol):
    """GET /api/v1/tenants/{tenantId}/api-keys (spec/paths/identity/api_keys.yaml:10)."""

    def __call__(self, call: Call[identity_parameters.ApiKeysListParameters, None], /) -> identity.ApiKeyListAnswer | Reply[identity.ApiKeyListAnswer, Literal[200]]: ...


class ApiKeysRotate(Protocol):
    """POST /api/v1/tenants/{tenantId}/api-keys/{keyId}/rotate (spec/paths/identity/api_keys.yaml:166)."""

    def __call__(self, call: Call[identity_parameters.ApiKeysRotateParameters, identity.ApiKeyRotate | None], /) -> identity.ApiKeyMadeAnswer | Reply[identity.ApiKeyMadeAnswer, Literal[200]]: ...


class AssetAuthSetPassword(Protocol):
    """POST /api/v1/tenants/{tenantId}/asset-auth/password (spec/paths/identity/asset_auth.yaml:10)."""

    def __call__(self, call: Call[identity_parameters.AssetAuthSetPasswordParameters, identity.AssetPasswordSet], /) -> identity.AssetPasswordAnswer | Reply[identity.AssetPasswordAnswer, Literal[200]]: ...


class FederationCallback(Protocol):
    """GET /auth/oauth/{provider}/callback (spec/paths/identity/federation.yaml:36)."""

    def __call__(self, call: Call[identity_parameters.FederationCallbackParameters, None], /) -> Reply[identity.Token, Literal[200]] | Reply[None, Literal[302]]: ...


class FederationDelete(Protocol):
    """DELETE /auth/admin/federation/{name} (spec/paths/identity/federation.yaml:213)."""

    def __call__(self, call: Call[identity_parameters.FederationDeleteParameters, None], /) -> None | Reply[None, Literal[204]]: ...


class FederationGet(Protocol):
    """GET /auth/admin/federation/{name} (spec/paths/identity/federation.yaml:119)."""

    def __call__(self, call: Call[identity_parameters.FederationGetParameters, None], /) -> identity.FederationProvider | Reply[identity.FederationProvider, Literal[200]]: ...


class FederationList(Protocol):
    """GET /auth/admin/federation (spec/paths/identity/federation.yaml:84)."""

    def __call__(self, call: Call[None, None], /) -> identity.FederationNames | Reply[identity.FederationNames, Literal[200]]: ...


class FederationPut(Protocol):
    """PUT /auth/admin/federation/{name} (spec/paths/identity/federation.yaml:155)."""

    def __call__(self, call: Call[identity_parameters.FederationPutParameters, identity.FederationProvider], /) -> identity.FederationProvider | Reply[identity.FederationProvider, Literal[200]]: ...


class FederationStart(Protocol):
    """GET /auth/oauth/{provider}/start (spec/paths/identity/federation.yaml:5)."""

    def __call__(self, call: Call[identity_parameters.FederationStartParameters, None], /) -> None | Reply[None, Literal[302]]: ...


class OauthCallbackApple(Protocol):
    """GET /api/oauth/apple/callback (spec/paths/identity/oauth.yaml:154)."""

    def __call__(self, call: Call[identity_parameters.OauthCallbackAppleParameters, None], /) -> None | Reply[None, Literal[303]]: ...


class OauthCallbackGithub(Protocol):
    """GET /api/oauth/github/callback (spec/paths/identity/oauth.yaml:38)."""

    def __call__(self, call: Call[identity_parameters.OauthCallbackGithubParameters, None], /) -> None | Reply[None, Literal[303]]: ...


class OauthExchangeApple(Protocol):
    """POST /api/oauth/apple/manual (spec/paths/identity/oauth.yaml:228)."""

    def __call__(self, call: Call[None, identity.OauthExchange], /) -> None | Reply[None, Literal[200]]: ...


class OauthExchangeGithub(Protocol):
    """POST /api/oauth/github/manual (spec/paths/identity/oauth.yaml:78)."""

    def __call__(self, call: Call[None, identity.OauthExchange], /) -> None | Reply[None, Literal[200]]: ...


class OauthReceiveApple(Protocol):
    """POST /api/oauth/apple/callback (spec/paths/identity/oauth.yaml:192)."""

    def __call__(self, call: Call[None, identity.ApplePost], /) -> None | Reply[None, Literal[303]]: ...


class OauthStartApple(Protocol):
    """GET /api/oauth/apple (spec/paths/identity/oauth.yaml:119)."""

    def __call__(self, call: Call[identity_parameters.OauthStartAppleParameters, None], /) -> identity.OauthStart | Reply[identity.OauthStart, Literal[200]]: ...


class OauthStartGithub(Protocol):
    """GET /api/oauth/github (spec/paths/identity/oauth.yaml:3)."""

    def __call__(self, call: Call[identity_parameters.OauthStartGithubParameters, None], /) -> identity.OauthStart | Reply[identity.OauthStart, Literal[200]]: ...


class RolesCreate(Protocol):
    """POST /auth/admin/roles (spec/paths/identity/roles.yaml:39)."""

    def __call__(self, call: Call[None, identity.RoleCreate], /) -> identity.Role | Reply[identity.Role, Literal[201]]: ...


class RolesDelete(Protocol):
    """DELETE /auth/admin/roles/{id} (spec/paths/identity/roles.yaml:97)."""

    def __call__(self, call: Call[identity_parameters.RolesDeleteParameters, None], /) -> None | Reply[None, Literal[204]]: ...


class RolesList(Protocol):
    """GET /auth/admin/roles (spec/paths/identity/roles.yaml:3)."""

    def __call__(self, call: Call[identity_parameters.RolesListParameters, None], /) -> identity.Roles | Reply[identity.Roles, Literal[200]]: ...


class RolesUpdateScopes(Protocol):
    """PATCH /auth/admin/roles/{id}/scopes (spec/paths/identity/roles.yaml:132)."""

    def __call__(self, call: Call[identity_parameters.RolesUpdateScopesParameters, identity.RoleScopesUpdate], /) -> identity.Role | Reply[identity.Role, Literal[200]]: ...


class ScopesList(Protocol):
    """GET /admin/scopes (spec/paths/identity/scopes.yaml:3)."""

    def __call__(self, call: Call[None, None], /) -> identity.ScopeCatalogue | Reply[identity.ScopeCatalogue, Literal[200]]: ...


class SessionsGetMe(Protocol):
    """GET /api/auth/me (spec/paths/identity/sessions.yaml:120)."""

    def __call__(self, call: Call[None, None], /) -> identity.Me | Reply[identity.Me, Literal[200]]: ...


class SessionsLogin(Protocol):
    """POST /api/auth/login (spec/paths/identity/sessions.yaml:3)."""

    def __call__(self, call: Call[identity_parameters.SessionsLoginParameters, identity.Login], /) -> identity.LoginResponse | Reply[identity.LoginResponse, Literal[200]]: ...


class SessionsLogout(Protocol):
    """POST /api/auth/logout (spec/paths/identity/sessions.yaml:91)."""

    def __call__(self, call: Call[None, None], /) -> None | Reply[None, Literal[204]]: ...


class SessionsRefresh(Protocol):
    """POST /api/auth/refresh (spec/paths/identity/sessions.yaml:53)."""

    def __call__(self, call: Call[None, None], /) -> identity.LoginResponse | Reply[identity.LoginResponse, Literal[200]]: ...


class TenantsCreate(Protocol):
    """POST /api/v1/tenants (spec/paths/identity/tenants.yaml:90)."""

    def __call__(self, call: Call[None, identity.TenantCreate], /) -> identity.TenantAnswer | Reply[identity.TenantAnswer, Literal[201]]: ...


class TenantsGet(Protocol):
    """GET /api/v1/tenants/{tenantId} (spec/paths/identity/tenants.yaml:151)."""

    def __call__(self, call: Call[identity_parameters.TenantsGetParameters, None], /) -> identity.TenantAnswer | Reply[identity.TenantAnswer, Literal[200]]: ...


class TenantsGetOwn(Protocol):
    """GET /api/v1/tenants (spec/paths/identity/tenants.yaml:53)."""

    def __call__(self, call: Call[None, None], /) -> identity.TenantAnswer | Reply[identity.TenantAnswer, Literal[200]]: ...


class TenantsRegister(Protocol):
    """POST /api/v1/register (spec/paths/identity/tenants.yaml:3)."""

    def __call__(self, call: Call[None, identity.Registration], /) -> identity.RegisteredAnswer | Reply[identity.RegisteredAnswer, Literal[201]]: ...


class TokensCreate(Protocol):
    """POST /auth/token (spec/paths/identity/tokens.yaml:3)."""

    def __call__(self, call: Call[None, identity.TokenRequest], /) -> identity.Token | Reply[identity.Token, Literal[200]]: ...


class TokensCreatePersonal(Protocol):
    """POST /api/auth/token (spec/paths/identity/tokens.yaml:144)."""

    def __call__(self, call: Call[None, identity.PersonalTokenCreate], /) -> identity.PersonalToken | Reply[identity.PersonalToken, Literal[201]]: ...


class TokensElevate(Protocol):
    """POST /api/auth/elevate (spec/paths/identity/tokens.yaml:189)."""

    def __call__(self, call: Call[None, identity.Elevation], /) -> identity.PersonalToken | Reply[identity.PersonalToken, Literal[201]]: ...


class TokensGetMe(Protocol):
    """GET /auth/me (spec/paths/identity/tokens.yaml:108)."""

    def __call__(self, call: Call[None, None], /) -> identity.TokenHolder | Reply[identity.TokenHolder, Literal[200]]: ...


class TokensRefresh(Protocol):
    """POST /auth/refresh (spec/paths/identity/tokens.yaml:51)."""

    def __call__(self, call: Call[None, None], /) -> identity.Token | Reply[identity.Token, Literal[200]]: ...


class TokensRevoke(Protocol):
    """POST /auth/logout (spec/paths/identity/tokens.yaml:82)."""

    def __call__(self, call: Call[None, None], /) -> None | Reply[None, Literal[204]]: ...


class UsersAssignRole(Protocol):
    """POST /auth/admin/users/{user_id}/roles/{role_id} (spec/paths/identity/users.yaml:231)."""

    def __call__(self, call: Call[identity_parameters.UsersAssignRoleParameters, None], /) -> identity.User | Reply[identity.User, Literal[200]]: ...


class UsersCreate(Protocol):
    """POST /auth/admin/users (spec/paths/identity/users.yaml:39)."""

    def __call__(self, call: Call[None, identity.UserCreate], /) -> identity.User | Reply[identity.User, Literal[201]]: ...


class UsersDelete(Protocol):
    """DELETE /auth/admin/users/{id} (spec/paths/identity/users.yaml:186)."""

    def __call__(self, call: Call[identity_parameters.UsersDeleteParameters, None], /) -> None | Reply[None, Literal[204]]: ...


class UsersGet(Protocol):
    """GET /auth/admin/users/{id} (spec/paths/identity/users.yaml:103)."""

    def __call__(self, call: Call[identity_parameters.UsersGetParameters, None], /) -> identity.User | Reply[identity.User, Literal[200]]: ...


class UsersList(Protocol):
    """GET /auth/admin/users (spec/paths/identity/users.yaml:3)."""

    def __call__(self, call: Call[identity_parameters.UsersListParameters, None], /) -> identity.Users | Reply[identity.Users, Literal[200]]: ...


class UsersRemoveRole(Protocol):
    """DELETE /auth/admin/users/{user_id}/roles/{role_id} (spec/paths/identity/users.yaml:268)."""

    def __call__(self, call: Call[identity_parameters.UsersRemoveRoleParameters, None], /) -> None | Reply[None, Literal[204]]: ...


class UsersUpdate(Protocol):
    """PATCH /auth/admin/users/{id} (spec/paths/identity/users.yaml:139)."""

    def __call__(self, call: Call[identity_parameters.UsersUpdateParameters, identity.UserUpdate], /) -> identity.User | Reply[identity.User, Literal[200]]: ...
