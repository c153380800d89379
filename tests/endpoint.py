"""A fake OpenAI-compatible endpoint on a real socket: it answers what it was told to, step by step."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from socketserver import BaseServer
from typing import Any, TypeVar

ServerT = TypeVar("ServerT", bound=BaseServer)
Step = bytes | float
DONE = b"data: [DONE]\n\n"


class Endpoint(ThreadingHTTPServer):
    """Answers with a status and headers and then, step by step, bytes or pauses in seconds; asked: what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.answer()

    def answer(self, *steps: Step, status: int = 200, **headers: str) -> None:
        """Set the answer to every request from now on; in header names _ stands for -."""
        self.steps, self.status = steps, status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def url(self) -> str:
        """Return its base URL."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class QuietServer(ThreadingHTTPServer):
    """Serves many at once, and lets connections that a client left end quietly."""

    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing."""


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({"path": self.path, "key": self.headers["Authorization"], "body": body})
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        send_steps(self.wfile, self.server.steps)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


def send_steps(out: BufferedIOBase, steps: Iterable[Step]) -> None:
    """Write bytes, and pause for seconds, in turn."""
    for step in steps:
        if isinstance(step, float):
            time.sleep(step)
        else:
            out.write(step)
            out.flush()


def serving() -> AbstractContextManager[Endpoint]:
    """Hold a running endpoint."""
    return running(Endpoint())


@contextmanager
def running(server: ServerT) -> Iterator[ServerT]:
    """Serve until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def chunk(*, finish_reason: str | None = None, more: dict[str, Any] | None = None, **delta: Any) -> bytes:
    """Return one streamed chunk; `more` are further members of its choice."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, **(more or {})}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"
