"""Logins by identity providers, and their administration."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from core.identity import tokens
from core.identity.federation import flows, linking, registry
from core.identity.federation.providers import Provider
from core.kernel import settings
from core.kernel.call import Call, Reply
from core.kernel.problems import AccountDisabled, Forbidden
from handlers.browsers import answer_of, flow_cookie, optional, wanted_tenant
from models.contract import identity
from models.contract.parameters.identity import (
    FederationCallbackParameters,
    FederationDeleteParameters,
    FederationGetParameters,
    FederationPutParameters,
    FederationStartParameters,
)


class FederatedAccountDisabled(Forbidden):
    """This surface's word for AccountDisabled: page 002 says 403."""

    code, title = "account_disabled", "The account is disabled"


def federation_start(call: Call[FederationStartParameters, None]) -> Reply[None, Literal[302]]:
    """Begin a login by an identity provider."""
    provider = registry.get_provider(call.parameters.provider)
    begun = flows.begin(
        provider,
        _door(provider),
        client_address=call.context.client_address,
        browser_secret=optional(call.parameters.login_flow),
        tenant_id=wanted_tenant(call.parameters.tenant_id),
    )
    return Reply(None, 302, headers={"Location": begun.url}, cookies=(flow_cookie(begun),))


def prepare_federation_callback(call: Call[FederationCallbackParameters, None]) -> tuple[Provider, flows.Arrival]:
    """Ask the provider who is there."""
    provider = registry.get_provider(call.parameters.provider)
    return provider, flows.finish(provider, _door(provider), answer_of(call.parameters))


def federation_callback(
    call: Call[FederationCallbackParameters, None],
) -> Reply[identity.Token, Literal[200]] | Reply[None, Literal[302]]:
    """Finish a login by an identity provider."""
    assert isinstance(call.context.prepared, tuple)
    provider, arrival = call.context.prepared
    try:
        verified = linking.do_identify(provider, arrival.profile, arrival.tenant_id)
        issued = tokens.do_issue_confirmed_token(verified)
    except AccountDisabled as disabled:
        raise FederatedAccountDisabled from disabled
    page = settings.current().oauth_ui_redirect_url
    if page is None:
        return _shown(issued, verified.user_id)
    return _led_to(page, issued, verified.user_id)


def federation_list(call: Call[None, None]) -> identity.FederationNames:
    """List the names of the identity providers."""
    return registry.list_names()


def federation_get(call: Call[FederationGetParameters, None]) -> identity.FederationProvider:
    """Get an identity provider."""
    return registry.get_shown(call.parameters.name)


def federation_put(call: Call[FederationPutParameters, identity.FederationProvider]) -> identity.FederationProvider:
    """Make or replace an identity provider."""
    return registry.do_put(call.parameters.name, call.body)


def federation_delete(call: Call[FederationDeleteParameters, None]) -> None:
    """Delete an identity provider."""
    registry.do_delete(call.parameters.name)


def _door(provider: Provider) -> flows.Door:
    return flows.Door("federation", f"/auth/oauth/{provider.name}/callback")


def _shown(issued: tokens.Issued, user_id: UUID) -> Reply[identity.Token, Literal[200]]:
    token = identity.Token(
        access_token=issued.token,
        token_type="bearer",
        expires_in=issued.expires_in_seconds,
        scope=" ".join(sorted(issued.scopes)),
    )
    return Reply(token, 200, admitted=user_id)


def _led_to(page: str, issued: tokens.Issued, user_id: UUID) -> Reply[None, Literal[302]]:
    """Lead to the user interface, which page 002 has take the token from its query."""
    query = urlencode({"token": issued.token})
    location = f"{page}{'&' if '?' in page else '?'}{query}"
    return Reply(None, 302, headers={"Location": location}, admitted=user_id)
