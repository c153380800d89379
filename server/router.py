"""Path template → compiled view: a trie over path segments in which fixed segments win over templated ones.

Catch-all paths (x-catch-all) live in a trie of their own, asked last, so that a fixed path with another method is 405
and never reaches a catch-all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from server.answer import Answer
from server.request import Request

View = Callable[[Request, tuple[str, ...]], Answer]
"""A compiled operation: a request and the values of its path template → the answer; raises nothing."""

_NAME = re.compile(r"\{([^{}/]+)\}")


class Match(NamedTuple):
    """A path that exists: its views by method, and the values of its template in path order."""

    views: dict[str, View]
    values: tuple[str, ...]

    @property
    def allow(self) -> str:
        """Return the Allow header's value: every method the path answers."""
        return ", ".join(sorted(self.views))


class _Node:
    __slots__ = ("fixed", "mixed", "templated", "views")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.mixed: list[tuple[re.Pattern[str], _Node]] = []
        self.templated: _Node | None = None
        self.views: dict[str, View] = {}


class Router:
    """Built once from the compiled operations, then only read."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, method: str, path: str, view: View) -> None:
        """Register a view; the order of its values is the order of names in the template."""
        node = self._root
        for segment in path.split("/"):
            node = _child(node, segment)
        node.views[method.upper()] = view

    def match(self, segments: list[str]) -> Match | None:
        """Find the path; None when there is none, whatever the method."""
        node = self._root
        for segment in segments:  # all fixed: the common case needs no backtracking
            below = node.fixed.get(segment)
            if below is None:
                return _search(self._root, segments, 0, ())
            node = below
        return Match(node.views, ()) if node.views else _search(self._root, segments, 0, ())


def _child(node: _Node, segment: str) -> _Node:
    if not _NAME.search(segment):
        return node.fixed.setdefault(segment, _Node())
    if _NAME.fullmatch(segment):
        node.templated = node.templated or _Node()
        return node.templated
    literal = _NAME.split(segment)[::2]
    pattern = re.compile("(.+?)".join(re.escape(part) for part in literal), re.DOTALL)
    for known, below in node.mixed:
        if known.pattern == pattern.pattern:
            return below
    node.mixed.append((pattern, _Node()))
    return node.mixed[-1][1]


def _search(node: _Node, segments: list[str], depth: int, values: tuple[str, ...]) -> Match | None:
    if depth == len(segments):
        return Match(node.views, values) if node.views else None
    segment = segments[depth]
    below = node.fixed.get(segment)
    if below is not None and (found := _search(below, segments, depth + 1, values)):
        return found
    for pattern, below in node.mixed:
        hit = pattern.fullmatch(segment)
        if hit and (found := _search(below, segments, depth + 1, values + hit.groups())):
            return found
    if node.templated is not None and segment:
        return _search(node.templated, segments, depth + 1, (*values, segment))
    return None


def names_of(path: str) -> tuple[str, ...]:
    """Return the names in a path template, in order."""
    return tuple(_NAME.findall(path))
