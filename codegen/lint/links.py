"""A link leads to an operation of the contract and fills parameters that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract, Operation, Response
from codegen.locate import escape, unescape
from codegen.resolved import Resolved

RULE = "links"
_EXPRESSION = re.compile(
    r"\$(?:url|method|statusCode|(?P<side>request|response)\.(?:body(?:#(?P<pointer>/.*)?)?|(?:header|query|path)\..+))"
)


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
                for message in _expressions(contract, operation, response, link):
                    yield Finding(RULE, place, message)
                known = {p.name for p in target.parameters} | {f"{p.location}.{p.name}" for p in target.parameters}
                for parameter in link.get("parameters", {}):
                    if parameter not in known:
                        yield Finding(RULE, place, f"{target.id} has no parameter {parameter!r}")


def _expressions(contract: Contract, operation: Operation, response: Response, link: dict[str, Any]) -> Iterator[str]:
    """Yield what a follower of the link would take for a mere text, or find nothing at."""
    for value in [*link.get("parameters", {}).values(), link.get("requestBody")]:
        if not isinstance(value, str) or not value.startswith("$"):
            continue
        found = _EXPRESSION.fullmatch(value)
        if found is None:
            yield f"{value!r} is no runtime expression: write $response.body#/member, $request.path.name …"
        elif found["pointer"]:
            body = operation.body.media if operation.body else ()
            media = response.media if found["side"] == "response" else body
            schemas = [entry.schema for entry in media if entry.schema]
            if not any(_has_member(contract.bundle, schema, found["pointer"]) for schema in schemas):
                yield f"{value!r} leads to no member of the {found['side']}'s schema"


def _has_member(bundle: Bundle, schema: str, pointer: str) -> bool:
    token, slash, rest = pointer.removeprefix("/").partition("/")
    seen = Resolved(bundle, schema)
    if not token:
        return True
    if seen.kinds() == {"array"} and token.isdigit():
        found = f"{seen.pointer}/items" if isinstance(seen.node, dict) and "items" in seen.node else None
    else:
        member = seen.properties().get(unescape(token))
        found = member.pointer if member else None
    return found is not None and (not slash or _has_member(bundle, found, f"/{rest}"))
