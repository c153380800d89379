"""The server's observer: turns what the pipeline, the streams and the jobs report into log lines and metrics.

No path, query, header or body is ever logged: a path can carry an invite's token. What identifies a request is its
operation and its id.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.kernel.problems import Violation
from server import logs, metrics

if TYPE_CHECKING:
    from server.request import Request

_NO_OPERATION = "none"


class Telemetry:
    """Keep log and metrics; one per process, shared by every greenlet."""

    def __init__(self, log: logs.Log) -> None:
        self._log = log
        self._causes: dict[int, str] = {}

    def request_ended(
        self, request: Request, *, operation_id: str, status: int, duration_seconds: float, size_bytes: int, code: str
    ) -> None:
        """Count one answered request and write its line."""
        operation = operation_id or _NO_OPERATION
        _request_counter(operation, status)(duration_seconds)
        if self._log.threshold > logs.LEVELS["info"] and status < 500:
            self._causes.pop(id(request), None)
            return
        fields: dict[str, Any] = {
            "operation": operation,
            "method": request.method,
            "status": status,
            "duration_ms": round(duration_seconds * 1000, 3),
            "bytes": size_bytes,
            "request_id": request.request_id,
            "client": request.client_address,
        }
        if not request.principal.is_anonymous:
            fields["user_id"] = request.principal.user_id
            fields["tenant_id"] = request.principal.tenant_id
        if code:
            fields["code"] = code
            if cause := self._causes.pop(id(request), None):
                fields["cause"] = cause
        self._log.line("error" if status >= 500 else "info", "request", fields)

    def problem_raised(self, request: Request, *, operation_id: str, code: str, cause: str) -> None:
        """Keep a refusal's private cause for the request's own line, which follows."""
        self._causes[id(request)] = cause

    def request_failed(self, request: Request, *, operation_id: str, error: BaseException) -> None:
        """Report a bug with its traceback."""
        metrics.FAILURES.labels(operation_id or _NO_OPERATION).inc()
        fields = {"operation": operation_id, "request_id": request.request_id, "traceback": logs.trace(error)}
        self._log.line("error", "request_failed", fields)

    def response_mismatched(
        self, request: Request, *, operation_id: str, status: int, violations: Sequence[Violation]
    ) -> None:
        """Report each clause of the contract that an answer broke, never the value that broke it."""
        for violation in violations:
            clause = violation.source or violation.rule
            metrics.VIOLATIONS.labels(operation_id, clause).inc()
            fields = {
                "operation": operation_id,
                "status": status,
                "request_id": request.request_id,
                "clause": clause,
                "rule": violation.rule,
                "pointer": violation.pointer,
            }
            self._log.line("error", "response_mismatched", fields)

    def request_refused(self, *, status: int, client_address: str, reason: str) -> None:
        """Count what was refused before it was a request: no HTTP, headers too long, or too slow."""
        metrics.REQUESTS.labels(_NO_OPERATION, str(status)).inc()
        self._log.line("info", "request_refused", {"status": status, "client": client_address, "reason": reason})

    def stream_opened(self, operation_id: str) -> None:
        """Count an opened stream."""
        metrics.STREAMS.labels(operation_id).inc()

    def stream_closed(self, operation_id: str, reason: str) -> None:
        """Count an ended stream; reason: as StreamObserver has it."""
        metrics.STREAMS.labels(operation_id).dec()
        metrics.STREAMS_CLOSED.labels(operation_id, reason).inc()

    def events_sent(self, count: int) -> None:
        """Count deliveries: events times clients."""
        metrics.EVENTS_SENT.inc(count)

    def job_started(self, kind: str) -> None:
        """Count a job that this worker began."""
        metrics.JOBS_RUNNING.labels(kind).inc()

    def job_ended(self, kind: str, outcome: str) -> None:
        """Count a job that this worker ended; outcome: done, failed (a bug) or released (the worker stops)."""
        metrics.JOBS_RUNNING.labels(kind).dec()
        metrics.JOBS.labels(kind, outcome).inc()

    def failed(self, where: str, error: BaseException) -> None:
        """Report a bug, or an outage, in work that no request waits for."""
        metrics.FAILURES.labels(where).inc()
        self._log.line("error", "failed", {"where": where, "traceback": logs.trace(error)})

    def measured(self, *, connections: int, in_flight: int) -> None:
        """Keep what a worker counts of itself once a second."""
        metrics.CONNECTIONS.set(connections)
        metrics.IN_FLIGHT.set(in_flight)
        if self._log.lost:
            metrics.LOG_LINES_LOST.inc(self._log.lost)
            self._log.lost = 0


_request_counter = lru_cache(maxsize=8192)(metrics.request_counter)
# A counter writes into the file of the process that made it.
os.register_at_fork(after_in_child=_request_counter.cache_clear)
