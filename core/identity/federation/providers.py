"""What an identity provider is to us: its kind, our credentials there, and whom we let in."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.kernel import clock, settings
from models.contract.identity import FederationProvider

_APPLE_SECRET_SECONDS = 300
_OPENID_SCOPE = "openid email profile"
_GOOGLE_ISSUER = "https://accounts.google.com"
MICROSOFT = "https://login.microsoftonline.com"
MANY_DIRECTORIES = frozenset({"common", "organizations", "consumers"})
"""Microsoft's doors that let any directory in."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One provider. issuer: set where it speaks OpenID Connect, whose metadata then name the addresses."""

    name: str
    kind: Literal["google", "github", "microsoft", "custom", "apple"]
    client_id: str
    client_secret: str
    scope: str
    issuer: str | None = None
    auth_url: str | None = None
    token_url: str | None = None
    userinfo_url: str | None = None
    directory: str | None = None
    allowed_domains: frozenset[str] = frozenset()
    default_role: str | None = None

    @property
    def is_configured(self) -> bool:
        return bool(self.client_id and self.client_secret)

    @property
    def secret(self) -> str:
        """Return the client secret to send; Apple's is a token that its key signs anew each time."""
        return _sign_apple(self) if self.kind == "apple" else self.client_secret


def github(name: str = "github", *, client_id: str = "", client_secret: str = "", scope: str = "") -> Provider:
    """Return GitHub, with the credentials given or else those of the settings."""
    configured = settings.current()
    return Provider(
        name=name,
        kind="github",
        client_id=client_id or configured.github_client_id or "",
        client_secret=client_secret or configured.github_client_secret or "",
        scope=scope or "read:user user:email",
        auth_url=f"{configured.github_url}/login/oauth/authorize",
        token_url=f"{configured.github_url}/login/oauth/access_token",
        userinfo_url=f"{configured.github_api_url}/user",
    )


def apple() -> Provider:
    """Return Apple, with the credentials of the settings."""
    configured = settings.current()
    has_key = configured.apple_team_id and configured.apple_key_id
    return Provider(
        name="apple",
        kind="apple",
        client_id=configured.apple_client_id or "",
        client_secret=(has_key and configured.apple_private_key) or "",
        scope="name email",
        issuer=configured.apple_issuer,
    )


def of_document(document: FederationProvider, client_secret: str) -> Provider:
    """Return the provider that a definition describes."""
    plain = {name: value for name, value in msgspec.structs.asdict(document.spec).items() if value is not msgspec.UNSET}
    name, kind, client_id = document.metadata.name, document.spec.provider, plain.get("client_id", "")
    scope = plain.get("scope", "")
    if kind == "github":
        made = github(name, scope=scope)
        made = msgspec.structs.replace(made, client_id=client_id, client_secret=client_secret)
    else:
        directory = plain.get("tenant_id", "common") if kind == "microsoft" else None
        issuers = {"google": _GOOGLE_ISSUER, "microsoft": f"{MICROSOFT}/{directory}/v2.0"}
        issuer = issuers.get(kind) or plain.get("issuer")
        made = Provider(
            name=name,
            kind=kind,
            client_id=client_id,
            client_secret=client_secret,
            scope=scope or (_OPENID_SCOPE if issuer else ""),
            issuer=issuer,
            auth_url=plain.get("auth_url"),
            token_url=plain.get("token_url"),
            userinfo_url=plain.get("userinfo_url"),
            directory=directory,
        )
    return msgspec.structs.replace(
        made,
        allowed_domains=frozenset(domain.lower() for domain in plain.get("allowed_domains", ())),
        default_role=plain.get("default_role"),
    )


def _sign_apple(provider: Provider) -> str:
    """Make Apple's client secret: a JWT of ours, ES256 (Apple: "Creating a client secret")."""
    from joserfc import jwt  # noqa: PLC0415  (at first use: see exchange.py)
    from joserfc.jwk import ECKey  # noqa: PLC0415  (at first use: see exchange.py)

    configured, now = settings.current(), clock.now_ms() // 1000
    claims = {
        "iss": configured.apple_team_id,
        "iat": now,
        "exp": now + _APPLE_SECRET_SECONDS,
        "aud": provider.issuer,
        "sub": provider.client_id,
    }
    key = ECKey.import_key(provider.client_secret.replace("\\n", "\n"))
    return jwt.encode({"alg": "ES256", "kid": configured.apple_key_id}, claims, key, ["ES256"])
