"""A credential that several connections use without pause while it is taken away, and what was still answered after."""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread

from tests.client import Client, OverHttp

CONNECTIONS = 4
"""Kept alive, so that both workers know the credential before it goes."""
_PAUSE_SECONDS = (0.0, 0.03)
_WAIT_SECONDS = 15.0
_AFTER = 3
_BETWEEN_SECONDS = 0.002


@dataclass(frozen=True)
class Taken:
    """One trial. target: a GET that the credential opens. revoke: takes it away and returns once that is answered."""

    kind: str
    target: str
    headers: Mapping[str, str]
    revoke: Callable[[], None]
    stream: str | None = None


@dataclass
class Tally:
    """late: requests sent after the revocation was answered, and accepted. lags: seconds that a stream outlived it, each."""

    trials: int = 0
    asked: int = 0
    asked_after: int = 0
    late: list[str] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        self.trials += other.trials
        self.asked += other.asked
        self.asked_after += other.asked_after
        self.late += other.late
        self.lags += other.lags


class _User(Thread):
    """One connection that asks and asks; answers holds (when it was sent, status)."""

    def __init__(self, transport: OverHttp, taken: Taken) -> None:
        super().__init__(daemon=True)
        self._transport, self._taken = transport, taken
        self.answers: list[tuple[float, int]] = []
        self.is_stopped = False

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._transport.host, self._transport.port, timeout=_WAIT_SECONDS)
        try:
            while not self.is_stopped:
                sent_at = time.monotonic()
                connection.request("GET", self._taken.target, headers=dict(self._taken.headers))
                response = connection.getresponse()
                response.read()
                self.answers.append((sent_at, response.status))
                time.sleep(_BETWEEN_SECONDS)
        finally:
            connection.close()


class _Listener(Thread):
    """An open stream; ended_at: when the server ended it."""

    def __init__(self, transport: OverHttp, taken: Taken) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection(transport.host, transport.port, timeout=_WAIT_SECONDS)
        assert taken.stream is not None
        self._connection.request("GET", taken.stream, headers=dict(taken.headers))
        self._response = self._connection.getresponse()
        assert self._response.status == 200, self._response.read()
        self.ended_at = float("inf")

    def run(self) -> None:
        with suppress(TimeoutError):
            while self._response.read1(65_536):
                pass
            self.ended_at = time.monotonic()
        self._connection.close()


def attempt(client: Client, taken: Taken, chance: random.Random) -> Tally:
    """Use a credential, take it away in the middle, and reckon.

    Raises:
        AssertionError: it was never accepted, or there was no traffic after it went.
    """
    assert isinstance(client.transport, OverHttp)
    users = [_User(client.transport, taken) for _ in range(CONNECTIONS)]
    listener = _Listener(client.transport, taken) if taken.stream else None
    for thread in [*users, *([listener] if listener else [])]:
        thread.start()
    _await(lambda: all(_is_accepted(user) for user in users), f"{taken.kind}: not accepted before it was revoked")
    time.sleep(chance.uniform(*_PAUSE_SECONDS))
    taken.revoke()
    revoked_at = time.monotonic()
    _await(lambda: all(_sent_after(user, revoked_at) >= _AFTER for user in users), f"{taken.kind}: traffic stopped")
    for user in users:
        user.is_stopped = True
        user.join(_WAIT_SECONDS)
    tally = _reckon(taken, users, revoked_at)
    if listener is not None:
        listener.join(_WAIT_SECONDS + 1)
        tally.lags = [listener.ended_at - revoked_at]
    return tally


def _reckon(taken: Taken, users: list[_User], revoked_at: float) -> Tally:
    answers = [answer for user in users for answer in user.answers]
    after = [status for sent_at, status in answers if sent_at > revoked_at]
    late = [f"{taken.kind}: {status}" for status in after if status < 400]
    return Tally(1, len(answers), len(after), late)


def _is_accepted(user: _User) -> bool:
    return any(status == 200 for _, status in user.answers)


def _sent_after(user: _User, moment: float) -> int:
    return sum(1 for sent_at, _ in user.answers if sent_at > moment)


def _await(condition: Callable[[], bool], failure: str) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, failure
        time.sleep(0.002)
