"""Materialised paths: bytes whose plain order is the depth-first order of a thread.

A path is one label per ancestor and one for the message itself. A label is the message's number among its siblings,
counted from 0 in the order of writing, in one to four bytes whose first byte tells the length, so that longer labels
sort behind shorter ones and no label is the beginning of another. A parent's path is the beginning of its children's,
and bytes compare alike on SQLite (BLOB) and PostgreSQL (bytea), whatever the collation.
"""

from __future__ import annotations

MAX_DEPTH = 1000
MAX_PATH_BYTES = 2500
"""PostgreSQL refuses index rows above 2,704 bytes."""

_LENGTHS = ((1, 0x00, 0x80), (2, 0x80, 0x4000), (3, 0xC0, 0x20_0000), (4, 0xE0, 0x1000_0000))


def root_path() -> bytes:
    """Return the path of a thread's first message."""
    return _label(0)


def child_path(parent: bytes, number: int) -> bytes:
    """Return the path of the child that has `number` elder siblings."""
    return parent + _label(number)


def parent(path: bytes) -> bytes:
    """Return the path of the message above, empty above the root."""
    steps = ancestors(path)
    return steps[-2] if len(steps) > 1 else b""


def ancestors(path: bytes) -> list[bytes]:
    """Return the paths from the root down to `path` itself."""
    found: list[bytes] = []
    end = 0
    while end < len(path):
        end += _length(path[end])
        found.append(path[:end])
    return found


def _label(number: int) -> bytes:
    base = 0
    for size, mark, span in _LENGTHS:
        if number < base + span:
            return (number - base | mark << 8 * (size - 1)).to_bytes(size, "big")
        base += span
    raise OverflowError("too many siblings")


def _length(first: int) -> int:
    return 1 if first < 0x80 else 2 if first < 0xC0 else 3 if first < 0xE0 else 4
