"""The two steps with a provider: the address that the browser is sent to, and a code exchanged for who is there.

Authlib and joserfc take as long to import as the rest of the server; here and beside this module that is done at first use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import msgspec

from core.identity.federation import discovery
from core.identity.federation.discovery import Endpoints
from core.identity.federation.problems import LoginNotProven, ProviderUnavailable
from core.identity.federation.providers import MANY_DIRECTORIES, Provider
from core.kernel import clock
from core.kernel.sealing import digest

if TYPE_CHECKING:
    from authlib.oauth2 import OAuth2Client
    from authlib.oauth2.auth import ClientAuth
    from joserfc import jwt

    from core.system.outbound_calls import Fetched

_LEEWAY_SECONDS = 60
_OUR_FAULTS = frozenset(
    {"invalid_client", "unauthorized_client", "redirect_uri_mismatch", "incorrect_client_credentials"}
)
_DIRECTORY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TEXT_LIMIT, _EMAIL_LIMIT, _NAME_LIMIT = 255, 254, 100
_LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})+")


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Who logged in, as the provider says. authority and subject name a person for good; the rest may change.

    email: lower case, or None where none is said.
    """

    authority: str
    subject: str
    email: str | None
    is_email_verified: bool
    first_name: str | None = None
    last_name: str | None = None


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What ties an answer to its question. Both are None for a code that a developer brings."""

    verifier: str | None
    nonce: str | None


def authorization_url(provider: Provider, secrets: Secrets, *, state: str, redirect_uri: str) -> str:
    """Return where the browser goes: with PKCE (S256) always, with a nonce where there will be an id_token.

    Raises:
        ProviderUnavailable: its addresses are not known.
    """
    endpoints = discovery.get_endpoints(provider)
    more = {"nonce": secrets.nonce} if endpoints.issuer else {}
    if provider.kind == "apple":
        more["response_mode"] = "form_post"
    client = _client(provider, endpoints, redirect_uri)
    made = client.create_authorization_url(endpoints.auth_url, state=state, code_verifier=secrets.verifier, **more)
    return str(made[0])


def redeem(provider: Provider, secrets: Secrets, *, code: str, redirect_uri: str) -> Profile:
    """Exchange a code and return who is there.

    Raises:
        LoginNotProven: the provider does not take the code, or what it gave does not hold.
        ProviderUnavailable: it cannot be asked, or does not take our credentials.
    """
    endpoints = discovery.get_endpoints(provider)
    tokens = _tokens(provider, endpoints, secrets, code, redirect_uri)
    if endpoints.issuer is not None:
        return _openid_profile(provider, endpoints, secrets, tokens)
    claims = _userinfo(endpoints, tokens)
    if provider.kind == "github":
        return _github_profile(endpoints, tokens, claims)
    return _profile(_authority(endpoints), claims, is_vouched=False)


class _Answer:
    """A provider's answer as Authlib reads it."""

    def __init__(self, url: str, fetched: Fetched) -> None:
        self._url = url
        self._body = fetched.body
        self.status_code = fetched.status

    def json(self) -> Any:
        """Return the body as JSON data."""
        return discovery.decode(self._url, self._body)

    def raise_for_status(self) -> None:
        """Raise for an answer that is none."""
        raise ProviderUnavailable(f"{self._url} answered {self.status_code}")


class _Session:
    """What Authlib sends its requests by: the guarded door."""

    def post(self, url: str, *, data: Mapping[str, str], headers: Mapping[str, str], auth: ClientAuth) -> _Answer:
        """Send a form, with our credentials in its head or among its fields."""
        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _Answer(url, discovery.call("POST", url, sent, body.encode()))


def _client(provider: Provider, endpoints: Endpoints, redirect_uri: str) -> OAuth2Client:
    from authlib.oauth2 import OAuth2Client  # noqa: PLC0415  (at first use: see above)

    return OAuth2Client(
        _Session(),
        client_id=provider.client_id,
        client_secret=provider.secret,
        token_endpoint_auth_method="client_secret_post" if endpoints.posts_secret else "client_secret_basic",
        scope=provider.scope,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )


def _tokens(provider: Provider, endpoints: Endpoints, secrets: Secrets, code: str, redirect_uri: str) -> dict[str, Any]:
    from authlib.oauth2 import OAuth2Error  # noqa: PLC0415  (at first use: see above)

    client = _client(provider, endpoints, redirect_uri)
    proof = {"code_verifier": secrets.verifier} if secrets.verifier else {}
    try:
        tokens = client.fetch_token(
            endpoints.token_url, grant_type="authorization_code", code=code, redirect_uri=redirect_uri, **proof
        )
    except OAuth2Error as error:
        cause = f"{provider.name}: {error.error}: {error.description}"
        if error.error in _OUR_FAULTS:
            raise ProviderUnavailable(cause) from error
        raise LoginNotProven(cause=cause) from error
    if not isinstance(tokens.get("access_token"), str):
        raise ProviderUnavailable(f"{provider.name} gave no access token")
    return dict(tokens)


def _openid_profile(provider: Provider, endpoints: Endpoints, secrets: Secrets, tokens: Mapping[str, Any]) -> Profile:
    token = tokens.get("id_token")
    if not isinstance(token, str):
        raise LoginNotProven(cause=f"{provider.name} gave no id_token")
    claims = _verified_claims(provider, endpoints, secrets, token, tokens["access_token"])
    if "email" not in claims and endpoints.userinfo_url is not None:
        more = _userinfo(endpoints, tokens)
        if more.get("sub") != claims["sub"]:
            raise LoginNotProven(cause=f"{provider.name}: userinfo is about someone else")
        claims = {**more, **claims}
    is_one_directory = provider.kind == "microsoft" and provider.directory not in MANY_DIRECTORIES
    return _profile(claims["iss"], claims, is_vouched=is_one_directory and bool(provider.allowed_domains))


def _verified_claims(
    provider: Provider, endpoints: Endpoints, secrets: Secrets, token: str, access_token: str
) -> dict[str, Any]:
    """Return the claims of an id_token whose signature and statements hold (OpenID Connect Core, 3.1.3.7)."""
    from authlib.oidc.core import CodeIDToken  # noqa: PLC0415  (at first use: see above)
    from joserfc.errors import JoseError  # noqa: PLC0415  (at first use: see above)

    try:
        decoded = _decoded(endpoints, token)
        issuer = _expected_issuer(endpoints, decoded.claims)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": provider.client_id},
            },
            params={"nonce": secrets.nonce, "client_id": provider.client_id, "access_token": access_token},
        )
        claims.validate(now=clock.now_ms() // 1000, leeway=_LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise LoginNotProven(cause=f"{provider.name}: id_token: {type(error).__name__}: {error}") from error
    if not 0 < len(claims["sub"]) <= _TEXT_LIMIT:
        raise LoginNotProven(cause=f"{provider.name}: id_token: sub is empty or too long")
    return dict(claims)


def _decoded(endpoints: Endpoints, token: str) -> jwt.Token:
    """Verify the signature; by keys fetched anew where the kept ones do not do, since providers change theirs."""
    from joserfc import jwt  # noqa: PLC0415  (at first use: see above)
    from joserfc.errors import JoseError  # noqa: PLC0415  (at first use: see above)

    assert endpoints.jwks_url is not None
    try:
        return jwt.decode(token, discovery.get_keys(endpoints.jwks_url), algorithms=endpoints.algorithms)
    except (JoseError, ValueError):
        return jwt.decode(token, discovery.get_keys(endpoints.jwks_url, is_fresh=True), algorithms=endpoints.algorithms)


def _expected_issuer(endpoints: Endpoints, claims: Mapping[str, Any]) -> str:
    """Return who must have issued the token; Microsoft's doors for many directories name the token's own."""
    issuer = endpoints.issuer or ""
    if "{tenantid}" not in issuer:
        return issuer
    directory = str(claims.get("tid", ""))
    if not _DIRECTORY_ID.fullmatch(directory):
        raise ValueError("tid is no directory")
    return issuer.replace("{tenantid}", directory)


def _userinfo(endpoints: Endpoints, tokens: Mapping[str, Any]) -> dict[str, Any]:
    if endpoints.userinfo_url is None:
        raise ProviderUnavailable("the provider names no userinfo address")
    found = discovery.ask("GET", endpoints.userinfo_url, _bearer(tokens))
    if not isinstance(found, dict):
        raise ProviderUnavailable(f"{endpoints.userinfo_url} sent no object")
    return found


def _github_profile(endpoints: Endpoints, tokens: Mapping[str, Any], claims: Mapping[str, Any]) -> Profile:
    """GitHub says which addresses are verified in a list of its own."""
    rows = discovery.ask("GET", f"{endpoints.userinfo_url}/emails", _bearer(tokens))
    listed = rows if isinstance(rows, list) else []
    verified = [row for row in listed if isinstance(row, dict) and row.get("verified") is True]
    chosen = next((row for row in verified if row.get("primary") is True), verified[0] if verified else {})
    first, _, last = str(claims.get("name") or "").strip().partition(" ")
    known = {"sub": claims.get("id"), "email": chosen.get("email"), "email_verified": bool(chosen)}
    parts = urlsplit(endpoints.userinfo_url or "")
    claims = {**known, "given_name": first, "family_name": last}
    return _profile(f"{parts.scheme}://{parts.netloc}".lower(), claims, is_vouched=False)


def _bearer(tokens: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def _authority(endpoints: Endpoints) -> str:
    """Return what tells a plain OAuth 2.0 provider's people from others': the whole address, for one host may serve several."""
    url = endpoints.userinfo_url or ""
    return url if len(url) <= _TEXT_LIMIT else digest(url)


def _profile(authority: str, claims: Mapping[str, Any], *, is_vouched: bool) -> Profile:
    """Read standard claims; is_vouched: the provider is the authority over its addresses, whatever it says of them."""
    subject = claims.get("sub", claims.get("id"))
    if isinstance(subject, bool) or not isinstance(subject, str | int) or not 0 < len(str(subject)) <= _TEXT_LIMIT:
        raise LoginNotProven(cause=f"{authority} names no subject")
    email = str(claims.get("email") or "").lower()
    has_email = len(email) <= _EMAIL_LIMIT and _EMAIL.fullmatch(email) is not None
    says_so = claims.get("email_verified") in (True, "true") or claims.get("xms_edov") in (True, 1, "1", "true")
    return Profile(
        authority=authority,
        subject=str(subject),
        email=email if has_email else None,
        is_email_verified=has_email and (says_so or is_vouched),
        first_name=person_name(claims.get("given_name")),
        last_name=person_name(claims.get("family_name")),
    )


def person_name(value: Any) -> str | None:
    """Return a name as it may be stored, or None: providers promise nothing of it."""
    text = "".join(letter for letter in value if letter.isprintable()).strip() if isinstance(value, str) else ""
    return text[:_NAME_LIMIT].strip() or None
