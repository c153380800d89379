"""Headers that every answer carries, made once per operation."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from email.utils import formatdate

from core.kernel.call import Cookie
from core.kernel.operation import Operation
from core.kernel.settings import Settings
from server.answer import Answer, Headers
from server.request import Request

SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
_HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


class CommonHeaders:
    """Append what every answer of one operation carries; a header that the answer already has is left as it is."""

    def __init__(self, settings: Settings, operation: Operation | None = None) -> None:
        self._plain: Headers = [*SECURITY_HEADERS, *_lifetime(operation)]
        self._secure = self._plain if settings.is_dev else [*self._plain, _HSTS]
        self._success_cache = ("Cache-Control", _caching(operation))

    def finish(self, request: Request, answer: Answer) -> None:
        """Complete the headers of an answer that is about to be sent."""
        if answer.stream is not None:
            self._finish_stream(request, answer)
            return
        headers = answer.headers
        names = {name.lower() for name, _ in headers}
        common = self._secure if request.is_secure else self._plain
        if len(names) <= 1:
            headers += common
        else:
            headers += [pair for pair in common if pair[0].lower() not in names]
        headers += request.headers_out
        if "cache-control" not in names:
            headers.append(self._success_cache)
        headers.append(("X-Request-Id", request.request_id))
        if answer.status not in {204, 304}:
            headers.append(("Content-Length", str(len(answer.body))))

    def _finish_stream(self, request: Request, answer: Answer) -> None:
        assert answer.stream is not None
        sent = answer.stream.headers
        common = self._secure if request.is_secure else self._plain
        for name, value in [*common, *request.headers_out, ("Cache-Control", "no-store")]:
            sent.setdefault(name, value)
        sent["X-Request-Id"] = request.request_id


def _lifetime(operation: Operation | None) -> Headers:
    """Say since when an operation is deprecated (RFC 9745: Unix seconds) and when it ends (RFC 8594: an HTTP date)."""
    headers: Headers = []
    if operation is not None and operation.deprecated_at:
        headers.append(("Deprecation", f"@{_midnight(operation.deprecated_at)}"))
    if operation is not None and operation.sunset:
        headers.append(("Sunset", formatdate(_midnight(operation.sunset), usegmt=True)))
    return headers


def _midnight(day: str) -> int:
    return int(datetime.combine(date.fromisoformat(day), time.min, UTC).timestamp())


def _caching(operation: Operation | None) -> str:
    """Decide how answers may be kept: with an ETag they may, if asked again; anything else may not."""
    if operation is None or operation.etag_of is None or operation.method.upper() != "GET":
        return "no-store"
    return "private, no-cache" if operation.security else "no-cache"


def set_cookie(cookie: Cookie) -> tuple[str, str]:
    """Return a Set-Cookie header (RFC 6265, 4.1); name and value come from core, which makes them of safe characters."""
    parts = [f"{cookie.name}={cookie.value}", f"Path={cookie.path}", f"SameSite={cookie.same_site}"]
    if cookie.max_age_seconds is not None:
        parts.append(f"Max-Age={cookie.max_age_seconds}")
    if cookie.secure:
        parts.append("Secure")
    if cookie.http_only:
        parts.append("HttpOnly")
    return "Set-Cookie", "; ".join(parts)
