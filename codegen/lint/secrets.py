"""An answer that is kept for replays and shows a secret (`format: password`) is kept enciphered, and no other."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract, Operation
from codegen.resolved import reach

RULE = "secrets"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield operations whose answer would be stored in clear, and x-secret-response where there is no secret."""
    for operation in contract.operations:
        node = operation.node
        shows, is_marked = _shows_secret(contract, operation), node.get("x-secret-response", False)
        if is_marked and not (shows and node.get("x-idempotent")):
            fix = "remove x-secret-response, or mark the secret in the kept answer by `format: password`"
            yield Finding(RULE, contract.bundle.locate(f"{operation.pointer}/x-secret-response"), fix)
        if shows and node.get("x-idempotent") and not is_marked:
            fix = f"write `x-secret-response: true`: the answer that {operation.id} keeps for replays shows a secret"
            yield Finding(RULE, contract.bundle.locate(operation.pointer), fix)


def _shows_secret(contract: Contract, operation: Operation) -> bool:
    kept = [media.schema for response in operation.responses for media in response.media if media.schema]
    nodes = (contract.bundle.get(pointer) for pointer in reach(contract.bundle, kept))
    return any(isinstance(node, dict) and node.get("format") == "password" for node in nodes)
