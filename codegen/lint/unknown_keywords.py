"""Every field is one that OpenAPI knows: a misspelt keyword would otherwise constrain nothing."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from codegen import grammar
from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape

RULE = "unknown_keywords"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield fields that stand in no object of OpenAPI."""
    for pointer, kind in contract.bundle.kinds.items():
        node = contract.bundle.get(pointer)
        if not isinstance(node, dict) or kind in grammar.PATTERNED:
            continue
        for field in node:
            if field != "$ref" and grammar.slot(kind, field) is None:
                nearest = get_close_matches(field, grammar.KINDS[kind], 1)
                fix = f"write {nearest[0]!r}" if nearest else "remove it, or name it x-…"
                place = contract.bundle.locate(f"{pointer}/{escape(field)}")
                yield Finding(RULE, place, f"a {kind} has no field {field!r}: {fix}")
