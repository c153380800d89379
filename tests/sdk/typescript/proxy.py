"""A way to a server that loses answers and cuts them, as a plan says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from select import select

_PIECE_BYTES = 65536

Plan = Callable[[int], int | None]
"""Answer number (from 0) → how many of its bytes arrive before the connection is cut; None: all."""


class FaultProxy:
    """Forwards connections; the server always gets the whole request. answers: how many it gave."""

    def __init__(self, target: tuple[str, int], plan: Plan) -> None:
        self._target = target
        self._plan = plan
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.answers = 0

    @property
    def url(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        """Take connections until the proxy is closed."""
        with suppress(OSError):  # the listener is closed at the end
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def close(self) -> None:
        """End everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for end in list(self._open):
            with suppress(OSError):  # it may have ended by itself
                end.shutdown(socket.SHUT_RDWR)

    def _connection(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server, suppress(OSError):
            self._open |= {client, server}
            self._forward(client, server)
        self._open -= {client, server}

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        """Pass bytes on both ways; what the server sends after bytes of the client begins an answer."""
        left: int | None = None
        is_asked = False
        while True:
            for end in select([client, server], [], [])[0]:
                piece = end.recv(_PIECE_BYTES)
                if not piece:
                    return
                if end is client:
                    server.sendall(piece)
                    is_asked = True
                    continue
                if is_asked:
                    left, is_asked = self._next(), False
                client.sendall(piece[:left])
                if left is not None:
                    left -= len(piece)
                    if left <= 0:
                        return

    def _next(self) -> int | None:
        with self._lock:
            number, self.answers = self.answers, self.answers + 1
        return self._plan(number)


@contextmanager
def faulty(host: str, port: int, plan: Plan) -> Iterator[FaultProxy]:
    """Hold a running proxy."""
    proxy = FaultProxy((host, port), plan)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()
