"""Upkeep: old events and finished jobs go, the rest stays."""

from __future__ import annotations

import pytest

from core.kernel.durable import Job
from core.system import events, jobs, upkeep
from models.database import read, write
from models.tables.jobs import JobRow
from tests.conftest import FrozenClock

pytestmark = pytest.mark.usefixtures("database")


def _finish(job: Job) -> None:
    with write():
        jobs.finish(job)


def test_only_what_is_old_and_done_is_cleared(frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_functions", {"test": _finish})
    queue = jobs.SqlJobQueue()
    with write():
        events.append("a", "note", b"1")
        jobs.enqueue("test", b"", subject="done")
    for job in queue.claim("one", 10):
        queue.run(job)
    with write():
        jobs.enqueue("test", b"", subject="waiting")
    frozen_clock.advance(3600)
    with write():
        events.append("a", "note", b"2")
    upkeep.clear(int(frozen_clock.seconds * 1000) - 1)
    assert [event.seq for event in events.SqlEventLog().read({"a": 0}, 10)] == [2]
    with read():
        assert [row.subject for row in JobRow.select()] == ["waiting"]


def test_every_claim_offers_the_upkeep() -> None:
    offered: list[bool] = []
    jobs.SqlJobQueue(upkeep=lambda: offered.append(True)).claim("one", 1)
    assert offered == [True]
