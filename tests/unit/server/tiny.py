"""The contract served with almost nothing behind it: enough for the command line, the pages and the metrics."""

from __future__ import annotations

from pathlib import Path

import msgspec

import models.contract
from core.kernel.call import Call, Reply
from core.kernel.operation import Contract
from core.kernel.settings import Settings
from core.system.jobs import SqlJobQueue
from server import docs, metrics
from server.ports import Ports
from server.service import Service
from tests.uncounted import Uncounted
from tests.unit.server.fakes import MemoryEvents, OpenVerifier

CONTRACT_DIR = Path(models.contract.__path__[0])


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
            idempotency=None,  # none of these operations keeps an answer
            limiter=Uncounted(),
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
