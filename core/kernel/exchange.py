"""What the server and the product hand each other through the ports of a request: credentials in, decisions out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """The credentials that a request carries, by scheme name of the contract; empty when it carries none.

    is_unsafe: the method changes state, so a cookie caller must prove intent (CSRF).
    error_style: the operation's surface; on some the dev profile lets callers in who send no credential.
    """

    values: Mapping[str, str]
    is_unsafe: bool
    error_style: str
    client_address: str
    operation_id: str = ""


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """The stored first answer of an idempotent request; channel names the durable stream of a streamed one."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    channel: str | None = None


class RateProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`limit` requests in any `window_seconds`, in a burst or spread: GCRA of limit / window_seconds, burst `limit`."""

    limit: Annotated[int, msgspec.Meta(ge=1)]
    window_seconds: Annotated[float, msgspec.Meta(gt=0)]


class RateDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What the limiter says of one request; reset and retry are in seconds from now."""

    is_admitted: bool
    profile: str
    limit: int
    remaining: int
    reset_seconds: int
    retry_after_seconds: int = 0
