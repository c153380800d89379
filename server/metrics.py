"""Prometheus metrics, exact across workers: every process counts in its own mapped files, a scrape adds them up.

PROMETHEUS_MULTIPROC_DIR must be set before this module is imported (`accord serve` makes a fresh folder per start);
without it, as in tests, one process counts for itself.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gevent import monkey
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    mmap_dict,
    multiprocess,
    values,
)

_ROOM_BYTES = 1 << 20
_ENTRY_BYTES = 64
"""More than an entry takes besides its key: a length, padding, a value and a time."""
_PAIR = struct.Struct("dd")
"""A value and a time, written by one assignment, so that no scrape sees half of it."""


class _Values(mmap_dict.MmapedDict):
    """A process's file, whose room on the disk is taken before it is mapped: without room, a write is SIGBUS.

    On a full disk the values are kept in memory, where no scrape finds them.
    """

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        super().__init__(filename if read_mode or _has_room(filename, _ROOM_BYTES) else _memory_file(), read_mode)

    def _init_value(self, key: str) -> None:
        wanted = self._used + len(key.encode()) + _ENTRY_BYTES
        if wanted > self._capacity and not _has_room(self._fname, 2 * self._capacity):
            self._move_to_memory()
        super()._init_value(key)

    def _move_to_memory(self) -> None:
        kept, memory = self._m[:], _memory_file()
        self.close()
        Path(memory).write_bytes(kept)
        super().__init__(memory)


def _has_room(filename: str, size: int) -> bool:
    """Take room for a file, which is made; False, and no file of its own, where there is none."""
    path = Path(filename)
    was_there = path.exists()
    try:
        with path.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError:
        if not was_there:
            path.unlink(missing_ok=True)
        return False
    return True


def _memory_file() -> str:
    return f"/proc/self/fd/{os.memfd_create('metrics')}"


values.MmapedDict = _Values

# No greenlet switches while a value is written, so the system's own lock, which costs less than gevent's, is never waited for.
values.Lock = monkey.get_original("threading", "Lock")
values.ValueClass = values.get_value_class()

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter("accord_requests", "Answered requests.", ("operation", "status"))
REQUEST_SECONDS = Histogram(
    "accord_request_duration_seconds", "Time to answer; of a stream, to open it.", ("operation",), buckets=_SECONDS
)
IN_FLIGHT = Gauge("accord_requests_in_flight", "Requests under way, once a second.", multiprocess_mode="livesum")
CONNECTIONS = Gauge("accord_connections", "Open connections, once a second.", multiprocess_mode="livesum")
VIOLATIONS = Counter("accord_contract_violations", "Answers that broke the contract.", ("operation", "clause"))
FAILURES = Counter("accord_failures", "Bugs: exceptions that nothing expected.", ("where",))
STREAMS = Gauge("accord_open_streams", "Open event streams.", ("operation",), multiprocess_mode="livesum")
STREAMS_CLOSED = Counter("accord_streams_closed", "Ended event streams.", ("operation", "reason"))
EVENTS_SENT = Counter("accord_stream_events_sent", "Events queued to clients of event streams.")
JOBS_RUNNING = Gauge("accord_jobs_running", "Jobs under way.", ("kind",), multiprocess_mode="livesum")
JOBS = Counter("accord_jobs", "Ended jobs.", ("kind", "outcome"))
AUDIT_LOST = Counter("accord_audit_refusals_lost", "Refusals that were not written to the audit trail.", ("operation",))
LOG_LINES_LOST = Counter("accord_log_lines_lost", "Log lines that could not be written.")


def request_counter(operation: str, status: int) -> Callable[[float], None]:
    """Return what counts one answered request and its seconds.

    It goes to the mapped values themselves: what Counter.inc and Histogram.observe look at besides, labels and exemplars,
    is settled here once, and took longer than the counting. It is of no use in a child of this process.
    """
    count: Any = REQUESTS.labels(operation, str(status))
    timing: Any = REQUEST_SECONDS.labels(operation)
    inc, add, bounds = _adder(count._value), _adder(timing._sum), timing._upper_bounds
    buckets = [_adder(bucket) for bucket in timing._buckets]

    def observe(seconds: float) -> None:
        inc(1)
        add(seconds)
        buckets[bisect_left(bounds, seconds)](1)

    return observe


def _adder(value: Any) -> Callable[[float], None]:
    """Return what a value's `inc` is without its lock and its look for a fork: nothing switches in here, and one thread adds."""
    inc: Callable[[float], None] = value.inc
    if not value._multiprocess:
        return inc
    inc(0)  # behind a fork, this gives the value its place in the file of the process
    file, at = value._file, value._file._positions[value._key]

    def add(amount: float) -> None:
        value._value += amount
        file._m[at : at + _PAIR.size] = _PAIR.pack(value._value, 0.0)

    return add


def render() -> bytes:
    """Return the metrics of all workers, living and dead, in Prometheus' text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry)


def forget_process(pid: int) -> None:
    """Drop the gauges of a worker that has died; its counters stay in the sums."""
    multiprocess.mark_process_dead(pid)
