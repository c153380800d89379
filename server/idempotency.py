"""Idempotency-Key: the first answer is kept in the transaction of its effect and replayed.

Only answers of handlers that returned are kept. A Problem rolls back the claim with everything else, so a repeat runs
again: a refusal changed nothing, and what it depended on may have changed since. Validation, authentication and limits
come before the claim. A stream's durable channel is kept instead of bytes, and opened again from its beginning.
A claim that is committed before its answer, because that takes long, is renewed while its request lives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import gevent
import msgspec
from gevent.lock import Semaphore

from core.kernel import clock
from core.kernel.call import EventStream
from core.kernel.exchange import Replay
from core.kernel.operation import Operation
from core.kernel.principal import Principal
from models import database
from server.answer import Answer
from server.background import FailureObserver
from server.ports import IdempotencyStore
from server.request import Request

_CLAIM_LEASE = timedelta(seconds=30)
"""How long a streaming operation's claim stands when the worker that made it is gone."""
_RENEW_SECONDS = 10.0
REPLAYED = ("Idempotency-Replayed", "true")


class Claim(msgspec.Struct, frozen=True):
    """A request that carries a key: who asks, for what, and what exactly."""

    caller: str
    key: str
    fingerprint: bytes
    lease_until: datetime


class StreamDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to open a replayed stream again."""

    named: bool
    last_types: frozenset[str]
    closing: str
    preamble: str
    failure_event: tuple[str, str] | None = None
    headers: dict[str, str]


class Keeper:
    """The store, for one operation."""

    def __init__(self, operation: Operation, store: IdempotencyStore, observer: FailureObserver) -> None:
        self.observer = observer
        self._id = operation.id
        self._is_secret = operation.has_secret_response
        self._store = store

    def claim(self, request: Request, body: bytes) -> Claim | None:
        """Read the key of a request; None when it carries none."""
        key = request.header("HTTP_IDEMPOTENCY_KEY")
        if key is None:
            return None
        principal = request.principal
        caller = f"address:{request.client_address}" if principal.is_anonymous else principal.key
        parts = (request.method, request.path, request.query, request.header("CONTENT_TYPE") or "")
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape") + b"\0" + body)
        return Claim(caller, key, digest.digest(), clock.now() + _CLAIM_LEASE)

    def begin(self, claim: Claim) -> Replay | None:
        """Claim the key, or return the first answer; inside a write transaction."""
        return self._store.begin(
            caller=claim.caller,
            operation_id=self._id,
            key=claim.key,
            fingerprint=claim.fingerprint,
            lease_until=claim.lease_until,
            is_secret=self._is_secret,
        )

    def store(self, claim: Claim, replay: Replay) -> None:
        """Keep an answer; inside the write transaction of its effect."""
        self._store.store(
            caller=claim.caller,
            operation_id=self._id,
            key=claim.key,
            lease_until=claim.lease_until,
            replay=replay,
            is_secret=self._is_secret,
        )

    def renew(self, claim: Claim) -> Claim | None:
        """Return the claim with a new lease, or None when it is no longer this request's; opens its own transaction."""
        renewed = msgspec.structs.replace(claim, lease_until=clock.now() + _CLAIM_LEASE)
        with database.write():
            is_held = self._store.renew(
                caller=claim.caller,
                operation_id=self._id,
                key=claim.key,
                lease_until=claim.lease_until,
                renewed_until=renewed.lease_until,
            )
        return renewed if is_held else None

    def release(self, claim: Claim) -> None:
        """Give the key up; opens its own transaction."""
        with database.write():
            self._store.release(
                caller=claim.caller, operation_id=self._id, key=claim.key, lease_until=claim.lease_until
            )


class Hold:
    """A committed claim inside a `with` block: renewed until it is settled, released when the block fails.

    claim: as it stands; `settle` before it is used, or a renewal may change it on the way.
    """

    def __init__(self, keeper: Keeper, claim: Claim) -> None:
        self.claim = claim
        self._keeper = keeper
        self._renewing = Semaphore()
        self._is_settled = False

    def __enter__(self) -> Hold:
        self._greenlet = gevent.spawn(self._renew)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.settle()
        if kind is not None:
            try:
                self._keeper.release(self.claim)
            except database.AWAY as error:  # the claim lapses by itself
                self._keeper.observer.failed("idempotency.release", error)

    def settle(self) -> None:
        """Renew no more; waits for a renewal that is under way."""
        with self._renewing:
            self._is_settled = True
        self._greenlet.kill(block=False)

    def _renew(self) -> None:
        while not self._is_settled:
            gevent.sleep(_RENEW_SECONDS)
            with self._renewing:
                if self._is_settled:
                    return
                try:
                    renewed = self._keeper.renew(self.claim)
                except database.AWAY as error:
                    self._keeper.observer.failed("idempotency.renew", error)  # the lease outlasts two such failures
                    continue
                if renewed is None:
                    return  # another request has taken the key over: storing will say so
                self.claim = renewed


def kept(answer: Answer) -> Replay:
    """Return an answer in the form that is stored; of its cookies only deletions, for the others are secrets."""
    headers = {name: value for name, value in answer.headers if name != "Set-Cookie"}
    deletions = [value for name, value in answer.headers if name == "Set-Cookie" and "; Max-Age=0" in value]
    if deletions:
        headers["Set-Cookie"] = "\n".join(deletions)
    return Replay(status=answer.status, headers=headers, body=answer.body)


def replayed(replay: Replay) -> Answer:
    """Return a stored answer."""
    headers = [(name, line) for name, value in replay.headers.items() for line in value.split("\n")]
    return Answer(replay.status, [*headers, REPLAYED], replay.body)


def kept_stream(stream: EventStream) -> Replay:
    """Return an opened stream in the form that is stored."""
    failure = stream.failure_event
    description = StreamDescription(
        named=stream.named,
        last_types=stream.last_types,
        closing=stream.closing.decode(),
        preamble=stream.preamble.decode(),
        failure_event=failure and (failure[0], failure[1].decode()),
        headers=dict(stream.headers),
    )
    return Replay(status=200, headers={}, body=msgspec.json.encode(description), channel=stream.channel)


def reopened(replay: Replay, principal: Principal, is_current: Callable[[Principal], Any]) -> EventStream:
    """Return the stream of a stored channel, from its first event."""
    assert replay.channel is not None
    description = msgspec.json.decode(replay.body, type=StreamDescription)
    failure = description.failure_event
    return EventStream(
        channel=replay.channel,
        after=0,
        is_current=lambda: bool(is_current(principal)),
        named=description.named,
        last_types=description.last_types,
        closing=description.closing.encode(),
        preamble=description.preamble.encode(),
        failure_event=failure and (failure[0], failure[1].encode()),
        headers=description.headers,
    )
