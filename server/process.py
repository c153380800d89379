"""gunicorn as this service runs it: one application object, its settings and hooks, no configuration file."""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from core.kernel.settings import Settings
from server import logs, metrics
from server.telemetry import Telemetry

_WORKER_SILENCE_SECONDS = 30


class Lifetime(Protocol):
    """What a worker serves, begins and ends: server.runtime.Runtime, or less in a test of the worker."""

    settings: Settings
    telemetry: Telemetry
    wsgi: Callable[..., Iterable[bytes]]

    def start(self) -> None:
        """Begin what runs beside requests; called in the worker."""

    def stop(self) -> None:
        """End it, and every stream; called in the worker."""


class Application(BaseApplication):
    """A runtime under gunicorn: built once in the parent, forked into every worker.

    banner: printed to standard error once the server listens.
    """

    def __init__(self, runtime: Lifetime, banner: str) -> None:
        self.runtime = runtime
        self._banner = banner
        super().__init__()

    def load_config(self) -> None:
        """Translate our settings to gunicorn's."""
        settings = self.runtime.settings
        options: dict[str, Any] = {
            "bind": settings.bind,
            "workers": settings.workers,
            "worker_class": "server.worker.Worker",
            "worker_connections": settings.worker_connections,
            "preload_app": True,
            "timeout": _WORKER_SILENCE_SECONDS,
            "graceful_timeout": math.ceil(settings.graceful_timeout_seconds) + 2,  # the worker keeps ours; then SIGKILL
            "backlog": 4096,
            "proc_name": "accord",
            "logger_class": _GunicornLog,
            "loglevel": settings.log_level,
            "control_socket_disable": True,
            "forwarded_allow_ips": "",  # the pipeline alone decides whom to believe
            "when_ready": lambda _: print(self._banner, file=sys.stderr, flush=True),
            "child_exit": lambda _, worker: metrics.forget_process(worker.pid),
            "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the WSGI application."""
        return self.runtime.wsgi


class _GunicornLog(Logger):
    """gunicorn's own lines, as JSON like all others; requests are logged by the pipeline."""

    def setup(self, cfg: Any) -> None:
        """Let the root logger, which `logs.capture` has set up, write what gunicorn says."""
        self.error_log.handlers[:] = []
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING if cfg.loglevel == "info" else logs.LEVELS[cfg.loglevel])
