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


_FRAMING = frozenset({"connection", "content-length", "date"})


def line(name: str, value: str) -> bytes:
    """Return a header as a line of the head.

    Raises:
        ValueError: it holds a line's end, which would begin another header.
        UnicodeError: it is no string, or not Latin-1.
    """
    if not isinstance(name, str) or not isinstance(value, str):
        raise UnicodeError("a header must be a native string", name, value)
    text = f"{name}: {value}"
    if "\n" in text or "\r" in text:
        raise ValueError("a line's end in a header", name)
    return f"{text}\r\n".encode("latin-1")


line_once = lru_cache(1024)(line)


@lru_cache(128)
def status_line(status: str) -> bytes:
    """Return the first line of an answer.

    Raises:
        ValueError: the status holds a line's end, or is not Latin-1.
    """
    if "\n" in status or "\r" in status:
        raise ValueError("a line's end in a status", status)
    return f"HTTP/1.1 {status}\r\n".encode("latin-1")


_date = (0, b"")


def lines(headers: Iterable[tuple[str, str]]) -> tuple[list[bytes], dict[str, str]]:
    """Return headers as lines, and by their lower-case names those that decide how an answer is framed.

    Connection is among the latter only: its line is the connection's own to write.
    """
    found: list[bytes] = []
    framing: dict[str, str] = {}
    for name, value in headers:
        if name in _FIXED:
            found.append(line_once(name, value))
            continue
        text = line(name, value)
        lower = name.lower()
        if lower in _FRAMING:
            framing[lower] = value
        if lower != "connection":
            found.append(text)
    return found, framing


def date_line() -> bytes:
    """Return a Date header of the present (RFC 9110, 5.6.7), made once a second."""
    global _date
    second = int(time.time())
    if _date[0] != second:
        _date = (second, line("Date", formatdate(second, usegmt=True)))
    return _date[1]
