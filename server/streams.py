"""Server-sent events: one tailer per worker reads durable channels and hands each frame, encoded once, to bounded queues.

A stream first reads from the log until it has caught up, then subscribes, reads once more, and goes on live; what
comes twice is dropped by its seq. So it has no gap and no repeat, whatever is written meanwhile. A client that does not keep up is cut and
resumes by Last-Event-ID. While it waits, a stream holds a greenlet and a socket: no connection, no timer.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import flask
import gevent
from gevent.event import Event as Signal

from core.kernel.call import Event, EventStream
from core.kernel.principal import Principal
from core.kernel.settings import Settings
from models.database import AWAY
from server import frames
from server.background import Background, FailureObserver
from server.departures import Departures
from server.held import Stream
from server.ports import CredentialVerifier, EventLog
from server.revocation import Revocation

EventCheck = Callable[[Event], bool]
"""Say whether an event may be sent; one that may not ends its stream, with the stream's failure event in its place."""

_PAGE_EVENTS = 200
_BATCH_EVENTS = 1000
_LOOK_SECONDS = 2.0
"""The log is looked at this often though nothing woke the tailer: a connection that died silently brings no wake-up."""
_BEATS = 10
_HEARTBEAT = b":\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class StreamObserver(FailureObserver, Protocol):
    """Hear of streams."""

    def stream_opened(self, operation_id: str) -> None:
        """A client opened a stream."""

    def stream_closed(self, operation_id: str, reason: str) -> None:
        """A stream ended: done, revoked, slow, gone, stopping, unavailable or mismatch."""

    def events_sent(self, count: int) -> None:
        """So many events were queued to clients, each client counted."""


class _Channel:
    """seq: up to where the tailer has read. clients: those it serves."""

    __slots__ = ("clients", "seq")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.clients: set[_Client] = set()


class _Client(Stream):
    """One open stream, and the iterable of its response.

    seq: the last event given out or queued. queued: events in `frames`. held: events that the tailer brought before the
    stream had caught up. reason: why it ends, "" while it is open.
    """

    __slots__ = (
        "check",
        "expires_at",
        "frames",
        "held",
        "is_closed",
        "on_close",
        "operation_id",
        "principal",
        "queued",
        "reason",
        "seq",
        "signal",
        "socket",
        "started",
        "stream",
        "streams",
    )

    def __init__(
        self, streams: Streams, stream: EventStream, principal: Principal, operation_id: str, check: EventCheck | None
    ) -> None:
        self.streams = streams
        self.stream = stream
        self.principal = principal
        self.expires_at = principal.expires_at
        self.operation_id = operation_id
        self.check = check
        self.on_close: Callable[[], None] | None = None
        self.seq = 0
        self.frames: list[bytes] = []
        self.queued = 0
        self.held: list[Event] = []
        self.reason = ""
        self.started = self.is_live = self.is_closed = False
        self.signal = Signal()
        self.socket: Any = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self.started:
            self.started = True
            return self.streams.opening(self)
        while True:
            if self.frames:
                data = b"".join(self.frames)
                self.frames.clear()
                self.queued = 0
                if data:
                    return data
            if self.reason:
                raise StopIteration
            if self.is_live:
                self.signal.wait()
                self.signal.clear()
                continue
            self.streams.catch_up(self)
            if self.is_live and not self.frames:
                return b""

    def hold(self, connection: Any) -> None:
        """Learn by which socket the stream is sent: a slow client is cut by it, one that leaves is noticed."""
        self.socket = connection
        self.streams.departures.watch(connection.fileno(), self.leave)

    def leave(self) -> None:
        """End the stream of a client that has closed its side."""
        self.frames.clear()
        self.end("gone")

    def push(self, frame: bytes) -> None:
        """Queue bytes that are no event."""
        self.frames.append(frame)
        self.signal.set()

    def end(self, reason: str, last_words: bytes = b"") -> None:
        """Let the stream end behind what is queued."""
        if not self.reason:
            self.reason = reason
            self.push(last_words)

    def revoke(self) -> None:
        """End the stream at once: its caller may no longer listen."""
        self.frames.clear()
        self.end("revoked")

    def close(self) -> None:
        """Forget the stream; called by the WSGI server, whatever ended it."""
        if not self.is_closed:
            self.is_closed = True
            if self.socket is not None:
                self.streams.departures.forget(self.socket.fileno())
            self.streams.forget(self)
            if self.on_close is not None:
                self.on_close()


class Streams:
    """All event streams of one worker."""

    def __init__(
        self, events: EventLog, verifier: CredentialVerifier, settings: Settings, observer: StreamObserver
    ) -> None:
        self.departures = Departures()
        self._events = events
        self._settings = settings
        self._observer = observer
        self._channels: dict[str, _Channel] = {}
        self._beats: list[set[_Client]] = [set() for _ in range(_BEATS)]
        self._opened = 0
        self._wake = Signal()
        self._is_stopping = False
        revocation = Revocation(verifier, self._clients)
        self._background = (
            Background("streams.listen", self._listen, observer),
            Background("streams.tail", self._tail, observer),
            Background("streams.heartbeat", self._beat, observer),
            Background("streams.epoch", revocation.follow, observer),
        )

    def open(
        self,
        stream: EventStream,
        *,
        principal: Principal,
        operation_id: str,
        check: EventCheck | None = None,
        on_close: Callable[[], None] | None = None,
    ) -> flask.Response:
        """Answer with the stream; the response may be given more headers.

        Raises:
            Unavailable: the channel's state cannot be read.
        """
        client = _Client(self, stream, principal, operation_id, check)
        self._place(client)
        client.on_close = on_close
        for background in self._background:
            background.start()
        self._beats[self._opened % _BEATS].add(client)
        self._opened += 1
        self._observer.stream_opened(operation_id)
        if self._is_stopping:
            client.end("stopping", self._retry(client))
        response = flask.Response(client, mimetype="text/event-stream", direct_passthrough=True)
        response.headers.update({**_HEADERS, **stream.headers})
        return response

    def stop(self) -> None:
        """End every stream with a hint when to come back, and all greenlets."""
        self._is_stopping = True
        for background in self._background:
            background.stop()
        for client in self._clients():
            client.end("stopping", self._retry(client))

    def opening(self, client: _Client) -> bytes:
        """Return a stream's first bytes; OpenAI's clients take `retry` for an event, so data-only streams have a comment.

        A `reset` that waits behind them has the position itself: before it, the client is not there yet.
        """
        stream = client.stream
        if not stream.named:
            return _HEARTBEAT + stream.preamble
        position = b"" if stream.id_at is None or client.frames else frames.position(stream.id_at(client.seq))
        return b"retry: %d\n\n%s%s" % (self._settings.stream_retry_ms, stream.preamble, position)

    def catch_up(self, client: _Client) -> None:
        """Queue the next page of the log behind the client; once there is no more, put it among the live ones."""
        try:
            events = self._events.read({client.stream.channel: client.seq}, _PAGE_EVENTS)
        except AWAY as error:
            self._observer.failed("streams.catch_up", error)
            client.end("unavailable", self._retry(client))
            return
        for event in events:
            self._give(client, event, {})
        if len(events) == _PAGE_EVENTS:
            return
        name = client.stream.channel
        channel = self._channels.setdefault(name, _Channel(client.seq))
        if client not in channel.clients:
            # The tailer brings what it reads from now on; what it has read since our page, one more page brings.
            channel.clients.add(client)
            return
        client.is_live = True
        held, client.held = client.held, []
        for event in held:
            self._give(client, event, {})

    def forget(self, client: _Client) -> None:
        """Drop a stream that has ended."""
        name = client.stream.channel
        channel = self._channels.get(name)
        if channel is not None:
            channel.clients.discard(client)
            if not channel.clients:
                del self._channels[name]
        for beat in self._beats:
            beat.discard(client)
        self._observer.stream_closed(client.operation_id, client.reason or "gone")

    def _place(self, client: _Client) -> None:
        stream = client.stream
        state = self._events.state(stream.channel)
        client.seq = state.head if stream.after is None else stream.after
        is_unknown = client.seq < state.pruned or client.seq > state.head
        if is_unknown and stream.reset_event is not None:
            client.seq = state.head
            type_, data = stream.reset_event
            position = stream.id_at(client.seq) if stream.id_at else ""
            reset = Event(channel=stream.channel, seq=client.seq, type=type_, id=position, data=data)
            client.frames.append(frames.encode(reset, stream.named))
        elif client.seq > state.head:
            client.seq = state.head

    def _give(self, client: _Client, event: Event, encoded: dict[Any, bytes]) -> None:
        """Queue one event, if it is new to the client; `encoded` keeps what other clients of the batch were given."""
        if event.seq <= client.seq or client.reason:
            return
        client.seq = event.seq
        if client.check is not None and not client.check(event):
            client.end("mismatch", frames.failure(client.stream, event))
            return
        key = (event.channel, event.seq, client.stream.named)
        frame = encoded.get(key)
        if frame is None:
            frame = encoded[key] = frames.encode(event, client.stream.named)
        client.frames.append(frame)
        client.queued += 1
        client.signal.set()
        if event.type in client.stream.last_types:
            client.end("done", client.stream.closing)
        elif client.is_live and client.queued > self._settings.stream_queue_events:
            self._cut(client)

    def _hold(self, client: _Client, channel: _Channel, event: Event) -> None:
        client.held.append(event)
        if len(client.held) > self._settings.stream_queue_events:
            channel.clients.discard(client)  # it is far behind: back to reading pages
            client.held.clear()

    def _cut(self, client: _Client) -> None:
        client.frames.clear()
        client.end("slow")
        if client.socket is not None:
            try:
                client.socket.shutdown(socket.SHUT_RDWR)  # it may be blocked in sending
            except OSError:  # already gone
                return

    def _listen(self) -> None:
        self._wake.set()  # what was written while nobody listened
        self._events.listen(self._wake.set, lambda: self._is_stopping)

    def _tail(self) -> None:
        self._wake.set()  # what a wake-up told of before a read of it failed
        while not self._is_stopping:
            self._wake.wait(_LOOK_SECONDS)
            self._wake.clear()
            while self._deliver() == _BATCH_EVENTS:
                gevent.sleep(0)

    def _deliver(self) -> int:
        positions = {name: channel.seq for name, channel in self._channels.items()}
        events = self._events.read(positions, _BATCH_EVENTS) if positions else []
        encoded: dict[Any, bytes] = {}
        sent = 0
        for event in events:
            channel = self._channels.get(event.channel)
            if channel is None or event.seq <= channel.seq:
                continue
            channel.seq = event.seq
            sent += len(channel.clients)
            for client in tuple(channel.clients):
                if client.is_live:
                    self._give(client, event, encoded)
                else:
                    self._hold(client, channel, event)
        if sent:
            self._observer.events_sent(sent)
        return len(events)

    def _beat(self) -> None:
        while True:
            for beat in self._beats:
                gevent.sleep(self._settings.heartbeat_seconds / _BEATS)
                for client in tuple(beat):
                    if not client.frames and not client.reason:
                        client.push(_HEARTBEAT)

    def _clients(self) -> list[_Client]:
        return [client for beat in self._beats for client in beat]

    def _retry(self, client: _Client) -> bytes:
        """Return a reconnect hint spread over a second, or all clients of a worker would come back at once."""
        if not client.stream.named:
            return b""
        return b"retry: %d\n\n" % (self._settings.stream_retry_ms + random.randrange(1000))
