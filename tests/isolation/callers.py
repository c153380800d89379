"""The callers of the matrix: who shows what, and whose objects are that caller's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.client import UNSAFE_METHODS, Person
from tests.isolation.side import Side

State = Literal["live", "revoked", "disabled"]
Headers = Callable[[str], dict[str, str]]


@dataclass
class Caller:
    """A way of calling.

    owner: whose objects are this caller's own. role: the owner's in its tenant. schemes: the contract's security schemes
    whose credentials are sent, on an unsafe method. holds: the scopes that the credential was cut to, None for all of the
    owner's. renew: makes `headers` anew, after a request that spent the credential.
    """

    name: str
    owner: Person
    side: Side
    role: str
    schemes: frozenset[str]
    send: Headers
    state: State = "live"
    holds: frozenset[str] | None = None
    renew: Callable[[], Headers] | None = field(default=None, repr=False)

    def headers(self, method: str) -> dict[str, str]:
        """Return the headers of a request of this method."""
        return self.send(method)

    def refresh(self) -> None:
        """Take a new credential in place of one that was spent."""
        if self.renew is not None:
            self.send = self.renew()


def nothing(_method: str) -> dict[str, str]:
    """Send no credential."""
    return {}


def without_csrf(person: Person) -> Headers:
    """Send a session's cookies alone."""
    return lambda _method: person.in_browser().headers("GET")


def with_strange_csrf(person: Person) -> Headers:
    """Send a session with a CSRF token that is not its own, in cookie and header alike."""
    strange = "0" * 22

    def send(method: str) -> dict[str, str]:
        headers = {"Cookie": f"SESSION_ID={person.session}; CSRF-TOKEN={strange}"}
        return headers | ({"X-CSRF-TOKEN": strange} if method.upper() in UNSAFE_METHODS else {})

    return send


def with_both(person: Person) -> Headers:
    """Send a session and a token."""
    return lambda method: person.in_browser().headers(method) | person.by_token().headers(method)
