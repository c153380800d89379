"""Ends the streams of callers who may no longer listen: when the security epoch moves, and when a credential runs out."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import NoReturn, Protocol

import gevent

from core.kernel import clock
from core.kernel.call import EventStream
from core.kernel.principal import Principal
from server.ports import CredentialVerifier

_LOOK_SECONDS = 0.1
_ASK_AGAIN_SECONDS = 30.0
"""Callers are asked for this often though no epoch moved and no credential ran out: what nobody announced is found."""
_CHECKS_AT_A_TIME = 10


class Listening(Protocol):
    """An open stream; expires_at: when its caller's credential is over unless it is renewed, None when never."""

    principal: Principal
    stream: EventStream
    expires_at: datetime | None

    def revoke(self) -> None:
        """End the stream at once, with nothing more sent."""


class Revocation:
    """Looks after all open streams of one worker."""

    def __init__(self, verifier: CredentialVerifier, listening: Callable[[], Collection[Listening]]) -> None:
        self._verifier = verifier
        self._listening = listening
        self._epoch: int | None = None

    def follow(self) -> NoReturn:
        """End what must end, a fraction of a second after it must."""
        asked_at = time.monotonic()
        while True:
            current = self._verifier.epoch()
            if current != self._epoch or time.monotonic() - asked_at >= _ASK_AGAIN_SECONDS:
                self._end_revoked()
                asked_at = time.monotonic()
                self._epoch = current  # only now: a check that failed half-way is made again
            self._end_expired()
            gevent.sleep(_LOOK_SECONDS)

    def _end_revoked(self) -> None:
        """End the streams whose callers may no longer listen; asked once per caller and channel, a few at a time."""
        ends: dict[Principal, datetime | None] = {}
        verdicts: dict[Principal, bool] = {}
        listens: dict[tuple[Principal, str], bool] = {}
        for client in self._listening():
            principal, place = client.principal, (client.principal, client.stream.channel)
            if place not in listens:
                if principal not in verdicts:
                    verdicts[principal] = self._verifier.is_current(principal)
                    ends[principal] = self._verifier.expires_at(principal)
                listens[place] = verdicts[principal] and client.stream.is_current()
                if len(listens) % _CHECKS_AT_A_TIME == 0:
                    gevent.sleep(0)
            client.expires_at = ends[principal]
            if not listens[place]:
                client.revoke()

    def _end_expired(self) -> None:
        """End the streams whose credential has run out; one that was renewed meanwhile gives them its new time."""
        now = clock.now()
        for client in self._listening():
            if client.expires_at is not None and client.expires_at <= now:
                client.expires_at = self._verifier.expires_at(client.principal)
                if client.expires_at is not None and client.expires_at <= now:
                    client.revoke()
