"""Operations added at run time: an immutable second map, swapped by one assignment and followed by generation number.

A request that no fixed path of the contract answers asks the follower; at most every half second that asks the database
for the generation, and compiles anew when it moved, so that every worker follows within a second and idle ones cost nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from server.ports import DefinitionSet, DefinitionSource
from server.router import Router

CHECK_SECONDS = 0.5


class Snapshot:
    """One generation, compiled; never changed."""

    __slots__ = ("generation", "router")

    def __init__(self, generation: int, router: Router) -> None:
        self.generation = generation
        self.router = router


EMPTY = Snapshot(-1, Router())


class Follower:
    """Holds the current snapshot of this process."""

    def __init__(self, source: DefinitionSource, compile_set: Callable[[DefinitionSet], Router]) -> None:
        self._source = source
        self._compile = compile_set
        self._current = EMPTY
        self._checked = float("-inf")

    def router(self) -> Router:
        """Return the map in force; a request keeps the one that it was given."""
        now = time.monotonic()
        if now - self._checked >= CHECK_SECONDS:
            self._checked = now
            self._follow()
        return self._current.router

    def _follow(self) -> None:
        if self._source.generation() == self._current.generation:
            return
        loaded = self._source.load()
        self._current = Snapshot(loaded.generation, self._compile(loaded))
