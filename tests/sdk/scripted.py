"""A server that answers by a list: for what a real one does too seldom, or never."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.endpoint import QuietServer, running


@dataclass(frozen=True)
class Row:
    """One answer.

    status 0: none, the connection ends. body: text as it is, anything else as JSON. is_cut: no proper end. is_held: it does not
    end while the server is there.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False
    is_held: bool = False


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Scripted:
    """The answers still to be given, and the requests that came."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.asked: list[Asked] = []
        self.url = ""
        self.has_ended = threading.Event()


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; the second would wait for an ACK
    script: Scripted

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.script.asked.append(Asked(self.command, self.path, headers, body))
        row = self.script.rows.pop(0)
        if row.status == 0:
            self.close_connection = True
            return
        if row.is_held and row.body is None:
            self.script.has_ended.wait()
        content = row.body if isinstance(row.body, str) else json.dumps(row.body)
        data = content.encode() if row.body is not None else b""
        told = {"Content-Type": "application/json"} | dict(row.headers)
        self.send_response_only(row.status)
        for name, value in told.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) + (10 if row.is_cut or row.is_held else 0)))
        self.end_headers()
        self.wfile.write(data)
        if row.is_held:
            self.script.has_ended.wait()
        self.close_connection = row.is_cut or row.is_held

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def scripted(*rows: Row) -> Iterator[Scripted]:
    """Hold a server that gives these answers in turn."""
    script = Scripted(list(rows))
    handler = type(
        "Handler", (_Handler,), {"script": script, **{f"do_{method}": _Handler.handle_any for method in _METHODS}}
    )
    with running(QuietServer(("127.0.0.1", 0), handler)) as server:
        script.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield script
        finally:
            script.has_ended.set()
