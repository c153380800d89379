"""What all calls of a client share; loaded with the client, so it imports nothing that a first call does not need."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from .credentials import Credentials, Renewal
from .options import Retry


class Core:
    """A client's base address, credentials and habits.

    has_own_servers: the base is the contract's own, so an operation goes to the server that the contract names for it.
    headers: sent with every request.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        renewal: Renewal | None,
        *,
        retry: Retry,
        timeout_seconds: float | None,
        headers: Mapping[str, str],
        has_own_servers: bool,
    ) -> None:
        self.base_url = base_url
        self.credentials = credentials
        self.renewal = renewal
        self.retry = retry
        self.timeout_seconds = timeout_seconds
        self.headers = headers
        self.has_own_servers = has_own_servers

    def but(self, *, retry: Retry, timeout_seconds: float | None, headers: Mapping[str, str]) -> Core:
        """Return another with the same credentials."""
        other = copy.copy(self)
        other.retry, other.timeout_seconds, other.headers = retry, timeout_seconds, headers
        return other
