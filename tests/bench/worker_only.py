"""Serve any WSGI application on our worker class, so that what is measured beside it differs in the application alone.

Run: python -m tests.bench.worker_only MODULE:APPLICATION (ACCORD_BIND and the other settings apply).
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import importlib  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

from core.kernel import settings  # noqa: E402
from server import logs, process  # noqa: E402
from server.telemetry import Telemetry  # noqa: E402


class _Bare:
    """A lifetime that holds nothing but an application."""

    def __init__(self, application: str) -> None:
        module, _, attribute = application.partition(":")
        self.settings = settings.read(os.environ)
        self.telemetry = Telemetry(logs.Log(self.settings.log_level))
        self.wsgi = getattr(importlib.import_module(module), attribute)

    def start(self) -> None:
        """Begin nothing."""

    def stop(self) -> None:
        """End nothing."""


if __name__ == "__main__":
    process.Application(_Bare(sys.argv[1]), "serving").run()
