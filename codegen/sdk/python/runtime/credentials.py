"""Who calls: keys, bearer tokens that renew themselves, and a browser's session with its CSRF secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import Lock
from typing import NamedTuple
from urllib.parse import quote


class Scheme(NamedTuple):
    """A security scheme. from_cookie: the cookie whose value the header must repeat."""

    kind: str
    parameter: str
    from_cookie: str | None = None

    @property
    def cookie(self) -> str | None:
        """Return the cookie that its value is kept in; None for what the client was given."""
        return self.from_cookie or (self.parameter if self.kind == "cookie" else None)


class Renewal(NamedTuple):
    """The operation that exchanges a bearer token for its successor, and where its answer tells token and lifetime (s)."""

    scheme: str
    method: str
    path: str
    token: str
    expires_in: str


class Token:
    """A bearer token. expires_in_seconds: with it, the client renews the token before it ends.

    on_change: called with every successor, so that it can be kept.
    """

    def __init__(
        self,
        value: str,
        *,
        expires_in_seconds: float | None = None,
        on_change: Callable[[str, float | None], None] | None = None,
    ) -> None:
        self.value = value
        self._on_change = on_change
        self._renew_at = self._due(expires_in_seconds)
        self.renewing = Lock()

    @property
    def is_due(self) -> bool:
        """Say whether it is time to renew."""
        return self._renew_at is not None and time.monotonic() >= self._renew_at

    def replace(self, value: str, expires_in_seconds: float | None) -> None:
        """Take a successor."""
        self.value = value
        self._renew_at = self._due(expires_in_seconds)
        if self._on_change is not None:
            self._on_change(value, expires_in_seconds)

    def postpone(self) -> None:
        """Ask for a successor later, since there was none now."""
        self._renew_at = time.monotonic() + 5.0

    def _due(self, seconds: float | None) -> float | None:
        return None if seconds is None else time.monotonic() + seconds * 0.8


class Credentials:
    """What a client holds, by scheme of the contract; cookies are taken from answers."""

    def __init__(
        self,
        schemes: Mapping[str, Scheme],
        held: Mapping[str, str | Token | Callable[[], str] | None],
        cookies: Mapping[str, str] | None,
    ) -> None:
        self._schemes = schemes
        self._held = {name: value for name, value in held.items() if value is not None}
        self.cookies: dict[str, str] = dict(cookies or {})
        self._known_cookies = {scheme.cookie for scheme in schemes.values()}

    def set(self, scheme: str, value: str | Token | Callable[[], str] | None) -> None:
        """Hold another credential; None holds none."""
        self._held.pop(scheme, None)
        if value is not None:
            self._held[scheme] = value

    def token(self, scheme: str) -> Token | None:
        """Return the token of a scheme that can renew itself."""
        held = self._held.get(scheme)
        return held if isinstance(held, Token) else None

    def choose(self, security: Sequence[Sequence[str]]) -> Sequence[str]:
        """Return the first alternative of which everything is held; empty when there is none."""
        for alternative in security:
            if alternative and all(map(self._holds, alternative)):
                return alternative
        return ()

    def headers(self, alternative: Iterable[str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """Return the headers and query parameters that carry these credentials."""
        headers: dict[str, str] = {}
        query: list[tuple[str, str]] = []
        for name in alternative:
            scheme, value = self._schemes[name], self._value(name)
            if scheme.cookie is not None:
                headers["Cookie"] = "; ".join(filter(None, (headers.get("Cookie"), f"{scheme.cookie}={value}")))
            if scheme.kind == "bearer":
                headers["Authorization"] = f"Bearer {value}"
            elif scheme.kind == "basic":
                headers["Authorization"] = f"Basic {_basic(value)}"
            elif scheme.kind == "query":
                query.append((scheme.parameter, quote(value)))
            elif scheme.kind == "header":
                headers[scheme.parameter] = value
        return headers, query

    def learn(self, set_cookies: Sequence[str]) -> None:
        """Keep the session that an answer gave, or forget the one that it ended."""
        for line in set_cookies:
            pair, _, attributes = line.partition(";")
            name, _, value = pair.strip().partition("=")
            if name not in self._known_cookies:
                continue
            if not value or "max-age=0" in attributes.replace(" ", "").lower().split(";"):
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def _holds(self, name: str) -> bool:
        scheme = self._schemes.get(name)
        cookie = scheme.cookie if scheme is not None else None
        return name in self._held if cookie is None else cookie in self.cookies

    def _value(self, name: str) -> str:
        cookie = self._schemes[name].cookie
        if cookie is not None:
            return self.cookies.get(cookie, "")
        held = self._held[name]
        if isinstance(held, Token):
            return held.value
        return held() if callable(held) else held


def _basic(value: str) -> str:
    """Return `name:password` as it travels (RFC 7617); what is encoded already has no colon."""
    from base64 import b64encode  # noqa: PLC0415  (few contracts have the scheme)

    return b64encode(value.encode()).decode() if ":" in value else value
