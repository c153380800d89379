"""A link leads to an operation of the contract and fills parameters that it has."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape

RULE = "links"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield links that lead nowhere."""
    operations = {operation.id: operation for operation in contract.operations}
    for operation in contract.operations:
        for response in operation.responses:
            for name in response.node.get("links", {}):
                pointer, link = contract.bundle.follow(f"{response.pointer}/links/{escape(name)}")
                target = operations.get(str(link.get("operationId")))
                place = contract.bundle.locate(pointer)
                if target is None:
                    yield Finding(RULE, place, f"no operation is called {link.get('operationId')!r}")
                    continue
                known = {p.name for p in target.parameters} | {f"{p.location}.{p.name}" for p in target.parameters}
                for parameter in link.get("parameters", {}):
                    if parameter not in known:
                        yield Finding(RULE, place, f"{target.id} has no parameter {parameter!r}")
