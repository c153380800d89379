"""The product without limits and usage: what `make bench PARTS=limits` compares the whole with."""

from __future__ import annotations

import msgspec

from core.kernel.settings import Settings
from handlers import service as product
from server.service import Service
from tests.uncounted import Uncounted


def build(settings: Settings) -> Service:
    """Build the product with another limiter."""
    service = product.build(settings)
    return msgspec.structs.replace(service, ports=msgspec.structs.replace(service.ports, limiter=Uncounted()))
