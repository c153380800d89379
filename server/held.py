"""A connection whose answer is an open stream: no more of it is kept than its socket and a greenlet that waits.

The greenlet that opened the stream went deep, through routing, rules and the database; the pages of its stack that it touched would
stay resident for as long as the stream is open. So it ends, with its request and its buffers, and a fresh one waits.
"""

from __future__ import annotations

import math
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

NEVER = math.inf


class Stream(ABC):
    """An answer that goes on for long; an empty item says that what was there has been given.

    is_live: from now on it only waits.
    """

    __slots__ = ("is_live",)

    is_live: bool

    @abstractmethod
    def __iter__(self) -> Iterator[bytes]: ...

    @abstractmethod
    def hold(self, connection: Any) -> None:
        """Learn by which socket it is sent from now on."""

    @abstractmethod
    def close(self) -> None:
        """Forget it, whatever ended it."""


class Connection(Protocol):
    """What the worker knows of each open connection.

    deadline: monotonic seconds after which `expire` is called. is_waiting: no whole request head has come.
    """

    deadline: float
    is_waiting: bool

    @property
    def is_half_sent(self) -> bool:
        """Say whether some of a request's body has not come."""

    def expire(self) -> None:
        """End what is late."""

    def wind_down(self) -> None:
        """End it if it waits for a request, or let its request be the last."""

    def cut(self) -> None:
        """End it at once."""


class Held:
    """One open stream on its way to its client; is_chunked: by the chunked coding (RFC 9112, 7.1), else until the close."""

    __slots__ = ("_connections", "_is_chunked", "_patience_seconds", "_socket", "_stream", "deadline")

    is_waiting = False
    is_half_sent = False

    def __init__(
        self, stream: Stream, connection: Any, connections: set[Any], *, is_chunked: bool, patience_seconds: float
    ) -> None:
        self.deadline = NEVER
        self._stream = stream
        self._socket = connection
        self._connections = connections
        self._is_chunked = is_chunked
        self._patience_seconds = patience_seconds
        stream.hold(connection)
        connections.add(self)

    def run(self) -> None:
        """Send what comes until the stream or the connection ends."""
        try:
            for data in self._stream:
                if data:
                    self._send(b"%x\r\n%s\r\n" % (len(data), data) if self._is_chunked else data)
            if self._is_chunked:
                self._send(b"0\r\n\r\n")
        except OSError:  # the client has gone
            return
        finally:
            self._connections.discard(self)
            self._stream.close()
            self._socket.close()

    def expire(self) -> None:
        """End it: the client does not read."""
        self.cut()

    def wind_down(self) -> None:
        """Leave the end to the stream, which has last words."""

    def cut(self) -> None:
        """End the connection at once."""
        self.deadline = NEVER
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # already gone
            return

    def _send(self, data: bytes) -> None:
        self.deadline = time.monotonic() + self._patience_seconds
        self._socket.sendall(data)
        self.deadline = NEVER
