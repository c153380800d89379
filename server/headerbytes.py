"""An answer's headers as bytes: checked as WSGI asks (PEP 3333), and those of few values encoded once."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache

_FIXED = frozenset(
    {
        "Cache-Control",
        "Content-Security-Policy",
        "Content-Type",
        "RateLimit-Limit",
        "RateLimit-Policy",
        "Referrer-Policy",
        "Strict-Transport-Security",
        "X-Content-Type-Options",
        "X-Frame-Options",
    }
)
"""The others differ from answer to answer, or are secret, and are not kept."""


def encode(name: str, value: str) -> tuple[bytes, bytes]:
    """Return a header as bytes.

    Raises:
        ValueError: it holds a line's end, which would begin another header, or what is not Latin-1.
        UnicodeError: it is no string.
    """
    if not isinstance(name, str) or not isinstance(value, str):
        raise UnicodeError("a header must be a native string", name, value)
    if "\n" in value or "\r" in value or "\n" in name or "\r" in name:
        raise ValueError("a line's end in a header", name)
    return name.encode("latin-1"), value.encode("latin-1")


_date = (0, b"")
encode_once = lru_cache(1024)(encode)


def encode_all(headers: Iterable[tuple[str, str]]) -> tuple[list[tuple[bytes, bytes]], dict[str, str]]:
    """Return headers as bytes, and those that are not among the fixed ones by their lower-case names."""
    encoded: list[tuple[bytes, bytes]] = []
    varying: dict[str, str] = {}
    for name, value in headers:
        if name in _FIXED:
            encoded.append(encode_once(name, value))
        else:
            encoded.append(encode(name, value))
            varying[name.lower()] = value
    return encoded, varying


def http_date() -> bytes:
    """Return the present as a Date header has it (RFC 9110, 5.6.7), made once a second."""
    global _date
    second = int(time.time())
    if _date[0] != second:
        _date = (second, formatdate(second, usegmt=True).encode())
    return _date[1]
