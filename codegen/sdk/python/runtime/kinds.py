"""The two kinds of client, as marks that types carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from .clients import AsyncClient, SyncClient


class Sync:
    """Marks what belongs to a sync client."""


class Async:
    """Marks what belongs to an async client."""


M = TypeVar("M", Sync, Async)


class Resource(Generic[M]):
    """The operations of one resource, for the client that it belongs to."""

    def __init__(self, client: SyncClient | AsyncClient) -> None:
        self._client = client
