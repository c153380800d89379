"""Open streams: typed events that go on by themselves after a cut, until they are closed."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import APIError, ConnectionFailed, StreamFailed
from .events import Event, Parser, Sent
from .exchange import Failed, Steps, Wait, exchange, new_key
from .wire import Operation, Prepared, Reply, prepare

if TYPE_CHECKING:
    from types import TracebackType

    from .clients import AsyncClient, SyncClient
    from .options import Options

E = TypeVar("E")
_DONE = "[DONE]"
_INTERRUPTED = Failed(ConnectionAbortedError("reading was interrupted"), was_sent=True, is_timeout=False)
"""Stands for the piece that an interrupt or a cancelled task took away: what comes after it is not the stream's end."""
_FRUITLESS_CUTS = 8
"""What is replayed from its beginning is given up after this many cuts without anything new; what resumes never is."""


class StreamCall(Generic[E]):
    """A call whose answer is a stream."""

    def __init__(self, operation: Operation, arguments: dict[str, Any], options: Options | None) -> None:
        self.operation = operation
        self.arguments = arguments
        self.options = options


class _Feed(Generic[E]):
    """The state of a stream between its cuts, free of any engine."""

    def __init__(self, call: StreamCall[E]) -> None:
        assert call.operation.events is not None
        self._operation = call.operation
        self._events = call.operation.events
        self._call = call
        self._prepared = self._prepare(call.arguments)
        self._parser = Parser()
        self._reply: Reply | None = None
        self._to_pass_over = 0
        self._delivered = 0
        self._delivered_at_opening = 0
        self._cuts = 0
        self._is_done = False
        self.is_closed = False
        self.pending: deque[E] = deque()
        self.last_id: str | None = None

    @property
    def is_over(self) -> bool:
        return self._is_done and not self.pending

    def opening(self, core: Any) -> Steps[Reply]:
        """Open the stream where it stands."""
        extra = {}
        if self._events.cursor is not None and self.last_id is not None:
            extra[self._events.cursor] = self.last_id
            self._leave_start()
        elif self._events.cursor is None:
            self._to_pass_over = self._delivered
        self._reply = yield from exchange(
            core, self._prepared, extra=extra, is_stream=True, goes_on=self._is_still_resumable
        )
        self._delivered_at_opening = self._delivered
        retry_ms = self._parser.retry_ms
        self._parser = Parser(self.last_id)
        self._parser.retry_ms = retry_ms
        self._is_done = self._reply.status == 204
        return self._reply

    def feed(self, piece: bytes) -> None:
        """Take bytes of the answer."""
        for sent in self._parser.feed(piece):
            if self._events.is_plain and sent.data == _DONE:
                self._is_done = True
                return
            self.last_id = sent.last_id
            if self._to_pass_over:
                self._to_pass_over -= 1
                continue
            self._delivered += 1
            self._cuts = 0
            value = self._typed(sent)
            if value is not None:
                self.pending.append(value)
        self.last_id = self._parser.position

    def cut(self, failure: Failed | None, core: Any) -> Steps[Reply | None]:
        """Open the stream again after its connection ended; None when it has come to its end."""
        is_resumable = self._events.cursor is not None
        has_gained = self._delivered > self._delivered_at_opening
        is_replayed = self._prepared.idempotency_key is not None
        if failure is None and not is_resumable and not is_replayed:
            self._is_done = True
            return None
        self._cuts += failure is not None or not (is_resumable or has_gained)
        if not is_resumable and (not is_replayed or self._cuts > _FRUITLESS_CUTS):
            reason = failure.error if failure else "the connection ended"
            key = self._prepared.idempotency_key
            raise ConnectionFailed(
                f"{self._operation.id}: {reason}", operation=self._operation.id, was_sent=True, idempotency_key=key
            )
        hint = (self._parser.retry_ms or 0) / 1000 if failure is None else 0.0
        yield Wait(
            max(hint, core.retry.wait_seconds(self._cuts, None) or 0.0) if self._cuts or failure is None else 0.0
        )
        return (yield from self.opening(core))

    def _is_still_resumable(self) -> bool:
        """Say whether a stream that was open is asked for until the server is back."""
        return self._events.cursor is not None and self._reply is not None and not self.is_closed

    def _prepare(self, arguments: dict[str, Any]) -> Prepared:
        return prepare(self._operation, arguments, self._call.options, new_key)

    def _leave_start(self) -> None:
        start = self._events.start
        if start is not None and start in self._call.arguments:
            arguments = {name: value for name, value in self._call.arguments.items() if name != start}
            self._prepared = self._prepare(arguments)
            self._call.arguments = arguments

    def _typed(self, sent: Sent) -> Any:
        """Return what the reader gets; None for an event that this contract did not know yet."""
        assert self._reply is not None
        if self._events.types and sent.name not in self._events.types:
            return None
        type_ = self._events.types.get(sent.name, Any)
        data = self._operation.decode_json(type_, sent.data.encode(), self._reply)
        if not self._events.is_plain:
            return Event(event=sent.name, data=data, id=sent.last_id)
        error = data.get("error") if isinstance(data, dict) else getattr(data, "error", None)
        if error:
            message = error.get("message") if isinstance(error, dict) else getattr(error, "message", error)
            raise StreamFailed(f"{self._operation.id}: {message}", operation=self._operation.id, error=error)
        return data


class Stream(Generic[E]):
    """A stream to iterate over. It is opened by the first step and ends by `close`, a `with`, or the server's word."""

    def __init__(self, client: SyncClient, call: StreamCall[E]) -> None:
        self._client = client
        self._feed = _Feed(call)
        self._reply: Reply | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._is_reading = False

    @property
    def last_event_id(self) -> str | None:
        """Return the position, for a later call to go on from."""
        return self._feed.last_id

    def open(self) -> Stream[E]:
        """Connect now, so that nothing that happens from here on is missed."""
        if self._reply is None:
            self._use(self._client.engine.run(self._feed.opening(self._client.core)))
        return self

    def __iter__(self) -> Iterator[E]:
        return self

    def __next__(self) -> E:
        while not self._feed.is_closed:
            if self._feed.pending:
                return self._feed.pending.popleft()
            if self._feed.is_over:
                self.close()
                break
            self.open()
            self._read()
        raise StopIteration

    def close(self) -> None:
        """Stop; the connection ends, also under a thread that waits for its next bytes."""
        self._feed.is_closed = True
        if self._is_reading and self._reply is not None:
            self._client.engine.wake(self._reply)
        self._leave()

    def __enter__(self) -> Stream[E]:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> None:
        was_interrupted, self._is_reading = self._is_reading, True
        piece = _INTERRUPTED if was_interrupted else self._client.engine.next_piece(self._pieces)
        self._is_reading = False
        if isinstance(piece, bytes):
            self._feed.feed(piece)
        elif not self._feed.is_closed:
            self._leave()
            try:
                self._use(self._client.engine.run(self._feed.cut(piece, self._client.core)))
            except APIError:
                if not self._feed.is_closed:
                    raise
            if self._feed.is_closed:  # while it was opened again
                self._leave()

    def _use(self, reply: Reply | None) -> None:
        self._reply = reply
        self._pieces = iter(()) if reply is None else reply.stream.iter_bytes()

    def _leave(self) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.stream.close()


class AsyncStream(Generic[E]):
    """A stream to iterate over. It is opened by the first step and ends by `close`, an `async with`, or the server's word."""

    def __init__(self, client: AsyncClient, call: StreamCall[E]) -> None:
        self._client = client
        self._feed = _Feed(call)
        self._reply: Reply | None = None
        self._pieces: AsyncIterator[bytes] | None = None
        self._is_reading = False

    @property
    def last_event_id(self) -> str | None:
        """Return the position, for a later call to go on from."""
        return self._feed.last_id

    async def open(self) -> AsyncStream[E]:
        """Connect now, so that nothing that happens from here on is missed."""
        if self._reply is None:
            self._use(await self._client.engine.run(self._feed.opening(self._client.core)))
        return self

    def __aiter__(self) -> AsyncIterator[E]:
        return self

    async def __anext__(self) -> E:
        while not self._feed.is_closed:
            if self._feed.pending:
                return self._feed.pending.popleft()
            if self._feed.is_over:
                await self.close()
                break
            await self.open()
            await self._read()
        raise StopAsyncIteration

    async def close(self) -> None:
        """Stop; the connection ends."""
        self._feed.is_closed = True
        await self._leave()

    async def __aenter__(self) -> AsyncStream[E]:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _read(self) -> None:
        was_interrupted, self._is_reading = self._is_reading, True
        piece = _INTERRUPTED if was_interrupted else await self._client.engine.next_piece(self._pieces)
        self._is_reading = False
        if isinstance(piece, bytes):
            self._feed.feed(piece)
        elif not self._feed.is_closed:
            await self._leave()
            try:
                self._use(await self._client.engine.run(self._feed.cut(piece, self._client.core)))
            except APIError:
                if not self._feed.is_closed:
                    raise
            if self._feed.is_closed:  # while it was opened again
                await self._leave()

    def _use(self, reply: Reply | None) -> None:
        self._reply = reply
        self._pieces = None if reply is None else reply.stream.aiter_bytes()

    async def _leave(self) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            await reply.stream.aclose()
