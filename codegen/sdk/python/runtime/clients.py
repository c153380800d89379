"""The two engines: what sends, waits and reads for a sync client and for an async one. Everything else they share."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from threading import Lock
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

from .calls import Call
from .credentials import Credentials, Renewal, Scheme, Token
from .exchange import Core, Failed, Outcome, Send, Step, Steps, Wait
from .files import Opened
from .options import TIMEOUT_SECONDS, Retry
from .wire import Reply, Response

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import httpx

T = TypeVar("T")


class _Client:
    """What both kinds of client are told and can be told anew."""

    SCHEMES: Mapping[str, Scheme] = {}
    RENEWAL: Renewal | None = None
    USER_AGENT = "accord-sdk"

    def __init__(
        self,
        base_url: str,
        *,
        held: Mapping[str, str | Token | Callable[[], str] | None],
        cookies: Mapping[str, str] | None,
        timeout_seconds: float | None,
        retry: Retry | None,
        headers: Mapping[str, str] | None,
    ) -> None:
        own = {"User-Agent": self.USER_AGENT, **(headers or {})}
        credentials = Credentials(self.SCHEMES, held, cookies)
        self.core = Core(base_url.rstrip("/"), credentials, self.RENEWAL, retry or Retry(), timeout_seconds, own)

    @property
    def cookies(self) -> dict[str, str]:
        """Return the session's cookies, to be given to another client."""
        return dict(self.core.credentials.cookies)

    def with_options(
        self,
        *,
        timeout_seconds: float | None = TIMEOUT_SECONDS,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a client that differs in these and shares connections and credentials with this one."""
        other = copy.copy(self)
        retry = self.core.retry if max_retries is None else self.core.retry._replace(max_retries=max_retries)
        other.core = replace(
            self.core, timeout_seconds=timeout_seconds, retry=retry, headers={**self.core.headers, **(headers or {})}
        )
        for name in [name for name, value in vars(other).items() if getattr(value, "_client", None) is self]:
            del other.__dict__[name]
        return other


class SyncClient(_Client):
    """Sends with httpx.Client, which is loaded by the first call."""

    is_async = False

    def __init__(self, base_url: str, *, http_client: httpx.Client | None, **told: Any) -> None:
        super().__init__(base_url, **told)
        self._connections = _Connections(http_client, "Client")

    def close(self) -> None:
        """Close the connections, unless the HTTP client was given."""
        if (client := self._connections.owned()) is not None:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, call: Call[T]) -> Response[T]:
        """Perform a call."""
        return self.run(call.steps(self.core))

    def run(self, steps: Steps[T]) -> T:
        """Perform steps until they return."""
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                value: T = end.value
                return value
            outcome = self._perform(step)

    def next_piece(self, pieces: Iterator[bytes]) -> bytes | Failed | None:
        """Return the next bytes of a stream, None at its end, or what cut it."""
        import httpx  # noqa: PLC0415

        try:
            return next(pieces, None)
        except (httpx.RequestError, httpx.StreamError) as error:
            return _failed(error)

    def _perform(self, step: Step) -> Outcome:
        if isinstance(step, Wait):
            sleep(step.seconds)
            return None
        import httpx  # noqa: PLC0415  (loaded by the first call)

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


class AsyncClient(_Client):
    """Sends with httpx.AsyncClient, which is loaded by the first call."""

    is_async = True

    def __init__(self, base_url: str, *, http_client: httpx.AsyncClient | None, **told: Any) -> None:
        super().__init__(base_url, **told)
        self._connections = _Connections(http_client, "AsyncClient")

    async def close(self) -> None:
        """Close the connections, unless the HTTP client was given."""
        if (client := self._connections.owned()) is not None:
            await client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def call(self, call: Call[T]) -> Response[T]:
        """Perform a call."""
        return await self.run(call.steps(self.core))

    async def run(self, steps: Steps[T]) -> T:
        """Perform steps until they return."""
        outcome: Outcome = None
        try:
            while True:
                try:
                    step = steps.send(outcome)
                except StopIteration as end:
                    value: T = end.value
                    return value
                outcome = await self._perform(step)
        finally:
            steps.close()

    async def next_piece(self, pieces: AsyncIterator[bytes] | None) -> bytes | Failed | None:
        """Return the next bytes of a stream, None at its end, or what cut it."""
        import httpx  # noqa: PLC0415

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
        import httpx  # noqa: PLC0415  (loaded by the first call)

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
    """The HTTP client, made when it is first needed and shared by copies of a client."""

    def __init__(self, given: Any, kind: str) -> None:
        self._given = given
        self._own: Any = None
        self._kind = kind
        self._making = Lock()

    def client(self) -> Any:
        if self._given is not None:
            return self._given
        if self._own is None:
            import httpx  # noqa: PLC0415  (loaded by the first call)

            with self._making:
                if self._own is None:
                    self._own = getattr(httpx, self._kind)(follow_redirects=False)
        return self._own

    def owned(self) -> Any:
        client, self._own = self._own, None
        return client


def _request(step: Send) -> tuple[httpx.Request, list[Opened]]:
    """Return the request, and the files that are open until it was sent.

    It is made apart from the HTTP client, so that the cookies it collects are never sent: two credentials are refused.
    """
    import httpx  # noqa: PLC0415

    limits = dict.fromkeys(("connect", "write", "pool"), step.timeout_seconds)
    extensions = {"timeout": {**limits, "read": step.silence_seconds}}
    headers = {"Accept-Encoding": "identity" if step.is_stream else "gzip, deflate", **step.headers}
    if not step.parts:
        return httpx.Request(
            step.method, step.url, headers=headers, content=step.content or None, extensions=extensions
        ), []
    opened: list[Opened] = []
    fields: list[tuple[str, Any]] = []
    for part in step.parts:
        if part.file is None:
            fields.append((part.name, (None, part.text)))
            continue
        file = Opened(part.file)
        opened.append(file)
        fields.append((part.name, (file.name, file, *filter(None, [part.file.content_type]))))
    return httpx.Request(step.method, step.url, headers=headers, files=fields, extensions=extensions), opened


def _reply(response: httpx.Response, stream: httpx.Response | None = None) -> Reply:
    content = b"" if stream is not None else response.content
    return Reply(response.status_code, response.headers, content, response.headers.get_list("set-cookie"), stream)


def _failed(error: Exception) -> Failed:
    import httpx  # noqa: PLC0415

    before = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
    return Failed(error, not isinstance(error, before), isinstance(error, httpx.TimeoutException))
