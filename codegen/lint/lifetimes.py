"""A deprecated operation says since when (RFC 9745) and ends no earlier than that (RFC 8594)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from codegen.findings import Finding
from codegen.ir import Contract

RULE = "lifetimes"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield deprecations without their day, days without a deprecation, and days that are none."""
    for operation in contract.operations:
        for field, message in _messages(operation.node):
            yield Finding(RULE, contract.bundle.locate(f"{operation.pointer}/{field}"), message)


def _messages(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    is_deprecated, days = node.get("deprecated", False), {}
    if is_deprecated and "x-deprecated-at" not in node:
        yield "deprecated", "write x-deprecated-at, the day since when: clients are told it in the Deprecation header"
    for field in ("x-deprecated-at", "x-sunset"):
        if field not in node:
            continue
        if not is_deprecated:
            yield field, f"write `deprecated: true`, or remove {field}"
        try:
            days[field] = date.fromisoformat(node[field])
        except ValueError:
            yield field, f"write {field} as a day of the calendar, like 2026-12-31"
    if len(days) == 2 and days["x-sunset"] < days["x-deprecated-at"]:
        yield "x-sunset", "let x-sunset be no earlier than x-deprecated-at (RFC 9745, 4)"
