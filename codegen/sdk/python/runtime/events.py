"""Server-sent events: bytes in, events out (HTML Standard, 9.2), and what a reader gets of them."""

from __future__ import annotations

import re
from typing import Generic, NamedTuple, TypeVar

import msgspec

N = TypeVar("N")
D = TypeVar("D")
_END_OF_LINE = re.compile(b"\r\n|\n|\r")


class Event(msgspec.Struct, Generic[N, D], frozen=True, kw_only=True):
    """One event: its name, its data, and its id, by which the stream can be resumed."""

    event: N
    data: D
    id: str | None = None


class Sent(NamedTuple):
    """An event as it travelled; last_id: the id in force, from this event or an earlier one."""

    name: str
    data: str
    last_id: str | None


class Parser:
    """Joins the pieces of a stream into events.

    position: the id in force behind the last whole block, which may have had no data. retry_ms: the server's last hint when to
    reconnect.
    """

    def __init__(self, last_id: str | None = None) -> None:
        self.position = self.last_id = last_id
        self.retry_ms: int | None = None
        self._rest = b""
        self._name = ""
        self._data: list[str] = []
        self._is_first = True

    def feed(self, piece: bytes) -> list[Sent]:
        """Return the events that are complete with this piece."""
        text = self._rest + piece
        if self._is_first and len(text) >= 3:
            text, self._is_first = text.removeprefix(b"\xef\xbb\xbf"), False
        held = text.endswith(b"\r")  # the second half of CRLF may still come
        lines = _END_OF_LINE.split(text[:-1] if held else text)
        self._rest = lines.pop() + (b"\r" if held else b"")
        return [event for line in lines if (event := self._take(line.decode("utf-8", "replace"))) is not None]

    def _take(self, line: str) -> Sent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self.last_id = value or None
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry_ms = int(value)
        return None

    def _dispatch(self) -> Sent | None:
        name, data = self._name or "message", self._data
        self._name, self._data = "", []
        self.position = self.last_id
        return Sent(name, "\n".join(data), self.last_id) if data else None
