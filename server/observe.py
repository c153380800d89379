"""What the pipeline reports about itself: one Protocol, implemented by the log and the metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from core.kernel.problems import Violation
from server.background import FailureObserver
from server.request import Request


class Observer(FailureObserver, Protocol):
    """Told of everything worth a log line or a counter; must not raise and must not block.

    operation_id is "" for a request that matched no operation.
    """

    def request_ended(
        self, request: Request, *, operation_id: str, status: int, duration_seconds: float, size_bytes: int, code: str
    ) -> None:
        """One request was answered (a stream: was opened). code: the problem's own code, "" for a success."""

    def problem_raised(self, request: Request, *, operation_id: str, code: str, cause: str) -> None:
        """A refusal had a private cause, which the caller is not told."""

    def request_failed(self, request: Request, *, operation_id: str, error: BaseException) -> None:
        """A bug: an exception that is no Problem ended the request."""

    def response_mismatched(
        self, request: Request, *, operation_id: str, status: int, violations: Sequence[Violation]
    ) -> None:
        """An answer broke the contract."""
