"""Samples of the identity area."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from core.identity import users
from tests.isolation.sample import Sample
from tests.isolation.scene import Scene

VIEWER_ROLE = "00000000-0000-4000-8000-000000000004"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _plain(_scene: Scene) -> Sample:
    return Sample()


def _spending(_scene: Scene) -> Sample:
    return Sample(spends=True)


def _token(s: Scene) -> Sample:
    form = {"username": s.person.email, "password": s.person.password}
    return Sample(data=urlencode(form).encode(), headers=FORM)


def _role(s: Scene) -> Sample:
    return Sample(path={"user_id": s.user(), "role_id": VIEWER_ROLE}, names=("user_id",))


def _held_role(s: Scene) -> Sample:
    sample = _role(s)
    users.do_assign_role(sample.path["user_id"], sample.path["role_id"], s.side.tenant_id)
    return sample


def _key(s: Scene) -> Sample:
    return Sample(path={"tenantId": str(s.side.tenant_id), "keyId": s.key()})


def _tenant(s: Scene, body: Any = None) -> Sample:
    return Sample(path={"tenantId": str(s.side.tenant_id)}, body=body)


def _account(s: Scene, body: Any = None) -> Sample:
    return Sample(path={"tenantId": str(s.side.tenant_id), "accountId": s.account()}, body=body)


SAMPLES: dict[str, Callable[[Scene], Sample]] = {
    "sessions_login": lambda s: Sample(body={"email": s.person.email, "password": s.person.password}),
    "sessions_refresh": _spending,
    "sessions_logout": _spending,
    "sessions_get_me": _plain,
    "tokens_create": _token,
    "tokens_create_personal": lambda s: Sample(body={"email": s.person.email, "password": s.person.password}),
    "tokens_elevate": lambda s: Sample(body={"password": s.person.password, "abilities": ["chat:read"]}),
    "tokens_refresh": _spending,
    "tokens_revoke": _spending,
    "tokens_get_me": _plain,
    "roles_list": _plain,
    "roles_create": lambda s: Sample(body={"name": s.word()}),
    "roles_delete": lambda s: Sample(path={"id": s.role()}),
    "roles_update_scopes": lambda s: Sample(path={"id": s.role()}, body={"add": ["chat:read"]}),
    "scopes_list": _plain,
    "tenants_register": lambda s: Sample(body={"email": s.address(), "organizationName": s.word()}),
    "tenants_get_own": _plain,
    "tenants_create": lambda s: Sample(body={"name": s.word()}),
    "tenants_get": _tenant,
    "accounts_list": _tenant,
    "accounts_create": lambda s: _tenant(s, {"email": s.address(), "name": s.word(), "role": "viewer"}),
    "accounts_get": _account,
    "accounts_update": lambda s: _account(s, {"role": "viewer"}),
    "asset_auth_set_password": lambda s: _tenant(s, {"newPassword": "Tr0ub4dor&3", "confirmPassword": "Tr0ub4dor&3"}),
    "api_keys_list": _tenant,
    "api_keys_create": lambda s: _tenant(s, {"name": s.word(), "scopes": ["apikey:create"]}),
    "api_keys_rotate": _key,
    "api_keys_delete": _key,
    "users_list": _plain,
    "users_create": lambda s: Sample(body={"email": s.address()}),
    "users_get": lambda s: Sample(path={"id": s.user()}),
    "users_update": lambda s: Sample(path={"id": s.user()}, body={"last_name": s.word()}),
    "users_delete": lambda s: Sample(path={"id": s.user()}),
    "users_assign_role": _role,
    "users_remove_role": _held_role,
}
