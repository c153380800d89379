"""Microsoft's directories: one issuer for many of them, and addresses that anybody's directory may write."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.identity.federation import discovery, exchange, providers
from core.identity.federation.exchange import Secrets
from core.identity.federation.problems import LoginNotProven, ProviderUnavailable
from core.kernel import settings as kernel_settings
from core.kernel.settings import Settings
from models.contract.identity import FederationProvider
from tests.provider_endpoint import ProviderEndpoint, serving

DIRECTORY = "72f988bf-86f1-41af-91ab-2d7cd011db47"
SECRETS = Secrets(verifier="v" * 64, nonce="n-1")


@pytest.fixture
def endpoint(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a server that stands for Microsoft's."""
    kernel_settings.install(settings)
    with serving() as made:
        monkeypatch.setattr(providers, "MICROSOFT", made.url)
        monkeypatch.setattr(discovery, "MICROSOFT", made.url)
        yield made


def _publish(endpoint: ProviderEndpoint, door: str, issuer: str) -> None:
    metadata = endpoint.answers["/.well-known/openid-configuration"] | {"issuer": issuer}
    endpoint.answers[f"/{door}/v2.0/.well-known/openid-configuration"] = metadata


def _redeem(endpoint: ProviderEndpoint, spec: dict[str, Any], **claims: Any) -> exchange.Profile:
    document = {
        "kind": "FederationProvider",
        "version": "v1",
        "metadata": {"name": "microsoft"},
        "spec": {"provider": "microsoft", "client_id": "accord", **spec},
    }
    provider = providers.of_document(msgspec.convert(document, FederationProvider), "s")
    endpoint.give(endpoint.sign(endpoint.claims(**{"nonce": "n-1", "email_verified": None, **claims})))
    return exchange.redeem(provider, SECRETS, code="c", redirect_uri="http://127.0.0.1:8080/cb")


def test_the_door_of_many_names_the_tokens_own_directory(endpoint: ProviderEndpoint) -> None:
    _publish(endpoint, "common", f"{endpoint.url}/{{tenantid}}/v2.0")
    profile = _redeem(endpoint, {}, iss=f"{endpoint.url}/{DIRECTORY}/v2.0", tid=DIRECTORY)
    assert profile.authority == f"{endpoint.url}/{DIRECTORY}/v2.0"
    for claims in ({"tid": "another"}, {"tid": None}, {"tid": DIRECTORY.replace("7", "8")}):
        with pytest.raises(LoginNotProven):
            _redeem(endpoint, {}, iss=f"{endpoint.url}/{DIRECTORY}/v2.0", **claims)


def test_an_address_of_any_directory_is_not_verified(endpoint: ProviderEndpoint) -> None:
    """Whoever runs a directory may write any address into it."""
    _publish(endpoint, "common", f"{endpoint.url}/{{tenantid}}/v2.0")
    issued = {"iss": f"{endpoint.url}/{DIRECTORY}/v2.0", "tid": DIRECTORY}
    assert not _redeem(endpoint, {}, **issued).is_email_verified
    assert not _redeem(endpoint, {"allowed_domains": ["example.com"]}, **issued).is_email_verified
    assert _redeem(endpoint, {}, xms_edov=True, **issued).is_email_verified


def test_an_address_of_our_own_directory_counts_where_its_domains_are_named(endpoint: ProviderEndpoint) -> None:
    issuer = f"{endpoint.url}/{DIRECTORY}/v2.0"
    _publish(endpoint, DIRECTORY, issuer)
    spec = {"tenant_id": DIRECTORY}
    assert not _redeem(endpoint, spec, iss=issuer).is_email_verified
    assert _redeem(endpoint, {**spec, "allowed_domains": ["example.com"]}, iss=issuer).is_email_verified
    with pytest.raises(LoginNotProven):
        _redeem(endpoint, spec, iss=f"{endpoint.url}/another/v2.0")


def test_metadata_of_elsewhere_are_refused(endpoint: ProviderEndpoint) -> None:
    _publish(endpoint, "common", "https://login.example.com/{tenantid}/v2.0")
    with pytest.raises(ProviderUnavailable):
        _redeem(endpoint, {})
