"""What a worker runs beside its requests: upkeep, asked again and again, also after it failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import gevent
import msgspec
import pytest

from core.kernel.durable import Job
from core.kernel.problems import Unavailable
from server import background, runtime
from server.logs import Log
from tests.unit.server import shop as shop_module
from tests.unit.server.conftest import Running


class NoJobs:
    """A queue with nothing in it."""

    def listen(self, wake: Callable[[], None]) -> None:
        """Have nothing to tell."""

    def claim(self, worker_id: str, limit: int) -> Sequence[Job]:
        """Give nothing."""
        return ()


class Upkeep:
    """Fails the first time."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self) -> None:
        """Count."""
        self.runs += 1
        if self.runs == 1:
            raise Unavailable


def test_upkeep_is_offered_until_the_worker_stops(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "_UPKEEP_OFFER_SECONDS", 0.01)
    monkeypatch.setattr(background, "_PAUSE_SECONDS", 0.01)
    service, upkeep = shop_module.service(tmp_path, running.settings, shop_module.Shop()), Upkeep()
    service = msgspec.structs.replace(
        service, ports=msgspec.structs.replace(service.ports, jobs=NoJobs(), upkeep=upkeep)
    )
    with (tmp_path / "log").open("ab") as log:
        worker = runtime.Runtime(service, Log("info", log.fileno()))
        worker.start()
        with gevent.Timeout(5):
            while upkeep.runs < 3:
                gevent.sleep(0.01)
        worker.stop()
        gevent.sleep(0.02)  # the end of a greenlet waits for the loop
        stopped_at = upkeep.runs
        gevent.sleep(0.05)
    assert upkeep.runs == stopped_at
