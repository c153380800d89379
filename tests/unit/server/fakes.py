"""Ports in memory, for tests of what the server does with them; the real ones have tests of their own against both databases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime

import gevent

from core.kernel.call import Event
from core.kernel.durable import ChannelState
from core.kernel.exchange import Credentials
from core.kernel.principal import Principal
from core.kernel.problems import Unavailable


class MemoryEvents:
    """An event log in this process; `switch` makes every read yield to other greenlets, as a PostgreSQL read does."""

    def __init__(self) -> None:
        self.events: dict[str, list[Event]] = defaultdict(list)
        self.pruned: dict[str, int] = defaultdict(int)
        self.reads = 0
        self.switch: Callable[[], None] = lambda: None
        self._wakes: list[Callable[[], None]] = []

    def append(self, channel: str, type_: str, data: bytes) -> Event:
        """Write one event and wake the listeners."""
        seq = self.events[channel][-1].seq + 1 if self.events[channel] else self.pruned[channel] + 1
        event = Event(channel=channel, seq=seq, type=type_, id=str(seq), data=data)
        self.events[channel].append(event)
        for wake in self._wakes:
            wake()
        return event

    def silence(self) -> None:
        """Wake nobody from now on, as a listening connection that died unnoticed."""
        self._wakes.clear()

    def prune(self, channel: str, seq: int) -> None:
        """Forget events up to `seq`."""
        self.pruned[channel] = seq
        self.events[channel] = [event for event in self.events[channel] if event.seq > seq]

    def state(self, channel: str) -> ChannelState:
        """See server.ports.EventLog."""
        events = self.events[channel]
        return ChannelState(head=events[-1].seq if events else self.pruned[channel], pruned=self.pruned[channel])

    def read(self, positions: Mapping[str, int], limit: int) -> list[Event]:
        """See server.ports.EventLog."""
        self.reads += 1
        found = [event for name, seq in positions.items() for event in self.events[name] if event.seq > seq]
        self.switch()
        return found[:limit]

    def listen(self, wake: Callable[[], None], stopped: Callable[[], bool]) -> None:
        """See server.ports.EventLog."""
        self._wakes.append(wake)
        while not stopped():
            gevent.sleep(0.05)


class OpenVerifier:
    """Accepts whom it has not been told to refuse."""

    def __init__(self) -> None:
        self.number = 1
        self.refused: set[str] = set()
        self.renewed: dict[str, datetime | None] = {}
        self.failures = 0

    def verify(self, credentials: Credentials) -> Principal | None:
        """See server.ports.CredentialVerifier."""
        return None

    def is_current(self, principal: Principal) -> bool:
        """See server.ports.CredentialVerifier."""
        if self.failures:
            self.failures -= 1
            raise Unavailable("The database cannot be reached.")
        return principal.credential_id not in self.refused

    def expires_at(self, principal: Principal) -> datetime | None:
        """See server.ports.CredentialVerifier."""
        return self.renewed.get(principal.credential_id, principal.expires_at)

    def epoch(self) -> int:
        """See server.ports.CredentialVerifier."""
        return self.number

    def revoke(self, credential_id: str) -> None:
        """Refuse a credential from now on."""
        self.refused.add(credential_id)
        self.number += 1


class Recorder:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.open = 0
        self.closed: list[str] = []
        self.failures: list[str] = []
        self.jobs: list[tuple[str, str]] = []

    def stream_opened(self, operation_id: str) -> None:
        """See server.streams.StreamObserver."""
        self.open += 1

    def stream_closed(self, operation_id: str, reason: str) -> None:
        """See server.streams.StreamObserver."""
        self.open -= 1
        self.closed.append(reason)

    def events_sent(self, count: int) -> None:
        """See server.streams.StreamObserver."""

    def job_started(self, kind: str) -> None:
        """See server.jobs.JobObserver."""
        self.jobs.append((kind, "started"))

    def job_ended(self, kind: str, outcome: str) -> None:
        """See server.jobs.JobObserver."""
        self.jobs.append((kind, outcome))

    def failed(self, where: str, error: BaseException) -> None:
        """See server.background.FailureObserver."""
        self.failures.append(where)
