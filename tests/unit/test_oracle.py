"""The oracle must refuse every kind of drift; each row breaks one clause of a small contract."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import gevent
import pytest

from tests.client import Client, InProcess, StreamEnded, StreamSilent
from tests.oracle import ContractBroken, Oracle

_ID_HEADER = {"X-Request-Id": {"required": True, "schema": {"type": "string"}}}
_PROBLEM = {
    "description": "No.",
    "headers": _ID_HEADER,
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/shared.Problem"}}},
}
_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"const": "tick"},
        "id": {"type": "string"},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/Tick"},
        },
    },
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "small", "version": "1"},
    "x-error-styles": {"problem": {"format": "problem", "content_type": "application/problem+json"}},
    "x-error-prefixes": {"/": "problem"},
    "paths": {
        "/things/{id}": {
            "post": {
                "operationId": "things_create",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                    {"name": "cursor", "in": "query", "schema": {"type": ["string", "null"]}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                },
                "responses": {
                    "201": {
                        "description": "Made.",
                        "headers": _ID_HEADER,
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "204": {"description": "Nothing.", "headers": _ID_HEADER},
                    "422": _PROBLEM,
                },
            }
        },
        "/ticks": {
            "get": {
                "operationId": "ticks_stream",
                "responses": {
                    "200": {
                        "description": "Ticks.",
                        "headers": _ID_HEADER,
                        "content": {"text/event-stream": {"schema": _EVENT}},
                    }
                },
            }
        },
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {"name": {"type": "string", "maxLength": 5}},
            },
            "Tick": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
            "shared.Problem": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}},
        }
    },
}
_JSON = [("Content-Type", "application/json"), ("X-Request-Id", "r1")]
_TROUBLE = [("Content-Type", "application/problem+json"), ("X-Request-Id", "r1")]
_STREAM = [("Content-Type", "text/event-stream"), ("X-Request-Id", "r1")]


def _client(status: int, headers: list[tuple[str, str]], chunks: Iterable[bytes]) -> Client:
    def application(_environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response(f"{status} X", headers)
        return chunks

    return Client(InProcess(application), Oracle(DOCUMENT))


def _create(client: Client, body: Any = None, **parts: Any) -> None:
    client.call("things_create", path={"id": 1}, body=body or {"name": "cup"}, **parts)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [(201, _JSON, b'{"name": "cup"}'), (204, _JSON[1:], b""), (422, _TROUBLE, b'{"code": "x"}')],
)
def test_an_answer_passes_when_it_matches(status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    _create(_client(status, headers, [body]), query={"cursor": "c"})


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(200, _JSON, b'{"name": "cup"}', id="undeclared status"),
        pytest.param(201, _JSON, b"{}", id="missing field"),
        pytest.param(201, _JSON, b'{"name": "cup", "x": 1}', id="extra field"),
        pytest.param(201, _JSON, b'{"name": "teacup"}', id="too long"),
        pytest.param(201, _JSON, b'{"name": 7}', id="wrong type"),
        pytest.param(201, _JSON, b"", id="no body"),
        pytest.param(201, _JSON[:1], b'{"name": "cup"}', id="missing header"),
        pytest.param(201, [("Content-Type", "text/plain"), _JSON[1]], b'{"name": "cup"}', id="media type"),
        pytest.param(204, _JSON[1:], b"x", id="body where none is declared"),
        pytest.param(422, _TROUBLE, b'{"title": "x"}', id="problem without code"),
        pytest.param(422, _JSON, b'{"code": "x"}', id="problem as plain JSON"),
    ],
)
def test_an_answer_fails_when_it_breaks_the_contract(status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    with pytest.raises(ContractBroken):
        _create(_client(status, headers, [body]))


def test_an_accepted_request_fails_when_its_body_was_wrong() -> None:
    client = _client(201, _JSON, [b'{"name": "cup"}'])
    with pytest.raises(ContractBroken, match="accepted"):
        _create(client, {"name": "teacup"})
    with pytest.raises(ContractBroken, match="accepted"):
        client.call("things_create", path={"id": "one"}, body={"name": "cup"})


def test_an_unknown_path_passes_only_as_an_error_of_its_style() -> None:
    assert _client(404, _TROUBLE, [b'{"code": "not_found"}']).request("GET", "/nowhere").code == "not_found"
    for status, headers, body in [
        (200, _JSON, b"{}"),
        (404, _JSON, b'{"code": "x"}'),
        (404, _TROUBLE, b"{}"),
        (404, _TROUBLE[:1], b'{"code": "x"}'),
        (405, _TROUBLE, b'{"code": "x"}'),
    ]:
        with pytest.raises(ContractBroken):
            _client(status, headers, [body]).request("GET", "/nowhere")


def _ticks(*payloads: object) -> list[bytes]:
    return [f"event: tick\nid: {n}\ndata: {json.dumps(p)}\n\n".encode() for n, p in enumerate(payloads)]


def test_events_are_read_whatever_the_chunks() -> None:
    raw = b": hello\r\n" + b"".join(_ticks({"n": 1}, {"n": 2}))
    with _client(200, _STREAM, [raw[i : i + 3] for i in range(0, len(raw), 3)]).stream("ticks_stream") as stream:
        assert [event.id for event in stream.rest()] == ["0", "1"]
        assert stream.comments == ["hello"]
        with pytest.raises(StreamEnded):
            stream.next_event()


@pytest.mark.parametrize(
    "frame",
    [b'event: tock\ndata: {"n": 1}\n\n', b'event: tick\ndata: {"n": "1"}\n\n', b"event: tick\ndata: n\n\n"],
)
def test_an_event_fails_when_it_breaks_the_contract(frame: bytes) -> None:
    with _client(200, _STREAM, [frame]).stream("ticks_stream") as stream, pytest.raises(ContractBroken):
        stream.next_event()


def test_a_stream_fails_when_it_is_something_else() -> None:
    for headers in (_JSON, _STREAM[:1]):
        with pytest.raises(AssertionError), _client(200, headers, []).stream("ticks_stream"):
            pytest.fail("the stream was accepted")


def test_waiting_for_an_event_ends_when_none_comes() -> None:
    def silent() -> Iterable[bytes]:
        gevent.sleep(5)
        yield b""

    client = _client(200, _STREAM, silent())
    with client.stream("ticks_stream", timeout_seconds=0.05) as stream, pytest.raises(StreamSilent):
        stream.next_event()
