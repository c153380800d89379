"""Logins by GitHub and Apple, which open a browser session."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from core.identity import sessions
from core.identity.federation import exchange, flows, linking, providers
from core.identity.federation.problems import LoginStateInvalid
from core.identity.federation.providers import Provider
from core.kernel import settings
from core.kernel.call import Call, Reply
from core.kernel.problems import Unauthenticated
from handlers.browsers import answer_of, flow_cookie, optional, session_cookies, wanted_tenant
from models.contract import identity
from models.contract.parameters.identity import (
    OauthCallbackAppleParameters,
    OauthCallbackGithubParameters,
    OauthStartAppleParameters,
    OauthStartGithubParameters,
)

_GITHUB = flows.Door("oauth", "/api/oauth/github/callback")
_APPLE = flows.Door("oauth", "/api/oauth/apple/callback")


class LoginRefused(Unauthenticated):
    """This surface's word for LoginStateInvalid: a callback that fails is 401."""

    code, title = LoginStateInvalid.code, LoginStateInvalid.title


def oauth_start_github(call: Call[OauthStartGithubParameters, None]) -> Reply[identity.OauthStart, Literal[200]]:
    """Begin a login by GitHub."""
    return _start(providers.github(), _GITHUB, call)


def oauth_start_apple(call: Call[OauthStartAppleParameters, None]) -> Reply[identity.OauthStart, Literal[200]]:
    """Begin a login by Apple."""
    return _start(providers.apple(), _APPLE, call)


def prepare_oauth_callback_github(call: Call[OauthCallbackGithubParameters, None]) -> flows.Arrival:
    """Ask GitHub who is there."""
    return _finish(providers.github(), _GITHUB, call.parameters)


def oauth_callback_github(call: Call[OauthCallbackGithubParameters, None]) -> Reply[None, Literal[303]]:
    """Finish a login by GitHub."""
    return _admit(providers.github(), call)


def prepare_oauth_callback_apple(call: Call[OauthCallbackAppleParameters, None]) -> flows.Arrival:
    """Ask Apple who is there."""
    return _finish(providers.apple(), _APPLE, call.parameters)


def oauth_callback_apple(call: Call[OauthCallbackAppleParameters, None]) -> Reply[None, Literal[303]]:
    """Finish a login by Apple."""
    return _admit(providers.apple(), call)


def oauth_receive_apple(call: Call[None, identity.ApplePost]) -> Reply[None, Literal[303]]:
    """Take Apple's form post."""
    flows.do_note_person(call.body["state"], *_names(call.body.get("user")))
    kept = [(name, value) for name, value in call.body.items() if name in {"code", "state", "error"}]
    return Reply(None, 303, headers={"Location": f"{_APPLE.callback_path}?{urlencode(kept)}"})


def prepare_oauth_exchange_github(call: Call[None, identity.OauthExchange]) -> exchange.Profile:
    """Ask GitHub whose code it is."""
    return flows.redeem_raw(providers.github(), _GITHUB, call.body.auth_code)


def oauth_exchange_github(call: Call[None, identity.OauthExchange]) -> Reply[None, Literal[200]]:
    """Exchange a raw code of GitHub, as a developer."""
    return _name_user(providers.github(), call.context.prepared)


def prepare_oauth_exchange_apple(call: Call[None, identity.OauthExchange]) -> exchange.Profile:
    """Ask Apple whose code it is."""
    return flows.redeem_raw(providers.apple(), _APPLE, call.body.auth_code)


def oauth_exchange_apple(call: Call[None, identity.OauthExchange]) -> Reply[None, Literal[200]]:
    """Exchange a raw code of Apple, as a developer."""
    return _name_user(providers.apple(), call.context.prepared)


def _start(
    provider: Provider,
    door: flows.Door,
    call: Call[OauthStartGithubParameters, None] | Call[OauthStartAppleParameters, None],
) -> Reply[identity.OauthStart, Literal[200]]:
    begun = flows.begin(
        provider,
        door,
        client_address=call.context.client_address,
        browser_secret=optional(call.parameters.login_flow),
        return_to=optional(call.parameters.return_to),
        tenant_id=wanted_tenant(call.parameters.tenant_id),
    )
    return Reply(identity.OauthStart(auth_url=begun.url), 200, cookies=(flow_cookie(begun),))


def _finish(
    provider: Provider, door: flows.Door, sent: OauthCallbackGithubParameters | OauthCallbackAppleParameters
) -> flows.Arrival:
    try:
        return flows.finish(provider, door, answer_of(sent))
    except LoginStateInvalid as invalid:
        raise LoginRefused(cause=invalid.cause) from invalid


def _admit(provider: Provider, call: Call[Any, None]) -> Reply[None, Literal[303]]:
    """Open a session for whoever arrived, and lead to where the login was to lead."""
    arrival = call.context.prepared
    assert isinstance(arrival, flows.Arrival)
    verified = linking.do_identify(provider, arrival.profile, arrival.tenant_id)
    opened = sessions.do_open_session(
        verified,
        client_address=call.context.client_address,
        user_agent=call.context.user_agent,
    )
    path = arrival.return_to or settings.current().oauth_return_path
    cookies = session_cookies(opened)
    return Reply(None, 303, headers={"Location": path}, cookies=cookies, admitted=verified.user_id)


def _name_user(provider: Provider, profile: object) -> Reply[None, Literal[200]]:
    assert isinstance(profile, exchange.Profile)
    verified = linking.do_identify(provider, profile)
    text = f"Authenticated as user {verified.user_id}"
    media_type = "text/plain; charset=utf-8"
    return Reply(None, 200, raw=text.encode(), media_type=media_type, admitted=verified.user_id)


def _names(user: str | None) -> tuple[str | None, str | None]:
    """Return the first and last name in Apple's `user`, as far as it can be read."""
    try:
        found = msgspec.json.decode(user or "{}", type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None, None
    name = found.get("name")
    name = name if isinstance(name, dict) else {}
    return exchange.person_name(name.get("firstName")), exchange.person_name(name.get("lastName"))
