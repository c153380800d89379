"""The contract served with almost nothing behind it: enough for the command line, the pages and the metrics."""

from __future__ import annotations

from pathlib import Path

import msgspec

import models.contract
from core.kernel.call import Call, Reply
from core.kernel.operation import Contract
from core.kernel.principal import Principal
from core.kernel.settings import Settings
from core.system.jobs import SqlJobQueue
from server import docs, metrics
from server.ports import Ports, RateDecision, UsageStanding
from server.service import Service
from tests.unit.server.fakes import MemoryEvents, OpenVerifier

CONTRACT_DIR = Path(models.contract.__path__[0])


class NoLimiter:
    """Admits everything."""

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
    """Build the service."""
    return Service(
        contract=msgspec.json.decode((CONTRACT_DIR / "operations.json").read_bytes(), type=Contract),
        contract_dir=CONTRACT_DIR,
        handlers={"contract_show_swagger": _swagger, "contract_show_redoc": _redoc, "metrics_get": _metrics},
        prepares={},
        settings=settings,
        ports=Ports(
            verifier=OpenVerifier(),
            idempotency=None,  # type: ignore[arg-type]  # none of these operations keeps an answer
            limiter=NoLimiter(),
            events=MemoryEvents(),
            jobs=SqlJobQueue(),
        ),
    )


def _swagger(call: Call) -> Reply:
    return Reply(None, 200, raw=docs.page("swagger").encode(), media_type="text/html", headers=docs.HEADERS)


def _redoc(call: Call) -> Reply:
    return Reply(None, 200, raw=docs.page("redoc").encode(), media_type="text/html", headers=docs.HEADERS)


def _metrics(call: Call) -> Reply:
    return Reply(None, 200, raw=metrics.render(), media_type=metrics.CONTENT_TYPE)
