"""What the server asks of the product: Protocols, implemented in core and injected through the Service.

The server knows no table and no rule; an implementation knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from core.kernel.call import Event
from core.kernel.durable import ChannelState, Job
from core.kernel.exchange import Credentials, Deed, RateDecision, Replay, UsageStanding
from core.kernel.operation import Operation
from core.kernel.principal import Principal


class CredentialVerifier(Protocol):
    """Resolve credentials to a caller."""

    def verify(self, credentials: Credentials) -> Principal | None:
        """Return the caller, or None when there is no valid credential.

        Raises:
            CsrfFailed, AccountDisabled: the credential is good and may not be used like this.
            Unavailable: the decision could not be made; never reported as a bad credential.
        """

    def is_current(self, principal: Principal) -> bool:
        """Say whether a caller resolved earlier would still be accepted; asked for open streams."""

    def expires_at(self, principal: Principal) -> datetime | None:
        """Return when a caller resolved earlier will be over, as its credential stands now: it may have been renewed.

        None: never by itself. Asked for open streams once the principal's own `expires_at` has passed.
        """

    def epoch(self) -> int:
        """Return a number that grows whenever any credential, role or membership is revoked or narrowed."""


class IdempotencyStore(Protocol):
    """Keep first answers, in the transaction of their effect. Every method is called inside `models.database.write()`."""

    def begin(
        self,
        *,
        caller: str,
        operation_id: str,
        key: str,
        fingerprint: bytes,
        lease_until: datetime,
        is_secret: bool,
    ) -> Replay | None:
        """Claim the key, or return what the first request was answered.

        fingerprint: SHA-256 over method, path, query and body. lease_until: when a claim that was committed unanswered,
        because its worker died, is given up; it also tells a claim from the one that took its place.

        Raises:
            IdempotencyKeyReused: the key belongs to another request.
            RequestInProgress: the first request has not ended.
            AnswerExpired: the first answer held a secret and may no longer be replayed.
        """

    def store(
        self, *, caller: str, operation_id: str, key: str, lease_until: datetime, replay: Replay, is_secret: bool
    ) -> None:
        """Keep the answer of a claimed key.

        Raises:
            RequestInProgress: the claim has lapsed and another request holds the key.
        """

    def renew(
        self, *, caller: str, operation_id: str, key: str, lease_until: datetime, renewed_until: datetime
    ) -> bool:
        """Give a claim a new lease; False when it has lapsed and another request holds the key."""

    def release(self, *, caller: str, operation_id: str, key: str, lease_until: datetime) -> None:
        """Give up a claimed key unanswered: a streaming operation, whose claim is committed first, failed."""


class RateLimiter(Protocol):
    """Count requests against profiles and quotas, and streams against caps. Methods raise Unavailable when they cannot."""

    def take(self, operation_id: str, principal: Principal, client_address: str) -> RateDecision | None:
        """Count one request; None when nothing limits it."""

    def look(self, operation_id: str, principal: Principal) -> UsageStanding | None:
        """Return the caller's usage and count nothing; None when the operation counts for no quota."""

    def enter(self, operation_id: str, principal: Principal, client_address: str) -> tuple[str, str] | None:
        """Hold a slot for a stream; None where streams are not capped.

        Raises:
            TooManyStreams: the caller holds as many as it may.
        """

    def leave(self, slot: tuple[str, str]) -> None:
        """Give a slot back."""

    def keep(self) -> None:
        """Hold this worker's slots on; called every few seconds by every worker."""


class AuditTrail(Protocol):
    """Keep who did what; None in Ports where a product has none."""

    def record(self, deed: Deed) -> None:
        """Write a success down, inside the write transaction of its effect."""

    def follow(self, deed: Deed, *, is_durable: bool) -> None:
        """Write down a success whose effect is committed already, and return when that is.

        is_durable: the effect was written to the disk, so this must be too; else kill -9 must not lose it, a loss of power may.
        """

    def refuse(self, deed: Deed) -> bool:
        """Write a refusal down, and say whether that was done: there is a bound, so that refusals cannot fill a disk."""


class EventLog(Protocol):
    """Read durable events; written by core in the transactions of the data they tell of."""

    def state(self, channel: str) -> ChannelState:
        """Return where the channel stands."""

    def read(self, positions: Mapping[str, int], limit: int) -> list[Event]:
        """Return at most `limit` events behind `positions` (channel → seq), each channel's in seq order."""

    def listen(self, wake: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """Call `wake` soon after any commit that wrote events, until `stopped()`; blocks its greenlet."""


class JobQueue(Protocol):
    """Durable work with leases: what a dead worker held is claimed again."""

    def claim(self, worker_id: str, limit: int) -> Sequence[Job]:
        """Take up to `limit` jobs that are due or whose lease has run out."""

    def heartbeat(self, worker_id: str, job_ids: Sequence[str]) -> None:
        """Renew this worker's leases in one UPDATE."""

    def run(self, job: Job) -> None:
        """Do the job to its end and record it; raises only what is a bug.

        A stopping worker raises GreenletExit in it, then calls `release`.
        """

    def release(self, worker_id: str, job_ids: Sequence[str]) -> None:
        """Give up these leases unfinished, so that another worker may claim the jobs at once."""

    def listen(self, wake: Callable[[], None]) -> None:
        """Have `wake` called in this process when a job is enqueued here."""


class Upkeep(Protocol):
    """Clear away what is outdated; None in Ports where nothing is."""

    def run(self) -> None:
        """Clear away for a bounded time, if it is this worker's turn; called again and again by every worker."""


class DefinitionSource(Protocol):
    """Operations that users define at run time; None in Ports where a product has none."""

    def generation(self) -> int:
        """Return a number that grows with every change; one cheap read of the database."""

    def load(self) -> DefinitionSet:
        """Compile what is enabled now."""


class DefinitionSet(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled set of run-time operations: the same kind of table as the contract's own.

    bundle: the OpenAPI document that its schema pointers point into. handlers: operationId → function.
    """

    generation: int
    operations: tuple[Operation, ...]
    bundle: dict[str, Any]
    handlers: Mapping[str, Callable[..., Any]]


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the server needs of the product."""

    verifier: CredentialVerifier
    idempotency: IdempotencyStore
    limiter: RateLimiter
    events: EventLog
    jobs: JobQueue
    upkeep: Upkeep | None = None
    audit: AuditTrail | None = None
    definitions: DefinitionSource | None = None
