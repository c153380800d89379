"""Every refusal that the server can give to an operation is declared, as a concrete status."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract, Operation

RULE = "errors"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield statuses that the pipeline may answer and the operation does not declare."""
    styles = contract.root.get("x-error-styles", {})
    for operation in contract.operations:
        declared = {response.status for response in operation.responses}
        place = contract.bundle.locate(operation.pointer)
        for status, reason in _expected(contract, operation, styles).items():
            if status not in declared:
                yield Finding(RULE, place, f"declare {status}: {reason}")
        for response in operation.responses:
            if not response.status.isdigit():
                at = contract.bundle.locate(f"{operation.pointer}/responses/{response.status}")
                yield Finding(RULE, at, f"list concrete statuses instead of {response.status}; a range hides drift")


def _expected(contract: Contract, operation: Operation, styles: dict[str, dict[str, int]]) -> dict[str, str]:
    node = operation.node
    style = styles.get(operation.path_node.get("x-error-style", ""), {})
    expected = {"500": "the server may fail"}
    if operation.node.get("security"):
        expected |= {"401": "the operation needs a caller", "503": "a credential may not be decidable"}
        expected["423"] = "the caller's account may be disabled"
        if len(node["security"]) > 1:
            expected["400"] = "two different credentials may be sent"
        if operation.node["security"] and any(scopes for rule in node["security"] for scopes in rule.values()):
            expected["403"] = "the caller may lack the scope"
    if operation.body is not None:
        expected |= {"400": "the body may be malformed", "413": "the body may be too large"}
        expected |= {"415": "the body may be of another media type"}
    if operation.body is not None or operation.parameters:
        expected[str(style.get("invalid_status", 422))] = "input may break the contract"
    if node.get("x-rate-profile"):
        expected["429"] = "the rate profile may be used up"
    if node.get("x-switch"):
        expected["404"] = "the operation may be switched off"
    if node.get("x-idempotent"):
        expected |= {"409": "a request with this Idempotency-Key may be running", "422": "the key may be reused"}
    if node.get("x-etag") is True:
        expected["304"] = "x-etag answers If-None-Match"
    elif node.get("x-etag"):
        expected["412"] = "x-etag refuses a stale If-Match"
    return expected
