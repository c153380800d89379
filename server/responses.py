"""Answers: what a handler returned → bytes, once; then judged against the contract like a request."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from core.kernel.call import Reply
from core.kernel.operation import Header, Operation, Response
from core.kernel.problems import InternalError, Violation
from server.answer import Answer, Headers
from server.headers import set_cookie
from server.mediatypes import is_json
from server.request import Request
from server.schemas import Schema, Schemas
from server.texts import reader

_encode = msgspec.json.Encoder().encode
_OWN_HEADERS = frozenset({"x-request-id"})
"""Written by the server in a form that is known to be good."""
_header_value = reader(("integer", "number", "boolean"))


class _Declared:
    """One declared status: its media types and the headers that are judged."""

    __slots__ = ("headers", "json_type", "media", "origin")

    def __init__(self, row: Response, schemas: Schemas) -> None:
        self.origin = row.origin
        self.media: dict[str, Schema | None] = {
            media.content_type: schemas.get(media.schema) if media.schema and is_json(media.content_type) else None
            for media in row.media
        }
        self.json_type = next((name for name in self.media if is_json(name)), None)
        self.headers: tuple[tuple[Header, str, Schema], ...] = tuple(
            (header, header.name.lower(), schemas.get(header.schema))
            for header in row.headers
            if header.name.lower() not in _OWN_HEADERS
        )


class Responses:
    """The declared answers of one operation."""

    def __init__(self, operation: Operation, schemas: Schemas) -> None:
        self._id = operation.id
        self._declared = {row.status: _Declared(row, schemas) for row in operation.responses}
        success = [row.status for row in operation.success if row.status < 300] or [200]
        self._default = next((status for status in success if self._is_json(status)), success[0])
        self._default_type = ("Content-Type", self._json_type(self._default))
        self._empty = next((status for status in success if not self._media(status)), self._default)

    def _media(self, status: int) -> dict[str, Schema | None]:
        return self._declared[status].media if status in self._declared else {}

    def _is_json(self, status: int) -> bool:
        return status in self._declared and self._declared[status].json_type is not None

    def encode(self, result: Any) -> Answer:
        """Turn what a handler returned into an answer."""
        if type(result) is Reply:
            return self._encode_reply(result)
        if result is None:
            return Answer(self._empty, [])
        return Answer(self._default, [self._default_type], _encode(result))

    def _encode_reply(self, reply: Reply[Any, Any]) -> Answer:
        headers: Headers = []
        body = b""
        if reply.raw is not None:
            body = reply.raw
            headers.append(("Content-Type", reply.media_type or "application/octet-stream"))
        elif reply.body is not None or self._is_json(reply.status):
            body = _encode(reply.body)
            headers.append(("Content-Type", self._json_type(reply.status)))
        headers += [(name, _safe(value)) for name, value in reply.headers.items()]
        headers += [set_cookie(cookie) for cookie in reply.cookies]
        return Answer(reply.status, headers, body)

    def _json_type(self, status: int) -> str:
        declared = self._declared.get(status)
        return (declared and declared.json_type) or "application/json"

    def violations(self, request: Request, answer: Answer) -> list[Violation]:
        """Name every clause of the contract that an answer breaks."""
        declared = self._declared.get(answer.status)
        if declared is None:
            return [_violation("status", f"{self._id} declares no {answer.status}", None)]
        found = _judge_body(declared, answer)
        if declared.headers:
            sent = {name.lower(): value for name, value in (*answer.headers, *request.headers_out)}
            for header, name, schema in declared.headers:
                found += _judge_header(header, schema, sent.get(name))
        return found


def _judge_body(declared: _Declared, answer: Answer) -> list[Violation]:
    if answer.stream is not None:
        is_declared = "text/event-stream" in declared.media
        return [] if is_declared else [_violation("media_type", "no event stream is declared", declared.origin)]
    content_type = _content_type(answer.headers)
    if not content_type:
        is_good = not declared.media and not answer.body
        return [] if is_good else [_violation("media_type", "a body is declared and none was made", declared.origin)]
    media_type = content_type if content_type in declared.media else _bare(content_type)
    if media_type not in declared.media:
        return [_violation("media_type", f"{media_type} is not declared", declared.origin)]
    schema = declared.media[media_type]
    if schema is None:
        return []
    value = orjson.loads(answer.body)
    return [] if schema.is_valid(value) else schema.violations(value, location="response")


def _content_type(headers: Headers) -> str:
    for name, value in headers:
        if name == "Content-Type":
            return value
    return ""


def _bare(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _judge_header(header: Header, schema: Schema, text: str | None) -> list[Violation]:
    if text is None:
        return [_violation("required", f"header {header.name} is required", None)] if header.required else []
    if schema.is_valid(text) or schema.is_valid(_header_value(text)):
        return []
    return schema.violations(_header_value(text), location="response", base=f"/{header.name}")


def _violation(rule: str, message: str, source: str | None) -> Violation:
    return Violation(pointer="", location="response", rule=rule, message=message, source=source)


def _safe(value: str) -> str:
    """Refuse a header value that could end its line.

    Raises:
        InternalError: it holds a control character.
    """
    if not value.isprintable():
        raise InternalError(cause="a handler made a header with control characters")
    return value if value.isascii() else value.encode().decode("latin-1")
