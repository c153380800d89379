"""API keys of tenants: shown once, kept as SHA-256, never worth more than the user they act for.

The secret has 256 random bits, so a plain hash protects it (NIST SP 800-63B, 5.1.2.2); a slow one would cost each request.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from core.identity import access, scopes
from core.identity.access import access_tenant
from core.kernel import clock
from core.kernel.ids import new_secret, new_uuid
from core.kernel.principal import Principal, includes
from core.kernel.problems import Invalid, NotFound, Violation
from core.kernel.sealing import digest
from core.system import epoch
from models.database import locked, read, write
from models.tables.identity import ApiKey, ApiKeySecret

MARK = "sk_live_"
"""How every key begins, so that secret scanners and the bearer header know one; the contract's x-bearer-prefix."""
LAST_USED_STEP = timedelta(minutes=1)
_PREFIX_LENGTH = 12


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key to be made. scopes None: those of everyday work that the maker holds."""

    name: str
    scopes: Sequence[str] | None = None
    expires_at: datetime | None = None


class MadeKey(msgspec.Struct, frozen=True):
    """A key with the secret that its owner alone will know."""

    key: ApiKey
    secret: str


def list_keys(principal: Principal, tenant_id: UUID, *, limit: int, offset: int) -> list[ApiKey]:
    """Return a tenant's keys, the newest first.

    Raises:
        NotFound: see `access_tenant`.
    """
    access_tenant(principal, tenant_id)
    with read():
        newest = ApiKey.of_tenant(tenant_id).order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
        return list(newest.limit(limit).offset(offset))


def do_create_key(principal: Principal, tenant_id: UUID, new: NewKey) -> MadeKey:
    """Make a key that acts for the caller in the tenant.

    Raises:
        NotFound: see `access_tenant`.
        ScopeExceedsCaller: a wanted scope is not the caller's.
        Invalid: it would have ended already.
    """
    now = clock.now()
    access_tenant(principal, tenant_id)
    if new.expires_at is not None and new.expires_at <= now:
        raise _ends_in_the_past()
    held = principal.scopes
    granted = scopes.grant(scopes.EVERYDAY, held) if new.scopes is None else scopes.claim(new.scopes, held)
    with write():
        return do_store_key(tenant_id, principal.user_id, new, granted)


def do_store_key(tenant_id: UUID, maker_id: UUID, new: NewKey, granted: frozenset[str]) -> MadeKey:
    """Store a key whose scopes were judged."""
    secret = _new_secret()
    with write():
        key = ApiKey.create(
            id=new_uuid(),
            tenant=tenant_id,
            maker=maker_id,
            name=new.name,
            prefix=secret[:_PREFIX_LENGTH],
            scopes=" ".join(sorted(granted)),
            created_at=clock.now(),
            expires_at=new.expires_at,
        )
        ApiKeySecret.create(id=new_uuid(), digest=digest(secret), key=key)
    return MadeKey(key, secret)


def do_rotate_key(principal: Principal, tenant_id: UUID, key_id: UUID, *, overlap_seconds: int) -> MadeKey:
    """Give a key a new secret and let the former ones end after the overlap; the key acts for the caller from then on.

    Where the former maker may no longer do all that the key may, there is no overlap: the caller's power would pass to
    whoever has a secret that was refused before.

    Raises:
        NotFound: no such tenant or key.
        ScopeExceedsCaller: the key holds a scope that the caller does not.
    """
    access_tenant(principal, tenant_id)
    secret = _new_secret()
    with write():
        key = _hold_key(tenant_id, key_id)
        scopes.claim(key.scopes.split(), principal.scopes)
        end = clock.now() + timedelta(seconds=overlap_seconds if _is_backed(key) else 0)
        former = ApiKeySecret.update(expires_at=end).where(ApiKeySecret.key == key)
        former.where(ApiKeySecret.expires_at.is_null() | (ApiKeySecret.expires_at > end)).execute()
        ApiKeySecret.create(id=new_uuid(), digest=digest(secret), key=key)
        key.prefix, key.maker_id = secret[:_PREFIX_LENGTH], principal.user_id
        key.save(only=[ApiKey.prefix, ApiKey.maker])
        epoch.bump()
    return MadeKey(key, secret)


def do_delete_key(principal: Principal, tenant_id: UUID, key_id: UUID) -> None:
    """Revoke a key.

    Raises:
        NotFound: no such tenant or key.
    """
    access_tenant(principal, tenant_id)
    with write():
        _hold_key(tenant_id, key_id).delete_instance()
        epoch.bump()


def do_touch_key(key_id: UUID) -> None:
    """Note that a key is in use, unless that was noted within the last step; it may have just gone."""
    now = clock.now()
    is_due = ApiKey.last_used_at.is_null() | (ApiKey.last_used_at <= now - LAST_USED_STEP)
    with write():
        ApiKey.update(last_used_at=now).where(ApiKey.id == key_id, is_due).execute()


def find_secret(secret: str) -> ApiKeySecret | None:
    """Return the live secret, or None when there is none, or it or its key is over."""
    if not secret.startswith(MARK):
        return None
    row = ApiKeySecret.get_or_none(ApiKeySecret.digest == digest(secret))
    return row if row is not None and is_live(row) else None


def is_live(row: ApiKeySecret) -> bool:
    """Say whether neither the secret nor its key is over."""
    ends = ends_at(row)
    return ends is None or clock.now() < ends


def ends_at(row: ApiKeySecret) -> datetime | None:
    """Return when the secret or its key ends, whichever is first; None for never."""
    ends = [end for end in (row.expires_at, row.key.expires_at) if end is not None]
    return min(ends, default=None)


def _is_backed(key: ApiKey) -> bool:
    """Say whether the key's maker may still do all that the key may."""
    held = access.get_scopes(key.maker_id, key.tenant_id)
    if not access.may_act_by_key(key.maker_id, key.tenant_id, held):
        return False
    return all(includes(held, scope) for scope in key.scopes.split())


def _hold_key(tenant_id: UUID, key_id: UUID) -> ApiKey:
    """Return a key of the tenant, held to the end of the transaction, so that rotations follow each other."""
    key: ApiKey | None = locked(ApiKey.of_tenant(tenant_id).where(ApiKey.id == key_id)).first()
    if key is None:
        raise NotFound("No such key.")
    return key


def _new_secret() -> str:
    return MARK + new_secret()


def _ends_in_the_past() -> Invalid:
    message = "The key would have ended already."
    violation = Violation(pointer="/expires_at", location="body", rule="in_the_past", message=message)
    return Invalid(message, errors=(violation,))
