"""Every operation has a summary and a description, every tag and response says what it is."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract, Operation

RULE = "documented"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield what readers of the documentation would find empty."""
    tags = {tag.get("name") for tag in contract.root.get("tags", []) if tag.get("description")}
    for operation in contract.operations:
        yield from _operation(contract, operation, tags)


def _operation(contract: Contract, operation: Operation, tags: set[str | None]) -> Iterator[Finding]:
    place = contract.bundle.locate(operation.pointer)
    for field in ("summary", "description"):
        if not str(operation.node.get(field) or "").strip():
            yield Finding(RULE, place, f"write a {field} for {operation.id}")
    if len(str(operation.node.get("summary") or "")) > 80:
        yield Finding(
            RULE, contract.bundle.locate(f"{operation.pointer}/summary"), "shorten the summary to 80 characters"
        )
    for tag in operation.node.get("tags", []):
        if tag not in tags:
            at = contract.bundle.locate(f"{operation.pointer}/tags")
            yield Finding(RULE, at, f"describe the tag {tag!r} in the root's `tags`")
    for response in operation.responses:
        if not str(response.node.get("description") or "").strip():
            yield Finding(RULE, contract.bundle.locate(response.pointer), "write a description for this response")
    if not operation.responses:
        yield Finding(RULE, place, f"declare what {operation.id} answers in `responses`")
