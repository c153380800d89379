"""An operationId is `<resource>_<verb>[_<object>]`, unique, and its resource is the file it is written in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract

RULE = "operation_ids"
_ID = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")


def check(contract: Contract) -> Iterator[Finding]:
    """Yield ids that name no resource, another file's resource, or an operation twice."""
    resources = {operation.resource for operation in contract.operations}
    seen: dict[str, str] = {}
    for operation in contract.operations:
        place = contract.bundle.locate(f"{operation.pointer}/operationId")
        matching = [resource for resource in resources if operation.id.startswith(f"{resource}_")]
        nearest = max(matching, key=len, default=None)
        if not _ID.fullmatch(operation.id):
            yield Finding(RULE, place, f"write {operation.resource}_<verb> in lower case instead of {operation.id!r}")
        elif nearest != operation.resource:
            fix = f"begin with {operation.resource}_" if nearest is None else f"move it to {nearest}.yaml or rename it"
            yield Finding(RULE, place, f"{operation.id!r} stands in {operation.resource}.yaml: {fix}")
        if operation.id in seen:
            yield Finding(RULE, place, f"{operation.id!r} already names {seen[operation.id]}; give this one another id")
        seen[operation.id] = f"{operation.method} {operation.path}"
