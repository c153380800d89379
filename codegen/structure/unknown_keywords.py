"""Every field is one that OpenAPI knows: a misspelt keyword would otherwise constrain nothing."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from codegen import grammar
from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.locate import escape

RULE = "unknown_keywords"


def check(bundle: Bundle) -> Iterator[Finding]:
    """Yield fields that stand in no object of OpenAPI."""
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if not isinstance(node, dict) or kind in grammar.PATTERNED:
            continue
        for field in node:
            if field != "$ref" and grammar.slot(kind, field) is None:
                nearest = get_close_matches(field, grammar.KINDS[kind], 1)
                fix = f"write {nearest[0]!r}" if nearest else "remove it, or name it x-…"
                place = bundle.locate(f"{pointer}/{escape(field)}")
                yield Finding(RULE, place, f"{field!r} is no field of OpenAPI's {kind}: {fix}")
