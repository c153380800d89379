"""The one tree of errors that every room raises and the server's single exit renders.

    Problem                        code                      status
    ├── BadRequest                 bad_request               400
    │   ├── MalformedBody          malformed_body            400
    │   └── AmbiguousCredentials   ambiguous_credentials     400
    ├── Invalid                    validation_failed         422 (the error style may say 400)
    ├── Unauthenticated            unauthenticated           401
    │   └── InvalidCredentials     invalid_credentials       401
    ├── Forbidden                  forbidden                 403
    │   ├── InsufficientScope      insufficient_scope        403
    │   └── CsrfFailed             csrf_failed               403
    ├── NotFound                   not_found                 404
    ├── MethodNotAllowed           method_not_allowed        405
    ├── Conflict                   conflict                  409
    │   ├── RequestInProgress      request_in_progress       409
    │   └── AnswerExpired          answer_expired            409
    ├── Gone                       gone                      410
    ├── PreconditionFailed         precondition_failed       412
    ├── PayloadTooLarge            payload_too_large         413
    ├── UnsupportedMediaType       unsupported_media_type    415
    ├── IdempotencyKeyReused       idempotency_key_reused    422
    ├── AccountDisabled            account_disabled          423
    ├── RateLimited                rate_limited              429
    │   ├── DailyLimitExceeded     daily_limit_exceeded      429
    │   ├── QuotaExceeded          quota_exceeded            429
    │   └── TooManyStreams         too_many_streams          429
    ├── InternalError              internal_error            500
    │   └── ResponseMismatch       response_mismatch         500
    ├── NotImplementedYet          not_implemented           501
    └── Unavailable                unavailable               503

`code` is the product's own snake_case name. Each error style of the contract (`x-error-styles`) may give it the
name that its surface publishes (`not_found` is `RGP.NOT_FOUND` on the conversation surface).
An area subclasses the nearest class and sets `code`; it never invents a status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """One broken clause of the contract.

    pointer: JSON pointer into the offending part ("/title"; "" is the whole of it).
    location: body, path, query, header, cookie or response.
    rule: the JSON Schema keyword, or the name of the server's rule ("unknown_parameter").
    source: where the contract states it, "spec/schemas/chat/conversations.yaml:12", or None for a rule of no line.
    """

    pointer: str
    location: str
    rule: str
    message: str
    source: str | None = None


class Problem(Exception):
    """A refusal that the caller is told of.

    detail is sent to the caller; `cause` is logged and never sent. `headers` go out with the answer, `data` is the
    surface's own payload, `extensions` are extra members of a problem+json body. is_failed_login: it belongs in the audit
    trail though its status does not say so.
    """

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    is_failed_login: ClassVar[bool] = False

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[Violation] = (),
        retry_after_seconds: int | None = None,
        data: Any = None,
        extensions: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds
        self.data = data
        self.extensions = dict(extensions or {})
        self.headers = dict(headers or {})
        self.cause = cause


class BadRequest(Problem):
    code, status, title = "bad_request", 400, "Bad request"


class MalformedBody(BadRequest):
    code, title = "malformed_body", "The body cannot be read"


class AmbiguousCredentials(BadRequest):
    code, title = "ambiguous_credentials", "More than one credential was sent"


class Invalid(Problem):
    """The request is well formed and breaks the contract; `errors` names every violation."""

    code, status, title = "validation_failed", 422, "The request does not match the contract"


class Unauthenticated(Problem):
    code, status, title = "unauthenticated", 401, "Authentication is required"


class InvalidCredentials(Unauthenticated):
    code, title = "invalid_credentials", "The credentials are wrong"


class Forbidden(Problem):
    code, status, title = "forbidden", 403, "Not allowed"


class InsufficientScope(Forbidden):
    code, title = "insufficient_scope", "The credential lacks a scope"


class CsrfFailed(Forbidden):
    code, title = "csrf_failed", "The CSRF token is missing or wrong"


class NotFound(Problem):
    code, status, title = "not_found", 404, "Not found"


class MethodNotAllowed(Problem):
    code, status, title = "method_not_allowed", 405, "Method not allowed"


class Conflict(Problem):
    code, status, title = "conflict", 409, "Conflict"


class RequestInProgress(Conflict):
    code, title = "request_in_progress", "A request with this Idempotency-Key is still running"


class AnswerExpired(Conflict):
    """A repeat of an acknowledged request cannot be replayed any more; unlike RequestInProgress it never will be."""

    code, title = "answer_expired", "The answer to this Idempotency-Key held a secret and is no longer kept"


class Gone(Problem):
    code, status, title = "gone", 410, "No longer available"


class PreconditionFailed(Problem):
    code, status, title = "precondition_failed", 412, "The precondition failed"


class PayloadTooLarge(Problem):
    code, status, title = "payload_too_large", 413, "The body is too large"


class UnsupportedMediaType(Problem):
    code, status, title = "unsupported_media_type", 415, "Unsupported media type"


class IdempotencyKeyReused(Problem):
    code, status, title = "idempotency_key_reused", 422, "This Idempotency-Key was used with another request"


class AccountDisabled(Problem):
    code, status, title = "account_disabled", 423, "The account is disabled"


class RateLimited(Problem):
    code, status, title = "rate_limited", 429, "Too many requests"


class DailyLimitExceeded(RateLimited):
    code, title = "daily_limit_exceeded", "The requests of this day are used up"


class QuotaExceeded(RateLimited):
    code, title = "quota_exceeded", "The quota of this billing period is used up"


class TooManyStreams(RateLimited):
    code, title = "too_many_streams", "Too many open streams"


class InternalError(Problem):
    pass


class ResponseMismatch(InternalError):
    code, title = "response_mismatch", "The answer does not match the contract"


class NotImplementedYet(Problem):
    code, status, title = "not_implemented", 501, "Not implemented"


class Unavailable(Problem):
    code, status, title = "unavailable", 503, "Temporarily unavailable"
