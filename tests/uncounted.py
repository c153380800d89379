"""A rate limiter that admits everything and counts nothing."""

from __future__ import annotations

from core.kernel.exchange import RateDecision, UsageStanding
from core.kernel.principal import Principal


class Uncounted:
    """Admits everything and counts nothing."""

    def take(self, operation_id: str, principal: Principal, client_address: str) -> RateDecision | None:
        """See server.ports.RateLimiter, here and below."""
        return None

    def look(self, operation_id: str, principal: Principal) -> UsageStanding | None:
        return None

    def enter(self, operation_id: str, principal: Principal, client_address: str) -> tuple[str, str] | None:
        return None

    def leave(self, slot: tuple[str, str]) -> None:
        raise AssertionError("none was given")

    def keep(self) -> None:
        """Keep nothing."""
