"""Where a client sends an operation: the server that the contract names for it, or for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from codegen import ir


def base(root: Mapping[str, Any]) -> str:
    """Return the address of a document's first server, variables at their defaults; "" when it says none that is whole."""
    return _address(_written(root))


def own(root: Mapping[str, Any], operation: ir.Operation) -> str:
    """Return the address of an operation that is served elsewhere than the others; "" when it is not, or not known."""
    address = _address(_named(root, operation))
    return "" if address == base(root) else address


def told(root: Mapping[str, Any], operation: ir.Operation, argument: str) -> list[str]:
    """Say where an operation goes that is served elsewhere than the others; argument: what a client takes its address by."""
    named = _named(root, operation)
    if named in {"", base(root)}:
        return []
    if _address(named):
        return [f"Sent to {named} by a client whose {argument} is the contract's own."]
    return [f"Served elsewhere ({named}): make a client whose {argument} is that address."]


def relative(contract: ir.Contract) -> Iterator[str]:
    """Yield the pointers of servers of single operations or paths that are relative to nothing."""
    for operation in contract.operations:
        named = _named(contract.root, operation)
        if named and not _split(named).scheme:
            pointer = operation.pointer if operation.node.get("servers") else operation.pointer.rpartition("/")[0]
            yield f"{pointer}/servers/0"


def _named(root: Mapping[str, Any], operation: ir.Operation) -> str:
    """Return what is named for one operation or its path, relative to the server of all; "" when nothing is."""
    url = _written(operation.node if operation.node.get("servers") else operation.path_node)
    if not url or _split(url).scheme or not base(root):
        return url
    try:
        return urljoin(f"{base(root)}/", url).rstrip("/")
    except ValueError:
        return url


def _written(node: Mapping[str, Any]) -> str:
    """Return the first server's URL, with those variables filled in whose default is no blank to be filled in."""
    server: dict[str, Any] = next(iter(node.get("servers") or ()), {})
    url = str(server.get("url", ""))
    for name, variable in (server.get("variables") or {}).items():
        default = str(variable.get("default", ""))
        url = url if not default or set(default) & set("{}<>") else url.replace(f"{{{name}}}", default)
    return url.rstrip("/") if _split(url).netloc else url


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # "//[" begins an address of IPv6
        return urlsplit("")


def _address(url: str) -> str:
    parts = _split(url)
    is_whole = parts.scheme in {"http", "https"} and parts.netloc and not set(url) & set("{}")
    return url if is_whole else ""
