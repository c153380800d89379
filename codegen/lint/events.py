"""A `text/event-stream` names every event it sends in `x-sse`, and describes one event as an object."""

from __future__ import annotations

from collections.abc import Iterator

from codegen.findings import Finding
from codegen.ir import EVENT_STREAM, Contract, Media, Operation
from codegen.resolved import Resolved

RULE = "events"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield streams whose events have no schema, and event tables that stream nothing."""
    for operation in contract.operations:
        for response in operation.responses:
            streams = [media for media in response.media if media.content_type == EVENT_STREAM]
            if "x-sse" in response.node and not any("x-sse" not in media.node for media in streams):
                place = contract.bundle.locate(f"{response.pointer}/x-sse")
                yield Finding(RULE, place, "write x-sse once, at a text/event-stream")
            for media in response.media:
                for pointer, message in _media(contract, operation, media):
                    yield Finding(RULE, contract.bundle.locate(pointer), message)


def _media(contract: Contract, operation: Operation, media: Media) -> Iterator[tuple[str, str]]:
    if media.content_type != EVENT_STREAM:
        if "x-sse" in media.node:
            yield f"{media.pointer}/x-sse", "move x-sse to a text/event-stream"
        return
    if not media.sse.get("events"):
        yield media.pointer, "name the events and their schemas in x-sse"
        return
    start = media.sse.get("start")
    if start is not None and start not in {p.name for p in operation.parameters if p.location == "query"}:
        yield f"{media.pointer}/x-sse/start", f"declare the query parameter {start!r} that sets the first position"
    for name, schema in media.sse["events"].items():
        if not isinstance(schema, dict) or "$ref" not in schema:
            yield f"{media.pointer}/x-sse/events/{name}", "give the event a $ref to its schema"
    if media.schema is None or "data" not in Resolved(contract.bundle, media.schema).members():
        yield media.pointer, "describe one event in `schema`: an object {event, id, data}"
