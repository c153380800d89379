"""HTTP/1.1 on one connection: pywsgi's handler with a strict request head, deadlines and one system call per answer.

pywsgi reads heads with http.client's e-mail parser, which is a third of the cost of a small request and takes a folded
header, two Content-Length and `Transfer-Encoding: gzip, chunked` without a word. Here a head is read by RFC 9112 and what it forbids is
refused, since a proxy in front may read it otherwise (request smuggling).
"""

from __future__ import annotations

import socket
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

import gevent
import orjson
from gevent import pywsgi
from gunicorn.workers.ggevent import PyWSGIHandler

from core.kernel import ids
from server import headerbytes
from server.head import REQUEST_LINE, Refused, read_content_length, read_headers, read_target
from server.held import NEVER, Held, Stream

_READ_BUFFER_BYTES = 4096
_LINE_BYTES = 32_768  # 2,048 characters of a query parameter are up to 24,576 bytes when percent-encoded
_HEAD_BYTES = 32_768
_JOINED_BYTES = 65_536
_SLICE_BYTES = 262_144
_DRAIN_READS = 16
_DRAIN_SECONDS = 2.0
_LINE_ENDS = frozenset({b"\r", b"\n"})


class _Body(pywsgi.Input):
    """A request's body."""

    @property
    def is_complete(self) -> bool:
        """Say whether all of it has been read."""
        return bool(self.chunk_length == 0 if self.chunked_input else self.position >= (self.content_length or 0))

    def _discard(self) -> None:
        """Leave what the application did not read: the handler decides what becomes of the connection."""


class Handler(PyWSGIHandler):
    """One connection.

    deadline: monotonic seconds after which the server calls `expire`. is_waiting: no whole request head has come.
    """

    environ: Any
    result: Any
    wsgi_input: Any
    provided_date: str | None
    provided_content_length: str | None

    def __init__(self, sock: Any, address: Any, server: Any) -> None:
        super().__init__(sock, address, server, sock.makefile("rb", _READ_BUFFER_BYTES))
        self.deadline = NEVER
        self.is_waiting = True
        self._is_expired = False
        self._is_first = True

    def handle(self) -> None:
        """Serve the connection to its end."""
        self.server.connections.add(self)
        try:
            super().handle()
        finally:
            self.server.connections.discard(self)

    def handle_one_request(self) -> bool | None:
        """Read and answer one request; True when another may follow."""
        try:
            if not self._wait_for_request():
                return None
            self._read_head()
        except Refused as refused:
            self._refuse(refused)
            return None
        except OSError:  # the client has gone, or `expire` has ended the reading
            if self._is_expired and self.requestline is not None:
                self._refuse(Refused(HTTPStatus.REQUEST_TIMEOUT, "The request did not come in time."))
            return None
        self.handle_one_response()
        if not self.wsgi_input.is_complete:
            self._drain()
        self.deadline = NEVER
        return None if self.close_connection or self.rfile.closed else True

    def process_result(self) -> None:
        """Send the answer; an open stream goes on without this greenlet once it only waits."""
        stream = self.result
        if not isinstance(stream, Stream):
            super().process_result()
            return
        self.close_connection = True
        for data in stream:
            if data:
                self.write(data)
            if stream.is_live:
                self._hold(stream)
                return
        if self.response_use_chunked:
            self._sendall(b"0\r\n\r\n")

    def _hold(self, stream: Stream) -> None:
        held = Held(
            stream,
            self.socket.dup(),  # this one is closed with this greenlet
            self.server.connections,
            is_chunked=self.response_use_chunked,
            patience_seconds=self.server.settings.body_timeout_seconds,
        )
        self.result = None  # `held` closes it
        if self.wsgi_input.is_complete and not self.server.pool.full():
            self.server.pool.spawn(held.run)
        else:
            held.run()

    def _drain(self) -> None:
        """Read a little of a body that was refused, or the client sees a reset instead of its answer; then close."""
        self.close_connection = True
        self.deadline = time.monotonic() + _DRAIN_SECONDS
        try:
            self.socket.shutdown(socket.SHUT_WR)
            for _ in range(_DRAIN_READS):
                if not self.rfile.read1(_JOINED_BYTES):
                    return
        except OSError:  # the client has gone
            return

    def expire(self) -> None:
        """End what is late: a head or body that does not come, or a client that does not read its answer."""
        if self.is_waiting or not (self.headers_sent or self.wsgi_input.is_complete):
            self._is_expired = True
            self._shut(socket.SHUT_RD)
        elif self.headers_sent:
            self._shut(socket.SHUT_RDWR)
        self.deadline = NEVER

    def wind_down(self) -> None:
        """End a connection that waits for a request, or let its request be the last."""
        self.close_connection = True
        if self.is_waiting and not (self._is_idle() and self._has_unread()):
            self._shut(socket.SHUT_RDWR)

    @property
    def is_half_sent(self) -> bool:
        """Say whether some of the request's body has not come, be it awaited or, refused already, only drained."""
        return self.wsgi_input is not None and not self.wsgi_input.is_complete

    def cut(self) -> None:
        """End the connection at once."""
        self._shut(socket.SHUT_RDWR)

    def _is_idle(self) -> bool:
        return self.requestline is None

    def _has_unread(self) -> bool:
        try:
            return bool(self.socket._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except (OSError, AttributeError):
            return False

    def _shut(self, how: int) -> None:
        connection = self.socket
        if connection is not None:
            try:
                connection.shutdown(how)
            except OSError:  # already gone
                return

    def _wait_for_request(self) -> bool:
        """Say whether a request has begun to come; False when the client has gone."""
        settings = self.server.settings
        self.is_waiting, self.requestline, self.environ, self.wsgi_input = True, None, None, None
        if not self._is_first:
            # A client that always has its next request ready would otherwise be served alone: its reads never block.
            gevent.sleep(0)
        self.deadline = time.monotonic() + (
            settings.header_timeout_seconds if self._is_first else settings.idle_timeout_seconds
        )
        self._is_first = False
        if not self.rfile.peek(1):
            return False
        self.requestline = ""
        self.deadline = time.monotonic() + settings.header_timeout_seconds
        return True

    def _read_head(self) -> None:
        """Read and judge the head, whole when it has come whole, line by line when it has not."""
        come = self.rfile.peek(1)
        end = come.find(b"\r\n\r\n")
        if end > 0 and come[:1] not in _LINE_ENDS and come.count(b"\n", 0, end) == come.count(b"\r\n", 0, end):
            lines = self.rfile.read(end + 4)[:end].decode("latin-1").split("\r\n")
        else:
            lines = self._lines()
        match = REQUEST_LINE.fullmatch(lines[0])
        if match is None:
            raise Refused(HTTPStatus.BAD_REQUEST, "The request line is not HTTP/1.")
        self.command = match[1]
        self.path = read_target(match[2], self.command)
        self.requestline = f"{self.command} {self.path}"
        self.request_version = "HTTP/1.1" if match[3] == "1" else "HTTP/1.0"
        headers = read_headers(lines)
        self.content_length = read_content_length(headers, self.request_version)
        connection = headers.get("HTTP_CONNECTION", "").lower()
        if self.request_version == "HTTP/1.1":
            self.close_connection = "close" in connection
        else:
            self.close_connection = "keep-alive" not in connection
        self.environ = self._environ(headers)
        self.application = self.server.application
        self.is_waiting = False
        has_body = self.content_length or self.wsgi_input.chunked_input
        self.deadline = time.monotonic() + self.server.settings.body_timeout_seconds if has_body else NEVER

    def _lines(self) -> list[str]:
        """Read the head's lines, without their ends, as they come."""
        line = self._line(HTTPStatus.REQUEST_URI_TOO_LONG)
        lines = [line or self._line(HTTPStatus.REQUEST_URI_TOO_LONG)]  # RFC 9112, 2.2: ignore one empty line before it
        size = 0
        while line := self._line():
            lines.append(line)
            size += len(line)
            if size > _HEAD_BYTES:
                raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The request's headers are too long.")
        return lines

    def _line(self, too_long: HTTPStatus = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) -> str:
        line: bytes = self.rfile.readline(_LINE_BYTES + 1)
        if not line.endswith(b"\n"):
            if len(line) > _LINE_BYTES:
                raise Refused(too_long, "A line of the request is too long.")
            raise ConnectionResetError
        return line[: -2 if line.endswith(b"\r\n") else -1].decode("latin-1")

    def _environ(self, headers: dict[str, str]) -> dict[str, Any]:
        environ: dict[str, Any] = self.server.get_environ()
        environ.update(headers)
        environ.pop("", None)  # headers with an underscore, which a proxy could not tell from a dash
        path, _, query = self.path.partition("?")
        environ["REQUEST_METHOD"] = self.command
        environ["SCRIPT_NAME"] = ""
        environ["RAW_URI"] = self.path
        environ["PATH_INFO"] = unquote_to_bytes(path.encode("latin-1")).decode("latin-1") if "%" in path else path
        environ["QUERY_STRING"] = query
        environ["SERVER_PROTOCOL"] = self.request_version
        environ["gunicorn.sock"] = self.socket
        if isinstance(self.client_address, tuple):
            environ["REMOTE_ADDR"] = self.client_address[0]
            environ["REMOTE_PORT"] = str(self.client_address[1])
        is_chunked = "HTTP_TRANSFER_ENCODING" in headers
        awaits = headers.get("HTTP_EXPECT", "").lower() == "100-continue"
        self.wsgi_input = _Body(
            self.rfile, self.content_length, socket=self.socket if awaits else None, chunked_input=is_chunked
        )
        environ["wsgi.input"] = self.wsgi_input
        environ["wsgi.input_terminated"] = True
        return environ

    def start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """Take status and headers as PEP 3333 has it."""
        if exc_info and self.headers_sent:
            raise exc_info[1]
        lines, framing = headerbytes.lines(headers)
        self.response_headers = [lines]
        self.status, self.code = headerbytes.status_line(status), int(status[:3])
        self._orig_status = status
        self.provided_date = framing.get("date")
        self.provided_content_length = framing.get("content-length")
        self.close_connection = self.close_connection or framing.get("connection") == "close"
        if self.request_version == "HTTP/1.0" and not self.close_connection:
            self.response_headers.append(b"Connection: keep-alive\r\n")
        if self.code in {204, 304} and self.provided_content_length not in {None, "0"}:
            raise self.ApplicationError(b"Content-Length of an answer without a body")
        return self.write

    def finalize_headers(self) -> None:
        """Add Date, how the body's end is known, and Connection: close to the last answer of a connection."""
        lines = self.response_headers
        if self.provided_date is None:
            lines.append(headerbytes.date_line())
        if self.server.is_stopping or not self.wsgi_input.is_complete:
            # What is left of an unread body must never be taken for the next request.
            self.close_connection = True
        if self.close_connection:
            lines.append(b"Connection: close\r\n")
        if self.provided_content_length is not None or self.code in {204, 304}:
            return
        if hasattr(self.result, "__len__"):
            lines.append(b"Content-Length: %d\r\n" % sum(len(chunk) for chunk in self.result))
        elif self.request_version == "HTTP/1.1":
            self.response_use_chunked = True
            lines.append(b"Transfer-Encoding: chunked\r\n")

    def _write_with_headers(self, data: bytes) -> None:
        self.headers_sent = True
        self.finalize_headers()
        head = b"%s%s\r\n" % (self.status, b"".join(self.response_headers))
        if len(data) > _JOINED_BYTES:
            self._sendall(head)
            self._write(data)
        elif data and self.response_use_chunked:
            self._sendall(b"%s%x\r\n%s\r\n" % (head, len(data), data))
        else:
            self._sendall(head + data)

    def _sendall(self, data: bytes) -> None:
        patience = self.server.settings.body_timeout_seconds
        if len(data) <= _SLICE_BYTES:
            self.deadline = time.monotonic() + patience
            super()._sendall(data)
        else:
            whole = memoryview(data)
            for start in range(0, len(data), _SLICE_BYTES):
                self.deadline = time.monotonic() + patience
                super()._sendall(whole[start : start + _SLICE_BYTES])
        self.deadline = NEVER

    def _refuse(self, refused: Refused) -> None:
        client = self.client_address[0] if isinstance(self.client_address, tuple) else "local"
        self.server.telemetry.request_refused(status=refused.status, client_address=client, reason=str(refused))
        code = refused.status.name.lower()
        body = orjson.dumps(
            {
                "type": self.server.settings.problem_base + code.replace("_", "-"),
                "title": refused.status.phrase,
                "status": refused.status.value,
                "detail": str(refused),
                "code": code,
            }
        )
        head = (
            f"HTTP/1.1 {refused.status.value} {refused.status.phrase}\r\nContent-Type: application/problem+json\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-Id: {ids.new_request_id()}\r\nConnection: close\r\n\r\n"
        )
        try:
            self.socket.sendall(head.encode() + body)
        except OSError:  # the client has gone; its refusal is logged
            return

    def log_request(self) -> None:
        """Leave the request's line to the pipeline, which knows its operation."""
