"""An operation names who may call it; one that anybody may call says why in `x-public`."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract, Operation
from codegen.locate import escape

RULE = "security"
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def check(contract: Contract) -> Iterator[Finding]:
    """Yield operations without a decision, unknown schemes, and cookie callers without proof of intent."""
    if "security" in contract.root:
        place = contract.bundle.locate("/security")
        yield Finding(RULE, place, "move it into the operations: each says for itself who may call it")
    known = {operation.id for operation in contract.operations}
    for name, scheme in contract.schemes.items():
        renewing = scheme.get("x-renewal", {}).get("operation")
        if renewing is not None and renewing not in known:
            place = contract.bundle.locate(f"/components/securitySchemes/{escape(name)}/x-renewal")
            yield Finding(RULE, place, f"no operation is called {renewing!r}: nothing would renew the token")
    for operation in contract.operations:
        yield from _operation(contract, operation)


def _operation(contract: Contract, operation: Operation) -> Iterator[Finding]:
    node, bundle, schemes = operation.node, contract.bundle, contract.schemes
    if "security" not in node:
        place = bundle.locate(operation.pointer)
        yield Finding(
            RULE, place, f"write `security` for {operation.id}, or `security: []` and x-public with the reason"
        )
        return
    place = bundle.locate(f"{operation.pointer}/security")
    if bool(node["security"]) == bool(node.get("x-public")):
        fix = "remove x-public" if node["security"] else "write x-public with the reason why anybody may call it"
        yield Finding(RULE, place, fix)
    for alternative in node["security"]:
        for name in alternative:
            if name not in schemes:
                yield Finding(RULE, place, f"declare the scheme {name!r} in components.securitySchemes")
        if not alternative:
            yield Finding(RULE, place, "remove the empty alternative `{}`; write `security: []` and x-public")
        cookies = [name for name in alternative if schemes.get(name, {}).get("in") == "cookie"]
        if cookies and operation.method in _UNSAFE and len(alternative) == 1:
            yield Finding(RULE, place, f"demand the csrf scheme beside {cookies[0]!r}: a cookie travels unasked")
