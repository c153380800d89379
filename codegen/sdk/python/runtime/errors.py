"""What a call may raise.

APIError
├── ConnectionFailed          no answer came
│   └── TimedOut              the time for one ran out
├── ResponseInvalid           an answer that the contract does not allow
├── StreamFailed              a stream that told why it ended
└── StatusError               an answer of 300 or more
    ├── NotModified           304
    ├── BadRequest            400
    ├── Unauthorized          401
    ├── Forbidden             403
    ├── NotFound              404
    ├── MethodNotAllowed      405
    ├── RequestTimeout        408
    ├── Conflict              409
    ├── Gone                  410
    ├── PreconditionFailed    412
    ├── PayloadTooLarge       413
    ├── UnsupportedMediaType  415
    ├── Invalid               422
    ├── Locked                423
    ├── RateLimited           429
    └── ServerError           500 and more
        ├── NotOffered        501
        └── Unavailable       503
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .wire import Reply


class Violation(NamedTuple):
    """One broken clause of the contract. pointer: JSON pointer into the offending part; source: `file:line`, if told."""

    pointer: str
    location: str
    rule: str
    message: str
    source: str | None


class APIError(Exception):
    """The base of all that a call raises on purpose. operation: the operationId."""

    def __init__(self, message: str, *, operation: str) -> None:
        super().__init__(message)
        self.operation = operation

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it be pickled, as pools of processes do; by default it would be made anew of its message alone."""
        return _remade, (type(self), self.args), vars(self)


def _remade(kind: type[APIError], args: tuple[Any, ...]) -> APIError:
    return kind.__new__(kind, *args)


class ConnectionFailed(APIError):
    """No answer came. was_sent: whether the server may have acted; idempotency_key: repeats the call safely."""

    def __init__(self, message: str, *, operation: str, was_sent: bool, idempotency_key: str | None) -> None:
        super().__init__(message, operation=operation)
        self.was_sent = was_sent
        self.idempotency_key = idempotency_key


class TimedOut(ConnectionFailed):
    """No answer came in time."""


class StreamFailed(APIError):
    """The server ended a stream with an error. error: what it said, as plain data."""

    def __init__(self, message: str, *, operation: str, error: Any) -> None:
        super().__init__(message, operation=operation)
        self.error = error


class ResponseInvalid(APIError):
    """An answer is not what the contract says. reply: it, as it came."""

    def __init__(self, message: str, *, operation: str, reply: Reply) -> None:
        super().__init__(message, operation=operation)
        self.reply = reply
        self.request_id = reply.headers.get("x-request-id")


class StatusError(APIError):
    """An answer of 300 or more.

    code: the problem's own, stable name, None when it has none. violations: every broken clause of the request.
    request_id: what the server's log calls the request. body: the problem as plain data, or its text.
    retry_after_seconds: when to come back, if told. idempotency_key: what a repeat of the call must send.
    """

    def __init__(self, reply: Reply, *, operation: str, idempotency_key: str | None = None) -> None:
        self.reply = reply
        self.status = reply.status
        self.request_id = reply.headers.get("x-request-id")
        self.retry_after_seconds = reply.retry_after_seconds()
        self.idempotency_key = idempotency_key
        self.body = _body(reply)
        self.code, self.violations, detail = _read(self.body)
        words = [
            str(reply.status),
            self.code or "",
            detail or "",
            *(f"{v.pointer}: {v.message}" for v in self.violations),
        ]
        super().__init__(" · ".join(word for word in words if word), operation=operation)


class NotModified(StatusError):
    """304: what `if_none_match` named is still current."""


class BadRequest(StatusError):
    """400."""


class Unauthorized(StatusError):
    """401: no credential, or none that is known."""


class Forbidden(StatusError):
    """403: the caller may not do this."""


class NotFound(StatusError):
    """404: there is none, or none that the caller may know of."""


class MethodNotAllowed(StatusError):
    """405."""


class RequestTimeout(StatusError):
    """408: the server waited too long for the request."""


class Conflict(StatusError):
    """409: the state of the resource forbids it."""


class Gone(StatusError):
    """410."""


class PreconditionFailed(StatusError):
    """412: what `if_match` named is no longer current."""


class PayloadTooLarge(StatusError):
    """413."""


class UnsupportedMediaType(StatusError):
    """415."""


class Invalid(StatusError):
    """422: the request breaks the contract; see `violations`."""


class Locked(StatusError):
    """423."""


class RateLimited(StatusError):
    """429: too many requests; see `retry_after_seconds`."""


class ServerError(StatusError):
    """500 and more."""


class NotOffered(ServerError):
    """501: the server is not set up for this."""


class Unavailable(ServerError):
    """503: not now."""


_CLASSES: dict[int, type[StatusError]] = {
    304: NotModified,
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    408: RequestTimeout,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    413: PayloadTooLarge,
    415: UnsupportedMediaType,
    422: Invalid,
    423: Locked,
    429: RateLimited,
    501: NotOffered,
    503: Unavailable,
}


def class_of(status: int) -> type[StatusError]:
    """Return the class of a status."""
    return _CLASSES.get(status) or (ServerError if status >= 500 else StatusError)


def code_of(reply: Reply) -> str | None:
    """Return the code of a problem; None when the answer has none."""
    return _read(_body(reply))[0]


def _body(reply: Reply) -> Any:
    try:
        return json.loads(reply.content) if "json" in reply.headers.get("content-type", "") else reply.text
    except ValueError:
        return reply.text


def _read(body: Any) -> tuple[str | None, tuple[Violation, ...], str | None]:
    """Return code, violations and message of a problem in any of the known shapes.

    RFC 9457 members stand at the top, others inside `error`, which may keep code and violations in `details`.
    """
    top = body if isinstance(body, dict) else {}
    inner = top["error"] if isinstance(top.get("error"), dict) else {}
    details = inner.get("details")
    places = (top, inner, details if isinstance(details, dict) else {})
    code = next((place["code"] for place in places if isinstance(place.get("code"), str)), None)
    texts = [place.get(name) for place in places for name in ("detail", "message", "title")]
    message = next((text for text in texts if isinstance(text, str)), None)
    listed = [place.get("errors") for place in places] + [details]
    rows = next((rows for rows in listed if isinstance(rows, list)), [])
    return code, tuple(_violation(row) for row in rows if isinstance(row, dict)), message


def _violation(row: dict[str, Any]) -> Violation:
    texts = {name: str(row.get(name, "")) for name in ("pointer", "location", "rule", "message")}
    source = row.get("source")
    return Violation(**texts, source=source if isinstance(source, str) else None)
