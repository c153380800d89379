"""Text, arrays and integers have an upper bound, so that no value is unlimited by oversight."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract

RULE = "bounds"
_SELF_BOUNDED = {"uuid", "date-time", "date", "time", "ipv4", "ipv6"}
_INT64 = 2**63


def check(contract: Contract) -> Iterator[Finding]:
    """Yield unbounded values."""
    bundle = contract.bundle
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if kind == "schema" and isinstance(node, dict) and not _is_condition(pointer):
            yield from _schema(bundle, pointer, node)


def _schema(bundle: Bundle, pointer: str, node: dict[str, object]) -> Iterator[Finding]:
    kinds = node.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "enum" in node or "const" in node:
        return
    place = bundle.locate(f"{pointer}/type")
    is_file = "contentMediaType" in node
    if "string" in kinds and "maxLength" not in node and node.get("format") not in _SELF_BOUNDED and not is_file:
        yield Finding(RULE, place, "give this string a maxLength")
    if "array" in kinds and "maxItems" not in node:
        yield Finding(RULE, place, "give this array maxItems")
    if "integer" in kinds:
        for side in ("minimum", "maximum"):
            value = node.get(side, node.get(f"exclusive{side.capitalize()}"))
            if not isinstance(value, int | float) or not -_INT64 <= value < _INT64:
                yield Finding(RULE, place, f"give this integer a {side} within 64 bits")


def _is_condition(pointer: str) -> bool:
    """Say whether the schema only tests what another one bounds."""
    return bool({"if", "not", "contains", "propertyNames"} & set(pointer.split("/")[3:]))
