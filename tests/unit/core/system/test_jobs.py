"""Durable jobs: claims, leases, fences, cancellation and release, on both databases."""

from __future__ import annotations

from contextlib import suppress

import pytest

from core.kernel.durable import Job
from core.system import jobs
from models.database import write
from tests.conftest import FrozenClock

pytestmark = pytest.mark.usefixtures("database", "frozen_clock")
KIND = "test"
QUEUE = jobs.SqlJobQueue()


def _finish(job: Job) -> None:
    with write():
        jobs.finish(job)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_functions", {KIND: _finish})


def _enqueue(subject: str = "thing:1") -> str:
    with write():
        return jobs.enqueue(KIND, b"payload", subject=subject)


def test_a_job_is_claimed_once() -> None:
    job_id = _enqueue()
    (job,) = QUEUE.claim("one", 10)
    assert (job.id, job.kind, job.payload, job.fence, job.attempt) == (job_id, KIND, b"payload", 1, 1)
    assert QUEUE.claim("two", 10) == ()


def test_no_more_than_the_limit_is_claimed() -> None:
    for _ in range(3):
        _enqueue()
    assert len(QUEUE.claim("one", 2)) == 2
    assert len(QUEUE.claim("two", 2)) == 1


def test_a_kind_that_nothing_runs_here_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    _enqueue()
    monkeypatch.setattr(jobs, "_functions", {"other": _finish})
    assert QUEUE.claim("one", 10) == ()


def test_a_job_is_lost_when_the_transaction_that_made_it_fails() -> None:
    with suppress(RuntimeError), write():
        jobs.enqueue(KIND, b"", subject="thing:1")
        raise RuntimeError
    assert QUEUE.claim("one", 10) == ()


def test_a_dead_workers_job_is_claimed_again_with_a_higher_fence(frozen_clock: FrozenClock) -> None:
    _enqueue()
    (first,) = QUEUE.claim("one", 10)
    frozen_clock.advance(jobs.LEASE_MS / 1000 + 0.001)
    (second,) = QUEUE.claim("two", 10)
    assert (second.id, second.fence, second.attempt) == (first.id, 2, 2)
    with write():
        assert jobs.check_leases([first]).held == frozenset()
        assert jobs.check_leases([second]).held == {second.id}
    with pytest.raises(jobs.LeaseLost):
        _finish(first)
    QUEUE.run(first)
    _finish(second)


def test_a_heartbeat_keeps_the_lease(frozen_clock: FrozenClock) -> None:
    _enqueue()
    (job,) = QUEUE.claim("one", 10)
    for _ in range(5):
        frozen_clock.advance(2)
        QUEUE.heartbeat("one", [job.id])
    assert QUEUE.claim("two", 10) == ()


def test_anothers_heartbeat_does_not_keep_it(frozen_clock: FrozenClock) -> None:
    _enqueue()
    (job,) = QUEUE.claim("one", 10)
    frozen_clock.advance(2)
    QUEUE.heartbeat("two", [job.id])
    frozen_clock.advance(2)
    assert [again.id for again in QUEUE.claim("two", 10)] == [job.id]


def test_a_finished_job_is_not_claimed_again(frozen_clock: FrozenClock) -> None:
    _enqueue()
    (job,) = QUEUE.claim("one", 10)
    QUEUE.run(job)
    frozen_clock.advance(10)
    assert QUEUE.claim("two", 10) == ()
    assert not jobs.request_cancel(["thing:1"])


def test_a_released_job_is_claimed_at_once_and_its_former_holder_is_fenced_off() -> None:
    _enqueue()
    (job,) = QUEUE.claim("one", 10)
    QUEUE.release("one", [job.id])
    assert jobs.peek_leases([job]).held == frozenset()
    (again,) = QUEUE.claim("two", 10)
    assert again.id == job.id


def _fail(job: Job) -> None:
    raise RuntimeError("a bug")


def test_a_job_that_fails_waits_longer_and_longer_and_its_kind_may_be_mended(frozen_clock: FrozenClock) -> None:
    jobs.register(KIND, _fail)
    _enqueue()
    pauses = []
    for _ in range(14):
        (job,) = QUEUE.claim("one", 10)
        with pytest.raises(RuntimeError, match="a bug"):
            QUEUE.run(job)
        assert jobs.peek_leases([job]).held == frozenset()
        pause = 0
        while not jobs._due(1).exists():
            frozen_clock.advance(1)
            pause += 1
        pauses.append(pause)
    assert pauses == [3, 3, 3, 3, 3, 6, 12, 24, 48, 96, 192, 300, 300, 300]
    jobs.register(KIND, _finish)
    (job,) = QUEUE.claim("two", 10)
    QUEUE.run(job)
    frozen_clock.advance(1000)
    assert QUEUE.claim("one", 10) == ()


def test_a_failure_of_a_job_that_another_holds_now_puts_nothing_off(frozen_clock: FrozenClock) -> None:
    _enqueue()
    (first,) = QUEUE.claim("one", 10)
    frozen_clock.advance(jobs.LEASE_MS / 1000 + 0.001)
    (second,) = QUEUE.claim("two", 10)
    jobs.register(KIND, _fail)
    with pytest.raises(RuntimeError, match="a bug"):
        QUEUE.run(first)
    assert jobs.peek_leases([second]).held == {second.id}


def test_a_cancellation_is_seen_by_the_holder() -> None:
    _enqueue("thing:1")
    _enqueue("thing:2")
    claimed = QUEUE.claim("one", 10)
    with write():
        assert jobs.request_cancel(["thing:2"])
    leases = jobs.peek_leases(claimed)
    assert leases.held == {job.id for job in claimed}
    assert len(leases.cancelled) == 1
    with write():
        assert jobs.check_leases(claimed) == leases


def test_an_enqueued_job_wakes_this_process_after_the_commit() -> None:
    woken: list[bool] = []
    QUEUE.listen(lambda: woken.append(True))
    try:
        with write():
            jobs.enqueue(KIND, b"", subject="thing:1")
            assert woken == []
        assert woken == [True]
    finally:
        jobs._wakers.pop()
