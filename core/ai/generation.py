"""Generated answers on their way into the database: pumped from a provider, written together, cancellable.

All answers of a process share one writer, and what waits is written in one transaction, so that a hundred answers cost
one commit. The writer's transaction does nothing but write: under gevent a SQLite write must not switch greenlets.
Where the connection is lost in the midst of a commit, the database is asked how it went before anything is written again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import gevent
import msgspec
import peewee
from gevent.event import Event

from core.ai.provider import CompletionRequest, End, Provider, ProviderError, ProviderFailed, ProviderTimeout, Text
from core.kernel.durable import Job
from core.kernel.settings import Settings
from core.system import jobs
from models.database import AWAY, transaction_id, was_committed, write

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
"""How often the jobs of silent answers are looked at for a cancellation."""
_RETRY_SECONDS = 0.2
_WAITING_BYTES_LIMIT = 65_536
MESSAGE_CHARACTERS = 2_000_000
"""A message holds no more; an answer that has no more room in its own ends, with the finish reason `length`."""
MAX_ATTEMPTS = 5
"""An answer that was begun so often ends, or one that kills its worker would kill them all for ever."""


class Sink(Protocol):
    """Where an answer goes."""

    job: Job
    channel: str

    def write(self, pieces: Sequence[Text], end: End | None) -> None:
        """Store the pieces, and the end with it, inside the shared transaction; the end must also finish the job."""


class Generation:
    """One answer under way."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.stopped = Event()
        self.written = Event()
        self.room = Event()
        self.room.set()
        self.end: End | None = None
        self.is_lost = False
        self.is_cancelled = False
        self.failure: BaseException | None = None
        self.waiting: list[Text] = []
        self.waiting_bytes = 0

    @property
    def has_work(self) -> bool:
        return bool(self.waiting) or self.end is not None

    def put(self, piece: Text) -> None:
        """Hand over a piece; waits while too much is unwritten."""
        self.room.wait()
        self.waiting.append(piece)
        self.waiting_bytes += _size(piece)
        if self.waiting_bytes > _WAITING_BYTES_LIMIT:
            self.room.clear()

    def drop(self, pieces: int) -> None:
        """Forget the first pieces, which are written now."""
        del self.waiting[:pieces]
        self.waiting_bytes = sum(_size(piece) for piece in self.waiting)
        self.room.set()


class _Written(NamedTuple):
    """How many of an answer's pieces a transaction writes, and its end if that is among them."""

    generation: Generation
    pieces: int
    end: End | None


def _size(piece: Text) -> int:
    return len(piece.text.encode()) if piece.choice is None else len(msgspec.json.encode(piece.choice))


class Writer:
    """Writes what all answers of this process have waiting, in one transaction every flush interval."""

    def __init__(self, *, flush_ms: int = 50, flush_bytes: int = 1024) -> None:
        self._flush_seconds = flush_ms / 1000
        self._flush_bytes = flush_bytes
        self._active: list[Generation] = []
        self._wake = Event()
        self._urgent = Event()
        self._greenlet: gevent.Greenlet | None = None
        self._looked_at = 0.0
        self._doubt: tuple[int, list[_Written]] | None = None

    def add(self, generation: Generation) -> None:
        """Take an answer on; starts the writing greenlet when there is none."""
        self._active.append(generation)
        if self._greenlet is None or self._greenlet.dead:
            self._greenlet = gevent.spawn(self._run)
            self._greenlet.link_exception(self._fail_all)

    def remove(self, generation: Generation) -> None:
        """Let an answer go, written or not."""
        if generation in self._active:
            self._active.remove(generation)

    def notice(self, generation: Generation) -> None:
        """Say that an answer has something to write."""
        self._wake.set()
        if generation.end is not None or generation.waiting_bytes >= self._flush_bytes:
            self._urgent.set()

    def _run(self) -> None:
        while self._active:
            if self._wake.wait(_LOOK_SECONDS):
                self._urgent.wait(self._flush_seconds)
            self._wake.clear()
            self._urgent.clear()
            ready = [generation for generation in self._active if generation.has_work]
            if ready and not self._flush(ready):
                gevent.sleep(_RETRY_SECONDS)
                self._wake.set()
            self._look()

    def _fail_all(self, greenlet: gevent.Greenlet) -> None:
        """Pass a bug of the writer on to the jobs it has stopped."""
        for generation in tuple(self._active):
            self._fail(generation, greenlet.exception)

    def _fail(self, generation: Generation, error: BaseException | None) -> None:
        generation.failure = error
        self.remove(generation)
        generation.stopped.set()
        generation.written.set()

    def _flush(self, ready: list[Generation]) -> bool:
        """Write what these answers have; returns False when the database is away and it must be tried again."""
        if not self._knows_what_is_written():
            return False
        written: list[_Written] = []
        transaction = None
        try:
            with write():
                leases = jobs.check_leases([generation.sink.job for generation in ready])
                held = [generation for generation in ready if generation.sink.job.id in leases.held]
                written = [_Written(generation, len(generation.waiting), generation.end) for generation in held]
                for generation, count, end in sorted(written, key=lambda one: one.generation.sink.channel):
                    generation.sink.write(generation.waiting[:count], end)
                transaction = transaction_id()
        except AWAY:  # what waits is kept and written later
            self._doubt = None if transaction is None else (transaction, written)
            return False
        except (ValueError, TypeError, peewee.PeeweeException) as error:
            if len(ready) == 1:
                self._fail(ready[0], error)
                return True
            outcomes = [self._flush([generation]) for generation in ready]  # one's fault must not end the others
            return all(outcomes)
        self._let_go(written)
        self._obey(ready, leases)
        return True

    def _knows_what_is_written(self) -> bool:
        """Ask how a commit went whose connection was lost; False while that is unknown, and once more if it went well."""
        if self._doubt is None:
            return True
        transaction, written = self._doubt
        try:
            is_committed = was_committed(transaction)
        except AWAY:
            return False
        if is_committed is None:
            return False
        self._doubt = None
        if is_committed:
            self._let_go(written)
        return not is_committed

    def _let_go(self, written: Sequence[_Written]) -> None:
        for generation, count, end in written:
            generation.drop(count)
            if end is not None:
                generation.written.set()
                self.remove(generation)

    def _look(self) -> None:
        if self._active and time.monotonic() - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            active = [generation for generation in self._active if generation.end is None]
            try:
                leases = jobs.peek_leases([generation.sink.job for generation in active])
            except AWAY:
                return  # The database is away; the next look or the next flush will see.
            self._obey(active, leases)

    def _obey(self, generations: list[Generation], leases: jobs.Leases) -> None:
        for generation in generations:
            job_id = generation.sink.job.id
            if job_id not in leases.held and not generation.written.is_set():
                generation.is_lost = True
                generation.written.set()
                self.remove(generation)
                generation.stopped.set()
            elif job_id in leases.cancelled:
                generation.is_cancelled = True
                generation.stopped.set()


_writer = Writer()


def configure(settings: Settings) -> None:
    """Set the flush interval and size from the settings."""
    global _writer
    _writer = Writer(flush_ms=settings.delta_flush_ms, flush_bytes=settings.delta_flush_bytes)


def run(sink: Sink, pieces: Iterator[Text | End]) -> None:
    """Carry an answer from its provider into `sink` until its end is written.

    Raises:
        LeaseLost: another worker has the job.
    """
    generation = Generation(sink)
    writer = _writer
    writer.add(generation)
    pump = gevent.spawn(_pump, generation, writer, pieces)
    pump.link(lambda _: generation.stopped.set())
    try:
        generation.stopped.wait()
        pump.kill()
        _finish(generation, writer, pump)
    finally:
        pump.kill()
        writer.remove(generation)


def begin(
    provider: Provider | None,
    request: CompletionRequest,
    *,
    attempt: int,
    is_begun: bool,
    written: str,
    given: str = "",
) -> Iterator[Text | End]:
    """Return the pieces of an answer behind `written`; where nothing can give them, they fail at once.

    attempt: of the answer's job, 1 the first time. is_begun: an earlier attempt has written something, if only a choice
    without text. given: what the answer's message held before.
    """
    if provider is None:
        return _failing("the model is not served")
    if attempt > MAX_ATTEMPTS:
        return _failing("the answer was begun too often")
    if is_begun and not provider.can_resume:
        return _failing("the worker that wrote the answer stopped")
    return _cut(provider.stream(request, written=written), MESSAGE_CHARACTERS - len(given) - len(written))


def _cut(pieces: Iterator[Text | End], room: int) -> Iterator[Text | End]:
    """End an answer where its message is full."""
    for piece in pieces:
        if isinstance(piece, Text):
            if len(piece.text) > room:
                yield Text(piece.text[:room])
                yield End(finish_reason="length")
                return
            room -= len(piece.text)
        yield piece


def _failing(reason: str) -> Iterator[Text | End]:
    yield from ()
    raise ProviderFailed(reason)


def _pump(generation: Generation, writer: Writer, pieces: Iterator[Text | End]) -> End:
    try:
        for piece in pieces:
            if isinstance(piece, End):
                return piece
            generation.put(piece)
            writer.notice(generation)
    except ProviderTimeout as error:
        _log.warning("provider silent", extra={"job": generation.sink.job.id, "cause": str(error)})
        return End(finish_reason="timeout", error_code=error.code)
    except ProviderError as error:
        _log.warning("provider failed", extra={"job": generation.sink.job.id, "cause": str(error)})
        return End(finish_reason="error", error_code=error.code)
    return End(finish_reason="error")


def _finish(generation: Generation, writer: Writer, pump: gevent.Greenlet) -> None:
    if generation.failure is not None:
        raise generation.failure
    if generation.is_lost:
        raise jobs.LeaseLost(generation.sink.job.id)
    generation.end = End(finish_reason="cancelled") if generation.is_cancelled else pump.get()
    writer.notice(generation)
    generation.written.wait()
    if generation.failure is not None:
        raise generation.failure
    if generation.is_lost:
        raise jobs.LeaseLost(generation.sink.job.id)
