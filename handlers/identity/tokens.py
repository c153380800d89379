"""Bearer tokens."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET

from core.identity import logins, people, tokens
from core.identity.throttling import Origin
from core.kernel.call import Call, Reply, RequestContext
from core.kernel.problems import Unauthenticated
from models.contract import identity


def prepare_tokens_create(call: Call[None, identity.TokenRequest]) -> logins.Verified:
    """Verify the password."""
    return logins.verify_login(call.body.username, call.body.password, Origin(call.context.client_address))


def tokens_create(call: Call[None, identity.TokenRequest]) -> identity.Token:
    """Get a bearer token for a password."""
    assert isinstance(call.context.prepared, logins.Verified)
    wanted = (call.body.scope or "").split()
    return _token(tokens.do_issue_token(call.context.prepared, wanted or None))


def prepare_tokens_create_personal(call: Call[None, identity.PersonalTokenCreate]) -> logins.Verified:
    """Verify the password."""
    return logins.verify_login(call.body.email, call.body.password, Origin(call.context.client_address))


def tokens_create_personal(
    call: Call[None, identity.PersonalTokenCreate],
) -> Reply[identity.PersonalToken, Literal[201]]:
    """Get a token for a device or a program."""
    assert isinstance(call.context.prepared, logins.Verified)
    abilities = None if call.body.abilities is UNSET else call.body.abilities
    device_name = None if call.body.device_name is UNSET else call.body.device_name
    return Reply(_personal(tokens.do_issue_personal_token(call.context.prepared, abilities, device_name)), 201)


def prepare_tokens_elevate(call: Call[None, identity.Elevation]) -> logins.Verified:
    """Verify the caller's password."""
    return logins.verify_caller(call.principal.user_id, call.body.password, Origin(call.context.client_address))


def tokens_elevate(call: Call[None, identity.Elevation]) -> Reply[identity.PersonalToken, Literal[201]]:
    """Get an elevated token for the password given once more."""
    assert isinstance(call.context.prepared, logins.Verified)
    return Reply(_personal(tokens.do_elevate(call.principal, call.context.prepared, call.body.abilities)), 201)


def tokens_refresh(call: Call[None, None]) -> identity.Token:
    """Exchange the bearer token for its successor."""
    return _token(tokens.do_refresh_token(_bearer(call.context)))


def tokens_revoke(call: Call[None, None]) -> None:
    """Revoke the bearer token."""
    _bearer(call.context)
    tokens.do_revoke_token(call.principal.credential_id)


def tokens_get_me(call: Call[None, None]) -> identity.TokenHolder:
    """Say who is calling and what the token allows."""
    principal = call.principal
    groups = people.get_groups(principal)
    return identity.TokenHolder(user_id=principal.user_id, groups=groups, scopes=sorted(principal.scopes))


def _bearer(context: RequestContext) -> str:
    """Return the token of the request; the dev profile lets callers in who have none."""
    if "bearer" not in context.credentials:
        raise Unauthenticated("Send a bearer token.")
    return context.credentials["bearer"]


def _personal(issued: tokens.Issued) -> identity.PersonalToken:
    return identity.PersonalToken(token=issued.token, abilities=sorted(issued.scopes), expires_at=issued.expires_at)


def _token(issued: tokens.Issued) -> identity.Token:
    return identity.Token(
        access_token=issued.token,
        token_type="bearer",
        expires_in=issued.expires_in_seconds,
        scope=" ".join(sorted(issued.scopes)),
    )
