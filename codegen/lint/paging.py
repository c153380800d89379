"""`x-paging` names parameters and members that exist, and a list of more than a page has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract, Operation
from codegen.locate import escape, unescape

RULE = "paging"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield paging that no client could follow."""
    for operation in contract.operations:
        paging = operation.node.get("x-paging")
        names = {parameter.name for parameter in operation.parameters if parameter.location == "query"}
        if isinstance(paging, dict):
            place = contract.bundle.locate(f"{operation.pointer}/x-paging")
            for message in _messages(contract.bundle, operation, paging, names):
                yield Finding(RULE, place, message)
        elif paging is None and names & {"cursor", "offset", "after"}:
            place = contract.bundle.locate(operation.pointer)
            yield Finding(RULE, place, "declare x-paging: {kind, parameter, items, next}")


def _messages(bundle: Bundle, operation: Operation, paging: dict[str, Any], names: set[str]) -> Iterator[str]:
    for name in (paging.get("parameter"), paging.get("limit", "limit")):
        if name not in names:
            yield f"declare the query parameter {name!r} that x-paging names"
    if paging.get("kind") == "keyset" and not paging.get("next"):
        yield "name the member that holds the next cursor in `next`"
    schemas = [media.schema for r in operation.responses if r.status == "200" for media in r.media if media.schema]
    for key in ("items", "next"):
        pointer = paging.get(key)
        if isinstance(pointer, str) and schemas and not _has_member(bundle, schemas[0], pointer):
            yield f"`{key}: {pointer}` is not in the reply's schema"
    if isinstance(paging.get("items"), str) and schemas and not _is_array(bundle, schemas[0], paging["items"]):
        yield "let `items` name an array of the reply"


def _member(bundle: Bundle, schema: str, pointer: str) -> str:
    """Return the schema of the member that a pointer into the reply names.

    Raises:
        KeyError: there is none.
    """
    at = bundle.follow(schema)[0]
    for token in pointer.split("/")[1:]:
        at = f"{at}/properties/{escape(unescape(token))}"
        bundle.get(at)
        at = bundle.follow(at)[0]
    return at


def _has_member(bundle: Bundle, schema: str, pointer: str) -> bool:
    try:
        _member(bundle, schema, pointer)
    except KeyError:
        return False
    return True


def _is_array(bundle: Bundle, schema: str, pointer: str) -> bool:
    if not _has_member(bundle, schema, pointer):
        return True
    node = bundle.get(_member(bundle, schema, pointer))
    return isinstance(node, dict) and node.get("type") == "array"
