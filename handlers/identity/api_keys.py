"""API keys of tenants."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET

from core.identity import api_keys
from core.kernel.call import Call, Reply
from models.contract import identity
from models.contract.parameters.identity import (
    ApiKeysCreateParameters,
    ApiKeysDeleteParameters,
    ApiKeysListParameters,
    ApiKeysRotateParameters,
)
from models.tables.identity import ApiKey

_OVERLAP_SECONDS = identity.ApiKeyRotate().overlap_seconds


def api_keys_list(call: Call[ApiKeysListParameters, None]) -> identity.ApiKeyListAnswer:
    """List the tenant's API keys."""
    page = call.parameters
    keys = api_keys.list_keys(call.principal, page.tenant_id, limit=page.limit, offset=page.offset)
    return identity.ApiKeyListAnswer(success=True, data=[_key(key) for key in keys])


def api_keys_create(
    call: Call[ApiKeysCreateParameters, identity.ApiKeyCreate],
) -> Reply[identity.ApiKeyMadeAnswer, Literal[201]]:
    """Make an API key."""
    body = call.body
    scopes = None if body.scopes is UNSET else body.scopes
    ends = None if body.expires_at is UNSET else body.expires_at
    new = api_keys.NewKey(name=body.name, scopes=scopes, expires_at=ends)
    return Reply(_made(api_keys.do_create_key(call.principal, call.parameters.tenant_id, new)), 201)


def api_keys_delete(call: Call[ApiKeysDeleteParameters, None]) -> identity.ApiKeyDeletedAnswer:
    """Revoke an API key."""
    api_keys.do_delete_key(call.principal, call.parameters.tenant_id, call.parameters.key_id)
    return identity.ApiKeyDeletedAnswer(success=True)


def api_keys_rotate(call: Call[ApiKeysRotateParameters, identity.ApiKeyRotate | None]) -> identity.ApiKeyMadeAnswer:
    """Give an API key a new secret."""
    tenant_id, key_id = call.parameters.tenant_id, call.parameters.key_id
    overlap_seconds = call.body.overlap_seconds if call.body else _OVERLAP_SECONDS
    return _made(api_keys.do_rotate_key(call.principal, tenant_id, key_id, overlap_seconds=overlap_seconds))


def _key(key: ApiKey) -> identity.ApiKey:
    return identity.ApiKey(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes.split(),
        created_by=key.maker_id,
        created_at=key.created_at,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
    )


def _made(made: api_keys.MadeKey) -> identity.ApiKeyMadeAnswer:
    key = made.key
    data = identity.ApiKeyMade(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes.split(),
        api_key=made.secret,
        created_by=key.maker_id,
        created_at=key.created_at,
        expires_at=key.expires_at,
    )
    return identity.ApiKeyMadeAnswer(success=True, data=data)
