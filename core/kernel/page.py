"""One page of a keyset list."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

ItemT = TypeVar("ItemT")


class Page(msgspec.Struct, Generic[ItemT], frozen=True):
    """items in order; next_cursor continues behind the last one, or is None at the end."""

    items: list[ItemT]
    next_cursor: str | None = None
