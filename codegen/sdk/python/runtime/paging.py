"""Lists that come in pages: iterate over items, or page by page; nothing is fetched before it is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET

from .calls import Call
from .errors import ResponseInvalid

if TYPE_CHECKING:
    from .clients import AsyncClient, SyncClient
    from .options import Options
    from .wire import Operation, Response

ItemT = TypeVar("ItemT")
G = TypeVar("G")


class Paging(NamedTuple):
    """How a list goes on. argument: what takes the next position; items, next: where a page holds its items and that.

    limit: the argument that bounds a page; page_size: its default, None where the contract gives none.
    """

    kind: Literal["keyset", "offset"]
    argument: str
    items: Sequence[str]
    next: Sequence[str] = ()
    limit: str = "limit"
    page_size: int | None = None


class PagedCall(Generic[ItemT, G]):
    """A call whose answer is the first of many pages."""

    def __init__(
        self, operation: Operation, arguments: dict[str, Any], options: Options | None, paging: Paging
    ) -> None:
        self.operation = operation
        self.arguments = arguments
        self.options = options
        self.paging = paging


class _Walk(Generic[ItemT, G]):
    """The way through the pages of one call."""

    def __init__(self, call: PagedCall[ItemT, G]) -> None:
        self._call = call
        self._arguments = dict(call.arguments)
        self.is_over = False

    def next_call(self) -> Call[G]:
        return Call(self._call.operation, self._arguments, self._call.options)

    def items(self, page: G) -> Sequence[ItemT]:
        found: Sequence[ItemT] = _member(page, self._call.paging.items)
        return found

    def advance(self, answer: Response[G]) -> G:
        """Go on behind a page, and return it.

        Raises:
            ResponseInvalid: it leads to itself.
        """
        page, paging = answer.data, self._call.paging
        count = len(self.items(page))
        if paging.kind == "keyset":
            position = _member(page, paging.next)
            self.is_over = position in (None, UNSET, "")
            if not self.is_over and position == self._arguments.get(paging.argument):
                operation = self._call.operation.id
                raise ResponseInvalid(
                    f"{operation} answered with a page behind itself", operation=operation, reply=answer.reply
                )
        else:
            former = self._arguments.get(paging.argument, UNSET)
            position = (former if isinstance(former, int) else 0) + count
            limit = self._arguments.get(paging.limit, UNSET)
            asked = limit if isinstance(limit, int) else paging.page_size
            self.is_over = count == 0 or (asked is not None and count < asked)
        self._arguments[paging.argument] = position
        return page


def _member(page: Any, names: Sequence[str]) -> Any:
    for name in names:
        page = page.get(name, UNSET) if isinstance(page, dict) else getattr(page, name)
    return msgspec.UNSET if page is UNSET else page


class Pages(Generic[ItemT, G]):
    """A list in pages. Each iteration begins anew."""

    def __init__(self, client: SyncClient, call: PagedCall[ItemT, G]) -> None:
        self._client = client
        self._call = call

    def __iter__(self) -> Iterator[ItemT]:
        walk = _Walk(self._call)
        for page in self._pages(walk):
            yield from walk.items(page)

    def pages(self) -> Iterator[G]:
        """Return page after page."""
        return self._pages(_Walk(self._call))

    def first(self) -> ItemT | None:
        """Return the first item; None when there is none."""
        return next(iter(self), None)

    def _pages(self, walk: _Walk[ItemT, G]) -> Iterator[G]:
        while not walk.is_over:
            yield walk.advance(self._client.call(walk.next_call()))


class AsyncPages(Generic[ItemT, G]):
    """A list in pages. Each iteration begins anew."""

    def __init__(self, client: AsyncClient, call: PagedCall[ItemT, G]) -> None:
        self._client = client
        self._call = call

    async def __aiter__(self) -> AsyncIterator[ItemT]:
        walk = _Walk(self._call)
        async for page in self._pages(walk):
            for item in walk.items(page):
                yield item

    def pages(self) -> AsyncIterator[G]:
        """Return page after page."""
        return self._pages(_Walk(self._call))

    async def first(self) -> ItemT | None:
        """Return the first item; None when there is none."""
        async for item in self:
            return item
        return None

    async def _pages(self, walk: _Walk[ItemT, G]) -> AsyncIterator[G]:
        while not walk.is_over:
            yield walk.advance(await self._client.call(walk.next_call()))
