"""The job runner: claims, keeps leases, bounds what runs, and gives back what a stop interrupts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import gevent
import pytest

from core.kernel.durable import Job
from core.kernel.problems import Unavailable
from server.jobs import JobRunner
from tests.unit.server.fakes import Recorder

PATIENCE_SECONDS = 20


class Queue:
    """Jobs in memory that last as long as a test says."""

    def __init__(self) -> None:
        self.due: list[str] = []
        self.running: set[str] = set()
        self.peak = 0
        self.beats: list[list[str]] = []
        self.released: list[str] = []
        self.claim_failures = 0
        self.is_away = False
        self.wake: Callable[[], None] = lambda: None
        self.work: Callable[[str], None] = lambda job_id: None

    def claim(self, worker_id: str, limit: int) -> Sequence[Job]:
        if self.claim_failures:
            self.claim_failures -= 1
            raise ConnectionError("gone")
        taken, self.due = self.due[:limit], self.due[limit:]
        return [Job(id=each, kind="k", payload=b"", fence=1, attempt=1) for each in taken]

    def heartbeat(self, worker_id: str, job_ids: Sequence[str]) -> None:
        self.beats.append(sorted(job_ids))

    def run(self, job: Job) -> None:
        self.running.add(job.id)
        self.peak = max(self.peak, len(self.running))
        try:
            self.work(job.id)
        finally:
            self.running.discard(job.id)

    def release(self, worker_id: str, job_ids: Sequence[str]) -> None:
        if self.is_away:
            raise Unavailable
        self.released += job_ids

    def listen(self, wake: Callable[[], None]) -> None:
        self.wake = wake


class Bed:
    def __init__(self) -> None:
        self.queue = Queue()
        self.observer = Recorder()
        self.runner = JobRunner(self.queue, self.observer, worker_id="w", concurrency=3)


@pytest.fixture
def bed() -> Iterator[Bed]:
    bed = Bed()
    yield bed
    bed.runner.stop(finish_seconds=0.1)


def _wait(condition: Callable[[], bool]) -> None:
    with gevent.Timeout(PATIENCE_SECONDS):
        while not condition():
            gevent.sleep(0.005)


def test_jobs_of_a_dead_worker_are_claimed_when_a_worker_starts(bed: Bed) -> None:
    bed.queue.due = ["a"]
    bed.runner.start()
    _wait(lambda: bed.observer.jobs == [("k", "started"), ("k", "done")])


def test_job_is_claimed_when_it_is_enqueued_here(bed: Bed) -> None:
    bed.runner.start()
    gevent.sleep(0.05)
    bed.queue.due = ["a"]
    bed.queue.wake()
    with gevent.Timeout(0.9):  # less than the second after which the queue would be looked at anyway
        while ("k", "done") not in bed.observer.jobs:
            gevent.sleep(0.005)


def test_job_is_claimed_within_the_poll_when_nobody_wakes_the_runner(bed: Bed) -> None:
    bed.runner.start()
    gevent.sleep(0.05)
    bed.queue.due = ["a"]
    _wait(lambda: ("k", "done") in bed.observer.jobs)


def test_no_more_jobs_run_than_the_setting_allows_and_the_rest_follow(bed: Bed) -> None:
    bed.queue.work = lambda job_id: gevent.sleep(0.02)
    bed.queue.due = [str(n) for n in range(10)]
    bed.runner.start()
    _wait(lambda: bed.observer.jobs.count(("k", "done")) == 10)
    assert bed.queue.peak == 3


def test_leases_are_renewed_together_while_jobs_run(bed: Bed) -> None:
    bed.queue.work = lambda job_id: gevent.sleep(60)
    bed.queue.due = ["b", "a"]
    bed.runner.start()
    _wait(lambda: ["a", "b"] in bed.queue.beats)


def test_other_jobs_go_on_when_one_fails(bed: Bed) -> None:
    def work(job_id: str) -> None:
        if job_id == "bad":
            raise RuntimeError("a bug")

    bed.queue.work = work
    bed.queue.due = ["bad", "good"]
    bed.runner.start()
    _wait(lambda: ("k", "failed") in bed.observer.jobs and ("k", "done") in bed.observer.jobs)
    assert bed.observer.failures == ["job:k"]


def test_claiming_goes_on_when_the_database_was_away(bed: Bed) -> None:
    bed.queue.claim_failures = 1
    bed.queue.due = ["a"]
    bed.runner.start()
    _wait(lambda: ("k", "done") in bed.observer.jobs)
    assert bed.observer.failures == ["jobs.claim"]


def test_stop_ends_jobs_and_leaves_their_leases_to_lapse_when_the_database_is_away(bed: Bed) -> None:
    bed.queue.work = lambda job_id: gevent.sleep(60)
    bed.queue.due = ["long"]
    bed.runner.start()
    _wait(lambda: bool(bed.queue.running))
    bed.queue.is_away = True
    bed.runner.stop(finish_seconds=0.1)
    assert not bed.queue.running
    assert bed.observer.failures == ["jobs.release"]


def test_stop_interrupts_a_long_job_and_gives_its_lease_back(bed: Bed) -> None:
    bed.queue.work = lambda job_id: gevent.sleep(60 if job_id == "long" else 0.05)
    bed.queue.due = ["long", "short"]
    bed.runner.start()
    _wait(lambda: len(bed.queue.running) == 2)
    bed.runner.stop(finish_seconds=0.5)
    assert bed.queue.released == ["long"]
    assert not bed.queue.running
    _wait(lambda: ("k", "released") in bed.observer.jobs)
    assert sorted(outcome for _, outcome in bed.observer.jobs) == ["done", "released", "started", "started"]
    bed.queue.due = ["late"]
    bed.queue.wake()
    gevent.sleep(0.05)
    assert bed.queue.due == ["late"]
