"""No two paths match one request, unless a path marked `x-catch-all` yields to the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape

RULE = "ambiguous_paths"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield pairs of templates of which neither is plainly the more specific."""
    items = {operation.path: operation.path_node for operation in contract.operations}
    segments = {path: path.split("/") for path in items}
    for first, second in combinations(sorted(items), 2):
        if items[first].get("x-catch-all", False) != items[second].get("x-catch-all", False):
            continue
        if _is_ambiguous(segments[first], segments[second]):
            place = contract.bundle.locate(f"/paths/{escape(second)}")
            fix = "change a fixed segment, or mark the wider path x-catch-all"
            yield Finding(RULE, place, f"a request can match both {first} and {second}: {fix}")


def _is_ambiguous(first: list[str], second: list[str]) -> bool:
    """Say whether both match one path while neither has a fixed segment wherever the other has."""
    if len(first) != len(second):
        return False
    first_wins = second_wins = False
    for one, other in zip(first, second, strict=True):
        is_open, other_is_open = one.startswith("{"), other.startswith("{")
        if not is_open and not other_is_open and one != other:
            return False
        first_wins |= other_is_open and not is_open
        second_wins |= is_open and not other_is_open
    return first_wins == second_wins
