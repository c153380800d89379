"""The rate-limit stage: asks the limiter, tells the caller where it stands, refuses with Retry-After."""

from __future__ import annotations

from collections.abc import Callable

from core.kernel.operation import Operation
from core.kernel.problems import RateLimited
from server.ports import RateDecision, RateLimiter
from server.request import Request


def compile_limit(operation: Operation, limiter: RateLimiter) -> Callable[[Request], None]:
    """Build the stage; the caller is the principal, or the client's address when there is none."""
    take = limiter.take
    operation_id, method, path, profile = operation.id, operation.method.upper(), operation.path, operation.rate_profile

    def limit(request: Request) -> None:
        principal = request.principal
        decision = take(
            operation_id=operation_id,
            method=method,
            path=path,
            profile=profile,
            caller="" if principal.is_anonymous else principal.key,
            client_address=request.client_address,
        )
        if decision is None:
            return
        request.headers_out += _headers(decision)
        if not decision.is_admitted:
            raise RateLimited(
                f"The limit of {decision.limit} requests is used up.", retry_after_seconds=decision.retry_after_seconds
            )

    return limit


def _headers(decision: RateDecision) -> list[tuple[str, str]]:
    limit, remaining = str(decision.limit), str(decision.remaining)
    return [
        ("RateLimit-Limit", limit),
        ("RateLimit-Remaining", remaining),
        ("RateLimit-Reset", str(decision.reset_seconds)),
        ("X-RateLimit-Limit", limit),
        ("X-RateLimit-Remaining", remaining),
        ("X-RateLimit-Profile", decision.profile),
    ]
