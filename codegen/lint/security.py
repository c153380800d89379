"""An operation names who may call it; one that anybody may call says why in `x-public`."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract, Node, Operation
from codegen.locate import escape
from codegen.resolved import Resolved

RULE = "security"
_KINDS = {"x-bearer-prefix": ("header", "query"), "x-from-cookie": ("header",), "x-renewal": ("bearer",)}
_UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def check(contract: Contract) -> Iterator[Finding]:
    """Yield operations without a decision, unknown schemes, and cookie callers without proof of intent."""
    if "security" in contract.root:
        place = contract.bundle.locate("/security")
        yield Finding(RULE, place, "move it into the operations: each says for itself who may call it")
    for name, scheme in contract.schemes.items():
        for message in _scheme(contract, scheme):
            yield Finding(RULE, contract.bundle.locate(f"/components/securitySchemes/{escape(name)}"), message)
    for operation in contract.operations:
        yield from _operation(contract, operation)


def _scheme(contract: Contract, scheme: Node) -> Iterator[str]:
    """Yield what is said of a credential and not acted on."""
    if scheme["type"] == "apiKey" and not {"in", "name"} <= set(scheme):
        yield "give this apiKey its `in` and `name`"
    kind = str(scheme.get("in" if scheme["type"] == "apiKey" else "scheme", "")).lower()
    for extension, kinds in _KINDS.items():
        if extension in scheme and kind not in kinds:
            yield f"remove {extension}: it is for a scheme of {' or '.join(kinds)}"
    renewal = scheme.get("x-renewal")
    if renewal is None:
        return
    operation = next((found for found in contract.operations if found.id == renewal["operation"]), None)
    if operation is None:
        yield f"no operation is called {renewal['operation']!r}: nothing would renew the token"
        return
    schemas = [m.schema for r in operation.responses if r.status < "300" for m in r.media if m.schema is not None]
    members = {name for schema in schemas for name in Resolved(contract.bundle, schema).properties()}
    for name in sorted({renewal["token"], renewal["expires_in"]} - members):
        yield f"{operation.id} answers with no member {name!r}: nothing would renew the token"


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
