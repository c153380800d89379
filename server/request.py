"""One request as the pipeline reads it: a thin view of the WSGI environ, without a web framework's per-request objects."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from typing import Any
from urllib.parse import unquote_to_bytes

from core.kernel import ids
from core.kernel.principal import ANONYMOUS, Principal
from core.kernel.problems import BadRequest

Environ = dict[str, Any]


class Request:
    """path: decoded once. body: the bytes that were read, so far none. headers_out: what stages add to any answer.

    leave: gives back what the limiter holds for the stream that this request may open.
    """

    __slots__ = (
        "body",
        "client_address",
        "credentials",
        "environ",
        "headers_out",
        "is_secure",
        "leave",
        "method",
        "path",
        "principal",
        "query",
        "request_id",
        "started",
    )

    def __init__(self, environ: Environ, client_address: str, is_secure: bool) -> None:
        self.environ = environ
        self.started = time.perf_counter()
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ.get("PATH_INFO", "")
        self.query: str = environ.get("QUERY_STRING", "")
        self.client_address = client_address
        self.is_secure = is_secure
        self.request_id = _request_id(environ.get("HTTP_X_REQUEST_ID"))
        self.principal: Principal = ANONYMOUS
        self.credentials: dict[str, str] = {}
        self.body = b""
        self.headers_out: list[tuple[str, str]] = []
        self.leave: Callable[[], None] | None = None

    def bare(self) -> Request:
        """Return what names this request and its caller, without what it brought."""
        bare = copy(self)
        bare.environ, bare.credentials, bare.body, bare.headers_out = {}, {}, b"", []
        return bare

    def header(self, environ_name: str) -> str | None:
        """Return a header by its WSGI name (HTTP_X_TOKEN); None when it was not sent."""
        value = self.environ.get(environ_name)
        return value if value is None else str(value)

    def segments(self) -> list[str]:
        """Split the path before decoding it, so that %2F stays inside its part.

        Raises:
            BadRequest: the path is not UTF-8.
        """
        raw = self.environ.get("RAW_URI", "")
        try:
            if "%" in raw and raw.startswith("/"):
                parts = [unquote_to_bytes(part).decode() for part in raw.partition("?")[0].split("/")]
                self.path = "/".join(parts)
                return parts
            if not self.path.isascii():
                self.path = self.path.encode("latin-1").decode()
        except UnicodeDecodeError as error:
            self.path = self.path.encode("latin-1", "replace").decode("utf-8", "replace")
            raise BadRequest("The path is not UTF-8.") from error
        return self.path.split("/")


def _request_id(sent: str | None) -> str:
    if sent and len(sent) <= 128 and sent.isascii() and sent.isprintable() and " " not in sent:
        return sent
    return ids.new_request_id()


def cookies(header: str | None) -> dict[str, str]:
    """Parse a Cookie header (RFC 6265, 4.2); the first of several cookies of one name counts."""
    found: dict[str, str] = {}
    for pair in (header or "").split(";"):
        name, separator, value = pair.strip(" \t").partition("=")
        if separator and name not in found:
            found[name] = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    return found


def environ_name(header: str) -> str:
    """Return the WSGI name of a header."""
    name = header.upper().replace("-", "_")
    return name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{name}"
