"""A quantity has its unit in its name: `timeout_seconds`, `size_bytes`, and `_at` is a date-time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape
from codegen.names import snake

RULE = "units"
_BARE = re.compile(r"(^|_)(timeout|duration|delay|ttl|latency|elapsed|size|length|age|interval|cost|price|uptime)$")
_FIX = "put the unit into the name ({name}_seconds, {name}_bytes …), or write x-unit where the name is fixed elsewhere"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield members and parameters whose number could be seconds or milliseconds, bytes or kilobytes."""
    bundle = contract.bundle
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if kind == "schema" and isinstance(node, dict):
            for name in node.get("properties", {}):
                yield from _named(
                    bundle, f"{pointer}/properties/{escape(name)}", name, f"{pointer}/properties/{escape(name)}"
                )
        elif kind == "parameter" and isinstance(node, dict) and "schema" in node:
            yield from _named(bundle, pointer, str(node.get("name")), f"{pointer}/schema")


def _named(bundle: Bundle, place: str, name: str, schema: str) -> Iterator[Finding]:
    node: Any = bundle.follow(schema)[1]
    if not isinstance(node, dict) or "x-unit" in node:
        return
    types = node.get("type")
    types = types if isinstance(types, list) else [types]
    if {"integer", "number"} & set(types) and _BARE.search(snake(name)):
        yield Finding(RULE, bundle.locate(place), _FIX.format(name=name))
    if snake(name).endswith("_at") and "string" in types and node.get("format") != "date-time":
        yield Finding(RULE, bundle.locate(place), f"write `format: date-time`: {name} ends in _at")
