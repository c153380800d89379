"""What a client and each of its calls can be told."""

from __future__ import annotations

from collections.abc import Mapping
from os import urandom
from typing import Any, NamedTuple, TypedDict


class Options(TypedDict, total=False):
    """What one call does differently.

    timeout_seconds: for connecting, sending and each wait for bytes. max_retries: after the first try.
    idempotency_key: instead of one made for this call. if_match, if_none_match: ETags, `"…"` included.
    headers, query, body: members that are added, for what the contract does not name.
    """

    timeout_seconds: float | None
    max_retries: int
    idempotency_key: str
    if_match: str
    if_none_match: str
    headers: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]


class Retry(NamedTuple):
    """When to try again.

    Waits grow from first_seconds by factor 2 up to longest_seconds, less a random half. What the server asks for is
    obeyed; where it asks for more than patience_seconds, the call fails at once and says so.
    """

    max_retries: int = 4
    first_seconds: float = 0.25
    longest_seconds: float = 8.0
    patience_seconds: float = 60.0

    def wait_seconds(self, attempt: int, asked_seconds: float | None) -> float | None:
        """Return how long to wait after try number `attempt` (from 0); None: not worth it."""
        if asked_seconds is not None and asked_seconds > self.patience_seconds:
            return None
        grown = min(self.longest_seconds, self.first_seconds * 2.0 ** min(attempt, 64))
        own = grown * (0.5 + int.from_bytes(urandom(2), "big") / 131_072)
        return own if asked_seconds is None else asked_seconds + own * 0.1


TIMEOUT_SECONDS = 30.0
STREAM_SILENCE_SECONDS = 60.0
"""A stream that says nothing for so long, not even a comment, is taken for dead and opened again."""
