"""Slips of a hand that writes a contract: something left out, of another form, in the wrong place, or under another name."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, "", "x", "a b", "é/~{}", "{x}", "/", "200", "//["),
    *([], {}, [1], [None], [[]], {"x": 1}, {"": {}}, {"$ref": "#/nope"}, {"$ref": 1}, {"$ref": ""}),
)
_NAMES = (
    *("", "a b", "x-y", "$ref", "default", "items", "properties", "enum", "type", "oneOf", "allOf", "const", "200", "5XX"),
    *("security", "servers", "parameters", "content", "format", "schema"),
)  # fmt: skip
Place = tuple[str | int, ...]


def slips(contract: Any, seed: int, count: int) -> Iterator[tuple[str, Any]]:
    """Yield contracts with one or two slips each, and what they are."""
    chance = random.Random(seed)
    places = list(_places(contract, ()))
    for _ in range(count):
        document = copy.deepcopy(contract)
        told = [
            _slip(document, chance.choice(places), contract, places, chance) for _ in range(chance.choice((1, 1, 2)))
        ]
        yield "; ".join(told), document


def _places(node: Any, at: Place) -> Iterator[Place]:
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in members:
        yield (*at, name)
        yield from _places(value, (*at, name))


def _slip(document: Any, place: Place, contract: Any, places: list[Place], chance: random.Random) -> str:
    *above, last = place
    try:
        parent = _at(document, tuple(above))
        value = parent[last]
    except (KeyError, IndexError, TypeError):  # an earlier slip took it away
        return "nothing"
    if not isinstance(parent, dict | list):
        return "nothing"
    kind = chance.choice(("remove", "replace", "replace", "replace", "move", "rename"))
    if kind == "remove":
        del parent[last]
        return f"remove {place}"
    if kind == "rename" and isinstance(parent, dict):
        name = chance.choice(_NAMES)
        del parent[last]
        parent[name] = value
        return f"rename {place} to {name!r}"
    if kind == "move":
        other = chance.choice(places)
        parent[last] = copy.deepcopy(_at(contract, other))
        return f"write {other} at {place}"
    parent[last] = copy.deepcopy(chance.choice(_VALUES))
    return f"write {parent[last]!r} at {place}"


def _at(document: Any, place: Place) -> Any:
    for name in place:
        document = document[name]
    return document
