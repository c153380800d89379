"""Every response declares X-Request-Id, which every reply carries."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract

RULE = "request_ids"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield responses that do not declare the header."""
    for operation in contract.operations:
        for response in operation.responses:
            if "x-request-id" not in {header.name.lower() for header in response.headers}:
                place = contract.bundle.locate(response.pointer)
                yield Finding(RULE, place, "declare the header X-Request-Id; every reply carries it")
