"""Every field is one that OpenAPI knows: a misspelt keyword would otherwise constrain nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from codegen import grammar
from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.locate import escape

RULE = "unknown_keywords"


_BESIDE_REF = frozenset(["$ref", "summary", "description"])
"""What a Reference Object may have (OpenAPI 3.1, 4.8.23); a schema's $ref may stand beside any keyword."""
_KEYS = {
    "paths": (
        re.compile(r"(/[^/?#\s]+)*/?$"),
        "begin a path with a slash, and have no query, blank or empty segment in it",
    ),
    "responses": (re.compile("[1-5][0-9X]{2}$|default$"), "write a status from 100 to 599"),
}
"""Where an author chooses the keys: what they must look like."""


def check(bundle: Bundle) -> Iterator[Finding]:
    """Yield fields that stand in no object of OpenAPI."""
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if isinstance(node, dict) and kind in _KEYS:
            yield from _keys(bundle, pointer, kind, node)
        if not isinstance(node, dict) or kind in grammar.PATTERNED:
            continue
        for field in node:
            if "$ref" in node and kind != "schema" and field not in _BESIDE_REF:
                place = bundle.locate(f"{pointer}/{escape(field)}")
                yield Finding(
                    RULE, place, f"{field!r} beside $ref is ignored: move it into the {kind} that is referred to"
                )
            elif field != "$ref" and grammar.slot(kind, field) is None:
                nearest = get_close_matches(field, grammar.KINDS[kind], 1)
                fix = f"write {nearest[0]!r}" if nearest else "remove it, or name it x-…"
                place = bundle.locate(f"{pointer}/{escape(field)}")
                yield Finding(RULE, place, f"{field!r} is no field of OpenAPI's {kind}: {fix}")


def _keys(bundle: Bundle, pointer: str, kind: str, node: dict[str, Any]) -> Iterator[Finding]:
    pattern, fix = _KEYS[kind]
    for key in node:
        if not key.startswith("x-") and not pattern.match(key):
            yield Finding(RULE, bundle.locate(f"{pointer}/{escape(key)}"), f"{key!r} is ignored here: {fix}")
