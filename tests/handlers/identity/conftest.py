"""Logins by npm's OpenID Connect provider, stored here as `corporate`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests import openid
from tests.client import Answer, Client
from tests.factories.people import People

NAME = "corporate"
CALLBACK = f"http://127.0.0.1:8080/auth/oauth/{NAME}/callback"


def definition(name: str = NAME, *, enabled: bool = True, **spec: Any) -> dict[str, Any]:
    """Return a provider's definition."""
    return {
        "kind": "FederationProvider",
        "version": "v1",
        "metadata": {"name": name},
        "enabled": enabled,
        "spec": {"provider": "custom", "client_id": openid.CLIENT_ID, "client_secret": openid.CLIENT_SECRET, **spec},
    }


@dataclass
class Federation:
    """A service that knows the provider, and browsers that log in by it."""

    client: Client
    people: People
    provider: openid.OpenIdProvider

    def put(self, **spec: Any) -> Answer:
        """Store the provider as Ada."""
        body = definition(**{"issuer": self.provider.issuer, **spec})
        return self.client.call("federation_put", path={"name": NAME}, body=body, as_=self.people.ada)

    def start(self, tenant_id: str | None = None) -> tuple[str, str]:
        """Begin a login: where the browser is sent, and the cookie that it is given."""
        query = {"tenant_id": tenant_id} if tenant_id else {}
        answer = self.client.call("federation_start", path={"provider": NAME}, query=query)
        assert answer.status == 302, answer.text
        return answer.headers["Location"], answer.cookies["LOGIN-FLOW"]

    def visit(self, url: str, person: str) -> dict[str, str]:
        """Log in at the provider: the query that the browser comes back with."""
        return dict(parse_qsl(openid.log_in(url, until=CALLBACK, person=person).query.decode()))

    def come_back(self, query: dict[str, str], cookie: str | None) -> Answer:
        """Bring the provider's answer to the callback."""
        headers = {"Cookie": f"LOGIN-FLOW={cookie}"} if cookie else {}
        return self.client.call("federation_callback", path={"provider": NAME}, query=query, headers=headers)

    def log_in(self, person: str, tenant_id: str | None = None) -> Answer:
        """Go the whole way, to the root workspace or another."""
        url, cookie = self.start(tenant_id)
        return self.come_back(self.visit(url, person), cookie)


@pytest.fixture(scope="session")
def openid_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openid.OpenIdProvider]:
    """Hold one provider for the session."""
    with openid.serving(tmp_path_factory.mktemp("openid"), CALLBACK) as provider:
        yield provider


@pytest.fixture
def federation(client: Client, people: People, openid_provider: openid.OpenIdProvider) -> Federation:
    """Give a service that knows the provider."""
    made = Federation(client, people, openid_provider)
    answer = made.put()
    assert answer.status == 200, answer.text
    return made
