"""What every request of the product's server gets beyond its contract, for an ASGI peer: request id, headers, log line, metrics.

A pure ASGI class, which Starlette's documentation recommends over BaseHTTPMiddleware; the log is set up as structlog's
chapter on performance says.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
import structlog
from prometheus_client import Counter, Histogram

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

structlog.configure(
    cache_logger_on_first_use=True,
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(serializer=orjson.dumps),
    ],
    logger_factory=structlog.BytesLoggerFactory(),
)
_log = structlog.get_logger()
_requests = Counter("http_requests_total", "Requests.", ["path", "method", "status"])
_seconds = Histogram("http_request_seconds", "Duration.", ["path"])
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class Observed:
    """Wraps an ASGI application."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request and say so."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        request_id = dict(scope["headers"]).get(b"x-request-id") or secrets.token_urlsafe(12).encode()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_HEADERS, (b"x-request-id", request_id)]
            await send(message)

        await self._app(scope, receive, send_with_headers)
        _record(scope, status, time.perf_counter() - started, request_id.decode())


def _record(scope: Message, status: int, seconds: float, request_id: str) -> None:
    route = getattr(scope.get("route"), "path", "")
    _requests.labels(route, scope["method"], status).inc()
    _seconds.labels(route).observe(seconds)
    _log.info(
        "request",
        method=scope["method"],
        path=scope["path"],
        route=route,
        status=status,
        duration_ms=round(seconds * 1000, 3),
        request_id=request_id,
    )
