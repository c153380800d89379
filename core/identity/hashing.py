"""One thread that hashes passwords, behind a bounded queue, so that a burst of logins cannot take the whole worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TypeVar

from gevent.threadpool import ThreadPool

from core.kernel.problems import Unavailable

QUEUE_LIMIT = 32
"""At about 45 ms a hash, the last in the queue waits 1.5 s."""
_NICENESS = 10
"""The hashing thread's, on Linux, where each thread has its own: a request that comes meanwhile goes first."""

ResultT = TypeVar("ResultT")


class HashingQueue:
    """Runs functions one after the other on its own thread, while other greenlets go on."""

    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        self._limit = limit
        self._waiting = 0
        self._pool: ThreadPool | None = None
        self._process = 0

    @property
    def is_full(self) -> bool:
        """Say whether the next caller would be refused."""
        return self._waiting >= self._limit

    def run(self, function: Callable[..., ResultT], *arguments: object) -> ResultT:
        """Return function(*arguments), computed on the thread.

        Raises:
            Unavailable: too many are waiting.
        """
        if self.is_full:
            raise Unavailable("Too many logins at once.", retry_after_seconds=2)
        self._waiting += 1
        try:
            result: ResultT = self._thread().apply(function, arguments)
            return result
        finally:
            self._waiting -= 1

    def _thread(self) -> ThreadPool:
        """Make the thread on first use: one made before a fork would not exist in the worker."""
        if self._pool is None or self._process != os.getpid():
            self._pool, self._process = ThreadPool(1), os.getpid()
            if sys.platform == "linux":
                self._pool.apply(os.nice, (_NICENESS,))
        return self._pool


queue = HashingQueue()
