"""One answer on its way out: status, headers and bytes, or an opened stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import flask

Headers = list[tuple[str, str]]

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Answer:
    """body is sent as it stands, unless `stream` (an opened response) takes its place."""

    __slots__ = ("body", "code", "headers", "status", "stream")

    def __init__(
        self, status: int, headers: Headers, body: bytes = b"", *, code: str = "", stream: flask.Response | None = None
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.code = code
        self.stream = stream

    def send(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a WSGI request."""
        if self.stream is not None:
            return self.stream(environ, start_response)
        start_response(STATUS_LINES.get(self.status) or f"{self.status} Status", self.headers)
        return (self.body,) if self.body and environ["REQUEST_METHOD"] != "HEAD" else ()

    def response(self) -> flask.Response:
        """Return this as Flask's response, for what reached Flask's router."""
        if self.stream is not None:
            return self.stream
        return flask.Response(self.body, self.status, self.headers)
