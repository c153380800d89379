"""Metrics."""

from __future__ import annotations

from typing import Literal

from core.kernel.call import Call, Reply
from server import metrics


def metrics_get(call: Call[None, None]) -> Reply[None, Literal[200]]:
    """Read the metrics."""
    return Reply(None, 200, raw=metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
