"""The one place ids and random secrets come from."""

from __future__ import annotations

import os
import random
import secrets
from uuid import UUID, uuid4

from core.kernel import clock


def new_uuid() -> UUID:
    """Return a UUIDv7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, then random; so primary keys grow with time."""
    value = clock.now_ms() << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return UUID(int=value & ~(0b11 << 62) | 0b10 << 62)


def new_undated_uuid() -> UUID:
    """Return a UUIDv4 (RFC 9562, 5.4), for an id that must not tell when it was made."""
    return uuid4()


def new_request_id() -> str:
    """Return 96 random bits in hex: unlikely to meet again and no secret, so the process's own generator will do.

    Python seeds that generator anew in every forked child.
    """
    return f"{random.getrandbits(96):024x}"


def new_secret(size_bytes: int = 32) -> str:
    """Return `size_bytes` of randomness, base64url without padding."""
    return secrets.token_urlsafe(size_bytes)
