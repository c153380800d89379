"""Notice clients that leave: one epoll for all streams of a worker, which the event loop watches like a single socket.

A client that only listens sends nothing, so its departure would show at the next heartbeat; a watcher in the loop for each stream would
cost memory for each. The kernel keeps this list, and speaks when a client has closed its side.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

import gevent
from gevent import monkey

_EVENTS = select.EPOLLRDHUP | select.EPOLLONESHOT
_AT_A_TIME = 256


class Departures:
    """Sockets of one process, and what to call, once, when the other side of one has closed."""

    def __init__(self) -> None:
        self._left: dict[int, Callable[[], None]] = {}
        self._poll: Any = None
        self._watcher: Any = None

    def watch(self, fileno: int, left: Callable[[], None]) -> None:
        """Call `left` from the event loop, where it must not wait; call `forget` before the socket is closed."""
        if self._poll is None:
            self._begin()
        self._left[fileno] = left
        self._poll.register(fileno, _EVENTS)

    def forget(self, fileno: int) -> None:
        """Watch a socket no more."""
        if self._left.pop(fileno, None) is not None:
            self._poll.unregister(fileno)

    def _begin(self) -> None:
        """Only now, because an epoll that was made before the fork would be shared by the workers."""
        self._poll = monkey.get_original("select", "epoll")()  # gevent takes it away: it would block
        self._watcher = gevent.get_hub().loop.io(self._poll.fileno(), 1)
        self._watcher.start(self._look)

    def _look(self) -> None:
        for fileno, _ in self._poll.poll(0, _AT_A_TIME):
            self._left[fileno]()
