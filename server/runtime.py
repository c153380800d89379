"""What lives as long as a worker: the application, its telemetry, its streams and its jobs, begun and ended together."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

import gevent

from core.kernel import ids
from core.kernel.settings import Settings
from models.database import database
from server import logs
from server.app import create_app
from server.background import Background
from server.jobs import JobRunner
from server.service import Service
from server.streams import Streams
from server.telemetry import Telemetry

_UPKEEP_OFFER_SECONDS = 15.0
_LIMITS_SECONDS = 4.0


class Runtime:
    """Built before gunicorn forks, started in each worker."""

    wsgi: Callable[..., Iterable[bytes]]

    def __init__(self, service: Service, log: logs.Log) -> None:
        self.settings: Settings = service.settings
        self.telemetry = Telemetry(log)
        self._service = service
        self._jobs: JobRunner | None = None
        self._upkeep = Background("upkeep", self._upkeep_forever, self.telemetry)
        self._limits = Background("limits", self._keep_limits_forever, self.telemetry)
        self._streams = Streams(service.ports.events, service.ports.verifier, service.settings, self.telemetry)
        self.wsgi = create_app(service, observer=self.telemetry, streams=self._streams)

    def start(self) -> None:
        """Begin to claim jobs, to offer turns of upkeep and to keep slots; streams begin with the first client."""
        self._jobs = JobRunner(
            self._service.ports.jobs,
            self.telemetry,
            worker_id=f"{socket.gethostname()}:{os.getpid()}:{ids.new_secret(6)}",
            concurrency=self.settings.job_concurrency,
        )
        self._jobs.start()
        self._upkeep.start()
        self._limits.start()

    def stop(self) -> None:
        """End the streams with a retry hint, then the jobs, giving back their leases."""
        self._upkeep.stop()
        self._streams.stop()
        self._limits.stop()
        if self._jobs is not None:
            self._jobs.stop()

    def _upkeep_forever(self) -> None:
        upkeep = self._service.ports.upkeep
        while upkeep is not None:
            gevent.sleep(_UPKEEP_OFFER_SECONDS)
            upkeep.run()

    def _keep_limits_forever(self) -> None:
        while True:
            gevent.sleep(_LIMITS_SECONDS)
            self._service.ports.limiter.keep()


def close_database() -> None:
    """Close every connection of this process: none may be carried over a fork."""
    connected: Any = database
    if connected.obj is not None:
        connected.close_all()
