"""Sees a schema through its references and combinators: what kinds of JSON value may it describe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from codegen import grammar
from codegen.bundle import Bundle
from codegen.locate import escape

_KINDS = frozenset({"string", "integer", "number", "boolean", "null", "array", "object"})


class Resolved:
    """A schema seen through references and combinators: which JSON types may its value have."""

    def __init__(self, bundle: Bundle, pointer: str) -> None:
        self._bundle = bundle
        self.pointer, self.node = bundle.follow(pointer)
        self._written = bundle.get(pointer)

    def kinds(self) -> set[str]:
        """Return the JSON types that a value may have; all of them when the schema does not say."""
        node = self.node
        if not isinstance(node, dict):
            return set(_KINDS)
        if "type" in node:
            return set(node["type"]) if isinstance(node["type"], list) else {node["type"]}
        if "const" in node or "enum" in node:
            return {_kind(value) for value in node.get("enum", [node.get("const")])}
        for keyword in ("oneOf", "anyOf"):
            if keyword in node:
                return set().union(*(child.kinds() for child in self._children(keyword)))
        if "allOf" in node:
            return (
                set(_KINDS)
                .union({"array", "object"})
                .intersection(*(child.kinds() for child in self._children("allOf")))
            )
        return {"object"} if "properties" in node else set(_KINDS)

    def items(self) -> set[str]:
        """Return the JSON types that an item may have."""
        for schema in self._flat():
            if isinstance(schema.node, dict) and "items" in schema.node:
                return Resolved(self._bundle, f"{schema.pointer}/items").kinds()
        return set(_KINDS)

    def properties(self) -> dict[str, Resolved]:
        """Return the members that the schema and its parts name."""
        found: dict[str, Resolved] = {}
        for schema in self._flat():
            for name in schema.node.get("properties", {}) if isinstance(schema.node, dict) else ():
                found[name] = Resolved(self._bundle, f"{schema.pointer}/properties/{escape(name)}")
        return found

    def members(self) -> dict[str, set[str]]:
        """Return member → the JSON types it may have."""
        return {name: schema.kinds() for name, schema in sorted(self.properties().items())}

    def is_binary(self) -> bool:
        """Say whether the value is a file: OpenAPI 3.1's `contentMediaType` without encoding, or `format: binary`."""
        node = self.node if isinstance(self.node, dict) else {}
        if node.get("type") == "array" and isinstance(node.get("items"), dict):
            return Resolved(self._bundle, f"{self.pointer}/items").is_binary()
        return node.get("format") == "binary" or ("contentMediaType" in node and "contentEncoding" not in node)

    def is_nullable(self) -> bool:
        """Say whether null is a value that the schema speaks of, by 3.1's types or 3.0's `nullable`; all of its parts must let it pass."""
        node = self.node if isinstance(self.node, dict) else {}
        if "allOf" in node and "type" not in node:
            parts = self._children("allOf")
            silent = [part for part in parts if part.kinds() == _KINDS]
            told = [part for part in parts if part not in silent]
            return node.get("nullable") is True or (bool(told) and all(part.is_nullable() for part in told))
        return node.get("nullable") is True or ("null" in self.kinds() and self.kinds() != _KINDS)

    def has_default(self) -> bool:
        return any(isinstance(node, dict) and "default" in node for node in (self._written, self.node))

    def default(self) -> Any:
        """Return the default, one beside a $ref before one behind it; None when there is none."""
        nodes = (node for node in (self._written, self.node) if isinstance(node, dict) and "default" in node)
        return next(nodes, {}).get("default")

    def _children(self, keyword: str) -> list[Resolved]:
        return [Resolved(self._bundle, f"{self.pointer}/{keyword}/{index}") for index in range(len(self.node[keyword]))]

    def _flat(self) -> Iterable[Resolved]:
        yield self
        if isinstance(self.node, dict):
            for keyword in ("allOf", "oneOf", "anyOf"):
                for child in self._children(keyword) if keyword in self.node else ():
                    yield from child._flat()


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {str: "string", int: "integer", float: "number", type(None): "null", list: "array", dict: "object"}
    return names[type(value)]


def reach(bundle: Bundle, pointers: Iterable[str]) -> Iterator[str]:
    """Yield the pointer of every schema that these schemas are made of, references followed, each once."""
    seen: set[str] = set()
    queue = list(pointers)
    while queue:
        pointer = queue.pop()
        if pointer in seen:
            continue
        seen.add(pointer)
        yield pointer
        node = bundle.get(pointer)
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                queue.append(node["$ref"].lstrip("#"))
            queue.extend(children(pointer, node))


def children(pointer: str, node: dict[str, Any]) -> Iterator[str]:
    """Yield the pointers of the schemas directly inside a schema."""
    for field, value in node.items():
        slot = grammar.KINDS["schema"].get(field)
        if slot is None or slot.kind != "schema":
            continue
        at = f"{pointer}/{escape(field)}"
        if slot.form == "map" and isinstance(value, dict):
            yield from (f"{at}/{escape(name)}" for name in value)
        elif slot.form == "list" and isinstance(value, list):
            yield from (f"{at}/{index}" for index in range(len(value)))
        else:
            yield at
