"""The bench contract as a service of our own: handlers without a database, the product's own callers, settings and ports."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from core.kernel.call import Call
from core.kernel.ids import new_uuid
from core.kernel.operation import Contract
from core.kernel.settings import Settings
from core.limits import counters
from core.limits.limiter import ExactRateLimiter
from handlers import service as product
from server.service import Service
from tests.bench.contracts import PACKAGE

_types: Any = None


def build(settings: Settings) -> Service:
    """Build the service from the contract that was compiled into the working directory.

    Its limiter counts for its own operations; the profile's figures are the settings', since a loader is one caller.
    """
    global _types
    _types = importlib.import_module(f"{PACKAGE}.bench")
    folder = Path.cwd() / PACKAGE
    contract = msgspec.json.decode((folder / "operations.json").read_bytes(), type=Contract)
    limiter = ExactRateLimiter(settings, contract.operations, counters.choose(settings))
    return Service(
        contract=contract,
        contract_dir=folder,
        handlers={row.id: _HANDLERS.get(row.id, contacts_get) for row in contract.operations},
        prepares={},
        settings=settings,
        ports=msgspec.structs.replace(product.build(settings).ports, limiter=limiter),
    )


def contacts_create(call: Call[Any, Any]) -> Any:
    """Give the contact back with an id."""
    contact = msgspec.structs.replace(call.body, tags=call.body.tags[: call.parameters.limit])
    return _types.ContactCreated(contact_id=new_uuid(), is_trial=call.parameters.dry, contact=contact)


def contacts_get(call: Call[Any, Any]) -> Any:
    """Give one small object."""
    return _types.ContactBrief(number=call.parameters.contact_id, given="Ada", is_trial=False)


_HANDLERS: dict[str, Callable[[Call[Any, Any]], Any]] = {"contacts_create": contacts_create}
