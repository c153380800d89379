"""Browser sessions, and who is calling."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from core.identity import logins, people, sessions, throttling, tokens
from core.kernel.call import Call, Reply
from handlers.browsers import device_cookie, optional, session_cookies
from models.contract import identity
from models.contract.parameters.identity import SessionsLoginParameters
from models.tables.identity import Session


def prepare_sessions_login(call: Call[SessionsLoginParameters, identity.Login]) -> tuple[logins.Verified, str]:
    """Verify the password, and give the browser a cookie to be known by."""
    device = throttling.device_of(optional(call.parameters.device))
    origin = throttling.Origin(call.context.client_address, device)
    return logins.verify_login(call.body.email, call.body.password, origin), device


def sessions_login(
    call: Call[SessionsLoginParameters, identity.Login],
) -> Reply[identity.LoginResponse, Literal[200]]:
    """Log in with a password."""
    assert isinstance(call.context.prepared, tuple)
    verified, device = call.context.prepared
    opened = sessions.do_open_session(
        verified, client_address=call.context.client_address, user_agent=call.context.user_agent
    )
    return Reply(_login(opened), 200, cookies=(*session_cookies(opened), device_cookie(device)))


def sessions_refresh(call: Call[None, None]) -> Reply[identity.LoginResponse, Literal[200]]:
    """Rotate the session's cookies."""
    opened = sessions.do_rotate_session(call.context.credentials["session"])
    return Reply(_login(opened), 200, headers={"X-Session-Rotated": "1"}, cookies=session_cookies(opened))


def sessions_logout(call: Call[None, None]) -> Reply[None, Literal[204]]:
    """End the session, or revoke the token, of this request."""
    if call.principal.kind != "session":
        tokens.do_revoke_token(call.principal.credential_id)
        return Reply(None, 204)
    sessions.do_end_session(UUID(call.principal.credential_id))
    return Reply(None, 204, cookies=session_cookies(None))


def sessions_get_me(call: Call[None, None]) -> identity.Me:
    """Say who is calling."""
    caller = people.get_caller(call.principal)
    session = None
    if call.principal.kind == "session":
        session = sessions.get_session(UUID(call.principal.credential_id))
    return identity.Me(
        id=caller.user.id,
        name=caller.name,
        email=caller.user.email,
        role=caller.role,
        abilities=sorted(call.principal.scopes),
        created_at=caller.user.created_at,
        user=_user(caller),
        session=_session(session) if session else None,
    )


def _login(opened: sessions.OpenSession) -> identity.LoginResponse:
    person = people.get_person(opened.session.user_id, opened.session.tenant_id)
    return identity.LoginResponse(user=_user(person), session=_session(opened.session), csrf_token=opened.csrf)


def _user(person: people.Person) -> identity.SessionUser:
    shown = {"display_name": person.display_name} if person.display_name else {}
    return identity.SessionUser(
        id=person.user.id,
        email=person.user.email,
        username=person.username,
        roles=person.conversation_roles,
        **shown,
    )


def _session(session: Session) -> identity.Session:
    return identity.Session(
        id=session.id,
        issued_at=session.issued_at,
        expires_at=session.expires_at,
        absolute_expires_at=session.absolute_expires_at,
    )
