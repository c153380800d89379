"""A browser on a bad line: follows a conversation, is cut at random, resumes by Last-Event-ID, and keeps what it got."""

from __future__ import annotations

import http.client
import random
import socket
import struct
import time
from threading import Thread

from tests.client import Client, OverHttp, Person
from tests.oracle import Asked, SentEvent, parse_events

_CUT_BYTES = (0, 8000)
_CUT_SECONDS = (0.0, 0.25)
_POLL_SECONDS = 0.05
_SILENCE_SECONDS = 10.0
"""Far more than the heartbeat of a drill's server."""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Reader(Thread):
    """Read from the conversation's beginning until `finish` names the last event.

    history: the events, joined over all connections. received_at: the time at which each was complete. cuts: how often
    the line is still to be cut; lost: how often the server, not this reader, ended it.
    """

    def __init__(self, client: Client, person: Person, conversation_id: str, *, cuts: int = 0, seed: int = 0) -> None:
        super().__init__(daemon=True)
        assert isinstance(client.transport, OverHttp)
        self._transport = client.transport
        self._client = client
        self._person = person
        self._conversation_id = conversation_id
        self._chance = random.Random(seed)
        self._last_id: str | None = None
        self.cuts = cuts
        self.lost = 0
        self.history: list[SentEvent] = []
        self.received_at: list[float] = []
        self.refused: list[int] = []
        self.is_stopped = False

    @property
    def channel(self) -> str:
        """Return the name of the conversation's channel."""
        return f"conversation:{self._conversation_id}"

    def run(self) -> None:
        """Open, read, be cut, and again."""
        while not self._is_finished():
            try:
                self._read_once()
            except (OSError, http.client.HTTPException):
                self.lost += 1
                time.sleep(_POLL_SECONDS)

    def finish(self, last: SentEvent, *, seconds: float) -> None:
        """Wait until this event has arrived.

        Raises:
            AssertionError: it did not in time, or the server refused to stream.
        """
        deadline = time.monotonic() + seconds
        while self._last_id != last.id and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        self.is_stopped = True
        self.join(seconds)
        assert self._last_id == last.id, f"the last event did not arrive in {seconds:g} s: {last}"
        assert not self.refused, f"the stream was refused: {self.refused}"

    def arrivals(self, message_id: str) -> list[tuple[float, SentEvent]]:
        """Return the events of a message with their times."""
        both = zip(self.received_at, self.history, strict=False)
        return [(at, event) for at, event in both if f":{message_id}:" in f":{event.id}:"]

    def _is_finished(self) -> bool:
        return self.is_stopped or bool(self.refused)

    def _read_once(self) -> None:
        is_cut = self.cuts > 0
        bytes_left = self._chance.randint(*_CUT_BYTES) if is_cut else None
        until = time.monotonic() + (self._chance.uniform(*_CUT_SECONDS) if is_cut else 3600.0)
        connection = http.client.HTTPConnection(self._transport.host, self._transport.port, timeout=5)
        connection.connect()
        line, response = connection.sock, None  # the connection forgets its socket once an answer says close
        try:
            response = self._open(connection)
            if response is not None:
                self._follow(line, response, bytes_left, until)
        finally:
            if is_cut:
                self.cuts -= 1
                self._break(line)
            connection.close()
            if response is not None:
                response.close()

    def _open(self, connection: http.client.HTTPConnection) -> http.client.HTTPResponse | None:
        asked = self._asked()
        connection.request(asked.method, asked.target, headers=dict(asked.headers))
        response = connection.getresponse()
        if response.status == 200:
            return response
        if response.status != 503:
            self.refused.append(response.status)
        time.sleep(_POLL_SECONDS)
        return None

    def _asked(self) -> Asked:
        resumed = {"headers": {"Last-Event-ID": self._last_id}} if self._last_id else {"query": {"since": 0}}
        path = {"conversation_id": self._conversation_id}
        return self._client.asked("streams_open_conversation", path=path, as_=self._person, **resumed)

    def _follow(
        self,
        line: socket.socket,
        response: http.client.HTTPResponse,
        bytes_left: int | None,
        until: float,
    ) -> None:
        """Read until the line is cut; what comes of an event that was not complete is forgotten."""
        rest = b""
        while not self._is_finished() and (left := until - time.monotonic()) > 0:
            line.settimeout(min(left, _SILENCE_SECONDS))
            size = 65_536 if bytes_left is None else min(bytes_left, 65_536)
            try:
                data = response.read1(size) if size else b""
            except TimeoutError:
                return  # a file that has timed out cannot be read again
            if not data:
                return
            if bytes_left is not None:
                bytes_left -= len(data)
            whole, separator, rest = (rest + data).rpartition(b"\n\n")
            self._keep((whole + separator).decode())

    def _keep(self, text: str) -> None:
        now = time.monotonic()
        for frame in parse_events(iter(text.split("\n"))):
            if isinstance(frame, SentEvent):
                self._last_id = frame.id or self._last_id
                if frame.data is not None:
                    self.history.append(frame)
                    self.received_at.append(now)

    def _break(self, line: socket.socket) -> None:
        """Cut half of the lines with a reset, the others with a plain end."""
        if self._chance.random() < 0.5:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
