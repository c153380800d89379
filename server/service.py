"""One service: a compiled contract, its handlers, its settings and its ports, frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.kernel.operation import Contract
from core.kernel.settings import Settings
from server.ports import Ports


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What `server.create_app` serves.

    contract_dir holds operations.json, openapi.json, origins.json and routes.json beside the generated types.
    handlers: operationId → function. prepares: operationId → slow step run before the transaction.
    """

    contract: Contract
    contract_dir: Path
    handlers: Mapping[str, Callable[..., Any]]
    prepares: Mapping[str, Callable[..., Any]]
    settings: Settings
    ports: Ports
