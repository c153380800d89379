"""Where a client sends an operation: the server that the contract names for it, or for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from codegen import ir


def base(root: Mapping[str, Any]) -> str:
    """Return the address of a document's first server, variables at their defaults; "" when it says none that is whole."""
    return _address(root)


def own(root: Mapping[str, Any], operation: ir.Operation) -> str:
    """Return the address of an operation that is served elsewhere than the others; "" when it is not, or not known."""
    address = _address(_speaker(operation))
    return "" if address == base(root) else address


def told(root: Mapping[str, Any], operation: ir.Operation, argument: str) -> list[str]:
    """Say where an operation goes that is served elsewhere than the others; argument: what a client takes its address by."""
    written = _url(_speaker(operation))
    if own(root, operation):
        return [f"Sent to {own(root, operation)} by a client whose {argument} is the contract's own."]
    if written and not _address(_speaker(operation)):
        return [f"Served elsewhere ({written}): make a client whose {argument} is that address."]
    return []


def relative(contract: ir.Contract) -> Iterator[str]:
    """Yield the pointers of servers of single operations or paths that are no whole address."""
    for operation in contract.operations:
        pointer = operation.pointer if operation.node.get("servers") else operation.pointer.rpartition("/")[0]
        url = _url(_speaker(operation))
        if url and not urlsplit(url).scheme:
            yield f"{pointer}/servers/0"


def _speaker(operation: ir.Operation) -> Mapping[str, Any]:
    return operation.node if operation.node.get("servers") else operation.path_node


def _url(node: Mapping[str, Any]) -> str:
    """Return the first server's URL, with those variables filled in whose default is no blank to be filled in."""
    server: dict[str, Any] = next(iter(node.get("servers") or ()), {})
    url = str(server.get("url", ""))
    for name, variable in (server.get("variables") or {}).items():
        default = str(variable.get("default", ""))
        url = url if not default or set(default) & set("{}<>") else url.replace(f"{{{name}}}", default)
    return url.rstrip("/") if urlsplit(url).netloc else url


def _address(node: Mapping[str, Any]) -> str:
    url = _url(node)
    parts = urlsplit(url)
    is_whole = parts.scheme in {"http", "https"} and parts.netloc and not set(url) & set("{}")
    return url if is_whole else ""
