"""The job runner of one worker: claims durable work, keeps its leases alive, gives them back when the worker stops."""

from __future__ import annotations

from typing import Any, Protocol

import gevent
from gevent.event import Event as Signal

from core.kernel.durable import Job
from models.database import AWAY
from server.background import Background, FailureObserver
from server.ports import JobQueue

_POLL_SECONDS = 1.0
_HEARTBEAT_SECONDS = 1.0
_FINISH_SECONDS = 0.5


class JobObserver(FailureObserver, Protocol):
    """Hear of jobs."""

    def job_started(self, kind: str) -> None:
        """This worker began a job."""

    def job_ended(self, kind: str, outcome: str) -> None:
        """This worker ended a job: done, failed or released."""


class JobRunner:
    """Run up to `concurrency` jobs of the queue at a time, each in its own greenlet.

    Claiming is also reaping: a job whose lease has run out, because its worker died, is claimed like a new one. So every
    worker looks when a job is enqueued in its own process, each second, and at its start.
    """

    def __init__(self, queue: JobQueue, observer: JobObserver, *, worker_id: str, concurrency: int) -> None:
        self._queue = queue
        self._observer = observer
        self._worker_id = worker_id
        self._concurrency = concurrency
        self._running: dict[str, Any] = {}
        self._wake = Signal()
        self._background = (
            Background("jobs.claim", self._claim_forever, observer),
            Background("jobs.heartbeat", self._heartbeat_forever, observer),
        )

    def start(self) -> None:
        """Begin to claim."""
        self._queue.listen(self._wake.set)
        for background in self._background:
            background.start()

    def stop(self, *, finish_seconds: float = _FINISH_SECONDS) -> None:
        """Claim no more, let jobs that are nearly done end, interrupt the others and give their leases back."""
        for background in self._background:
            background.stop()
        gevent.joinall(list(self._running.values()), timeout=finish_seconds)
        unfinished = dict(self._running)
        gevent.killall(list(unfinished.values()), timeout=finish_seconds)
        if unfinished:
            try:
                self._queue.release(self._worker_id, list(unfinished))
            except AWAY as error:  # the leases lapse by themselves
                self._observer.failed("jobs.release", error)

    def _claim_forever(self) -> None:
        while True:
            self._wake.clear()
            free = self._concurrency - len(self._running)
            if free > 0:
                for job in self._queue.claim(self._worker_id, free):
                    self._begin(job)
            self._wake.wait(_POLL_SECONDS)

    def _heartbeat_forever(self) -> None:
        while True:
            gevent.sleep(_HEARTBEAT_SECONDS)
            if self._running:
                self._queue.heartbeat(self._worker_id, list(self._running))

    def _begin(self, job: Job) -> None:
        greenlet = gevent.spawn(self._queue.run, job)
        self._running[job.id] = greenlet
        self._observer.job_started(job.kind)
        greenlet.link(lambda ended: self._ended(job, ended))

    def _ended(self, job: Job, greenlet: Any) -> None:
        if self._running.get(job.id) is greenlet:
            del self._running[job.id]
        self._wake.set()
        if isinstance(greenlet.value, gevent.GreenletExit):
            self._observer.job_ended(job.kind, "released")
        elif greenlet.successful():
            self._observer.job_ended(job.kind, "done")
        else:
            self._observer.job_ended(job.kind, "failed")
            self._observer.failed(f"job:{job.kind}", greenlet.exception)
