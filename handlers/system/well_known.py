"""Well-known entries."""

from __future__ import annotations

from typing import Any, Literal

from core.kernel.call import Call, Reply
from core.system import well_known
from models.contract.parameters.system import WellKnownGetParameters

_HEADERS = {"Cache-Control": "public, max-age=3600"}


def well_known_get(call: Call[WellKnownGetParameters, None]) -> Reply[Any, Literal[200]]:
    """Read a well-known entry."""
    entry = well_known.get_entry(call.parameters.path)
    media_type = "application/json" if entry.is_json else "text/plain; charset=utf-8"
    return Reply(None, 200, headers=_HEADERS, raw=entry.content.encode(), media_type=media_type)
