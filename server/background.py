"""Greenlets that no request waits for: begun with the worker, begun again when they fail, ended with the worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import gevent

_PAUSE_SECONDS = 1.0


class FailureObserver(Protocol):
    """Hear of what failed in the background."""

    def failed(self, where: str, error: BaseException) -> None:
        """`where` names the work; it will be tried again."""


class Background:
    """Run `work` in a greenlet; if it raises, report it and begin again after a second (a database may come back)."""

    def __init__(self, name: str, work: Callable[[], None], observer: FailureObserver) -> None:
        self._name = name
        self._work = work
        self._observer = observer
        self._greenlet: Any = None
        self._is_stopped = False

    def start(self, after_seconds: float = 0) -> None:
        """Begin, unless it has begun."""
        if self._greenlet is None and not self._is_stopped:
            self._greenlet = gevent.spawn_later(after_seconds, self._work)
            self._greenlet.link_exception(self._failed)

    def stop(self) -> None:
        """End it for good, where it stands."""
        self._is_stopped = True
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    def _failed(self, greenlet: Any) -> None:
        self._observer.failed(self._name, greenlet.exception)
        self._greenlet = None
        self.start(_PAUSE_SECONDS)
