"""The two engines: what sends, waits and reads for a sync client and for an async one. Everything else they share."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from socket import SHUT_RDWR
from threading import Lock
from time import sleep
from typing import Any, NamedTuple, TypeVar

import httpx

from .exchange import Failed, Outcome, Send, Step, Steps, Wait
from .files import File, Opened, Part
from .wire import Reply

T = TypeVar("T")


class SyncEngine:
    """Performs steps with an httpx.Client. given: the caller's; None: one of its own, made when it is first needed."""

    def __init__(self, given: httpx.Client | None) -> None:
        self._connections = _Connections(given, "Client")

    def close(self) -> None:
        """Close what was made here, and send nothing any more."""
        if (client := self._connections.give_up()) is not None:
            client.close()

    def run(self, steps: Steps[T]) -> T:
        """Perform steps until they return."""
        outcome: Outcome = None
        with closing(steps):  # not when the garbage is collected: an interrupt's traceback would keep a renewal's lock
            while not isinstance(step := _next(steps, outcome), _Returned):
                outcome = self._perform(step)
            value: T = step.value
            return value

    def wake(self, reply: Reply) -> None:
        """End the connection of a stream, so that a thread which waits for its bytes waits no longer."""
        wire = reply.stream.extensions.get("network_stream")
        connection = wire.get_extra_info("socket") if wire is not None else None
        if connection is not None:
            with suppress(OSError):  # it has ended already
                connection.shutdown(SHUT_RDWR)

    def next_piece(self, pieces: Iterator[bytes]) -> bytes | Failed | None:
        """Return the next bytes of a stream, None at its end, or what cut it."""
        try:
            return next(pieces, None)
        except (httpx.RequestError, httpx.StreamError) as error:
            return _failed(error)

    def _perform(self, step: Step) -> Outcome:
        if isinstance(step, Wait):
            sleep(step.seconds)
            return None
        request, opened = _request(step)
        try:
            response = self._connections.client().send(request, stream=True)
            if step.is_stream and response.status_code < 300:
                return _reply(response, stream=response)
            try:
                response.read()
            finally:
                response.close()
        except httpx.RequestError as error:
            return _failed(error)
        finally:
            for file in opened:
                file.close()
        return _reply(response)


class AsyncEngine:
    """Performs steps with an httpx.AsyncClient. given: the caller's; None: one of its own, made when it is first needed."""

    def __init__(self, given: httpx.AsyncClient | None) -> None:
        self._connections = _Connections(given, "AsyncClient")

    async def close(self) -> None:
        """Close what was made here for this event loop, and send nothing any more."""
        if (client := self._connections.give_up()) is not None:
            await client.aclose()

    async def run(self, steps: Steps[T]) -> T:
        """Perform steps until they return."""
        outcome: Outcome = None
        with closing(steps):
            while not isinstance(step := _next(steps, outcome), _Returned):
                outcome = await self._perform(step)
            value: T = step.value
            return value

    async def next_piece(self, pieces: AsyncIterator[bytes] | None) -> bytes | Failed | None:
        """Return the next bytes of a stream, None at its end, or what cut it."""
        if pieces is None:
            return None
        try:
            return await anext(pieces, None)
        except (httpx.RequestError, httpx.StreamError) as error:
            return _failed(error)

    async def _perform(self, step: Step) -> Outcome:
        if isinstance(step, Wait):
            import anyio  # noqa: PLC0415  (comes with httpx; runs on asyncio and trio)

            await anyio.sleep(step.seconds)
            return None
        request, opened = _request(step)
        try:
            response = await self._connections.client().send(request, stream=True)
            if step.is_stream and response.status_code < 300:
                return _reply(response, stream=response)
            try:
                await response.aread()
            finally:
                await response.aclose()
        except httpx.RequestError as error:
            return _failed(error)
        finally:
            for file in opened:
                file.close()
        return _reply(response)


class _Connections:
    """The HTTP client, made when it is first needed and shared by copies of a client.

    An async one has connections of the event loop that made them, which no other can use: each loop gets its own.
    """

    def __init__(self, given: Any, kind: str) -> None:
        self._given = given
        self._own: dict[Any, Any] = {}
        self._kind = kind
        self._changing = Lock()
        self._is_closed = False

    def client(self) -> Any:
        with self._changing:
            if self._is_closed:
                raise RuntimeError("this client is closed, and those that share its connections: make another")
            if self._given is not None:
                return self._given
            loop = self._loop()
            if loop not in self._own:
                self._own = {kept: client for kept, client in self._own.items() if not kept or not kept.is_closed()}
                self._own[loop] = getattr(httpx, self._kind)(follow_redirects=False)
            return self._own[loop]

    def give_up(self) -> Any:
        """Return the client that is to be closed now; None without one. From here on there is no other."""
        with self._changing:
            self._is_closed = True
            return self._own.pop(self._loop(), None)

    def _loop(self) -> Any:
        """Return asyncio's running loop; None for a sync client, and where another library runs."""
        asyncio = sys.modules.get("asyncio") if self._kind == "AsyncClient" else None
        try:
            return asyncio and asyncio.get_running_loop()
        except RuntimeError:
            return None


class _Returned(NamedTuple):
    """What steps came to."""

    value: Any


def _next(steps: Steps[Any], outcome: Outcome) -> Step | _Returned:
    try:
        return steps.send(outcome)
    except StopIteration as end:
        return _Returned(end.value)


def _request(step: Send) -> tuple[httpx.Request, list[Opened]]:
    """Return the request, and the files that are open until it was sent.

    It is made apart from the HTTP client, so that the cookies it collects are never sent: two credentials are refused.
    """
    limits = dict.fromkeys(("connect", "write", "pool"), step.timeout_seconds)
    extensions = {"timeout": {**limits, "read": step.silence_seconds}}
    named = {"Accept-Encoding": "identity" if step.is_stream else "gzip, deflate", **step.headers}
    headers = {
        name.encode(): value.encode() for name, value in named.items()
    }  # as UTF-8; the library takes ASCII text only
    if isinstance(step.content, File):
        file = Opened(step.content)
        headers[b"Content-Length"] = str(file.size_bytes).encode()
        request = httpx.Request(step.method, step.url, headers=headers, extensions=extensions)
        request.stream = _FileStream(file)
        return request, [file]
    if not step.parts:
        return httpx.Request(
            step.method, step.url, headers=headers, content=step.content or None, extensions=extensions
        ), []
    opened: list[Opened] = []
    try:
        fields = [_field(part, opened) for part in step.parts]
    except BaseException:
        for file in opened:
            file.close()
        raise
    return httpx.Request(step.method, step.url, headers=headers, files=fields, extensions=extensions), opened


def _field(part: Part, opened: list[Opened]) -> tuple[str, Any]:
    """Return a part as the HTTP library takes it, and add what was opened for it."""
    if part.file is None:
        return part.name, (None, part.text, *filter(None, [part.content_type]))
    opened.append(Opened(part.file))
    return part.name, (opened[-1].name, opened[-1], *filter(None, [part.file.content_type]))


class _FileStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is one file."""

    def __init__(self, file: Opened) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        yield from self._file.pieces()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def _reply(response: httpx.Response, stream: httpx.Response | None = None) -> Reply:
    content = b"" if stream is not None else response.content
    return Reply(response.status_code, response.headers, content, response.headers.get_list("set-cookie"), stream)


def _failed(error: Exception) -> Failed:
    before = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
    return Failed(error, not isinstance(error, before), isinstance(error, httpx.TimeoutException))
