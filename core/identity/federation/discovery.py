"""What a provider says of itself: its addresses and signing keys, fetched, checked, and kept for some minutes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from core.identity.federation.problems import ProviderUnavailable
from core.identity.federation.providers import MICROSOFT, Provider
from core.system.outbound import OutboundRefused

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

    from core.system.outbound_calls import Fetched

SIGNATURES = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Signatures by a private key: never none, never a shared secret, which a public key could be mistaken for."""
_KEPT_SECONDS = 600.0
_WELL_KNOWN = "/.well-known/openid-configuration"

_kept: dict[str, tuple[float, dict[str, Any]]] = {}


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where a provider answers. issuer, jwks_url: None where it speaks plain OAuth 2.0.

    names_itself: it puts `iss` into every answer (RFC 9207). posts_secret: it takes the client
    secret in the form, where no two readings of its encoding exist (RFC 6749, 2.3.1, and those who disregard it).
    """

    auth_url: str
    token_url: str
    userinfo_url: str | None
    issuer: str | None = None
    jwks_url: str | None = None
    algorithms: frozenset[str] = SIGNATURES
    names_itself: bool = False
    posts_secret: bool = False


class _Metadata(msgspec.Struct, frozen=True):
    """OpenID Connect Discovery 1.0, section 3, as far as we read it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    id_token_signing_alg_values_supported: tuple[str, ...] = ()
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


def get_endpoints(provider: Provider) -> Endpoints:
    """Return where the provider answers.

    Raises:
        ProviderUnavailable: it cannot be asked, or what it says cannot be believed.
    """
    if provider.issuer is None:
        if provider.auth_url is None or provider.token_url is None:
            raise ProviderUnavailable(f"{provider.name} names no addresses")
        return Endpoints(
            auth_url=provider.auth_url,
            token_url=provider.token_url,
            userinfo_url=provider.userinfo_url,
            posts_secret=provider.kind == "github",
        )
    metadata = _metadata(provider.issuer.rstrip("/") + _WELL_KNOWN)
    if not _is_named(provider, metadata.issuer):
        raise ProviderUnavailable(f"{provider.name} calls itself {metadata.issuer!r}, not {provider.issuer!r}")
    methods = metadata.token_endpoint_auth_methods_supported
    supported = SIGNATURES & set(metadata.id_token_signing_alg_values_supported or ("RS256",))
    return Endpoints(
        issuer=metadata.issuer,
        auth_url=metadata.authorization_endpoint,
        token_url=metadata.token_endpoint,
        userinfo_url=metadata.userinfo_endpoint,
        jwks_url=metadata.jwks_uri,
        algorithms=supported,
        names_itself=metadata.authorization_response_iss_parameter_supported,
        posts_secret="client_secret_post" in methods,
    )


def get_keys(url: str, *, is_fresh: bool = False) -> KeySet:
    """Return the keys that sign id_tokens; is_fresh: fetched now, since a key was missing among those kept.

    Raises:
        ProviderUnavailable: see `get_endpoints`.
    """
    from joserfc.jwk import KeySet  # noqa: PLC0415  (at first use: see exchange.py)

    rows = fetch_json(url, is_fresh=is_fresh).get("keys")
    if not isinstance(rows, list):
        raise ProviderUnavailable(f"{url} holds no keys")
    return KeySet([key for row in rows if (key := _key(row)) is not None])


def fetch_json(url: str, *, is_fresh: bool = False) -> dict[str, Any]:
    """Return the JSON object at an address, as it was within the last ten minutes.

    Raises:
        ProviderUnavailable: see `get_endpoints`.
    """
    at, value = _kept.get(url, (0.0, {}))
    if not is_fresh and value and time.monotonic() - at < _KEPT_SECONDS:
        return value
    fetched = ask("GET", url, {})
    if not isinstance(fetched, dict):
        raise ProviderUnavailable(f"{url} sent no object")
    _kept[url] = (time.monotonic(), fetched)
    return fetched


def ask(method: str, url: str, headers: Mapping[str, str], content: bytes = b"") -> Any:
    """Ask a provider and return the JSON it answers with.

    Raises:
        ProviderUnavailable: see `get_endpoints`.
    """
    fetched = call(method, url, headers, content)
    if fetched.status != 200:
        raise ProviderUnavailable(f"{url} answered {fetched.status}")
    return decode(url, fetched.body)


def call(method: str, url: str, headers: Mapping[str, str], content: bytes = b"") -> Fetched:
    """Ask a provider and return its answer, whatever the status.

    Raises:
        ProviderUnavailable: there is none.
    """
    from core.system.outbound_calls import OutboundFailed, fetch  # noqa: PLC0415  (at first use: see exchange.py)

    try:
        return fetch(method, url, headers={"Accept": "application/json", **headers}, content=content)
    except (OutboundRefused, OutboundFailed) as error:
        raise ProviderUnavailable(f"{url}: {error}") from error


def decode(url: str, body: bytes) -> Any:
    """Read JSON.

    Raises:
        ProviderUnavailable: it is none.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProviderUnavailable(f"{url} sent what is not JSON: {error}") from error


def _is_named(provider: Provider, issuer: str) -> bool:
    """Say whether this is the issuer meant; Microsoft's metadata name a directory by its id, or `{tenantid}` for many."""
    if provider.kind == "microsoft":
        return issuer.startswith(f"{MICROSOFT}/") and issuer.endswith("/v2.0")
    return issuer == provider.issuer


def _metadata(url: str) -> _Metadata:
    try:
        return msgspec.convert(fetch_json(url), _Metadata)
    except msgspec.ValidationError as error:
        raise ProviderUnavailable(f"{url}: {error}") from error


def _key(row: Any) -> Any:
    """Import a public signing key; None for one of another use or kind, and for a shared secret."""
    from joserfc.errors import JoseError  # noqa: PLC0415  (at first use: see exchange.py)
    from joserfc.jwk import JWKRegistry  # noqa: PLC0415  (at first use: see exchange.py)

    if not isinstance(row, dict) or row.get("use", "sig") != "sig" or row.get("kty") not in {"RSA", "EC", "OKP"}:
        return None
    try:
        return JWKRegistry.import_key(row)
    except (JoseError, ValueError, KeyError, TypeError):
        return None  # a kind of key that is newer than this code: tokens of the others still verify
