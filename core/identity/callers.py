"""Resolve credentials to a caller, from a per-worker cache that no revocation outlives.

An entry is good for the security epoch that was read before it was resolved: whatever is revoked afterwards moves the
epoch on, and the next request on every worker resolves again.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from core.identity import access, api_keys, biscuits, scopes, sessions
from core.kernel import clock
from core.kernel.exchange import Credentials
from core.kernel.principal import DEV_USER_ID, ELEVATED_SCOPES, ROOT_TENANT_ID, Principal, includes
from core.kernel.problems import AccountDisabled, CsrfFailed
from core.kernel.sealing import digest
from core.kernel.settings import Settings
from core.system import epoch
from models.database import read
from models.tables.identity import ApiKeySecret, RevokedBlock, Session, SessionSecret, Token, TokenFamily

REFRESHES = frozenset({"sessions_refresh", "tokens_refresh"})
"""The operations that a credential may call although it was replaced; they decide what that means."""
_DEV_STYLE = "workflow"
_TOUCH_AFTER = timedelta(minutes=5)
_CACHE_SIZE = 10_000
_NEVER = datetime.max.replace(tzinfo=UTC)
_NOTHING = (0, None)


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A resolved caller. touch_at: when a use is noted next: it begins a session's idle window anew, and shows at a key."""

    principal: Principal
    epoch: int
    expires_at: datetime
    csrf_digest: str | None = None
    touch_at: datetime | None = None
    is_cacheable: bool = True


class CallerVerifier:
    """The server's CredentialVerifier: sessions with their CSRF token, bearer tokens, API keys, and the dev profile."""

    def __init__(self, settings: Settings) -> None:
        self._lets_dev_in = settings.is_dev and settings.is_loopback
        self._takes_sessions = settings.auth_v1
        self._cache: dict[str, tuple[int, _Entry]] = {}

    def verify(self, credentials: Credentials) -> Principal | None:
        """Return the caller, or None when there is no valid credential.

        Raises:
            CsrfFailed: a session's unsafe request without its CSRF token.
            AccountDisabled: the credential's user is disabled.
            Unavailable: the decision could not be made.
        """
        session, bearer = credentials.values.get("session"), credentials.values.get("bearer")
        if (key := credentials.values.get("api_key")) is not None:
            return self._used("api_key", key, self._find(key, "api_key", credentials))
        if bearer is not None:
            entry = self._find(bearer, "bearer", credentials)
            return entry.principal if entry else None
        if session is None:
            return self._find_dev(credentials)
        if not self._takes_sessions:
            return None
        entry = self._find(session, "session", credentials)
        if entry is not None and credentials.is_unsafe:
            _check_csrf(entry, credentials.values.get("csrf"))
        return self._used("session", session, entry)

    def is_current(self, principal: Principal) -> bool:
        """Say whether a caller resolved earlier would still be accepted with all that it could do then."""
        if principal.user_id == DEV_USER_ID:
            return self._lets_dev_in
        if principal.kind == "session" and not self._takes_sessions:
            return False
        with read():
            if not _is_alive(principal):
                return False
            held = access.get_scopes(principal.user_id, principal.tenant_id)
            if not _may_act(principal, held):
                return False
        return all(scopes.may_hold(held, scope) for scope in principal.scopes)

    def expires_at(self, principal: Principal) -> datetime | None:
        """Return when a caller resolved earlier will be over, as its credential stands now; None when never by itself."""
        if principal.is_anonymous or principal.user_id == DEV_USER_ID:
            return None
        with read():
            return _end_of(principal)

    def epoch(self) -> int:
        """Return a number that grows whenever any credential, role or membership is revoked or narrowed."""
        return epoch.current()

    def _find(self, secret: str, scheme: str, asked: Credentials) -> _Entry | None:
        resolve = _RESOLVERS[scheme]
        if _is_refresh(asked):
            return resolve(secret, epoch.current(), asked)
        key = digest(f"{scheme}:{secret}")
        now_epoch = epoch.current()
        expires_ms, entry = self._cache.get(key, _NOTHING)
        if entry is not None and entry.epoch == now_epoch and clock.now_ms() < expires_ms:
            return entry
        entry = resolve(secret, now_epoch, asked)
        if entry is None or not entry.is_cacheable:
            self._cache.pop(key, None)
        else:
            self._keep(key, entry)
        return entry

    def _keep(self, key: str, entry: _Entry) -> None:
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        self._cache[key] = (clock.to_ms(entry.expires_at), entry)

    def _used(self, scheme: str, secret: str, entry: _Entry | None) -> Principal | None:
        """Note that a credential is used: one write a minute or every few, not one a request."""
        if entry is None:
            return None
        if entry.touch_at is not None and clock.now() >= entry.touch_at:
            _touch(entry.principal)
            self._cache.pop(digest(f"{scheme}:{secret}"), None)
        return entry.principal

    def _find_dev(self, credentials: Credentials) -> Principal | None:
        if not (self._lets_dev_in and credentials.is_local and credentials.error_style == _DEV_STYLE):
            return None
        return Principal(
            kind="token",
            user_id=DEV_USER_ID,
            tenant_id=ROOT_TENANT_ID,
            credential_id="dev",
            scopes=scopes.CATALOGUE,
        )


def _is_refresh(asked: Credentials) -> bool:
    return asked.operation_id in REFRESHES


def _check_csrf(entry: _Entry, token: str | None) -> None:
    if token is None:
        raise CsrfFailed("X-CSRF-TOKEN is missing.")
    if not hmac.compare_digest(digest(token), entry.csrf_digest or ""):
        raise CsrfFailed("X-CSRF-TOKEN does not belong to this session.")


def _resolve_session(secret: str, at_epoch: int, asked: Credentials) -> _Entry | None:
    with read():
        row = SessionSecret.get_or_none(SessionSecret.digest == digest(secret))
        if row is None:
            return None
        session = row.session
        _check_active(session.user_id)
        if row.replaced_at is not None and not _is_refresh(asked):
            return None
        if not sessions.is_live(session) or not access.is_member(session.user_id, session.tenant_id):
            return None
        held = access.get_scopes(session.user_id, session.tenant_id)
    expires_at = min(session.expires_at, session.absolute_expires_at)
    principal = Principal(
        kind="session",
        user_id=session.user_id,
        tenant_id=session.tenant_id,
        credential_id=str(session.id),
        scopes=held - ELEVATED_SCOPES,
        expires_at=expires_at,
    )
    return _Entry(
        principal=principal,
        epoch=at_epoch,
        expires_at=expires_at,
        csrf_digest=row.csrf_digest,
        touch_at=session.expires_at - sessions.IDLE + _TOUCH_AFTER,
    )


def _resolve_token(token: str, at_epoch: int, asked: Credentials) -> _Entry | None:
    presented = biscuits.present(token, asked.resources)
    if presented is None:
        return None
    first, *appended = presented.revocation_ids
    with read():
        row = Token.get_or_none(Token.revocation_id == first)
        if row is None or (row.replaced_at is not None and not _is_refresh(asked)):
            return None
        _check_active(presented.user_id)
        if row.family.revoked_at is not None or not access.is_member(presented.user_id, presented.tenant_id):
            return None
        if appended and RevokedBlock.select().where(RevokedBlock.revocation_id.in_(appended)).exists():
            return None
        held = access.get_scopes(presented.user_id, presented.tenant_id)
    counting = presented.scopes if row.family.is_elevated else presented.scopes - ELEVATED_SCOPES
    granted = {scope for scope in counting if scopes.may_hold(held, scope)}
    principal = Principal(
        kind="token",
        user_id=presented.user_id,
        tenant_id=presented.tenant_id,
        credential_id="/".join([str(row.family_id), *appended]),
        scopes=frozenset(granted),
        expires_at=min(row.expires_at, presented.changes_at or row.expires_at),
    )
    return _Entry(principal=principal, epoch=at_epoch, expires_at=row.expires_at, is_cacheable=presented.is_constant)


def _resolve_key(secret: str, at_epoch: int, asked: Credentials) -> _Entry | None:
    """Resolve an API key: what it was made with, cut to what its maker holds in the tenant now."""
    with read():
        row = api_keys.find_secret(secret)
        if row is None:
            return None
        key = row.key
        _check_active(key.maker_id)
        held = access.get_scopes(key.maker_id, key.tenant_id)
        ends_at = api_keys.ends_at(row)
        principal = Principal(
            kind="api_key",
            user_id=key.maker_id,
            tenant_id=key.tenant_id,
            credential_id=f"{key.id}/{row.id}",
            scopes=frozenset(scope for scope in key.scopes.split() if includes(held, scope)) - ELEVATED_SCOPES,
            expires_at=ends_at,
        )
        if not _may_act(principal, held):
            return None
    used = key.last_used_at
    touch_at = clock.now() if used is None else used + api_keys.LAST_USED_STEP
    return _Entry(principal=principal, epoch=at_epoch, expires_at=ends_at or _NEVER, touch_at=touch_at)


_RESOLVERS = {"session": _resolve_session, "bearer": _resolve_token, "api_key": _resolve_key}


def _touch(principal: Principal) -> None:
    if principal.kind == "api_key":
        api_keys.do_touch_key(UUID(principal.credential_id.partition("/")[0]))
    else:
        sessions.do_touch_session(UUID(principal.credential_id))


def _may_act(principal: Principal, held: frozenset[str]) -> bool:
    """Say whether the caller belongs to its tenant, or is a key that may act there all the same."""
    if principal.kind == "api_key":
        return access.may_act_by_key(principal.user_id, principal.tenant_id, held)
    return access.is_member(principal.user_id, principal.tenant_id)


def _check_active(user_id: UUID) -> None:
    if not access.is_active(user_id):
        raise AccountDisabled


def _end_of(principal: Principal) -> datetime | None:
    """Return when the credential ends as it stands; one that is gone, or narrowed and so never renewed, as it stood."""
    if principal.kind == "session":
        session = Session.get_or_none(Session.id == UUID(principal.credential_id))
        return min(session.expires_at, session.absolute_expires_at) if session else principal.expires_at
    if principal.kind == "api_key":
        secret = ApiKeySecret.get_or_none(ApiKeySecret.id == UUID(principal.credential_id.partition("/")[2]))
        return api_keys.ends_at(secret) if secret else principal.expires_at
    family_id, *appended = principal.credential_id.split("/")
    family = None if appended else TokenFamily.get_or_none(TokenFamily.id == UUID(family_id))
    return family.expires_at if family else principal.expires_at


def _is_alive(principal: Principal) -> bool:
    if principal.kind == "api_key":
        secret = ApiKeySecret.get_or_none(ApiKeySecret.id == UUID(principal.credential_id.partition("/")[2]))
        return secret is not None and api_keys.is_live(secret)
    if principal.kind == "session":
        session = Session.get_or_none(Session.id == UUID(principal.credential_id))
        return session is not None and sessions.is_live(session)
    family_id, *appended = principal.credential_id.split("/")
    family = TokenFamily.get_or_none(TokenFamily.id == UUID(family_id))
    if family is None or family.revoked_at is not None or family.expires_at <= clock.now():
        return False
    return not RevokedBlock.select().where(RevokedBlock.revocation_id.in_(appended)).exists()
