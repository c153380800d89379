"""x-etag and x-idempotent come with the headers and parameters that callers use them by."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract, Operation

RULE = "preconditions"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield policies that a caller could not see in the contract, and declarations without their policy."""
    gets = {operation.id for operation in contract.operations if operation.method == "GET"}
    for operation in contract.operations:
        for field, message in _messages(operation, gets):
            yield Finding(RULE, contract.bundle.locate(f"{operation.pointer}/{field}"), message)


def _messages(operation: Operation, gets: set[str]) -> Iterator[tuple[str, str]]:
    headers = {p.name.lower() for p in operation.parameters if p.location == "header"}
    etag = operation.node.get("x-etag")
    if operation.node.get("x-idempotent") and "idempotency-key" not in headers:
        yield "x-idempotent", "declare the header parameter Idempotency-Key"
    if "idempotency-key" in headers and not operation.node.get("x-idempotent"):
        yield "parameters", "write `x-idempotent: true`, or remove the header parameter Idempotency-Key"
    if operation.node.get("x-idempotent") and operation.method == "GET":
        yield "x-idempotent", "remove x-idempotent: a GET has no effect to repeat"
    if etag is True:
        yield from _of_get(operation, headers)
    elif isinstance(etag, dict):
        if etag.get("of") not in gets:
            yield "x-etag", f"name a GET in `of`; {etag.get('of')!r} is none"
        if "if-match" not in headers:
            yield "x-etag", "declare the header parameter If-Match"
    if etag is None and {"if-match", "if-none-match"} & headers:
        yield "parameters", "write x-etag, or remove the precondition header"


def _of_get(operation: Operation, headers: set[str]) -> Iterator[tuple[str, str]]:
    if operation.method != "GET":
        yield "x-etag", "write `x-etag: {of: <the GET>}` on a write"
    if "if-none-match" not in headers:
        yield "x-etag", "declare the header parameter If-None-Match"
    for response in operation.responses:
        if response.status in {"200", "304"} and "etag" not in {header.name.lower() for header in response.headers}:
            yield "x-etag", f"declare the header ETag in {response.status}"
