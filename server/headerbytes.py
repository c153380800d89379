"""An answer's headers as the bytes of its head, checked as WSGI asks (PEP 3333)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache

_FRAMING = frozenset({"connection", "content-length", "date"})
_FRAMING_LENGTHS = frozenset(len(name) for name in _FRAMING)


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


def lines(headers: Iterable[tuple[str, str]]) -> tuple[bytes, dict[str, str]]:
    """Return headers as lines, and by their lower-case names those that decide how an answer is framed.

    Connection is among the latter only: its line is the connection's own to write.

    Raises:
        ValueError: one holds a line's end, which would begin another header, or is not Latin-1.
        TypeError: one is no string.
    """
    parts: list[str] = []
    framing: dict[str, str] = {}
    for name, value in headers:
        if len(name) in _FRAMING_LENGTHS and (lower := name.lower()) in _FRAMING:
            framing[lower] = value
            if lower == "connection":
                continue
        parts += (name, ": ", value, "\r\n")
    text = "".join(parts)
    if not text.count("\n") == text.count("\r") == len(parts) // 4:
        raise ValueError("a line's end in a header")
    return text.encode("latin-1"), framing


def date_line() -> bytes:
    """Return a Date header of the present (RFC 9110, 5.6.7), made once a second."""
    global _date
    second = int(time.time())
    if _date[0] != second:
        _date = (second, f"Date: {formatdate(second, usegmt=True)}\r\n".encode())
    return _date[1]
