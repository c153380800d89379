"""A fake GitHub, Apple and OpenID Connect provider on a real socket: it answers what a test tells it to, lies included."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from contextlib import AbstractContextManager
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey

from tests.endpoint import Step, running, send_steps


class ProviderEndpoint(ThreadingHTTPServer):
    """Answers paths with JSON; a callable is given the request's fields, a list is sent step by step (pauses in seconds).

    asked: (path, form fields, Authorization) of each request. key signs id_tokens; `keys` is what /keys shows.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.key = _first_key()
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.answers: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            },
            "/keys": lambda _: {"keys": [self.key.as_dict(private=False)]},
        }

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers who leave: that is what the guarded door does."""

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a good id_token; None leaves one out."""
        now = int(time.time())
        good = {"iss": self.url, "sub": "s-1", "aud": "accord", "iat": now, "exp": now + 300}
        good |= {"email": "dora@example.com", "email_verified": True}
        return {name: value for name, value in (good | changes).items() if value is not None}

    def sign(self, claims: dict[str, Any], *, key: Key | None = None, **header: Any) -> str:
        """Return an id_token."""
        chosen = key or self.key
        algorithm = "ES256" if isinstance(chosen, ECKey) else "RS256"
        return jwt.encode({"alg": algorithm, "kid": "one", **header}, claims, chosen, ["RS256", "ES256", "HS256"])

    def give(self, id_token: str | None, **more: Any) -> None:
        """Have /token give an id_token."""
        tokens = {"access_token": "at-1", "token_type": "Bearer", **({"id_token": id_token} if id_token else {})}
        self.answers["/token"] = tokens | more


class _Handler(BaseHTTPRequestHandler):
    server: ProviderEndpoint

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(dict(parse_qsl(body, keep_blank_values=True)))

    def _answer(self, form: dict[str, str]) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append((path, form, self.headers.get("Authorization", "")))
        answer = self.server.answers.get(path, (404, {}))
        answer = answer(form) if callable(answer) else answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        steps: list[Step] = (
            body if isinstance(body, list) and body and isinstance(body[0], bytes) else [json.dumps(body).encode()]
        )
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status in {301, 302, 307}:
            self.send_header("Location", body["Location"])
        self.end_headers()
        send_steps(self.wfile, steps)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


def serving() -> AbstractContextManager[ProviderEndpoint]:
    """Hold a running endpoint."""
    return running(ProviderEndpoint())


def unsigned(claims: dict[str, Any]) -> str:
    """Return an id_token of `alg: none`."""
    return ".".join((_encoded({"alg": "none", "typ": "JWT"}), _encoded(claims), ""))


def confused(claims: dict[str, Any], public_pem: bytes) -> str:
    """Return an id_token under HS256 whose shared secret is a public key."""
    text = f"{_encoded({'alg': 'HS256', 'kid': 'one'})}.{_encoded(claims)}"
    signature = hmac.digest(public_pem, text.encode(), "sha256")
    return f"{text}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@cache
def _first_key() -> RSAKey:
    """Make the key that every endpoint begins with once: it takes longer than a login."""
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


def half_hash(text: str) -> str:
    """Return the at_hash of an access token under RS256."""
    return urlsafe_b64encode(sha256(text.encode()).digest()[:16]).rstrip(b"=").decode()


def _encoded(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
