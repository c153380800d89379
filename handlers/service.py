"""The composition root: the contract, its handlers, the settings and the ports, put together once."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

import models.contract
from core.chat import background, presence
from core.identity.callers import CallerVerifier
from core.identity.federation.files import file_providers
from core.kernel import settings as kernel_settings
from core.kernel.operation import Contract, Operation
from core.kernel.settings import Settings
from core.limits import counters, operations, usage
from core.limits.limiter import ExactRateLimiter
from core.limits.profiles import check_pinned
from core.system import audit_chain
from core.system.audit import SqlAuditTrail
from core.system.events import SqlEventLog
from core.system.idempotency import SqlIdempotencyStore
from core.system.jobs import SqlJobQueue
from core.system.upkeep import SqlUpkeep
from models import database
from server.ports import Ports
from server.service import Service

CONTRACT_DIR = Path(models.contract.__path__[0])


def build(settings: Settings) -> Service:
    """Put the product together; opens no connection."""
    kernel_settings.install(settings)
    database.bind(settings)
    background.configure(settings)
    file_providers()  # a file that cannot be read stops the start
    contract = _contract()
    check_pinned(settings, contract.operations)
    operations.install(contract.operations)
    return Service(
        contract=contract,
        contract_dir=CONTRACT_DIR,
        handlers=dict(_functions(contract, "{id}")),
        prepares=dict(_functions(contract, "prepare_{id}")),
        settings=settings,
        ports=_ports(settings, contract),
    )


@functools.cache
def _contract() -> Contract:
    return msgspec.json.decode((CONTRACT_DIR / "operations.json").read_bytes(), type=Contract)


def _ports(settings: Settings, contract: Contract) -> Ports:
    limiter = ExactRateLimiter(settings, contract.operations, counters.choose(settings))
    usage.install(limiter.usage)
    return Ports(
        verifier=CallerVerifier(settings),
        idempotency=SqlIdempotencyStore(settings),
        limiter=limiter,
        events=SqlEventLog(),
        jobs=SqlJobQueue(),
        upkeep=SqlUpkeep(presence.do_note_silence, audit_chain.seal_some),
        audit=SqlAuditTrail(),
    )


def _functions(contract: Contract, name: str) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Find each operation's function by the stem rule: handlers/<area>/<resource>.py, named after the operation."""
    for operation in contract.operations:
        function = _find(operation, name.format(id=operation.id))
        if function is not None:
            yield operation.id, function


def _find(operation: Operation, name: str) -> Callable[..., Any] | None:
    """Return None where the handler is not written yet: the server says so in dev and refuses to start in production."""
    module = f"handlers.{operation.area}.{operation.resource}"
    if importlib.util.find_spec(module) is None:
        return None
    return getattr(importlib.import_module(module), name, None)
