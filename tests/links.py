"""A link to a server that can fall silent: what is open stays open and carries nothing, as when a firewall forgets it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from urllib.parse import urlsplit

_CHUNK_BYTES = 65_536


class Link:
    """A port of this machine that leads to another one; `close` ends it and all that goes through it.

    url: the address that it was made of, through the link.
    """

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url).port
        self._is_silent = False
        self._lost: set[socket.socket] = set()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = url.replace(f":{self._target}/", f":{self._listener.getsockname()[1]}/")
        _in_background(self._accept)

    @contextmanager
    def silent_to_newcomers(self) -> Iterator[None]:
        """Carry nothing, ever, on what is opened meanwhile."""
        self._is_silent = True
        try:
            yield
        finally:
            self._is_silent = False

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Carry nothing more on what is open, ever, and nothing on what is opened meanwhile."""
        with self.silent_to_newcomers():
            self._lost |= self._open
            yield

    def close(self) -> None:
        """End it."""
        for end in (self._listener, *self._open):
            _shut(end)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(("127.0.0.1", self._target))
            ends = {client, server}
            self._open |= ends
            if self._is_silent:
                self._lost |= ends
            _in_background(lambda here=client, there=server: self._carry(here, there))
            _in_background(lambda here=server, there=client: self._carry(here, there))

    def _carry(self, here: socket.socket, there: socket.socket) -> None:
        while data := here.recv(_CHUNK_BYTES):
            if here not in self._lost:
                there.sendall(data)
        if here not in self._lost:
            _shut(there)


def _in_background(work: Callable[[], None]) -> None:
    def run() -> None:
        with suppress(OSError):  # the link was closed, or an end has gone
            work()

    Thread(target=run, daemon=True).start()


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
