"""Values that a caller could send: the contract's examples, and where it has none, the plainest that its schema allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.bundle import Bundle
from codegen.sdk import surface
from codegen.sdk.surface import Argument, Method

_TEXTS = {
    "uuid": "01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a34",
    "date-time": "2026-11-22T09:31:00Z",
    "date": "2026-11-22",
    "email": "ada@example.com",
    "uri": "https://example.com/",
}


def arguments(bundle: Bundle, method: Method, body: Any = None) -> dict[str, Any]:
    """Return argument → plain value for every argument that is required, and for the members of the body.

    body: an example; by default the contract's first.
    """
    body = next(body_examples(method), None) if body is None else body
    found: dict[str, Any] = {}
    for argument in method.arguments:
        if argument.location != "body":
            if argument.is_required:
                found[argument.name] = parameter(bundle, argument)
        elif method.body is not None and method.body.is_whole:
            found[argument.name] = body if body is not None else plainest(bundle, argument.schema)
        elif isinstance(body, dict):
            if argument.wire in body:
                found[argument.name] = body[argument.wire]
        elif argument.is_required:
            found[argument.name] = plainest(bundle, argument.schema)
    return found


def body_examples(method: Method) -> Iterator[Any]:
    """Yield the examples of the body that the contract gives."""
    body = method.operation.body
    if body is None or method.body is None:
        return
    for media in body.media:
        if media.content_type == method.body.content_type:
            yield from (example["value"] for example in media.node.get("examples", {}).values() if "value" in example)
            if "example" in media.node:
                yield media.node["example"]


def plainest(bundle: Bundle, pointer: str) -> Any:
    """Return a small value that a schema allows; patterns that are not spelled out by an example are not obeyed."""
    pointer, node = bundle.follow(pointer)
    if not isinstance(node, dict):
        return None
    for told in (node.get("examples"), [node["example"]] if "example" in node else None, node.get("enum")):
        if told:
            return told[0]
    if "const" in node or "default" in node:
        return node.get("const", node.get("default"))
    for keyword in ("oneOf", "anyOf"):
        if keyword in node:
            return plainest(bundle, f"{pointer}/{keyword}/0")
    kind = node.get("type", "object" if "properties" in node or "allOf" in node else None)
    kind = kind[0] if isinstance(kind, list) else kind
    return _of_kind(bundle, pointer, node, kind)


def _of_kind(bundle: Bundle, pointer: str, node: dict[str, Any], kind: str | None) -> Any:
    if kind == "object":
        needed = surface.required(bundle, pointer)
        members = surface.members(bundle, pointer)
        return {name: plainest(bundle, members[name]) for name in sorted(needed & set(members))}
    if kind == "array":
        return [plainest(bundle, f"{pointer}/items")] * max(1, node.get("minItems", 0)) if "items" in node else []
    if kind == "string":
        text = _TEXTS.get(node.get("format", ""), "text")
        return text.ljust(node.get("minLength", 0), "t")[: node.get("maxLength")]
    if kind in {"integer", "number"}:
        return max(1, node.get("minimum", 1))
    return True if kind == "boolean" else None


def parameter(bundle: Bundle, argument: Argument) -> Any:
    """Return the example of a parameter, or the plainest value that it allows."""
    if "example" in argument.node:
        return argument.node["example"]
    for example in argument.node.get("examples", {}).values():
        return example.get("value")
    return plainest(bundle, argument.schema)
