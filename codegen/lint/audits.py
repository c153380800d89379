"""Every unsafe operation is audited unless `x-audit` says why not; a stream, which has no one transaction, must say it."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import EVENT_STREAM, Contract, Operation
from codegen.table import UNSAFE

RULE = "audits"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield `x-audit` that changes nothing, and streams that would be audited."""
    for operation in contract.operations:
        stated, is_unsafe = operation.node.get("x-audit"), operation.method in UNSAFE
        if stated is not None and (stated is True) == is_unsafe:
            fix = (
                "remove x-audit: an unsafe operation is audited anyway" if is_unsafe else "remove the reason in x-audit"
            )
            yield Finding(RULE, contract.bundle.locate(f"{operation.pointer}/x-audit"), fix)
        if is_unsafe and stated is None and _streams(operation):
            fix = f"say in x-audit why {operation.id} is not audited: a stream has no one transaction to be told of in"
            yield Finding(RULE, contract.bundle.locate(operation.pointer), fix)


def _streams(operation: Operation) -> bool:
    return any(media.content_type == EVENT_STREAM for response in operation.responses for media in response.media)
