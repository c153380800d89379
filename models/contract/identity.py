# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, field

AccountName: TypeAlias = str


AccountRole: TypeAlias = Literal["admin", "member", "viewer"]


AccountStatus: TypeAlias = Literal["active", "disabled"]


class AccountUpdate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: AccountName | UnsetType = UNSET
    role: AccountRole | UnsetType = UNSET
    status: AccountStatus | UnsetType = UNSET


class ApiKeyDeletedAnswer(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool


class ApiKeyRotate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    overlap_seconds: int = field(name="overlapSeconds", default=3600)


ApplePost: TypeAlias = dict[str, Any]


class AssetPasswordAnswer(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool


class AssetPasswordSet(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    new_password: str = field(name="newPassword")
    confirm_password: str = field(name="confirmPassword")


Email: TypeAlias = str


FederationName: TypeAlias = str


FederationNames: TypeAlias = list[FederationName]


KeyName: TypeAlias = str


NewPassword: TypeAlias = str


class OauthExchange(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    auth_code: str


class OauthStart(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    auth_url: str


OauthUser: TypeAlias = str


Password: TypeAlias = str


PersonName: TypeAlias = str


PhoneNumber: TypeAlias = str


class ProviderMetadata(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: FederationName
    description: str | UnsetType = UNSET


ProviderUrl: TypeAlias = str


RoleDescription: TypeAlias = str


RoleName: TypeAlias = str


class RoleReference(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    name: str


ScopeName: TypeAlias = str


ScopeNames: TypeAlias = list[ScopeName]


Scopes: TypeAlias = list[str]


class Session(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    issued_at: datetime
    expires_at: datetime
    absolute_expires_at: datetime


class SessionUser(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    email: Email
    username: str
    roles: list[Literal["admin", "member", "read_only"]]
    display_name: str | UnsetType = UNSET


class Tenant(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    name: str
    plan: str
    status: Literal["active"]
    rag_store_id: UUID = field(name="ragStoreId")
    created_at: datetime


class TenantAnswer(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool
    data: Tenant


TenantName: TypeAlias = str


class Token(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    access_token: str
    token_type: Literal["bearer"]
    expires_in: int
    scope: str


class TokenHolder(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    user_id: UUID
    groups: list[str]
    scopes: Scopes


class TokenRequest(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    username: str
    password: Password
    grant_type: Literal["password"] = "password"
    scope: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    client_secret: str | UnsetType = UNSET


class User(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    email: Email
    username: str | None
    phone_number: str | None
    first_name: str | None
    last_name: str | None
    is_active: bool
    federated_provider: str | None
    roles: list[RoleReference]
    created_at: datetime


class UserCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: NewPassword | UnsetType = UNSET
    is_active: bool = True
    phone_number: PhoneNumber | UnsetType = UNSET
    first_name: PersonName | UnsetType = UNSET
    last_name: PersonName | UnsetType = UNSET


class UserUpdate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    email: Email | UnsetType = UNSET
    password: NewPassword | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    phone_number: str | None | UnsetType = UNSET
    first_name: str | None | UnsetType = UNSET
    last_name: str | None | UnsetType = UNSET


Username: TypeAlias = str


Users: TypeAlias = list[User]


Abilities: TypeAlias = list[ScopeName]


class Account(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    tenant_id: UUID = field(name="tenantId")
    user_id: UUID = field(name="userId")
    email: str
    name: str | None
    role: Literal["admin", "member", "viewer"] | None
    status: AccountStatus
    created_at: datetime


class AccountAnswer(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool
    data: Account


class AccountCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    email: Email
    name: AccountName
    role: Literal["admin", "member", "viewer"] = "member"


class AccountListAnswer(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool
    data: list[Account]


class ApiKey(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    name: str
    prefix: str
    scopes: Scopes
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class ApiKeyListAnswer(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool
    data: list[ApiKey]


class ApiKeyMade(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    name: str
    prefix: str
    scopes: Scopes
    api_key: str = field(name="apiKey")
    created_by: UUID
    created_at: datetime
    expires_at: datetime | None


class ApiKeyMadeAnswer(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool
    data: ApiKeyMade


class Elevation(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    password: Password
    abilities: Abilities


KeyScopes: TypeAlias = list[ScopeName]


class Login(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    email: str
    password: Password


class LoginResponse(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    user: SessionUser
    session: Session
    csrf_token: str


class Me(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    name: str
    email: Email
    role: str
    abilities: Scopes
    created_at: datetime = field(name="createdAt")
    user: SessionUser
    session: Session | None


class PersonalToken(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    token: str
    abilities: Scopes
    expires_at: datetime = field(name="expiresAt")


class PersonalTokenCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    email: str
    password: Password
    device_name: str | UnsetType = field(name="deviceName", default=UNSET)
    abilities: Abilities | UnsetType = UNSET


class ProviderSpec(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    provider: Literal["google", "github", "microsoft", "custom"]
    client_id: str | UnsetType = UNSET
    client_secret: str | UnsetType = UNSET
    scope: str | UnsetType = UNSET
    allowed_domains: list[str] | UnsetType = UNSET
    default_role: str | UnsetType = UNSET
    tenant_id: str | UnsetType = UNSET
    issuer: ProviderUrl | UnsetType = UNSET
    auth_url: ProviderUrl | UnsetType = UNSET
    token_url: ProviderUrl | UnsetType = UNSET
    userinfo_url: ProviderUrl | UnsetType = UNSET


class Registered(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    api_key: str = field(name="apiKey")
    tenant_id: UUID = field(name="tenantId")
    scopes: Scopes


class RegisteredAnswer(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    success: bool
    data: Registered


class Registration(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    email: Email
    organization_name: TenantName = field(name="organizationName")


class Role(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    name: str
    description: str | None
    scopes: ScopeNames
    is_builtin: bool
    created_at: datetime


class RoleCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: RoleName
    description: RoleDescription | UnsetType = UNSET
    scopes: ScopeNames | UnsetType = UNSET


class RoleScopesUpdate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    add: ScopeNames | UnsetType = UNSET
    remove: ScopeNames | UnsetType = UNSET
    scopes: ScopeNames | UnsetType = UNSET


Roles: TypeAlias = list[Role]


class ScopeCatalogue(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    crud: ScopeNames
    workflows: ScopeNames
    system: ScopeNames
    crud_api_enabled: bool


class TenantCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: TenantName
    email: Email | UnsetType = UNSET


class ApiKeyCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    name: KeyName
    scopes: KeyScopes | UnsetType = UNSET
    expires_at: datetime | None | UnsetType = UNSET


class FederationProvider(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    kind: Literal["FederationProvider"]
    version: Literal["v1"]
    metadata: ProviderMetadata
    spec: ProviderSpec
    enabled: bool = True
