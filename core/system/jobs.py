"""Durable jobs with leases: what a dead worker held is claimed again, and a fence keeps the dead one's hand off.

A claim takes a lease of three seconds, renewed by heartbeats, and raises the job's fence; `check_leases` tells, inside the
transaction of a write, which fences still hold. Why not a ready-made queue: docs/decisions.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from core.kernel import clock, ids
from core.kernel.durable import Job
from models.database import AWAY, after_commit, locked, read, write
from models.tables.jobs import JobRow

LEASE_MS = 3000
_PROMPT_ATTEMPTS = 5
_LONGEST_PAUSE_MS = 300_000
JobFunction = Callable[[Job], None]

_functions: dict[str, JobFunction] = {}
_wakers: list[Callable[[], None]] = []


class LeaseLost(Exception):
    """Another worker holds the job now: stop without writing."""


def register(kind: str, function: JobFunction) -> None:
    """Name the function that runs jobs of `kind`; it must end in `finish` or raise."""
    _functions[kind] = function


def enqueue(kind: str, payload: bytes, *, subject: str) -> str:
    """Add a job in the caller's transaction and return its id; it is due at the commit.

    subject names what it works on, for `request_cancel`.
    """
    now = clock.now()
    job_id = ids.new_uuid()
    JobRow.insert(id=job_id, kind=kind, subject=subject, payload=payload, due_at=now, created_at=now).execute()
    after_commit(_wake_here)
    return str(job_id)


def request_cancel(subjects: Sequence[str]) -> int:
    """Ask the unfinished jobs of these subjects to end; returns how many there are. Locks them as `check_leases` does."""
    unfinished = JobRow.select(JobRow.id).where(JobRow.subject.in_(subjects), JobRow.state != "done")
    asked = JobRow.update(is_cancel_requested=True).where(JobRow.id.in_(locked(unfinished.order_by(JobRow.id))))
    return int(asked.execute())


class Leases(NamedTuple):
    """Ids of the jobs that are still held, and of those among them whose cancellation was asked for."""

    held: frozenset[str]
    cancelled: frozenset[str]


def check_leases(jobs: Sequence[Job]) -> Leases:
    """Lock those of the jobs that are still held until the write transaction ends.

    Rows are locked in the order of their ids, and before any channel: two transactions that do so cannot deadlock.
    """
    return _leases(jobs, locked(_rows(jobs).order_by(JobRow.id)))


def peek_leases(jobs: Sequence[Job]) -> Leases:
    """Look at the jobs without locking them."""
    with read():
        return _leases(jobs, _rows(jobs))


def _rows(jobs: Sequence[Job]) -> Any:
    columns = (JobRow.id, JobRow.fence, JobRow.is_cancel_requested)
    return JobRow.select(*columns).where(JobRow.id.in_([UUID(job.id) for job in jobs]), JobRow.state == "running")


def _leases(jobs: Sequence[Job], query: Any) -> Leases:
    fences = {job.id: job.fence for job in jobs}
    held = {str(job_id): asked for job_id, fence, asked in query.tuples() if fence == fences[str(job_id)]}
    return Leases(frozenset(held), frozenset(job_id for job_id, asked in held.items() if asked))


def finish(job: Job) -> None:
    """Record the end of the job, inside the write transaction of its last effect.

    Raises:
        LeaseLost: the fence has moved on.
    """
    if not JobRow.update(state="done", finished_at=clock.now(), worker=None).where(_is_held(job)).execute():
        raise LeaseLost(job.id)


class SqlJobQueue:
    """The JobQueue port over the jobs table."""

    def claim(self, worker_id: str, limit: int) -> Sequence[Job]:
        """Take up to `limit` jobs that are due or whose lease has run out."""
        with read():
            if not _due(limit).exists():
                return ()
        with write():
            return _claim(worker_id, limit)

    def heartbeat(self, worker_id: str, job_ids: Sequence[str]) -> None:
        """Renew this worker's leases in one UPDATE."""
        if job_ids:
            with write():
                JobRow.update(due_at=_lease_end_ms()).where(JobRow.id.in_(_held(worker_id, job_ids))).execute()

    def run(self, job: Job) -> None:
        """Do the job to its end and record it; raises only what is a bug, and the job is done again after a pause."""
        try:
            _functions[job.kind](job)
        except LeaseLost:
            return  # The worker that holds it now does the rest.
        except Exception:  # whatever it was, the job is not lost, and not done again at once
            with suppress(*AWAY):  # then its lease lapses
                _put_off(job)
            raise

    def release(self, worker_id: str, job_ids: Sequence[str]) -> None:
        """Give up these leases unfinished, so that another worker may claim the jobs at once."""
        if job_ids:
            with write():
                JobRow.update(_queued(clock.now_ms())).where(JobRow.id.in_(_held(worker_id, job_ids))).execute()
                after_commit(_wake_here)

    def listen(self, wake: Callable[[], None]) -> None:
        """Have `wake` called in this process when a job is enqueued here."""
        _wakers.append(wake)


def _put_off(job: Job) -> None:
    """Let a job wait that has failed: as long as a lease at first, twice as long each time once it has failed often."""
    pause_ms = min(LEASE_MS << max(0, min(job.attempt - _PROMPT_ATTEMPTS, 16)), _LONGEST_PAUSE_MS)
    with write():
        JobRow.update(_queued(clock.now_ms() + pause_ms)).where(_is_held(job)).execute()


def _queued(due_at_ms: int) -> dict[str, Any]:
    """Return what a held job becomes that is given up unfinished; the next claim raises the fence."""
    return {"state": "queued", "worker": None, "due_at": due_at_ms}


def _is_held(job: Job) -> Any:
    return (JobRow.id == UUID(job.id)) & (JobRow.fence == job.fence) & (JobRow.state == "running")


def _wake_here() -> None:
    for wake in tuple(_wakers):
        wake()


def _due(limit: int) -> Any:
    """Select due jobs: queued ones at their time, running ones whose lease (due_at too) has run out."""
    now = clock.now()
    return (
        JobRow.select(JobRow.id)
        .where(JobRow.state.in_(("queued", "running")), JobRow.due_at <= now, JobRow.kind.in_(list(_functions)))
        .order_by(JobRow.due_at)
        .limit(limit)
    )


def _claim(worker_id: str, limit: int) -> list[Job]:
    chosen = [row[0] for row in locked(_due(limit), "FOR UPDATE SKIP LOCKED").tuples()]
    if not chosen:
        return []
    claimed: dict[Any, Any] = {
        JobRow.state: "running",
        JobRow.worker: worker_id,
        JobRow.due_at: _lease_end_ms(),
        JobRow.fence: JobRow.fence + 1,
        JobRow.attempts: JobRow.attempts + 1,
    }
    rows = JobRow.update(claimed).where(JobRow.id.in_(chosen)).returning(JobRow).execute()
    jobs = [Job(id=str(r.id), kind=r.kind, payload=bytes(r.payload), fence=r.fence, attempt=r.attempts) for r in rows]
    return sorted(jobs, key=lambda job: job.id)


def _held(worker_id: str, job_ids: Sequence[str]) -> Any:
    mine = JobRow.id.in_([UUID(job_id) for job_id in job_ids])
    query = JobRow.select(JobRow.id).where(mine, JobRow.worker == worker_id, JobRow.state == "running")
    return locked(query.order_by(JobRow.id))


def _lease_end_ms() -> int:
    return clock.now_ms() + LEASE_MS
