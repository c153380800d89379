"""A `text/event-stream` names every event it sends in `x-sse`, and describes one event as an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.findings import Finding
from codegen.ir import Contract, Media, Operation, Response
from codegen.resolved import Resolved

RULE = "events"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield streams whose events have no schema, and event tables that stream nothing."""
    for operation in contract.operations:
        for response in operation.responses:
            for media in response.media:
                for pointer, message in _media(contract, operation, response, media):
                    yield Finding(RULE, contract.bundle.locate(pointer), message)


def _media(contract: Contract, operation: Operation, response: Response, media: Media) -> Iterator[tuple[str, str]]:
    declared: Any = media.node.get("x-sse", response.node.get("x-sse"))
    if media.content_type != "text/event-stream":
        if "x-sse" in media.node:
            yield f"{media.pointer}/x-sse", "move x-sse to a text/event-stream"
        return
    if not isinstance(declared, dict) or not declared.get("events"):
        yield media.pointer, "name the events and their schemas in x-sse"
        return
    start = declared.get("start")
    if start is not None and start not in {p.name for p in operation.parameters if p.location == "query"}:
        yield f"{media.pointer}/x-sse/start", f"declare the query parameter {start!r} that sets the first position"
    for name, schema in declared["events"].items():
        if not isinstance(schema, dict) or "$ref" not in schema:
            yield f"{media.pointer}/x-sse/events/{name}", "give the event a $ref to its schema"
    if media.schema is None or "data" not in Resolved(contract.bundle, media.schema).members():
        yield media.pointer, "describe one event in `schema`: an object {event, id, data}"
