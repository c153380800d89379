"""An object is closed, or says in `x-freeform` why it may have members that the contract does not name."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract

RULE = "open_objects"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield objects that are open without a reason, and reasons that nothing needs."""
    bundle = contract.bundle
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if kind != "schema" or not isinstance(node, dict) or "object" not in _types(node):
            continue
        is_closed = node.get("additionalProperties") is False or node.get("unevaluatedProperties") is False
        parent = pointer.rpartition("/")[0].rpartition("/")[2]
        if not is_closed and "x-freeform" not in node and parent not in {"allOf", "if", "not"}:
            fix = "write `additionalProperties: false`, or x-freeform with the reason why it is open"
            yield Finding(RULE, bundle.locate(pointer), fix)
        if is_closed and "x-freeform" in node:
            yield Finding(RULE, bundle.locate(f"{pointer}/x-freeform"), "remove x-freeform: the object is closed")


def _types(node: dict[str, object]) -> list[object]:
    types = node.get("type", "object" if "properties" in node else None)
    return types if isinstance(types, list) else [types]
