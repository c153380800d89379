"""The limit stage: asks the limiter, tells the caller where it stands, refuses with Retry-After, caps open streams."""

from __future__ import annotations

from collections.abc import Callable

from core.kernel.exchange import RateStanding, UsageStanding
from core.kernel.operation import Operation
from core.kernel.problems import Unavailable
from server.answer import Answer, Headers
from server.ports import RateLimiter
from server.request import Request


def compile_limit(operation: Operation, limiter: RateLimiter) -> Callable[[Request], None]:
    """Build the stage; it raises what refuses the request."""
    take, operation_id, is_stream = limiter.take, operation.id, operation.is_stream

    def limit(request: Request) -> None:
        decision = take(operation_id, request.principal, request.client_address)
        if decision is not None:
            if decision.rate is not None:
                request.headers_out += _rate_headers(decision.rate)
            if decision.usage is not None:
                request.headers_out += usage_headers(decision.usage).items()
            if decision.refusal is not None:
                raise decision.refusal
        if is_stream:
            slot = limiter.enter(operation_id, request.principal, request.client_address)
            request.leave = None if slot is None else _leaver(slot, limiter)

    return limit


def compile_finish(operation: Operation, limiter: RateLimiter) -> Callable[[Request, Answer], None]:
    """Build what completes an answer: a slot is kept by an open stream alone, and a known tenant is told its usage always."""
    look, operation_id = limiter.look, operation.id

    def finish(request: Request, answer: Answer) -> None:
        if request.leave is not None:
            request.leave()
        if answer.status >= 400 and not request.principal.is_anonymous and not _tells_usage(request.headers_out):
            try:
                usage = look(operation_id, request.principal)
            except Unavailable:  # the refusal stands without the figures; what ails the store is told by who counts
                return
            if usage is not None:
                request.headers_out += usage_headers(usage).items()

    return finish


def _leaver(slot: tuple[str, str], limiter: RateLimiter) -> Callable[[], None]:
    def leave() -> None:
        try:
            limiter.leave(slot)
        except Unavailable:  # it lapses by itself
            return

    return leave


def _tells_usage(headers: Headers) -> bool:
    return any(name.startswith("X-Usage-") for name, _ in headers)


def _rate_headers(rate: RateStanding) -> Headers:
    limit, remaining = str(rate.limit), str(rate.remaining)
    return [
        ("RateLimit-Limit", limit),
        ("RateLimit-Remaining", remaining),
        ("RateLimit-Reset", str(rate.reset_seconds)),
        ("X-RateLimit-Limit", limit),
        ("X-RateLimit-Remaining", remaining),
        ("X-RateLimit-Profile", rate.profile),
    ]


def usage_headers(usage: UsageStanding) -> dict[str, str]:
    """Return the headers that tell a tenant's usage."""
    return {
        "X-Usage-Requests-Remaining": str(usage.requests_remaining),
        "X-Usage-Tokens-Remaining": str(usage.tokens_remaining),
        "X-Usage-Requests-Percent": str(usage.requests_percent),
        "X-Usage-Tokens-Percent": str(usage.tokens_percent),
    }
