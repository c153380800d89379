"""A proxy that treats answers badly: it loses some after the server acted, sends some requests twice, delays, and cuts streams."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.endpoint import QuietServer, running

LOST, TWICE, DELAYED, TORN = 0.20, 0.05, 0.05, 0.05
"""Shares of answers; the rest passes unharmed."""
STREAM_BYTES = (100, 6000)
"""A stream is cut after so many bytes, drawn anew for each connection; a whole completion must often pass, since it is
replayed from its beginning."""
_HOP_HEADERS = {"connection", "transfer-encoding", "keep-alive", "content-length", "host"}


class Chaos:
    """What the proxy does, drawn from a seed; `done` counts it."""

    def __init__(self, target: tuple[str, int], seed: int) -> None:
        self.target = target
        self.done: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def draw(self) -> str:
        """Say what happens to the next answer."""
        with self._lock:
            number = self._random.random()
            for name, share in (("lost", LOST), ("twice", TWICE), ("delayed", DELAYED), ("torn", TORN)):
                if number < share:
                    self.done[name] += 1
                    return name
                number -= share
            self.done["unharmed"] += 1
            return "unharmed"

    def stream_bytes(self) -> int:
        """Say after how many bytes a stream is cut."""
        with self._lock:
            self.done["cut"] += 1
            return self._random.randint(*STREAM_BYTES)


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; the second would wait for an ACK
    chaos: Chaos

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fate = self.chaos.draw()
        connection, answer = self._forward(body)
        try:
            if answer.getheader("Content-Type", "").startswith("text/event-stream"):
                self._stream(answer)
                return
            content = answer.read()
        finally:
            connection.close()
        if fate == "twice":
            again, answer = self._forward(body)
            content = answer.read()
            again.close()
        if fate == "delayed":
            time.sleep(0.05)  # the fate itself
        if fate == "lost":
            self.close_connection = True
            return
        self._head(answer)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if fate != "torn" else content[: len(content) // 2])
        self.close_connection = fate == "torn"

    def _forward(self, body: bytes) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(*self.chaos.target, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_HEADERS}
        connection.request(self.command, self.path, body=body or None, headers=headers)
        return connection, connection.getresponse()

    def _head(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP_HEADERS:
                self.send_header(name, value)

    def _stream(self, answer: http.client.HTTPResponse) -> None:
        left = self.chaos.stream_bytes()
        self.close_connection = True
        self._head(answer)
        self.send_header("Connection", "close")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while left > 0 and (piece := answer.read1(left)):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
            left -= len(piece)
        if left > 0:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def chaos_before(host: str, port: int, *, seed: int) -> Iterator[tuple[str, Chaos]]:
    """Hold a proxy before a server; gives its URL and what it does."""
    chaos = Chaos((host, port), seed)
    handler = type(
        "Handler", (_Handler,), {"chaos": chaos, **{f"do_{method}": _Handler.handle_any for method in _METHODS}}
    )
    with running(QuietServer(("127.0.0.1", 0), handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}", chaos
