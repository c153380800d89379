"""An object is closed, or says in `x-freeform` why it may have members that the contract does not name."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract
from codegen.resolved import Resolved

RULE = "open_objects"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield objects that are open without a reason, and reasons that nothing needs."""
    bundle = contract.bundle
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if kind != "schema" or not isinstance(node, dict):
            continue
        parent = pointer.rpartition("/")[0].rpartition("/")[2]
        if "object" not in _types(node):
            if "allOf" in node and parent != "allOf" and _is_open(bundle, pointer):
                fix = "write `unevaluatedProperties: false` beside allOf, or x-freeform with the reason why it is open"
                yield Finding(RULE, bundle.locate(pointer), fix)
            continue
        is_closed = node.get("additionalProperties") is False or node.get("unevaluatedProperties") is False
        if not is_closed and "x-freeform" not in node and parent not in {"allOf", "if", "not"}:
            fix = "write `additionalProperties: false`, or x-freeform with the reason why it is open"
            yield Finding(RULE, bundle.locate(pointer), fix)
        if is_closed and "x-freeform" in node:
            yield Finding(RULE, bundle.locate(f"{pointer}/x-freeform"), "remove x-freeform: the object is closed")


def _types(node: dict[str, object]) -> list[object]:
    types = node.get("type", "object" if "properties" in node else None)
    return types if isinstance(types, list) else [types]


def _is_open(bundle: Bundle, pointer: str) -> bool:
    """Say whether an object that is put together by allOf is closed by none of its parts, nor said to be open."""
    pointer, node = bundle.follow(pointer)
    if not isinstance(node, dict) or Resolved(bundle, pointer).kinds() != {"object"}:
        return False
    if "x-freeform" in node or False in (node.get("additionalProperties"), node.get("unevaluatedProperties")):
        return False
    parts = [f"{pointer}/allOf/{index}" for index in range(len(node.get("allOf", [])))]
    return all(_is_open(bundle, part) or Resolved(bundle, part).kinds() != {"object"} for part in parts)
