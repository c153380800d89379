"""The product without limits and usage: what `make bench PARTS=limits` compares the whole with."""

from __future__ import annotations

import msgspec

from core.kernel.principal import Principal
from core.kernel.settings import Settings
from handlers import service as product
from server.ports import RateDecision, UsageStanding
from server.service import Service


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


def build(settings: Settings) -> Service:
    """Build the product with another limiter."""
    service = product.build(settings)
    return msgspec.structs.replace(service, ports=msgspec.structs.replace(service.ports, limiter=Uncounted()))
