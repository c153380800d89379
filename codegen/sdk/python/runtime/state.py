"""What all calls of a client share; loaded with the client, so it imports nothing that a first call does not need."""

from __future__ import annotations

from collections.abc import Mapping

from .credentials import Credentials, Renewal
from .options import Retry


class Core:
    """A client's base address, credentials and habits. headers: sent with every request."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        renewal: Renewal | None,
        *,
        retry: Retry,
        timeout_seconds: float | None,
        headers: Mapping[str, str],
    ) -> None:
        self.base_url = base_url
        self.credentials = credentials
        self.renewal = renewal
        self.retry = retry
        self.timeout_seconds = timeout_seconds
        self.headers = headers

    def but(self, *, retry: Retry, timeout_seconds: float | None, headers: Mapping[str, str]) -> Core:
        """Return another with the same credentials."""
        return Core(
            self.base_url, self.credentials, self.renewal, retry=retry, timeout_seconds=timeout_seconds, headers=headers
        )
