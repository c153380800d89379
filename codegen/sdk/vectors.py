"""Vectors: for every operation, what a caller may send, what it may not, and what answers mean; docs/vectors.md says how to run them.

They are derived from schemas, examples and policies alone, so any implementation of the contract, server or client, in any
language, can be held to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from codegen import ir
from codegen.bundle import Bundle
from codegen.resolved import Resolved
from codegen.sdk import samples, surface
from codegen.sdk.surface import Method

_VIOLATION = {"pointer": "/x", "location": "body", "rule": "vector", "message": "is wrong"}
_REQUEST_ID = "vector-request"
_LONGEST_TEXT = 5_000
_TRANSIENT = {408, 429, 500, 502, 503, 504}
_REPEATABLE = {"GET", "HEAD", "PUT", "OPTIONS"}
_WRONG = {
    "object": [1],
    "array": {"wrong": 1},
    "string": {"wrong": 1},
    "integer": "wrong",
    "number": "wrong",
    "boolean": "wrong",
}
Vector = dict[str, Any]


def vectors(contract: ir.Contract) -> list[Vector]:
    """Return all vectors of a contract, those of one operation together, ids unique."""
    found: list[Vector] = []
    for resource in surface.resources(contract):
        for method in resource.methods:
            told = {"operation": method.operation.id, "call": f"{resource.name}.{method.name}"}
            for number, vector in enumerate(_of_method(contract, method), 1):
                found.append({"id": f"{resource.name}.{method.name}.{number}", **told, **vector})
    return found


def _of_method(contract: ir.Contract, method: Method) -> Iterator[Vector]:
    request = _request(contract.bundle, method)
    arguments = samples.arguments(contract.bundle, method)
    success = _success(contract.bundle, method)
    yield from _requests(contract.bundle, method, success)
    if not method.name.endswith("_stream"):
        yield from _malformed(contract, method, request)
    for answer, expected in _answers(contract, method, success):
        yield {"kind": "response", "arguments": arguments, "answers": [answer], "expect": expected}
    for name, answers, attempts, outcome in _policies(method, success):
        told = {"attempts": attempts, "outcome": outcome, "one_key": method.is_idempotent}
        yield {"kind": "policy", "name": name, "arguments": arguments, "answers": answers, "expect": told}


def _requests(bundle: Bundle, method: Method, success: Vector) -> Iterator[Vector]:
    """Yield a request for each example of the body."""
    examples = list(samples.body_examples(method)) or [None]
    for example in examples:
        if method.body is not None and isinstance(example, dict):
            stream = method.body.constants.get("stream")
            if stream is not None and bool(example.get("stream")) != stream:
                continue
        arguments = samples.arguments(bundle, method, example)
        yield {
            "kind": "request",
            "arguments": arguments,
            "answers": [success],
            "expect": _request(bundle, method, example),
        }


def _request(bundle: Bundle, method: Method, example: Any = None) -> Vector:
    """Return the request that the arguments of a sample make."""
    query, headers = [], {}
    given = samples.arguments(bundle, method, example)
    for argument in method.arguments:
        value = given.get(argument.name)
        if value is None or argument.location == "body":
            continue
        text = value if isinstance(value, str) else json.dumps(value)
        if argument.location == "query":
            query.append([argument.wire, text])
        elif argument.location == "header":
            headers[argument.wire] = text
    path = _path(method, given)
    told: Vector = {"method": method.operation.method, "path": path, "query": query, "headers": headers}
    if method.body is not None:
        body = _body(method, given)
        if body is not None:
            told |= {"content_type": method.body.content_type, "body": body}
    return told


def _path(method: Method, given: Mapping[str, Any]) -> str:
    path = method.operation.path
    for argument in method.arguments:
        if argument.location == "path":
            value = given[argument.name]
            text = value if isinstance(value, str) else json.dumps(value)
            path = path.replace(f"{{{argument.wire}}}", quote(text, safe=""))
    return path


def _body(method: Method, given: Mapping[str, Any]) -> Any:
    assert method.body is not None
    if method.body.is_whole:
        return given.get("body")
    members = {a.wire: given[a.name] for a in method.arguments if a.location == "body" and a.name in given}
    members |= method.body.constants
    return members if members or method.body.is_required else None


def _malformed(contract: ir.Contract, method: Method, request: Vector) -> Iterator[Vector]:
    """Yield requests that break one clause each, with the status and the place of the violation."""
    styles = contract.root.get("x-error-styles", {})
    status = styles.get(method.operation.path_node.get("x-error-style", ""), {}).get("invalid_status", 422)
    rows = [
        *_malformed_parameters(contract.bundle, method, request),
        *_malformed_bodies(contract.bundle, method, request),
    ]
    for name, changed, location, pointer in rows:
        yield {
            "kind": "malformed",
            "name": name,
            "request": changed,
            "expect": {"status": status, "location": location, "pointer": pointer},
        }
    if "body" in request and method.body is not None and method.body.content_type == "application/json":
        told = {"status": 400, "location": None, "pointer": None}
        yield {"kind": "malformed", "name": "no JSON", "request": {**request, "raw": '{"'}, "expect": told}
        other = {**request, "content_type": "text/plain"}
        yield {"kind": "malformed", "name": "another media type", "request": other, "expect": {**told, "status": 415}}


def _malformed_parameters(bundle: Bundle, method: Method, request: Vector) -> Iterator[tuple[str, Vector, str, str]]:
    if method.operation.node.get("x-unknown-query") != "ignore":
        yield (
            "an unknown query parameter",
            {**request, "query": [*request["query"], ["surprise", "1"]]},
            "query",
            "/surprise",
        )
    for argument in method.arguments:
        node = bundle.follow(argument.schema)[1]
        if argument.location not in {"path", "query"} or not isinstance(node, dict):
            continue
        for name, text in _wrong_texts(node):
            if argument.location == "path":
                given = samples.arguments(bundle, method) | {argument.name: text}
                changed = {**request, "path": _path(method, given)}
            else:
                changed = {
                    **request,
                    "query": [row for row in request["query"] if row[0] != argument.wire] + [[argument.wire, text]],
                }
            yield f"{argument.wire}: {name}", changed, argument.location, f"/{argument.wire}"


def _wrong_texts(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if node.get("format") == "uuid":
        yield "no uuid", "not-a-uuid"
    if node.get("type") == "integer":
        yield "no integer", "1.5x"
        if "maximum" in node:
            yield "above its maximum", str(node["maximum"] + 1)
        if "minimum" in node:
            yield "below its minimum", str(node["minimum"] - 1)
    if "enum" in node:
        yield "no value of its enumeration", "surprise-surprise"


def _malformed_bodies(bundle: Bundle, method: Method, request: Vector) -> Iterator[tuple[str, Vector, str, str]]:
    body, told = request.get("body"), method.body
    if not isinstance(body, dict) or told is None or told.pointer is None or told.content_type != "application/json":
        return
    node = bundle.follow(told.pointer)[1]
    for member in sorted(surface.required(bundle, told.pointer) & set(body)):
        rest = {name: value for name, value in body.items() if name != member}
        yield f"without {member}", {**request, "body": rest}, "body", ""
    if node.get("additionalProperties") is False:
        yield "an unknown member", {**request, "body": {**body, "surprise": 1}}, "body", ""
    for member, pointer in surface.members(bundle, told.pointer).items():
        for name, value in _wrong_values(bundle, pointer):
            yield f"{member}: {name}", {**request, "body": {**body, member: value}}, "body", f"/{member}"


def _wrong_values(bundle: Bundle, pointer: str) -> Iterator[tuple[str, Any]]:
    node = bundle.follow(pointer)[1]
    kinds = Resolved(bundle, pointer).kinds()
    wrong = next((value for kind, value in _WRONG.items() if kinds - {"null"} == {kind}), None)
    if wrong is not None:
        yield "another type", wrong
    if not isinstance(node, dict) or "string" not in kinds:
        return
    if "enum" in node:
        yield "no value of its enumeration", "surprise-surprise"
    elif node.get("maxLength", _LONGEST_TEXT) < _LONGEST_TEXT and "format" not in node and "pattern" not in node:
        yield "too long", "x" * (node["maxLength"] + 1)


def _success(bundle: Bundle, method: Method) -> Vector:
    """Return the operation's first success."""
    response = surface.successes(method.operation)[0]
    headers = {"X-Request-Id": _REQUEST_ID}
    for media in response.media:
        is_events = media.content_type == ir.EVENT_STREAM
        if is_events != (method.kind == "stream"):
            continue
        headers["Content-Type"] = media.content_type
        if is_events:
            return {"status": int(response.status), "headers": headers, "events": _events(bundle, media)}
        if "json" not in media.content_type:
            return {"status": int(response.status), "headers": headers, "text": "text"}
        example = next((example["value"] for example in media.node.get("examples", {}).values()), None)
        return {
            "status": int(response.status),
            "headers": headers,
            "body": example if example is not None else samples.plainest(bundle, media.schema or ""),
        }
    return {"status": int(response.status), "headers": headers}


def _events(bundle: Bundle, media: ir.Media) -> list[dict[str, Any]]:
    rows = media.sse.get("events", {}).items()
    return [
        {"event": name, "id": f"{number}", "data": samples.plainest(bundle, at["$ref"].lstrip("#"))}
        for number, (name, at) in enumerate(rows, 1)
    ]


def _answers(contract: ir.Contract, method: Method, success: Vector) -> Iterator[tuple[Vector, Vector]]:
    """Yield (answer, what a client makes of it): successes, with additions that came later, and every declared refusal."""
    yield success, {"outcome": "value", "request_id": _REQUEST_ID}
    if isinstance(success.get("body"), dict):
        yield (
            {**success, "body": {**success["body"], "added_later": {"x": 1}}},
            {"outcome": "value", "request_id": _REQUEST_ID},
        )
    style = contract.root.get("x-error-styles", {}).get(method.operation.path_node.get("x-error-style", ""), {})
    for response in method.operation.responses:
        if not response.status.isdigit() or int(response.status) < 400:
            continue
        status = int(response.status)
        headers = {"X-Request-Id": _REQUEST_ID, **({"Retry-After": "3600"} if status in _TRANSIENT else {})}
        expected: Vector = {"outcome": "error", "status": status, "request_id": _REQUEST_ID}
        shared = [media for media in response.media if (media.schema or "").startswith("/components/schemas/shared.")]
        if shared and style:
            headers["Content-Type"] = shared[0].content_type
            body = _problem(style["format"], status, f"vector_{status}")
            yield (
                {"status": status, "headers": headers, "body": body},
                {**expected, "code": f"vector_{status}", "pointers": ["/x"]},
            )
        else:
            yield {"status": status, "headers": headers}, expected


def _problem(form: str, status: int, code: str) -> Vector:
    told: Vector = {"message": "Refused.", "code": code}
    if form == "problem":
        return {
            "type": "about:blank",
            "title": "Refused",
            "status": status,
            "code": code,
            "instance": "/x",
            "errors": [_VIOLATION],
        }
    if form == "code":
        return {"error": "Refused", **told, "errors": [_VIOLATION]}
    if form == "workflow":
        details = {"code": code, "errors": [_VIOLATION]}
        return {
            "success": False,
            "status_code": status,
            "data": None,
            "error": {"message": "Refused.", "details": details},
        }
    if form == "api":
        return {"success": False, "error": {**told, "details": [_VIOLATION]}}
    return {"error": {**told, "type": "invalid_request_error", "param": None, "errors": [_VIOLATION]}}


def _policies(method: Method, success: Vector) -> Iterator[tuple[str, list[Vector], int, str]]:
    """Yield (name, answers, tries, outcome): what a client with at least two retries does."""
    is_safe = method.is_idempotent or method.operation.method in _REPEATABLE
    tries, outcome = (2, "value") if is_safe else (1, "error")
    yield "no answer", [{"status": 0}, success], tries, outcome
    yield "503", [{"status": 503}, success], tries, outcome
    yield "408", [{"status": 408}, success], tries, outcome
    yield "429 that asks for no wait", [{"status": 429, "headers": {"Retry-After": "0"}}, success], 2, "value"
    yield "429 that asks for an hour", [{"status": 429, "headers": {"Retry-After": "3600"}}], 1, "error"
    running = {
        "status": 409,
        "headers": {"Content-Type": "application/problem+json"},
        "body": {"code": "request_in_progress"},
    }
    yield "409 while the first try runs", [running, success], *((2, "value") if method.is_idempotent else (1, "error"))
    yield "400", [{"status": 400}], 1, "error"
