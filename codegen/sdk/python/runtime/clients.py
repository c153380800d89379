"""What a client is told, holds and hands to its engine; engine and HTTP library are loaded by the first call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .credentials import Credentials, Renewal, Scheme, Token
from .options import Retry
from .state import Core

if TYPE_CHECKING:
    from types import EllipsisType, TracebackType
    from typing import Self

    import httpx

    from .calls import Call
    from .engines import AsyncEngine, SyncEngine
    from .wire import Response

T = TypeVar("T")


class _Client:
    """What both kinds of client are told and can be told anew."""

    BASE_URL = ""
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
        if not base_url.lower().startswith(("http://", "https://")):
            raise ValueError(f"base_url must begin with http:// or https://, as {base_url!r} does not")
        own = {"User-Agent": self.USER_AGENT, **(headers or {})}
        credentials = Credentials(self.SCHEMES, held, cookies)
        base = base_url.rstrip("/")
        self.core = Core(
            base,
            credentials,
            self.RENEWAL,
            retry=retry or Retry(),
            timeout_seconds=timeout_seconds,
            headers=own,
            has_own_servers=base == self.BASE_URL,
        )

    @property
    def cookies(self) -> dict[str, str]:
        """Return the session's cookies, to be given to another client."""
        return dict(self.core.credentials.cookies)

    def with_options(
        self,
        *,
        timeout_seconds: float | EllipsisType | None = ...,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """Return a client that differs in these and shares connections and credentials with this one."""
        other = copy.copy(self)
        timeout = self.core.timeout_seconds if timeout_seconds is ... else timeout_seconds
        retry = self.core.retry if max_retries is None else self.core.retry._replace(max_retries=max_retries)
        all_headers = {**self.core.headers, **(headers or {})}
        other.core = self.core.but(retry=retry, timeout_seconds=timeout, headers=all_headers)
        for name in [name for name, value in vars(other).items() if getattr(value, "_client", None) is self]:
            del other.__dict__[name]
        return other


class SyncClient(_Client):
    """A client whose calls return."""

    is_async = False

    def __init__(self, base_url: str, *, http_client: httpx.Client | None, **told: Any) -> None:
        super().__init__(base_url, **told)
        self._given = http_client
        self._engine: list[SyncEngine] = []

    @property
    def engine(self) -> SyncEngine:
        """Return what performs the calls; copies of a client share it."""
        if not self._engine:
            from .engines import SyncEngine  # noqa: PLC0415  (loaded by the first call)

            self._engine.append(SyncEngine(self._given))
        return self._engine[0]

    def call(self, call: Call[T]) -> Response[T]:
        """Perform a call."""
        return self.engine.run(call.steps(self.core))

    def close(self) -> None:
        """Close the connections, unless the HTTP client was given; a call from here on is a RuntimeError."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient(_Client):
    """A client whose calls are awaited."""

    is_async = True

    def __init__(self, base_url: str, *, http_client: httpx.AsyncClient | None, **told: Any) -> None:
        super().__init__(base_url, **told)
        self._given = http_client
        self._engine: list[AsyncEngine] = []

    @property
    def engine(self) -> AsyncEngine:
        """Return what performs the calls; copies of a client share it."""
        if not self._engine:
            from .engines import AsyncEngine  # noqa: PLC0415  (loaded by the first call)

            self._engine.append(AsyncEngine(self._given))
        return self._engine[0]

    async def call(self, call: Call[T]) -> Response[T]:
        """Perform a call."""
        return await self.engine.run(call.steps(self.core))

    async def close(self) -> None:
        """Close the connections, unless the HTTP client was given; a call from here on is a RuntimeError."""
        await self.engine.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
