"""What every worker clears away now and then: events that no stream may resume behind, and jobs long done."""

from __future__ import annotations

import time

from core.kernel import clock, settings
from core.system import events
from models.database import write
from models.tables.jobs import JobRow

_INTERVAL_SECONDS = 600.0

_next_at = 0.0


def run_when_due() -> None:
    """Clear away, at most once per interval and worker; a bounded number of channels at a time."""
    global _next_at
    if time.monotonic() >= _next_at:
        _next_at = time.monotonic() + _INTERVAL_SECONDS
        clear(clock.now_ms() - settings.current().event_retention_hours * 3_600_000)


def clear(older_than_ms: int) -> None:
    """Delete the events written and the jobs finished before then."""
    events.prune(older_than_ms)
    with write():
        JobRow.delete().where(JobRow.state == "done", JobRow.finished_at < older_than_ms).execute()
