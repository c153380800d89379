"""The second opinion: openapi-core and python-jsonschema judge what the server was asked and what it answered.

Nothing here uses the generated types or the server's own validators, so a fault in them cannot hide itself.
openapi-core's known limits are met here: problem+json needs a deserializer (its decoder would compare bytes), a
parameter with an array of types crashes it (the type is dropped for its judgement), a missing credential hides every
other fault of a request (security is dropped), and a streamed reply is judged event by event, because openapi-core
would join the stream first.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.validators import extend
from openapi_core import Config, OpenAPI, V31RequestValidator, V31ResponseValidator
from openapi_core.datatypes import RequestParameters
from openapi_core.templating.paths.exceptions import PathError
from openapi_core.validation.response.exceptions import DataValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.datastructures import Headers, ImmutableMultiDict

Document = dict[str, Any]
EVENT_STREAM = "text/event-stream"
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
ERROR_SCHEMAS = {
    "problem": "shared.Problem",
    "code": "shared.CodeError",
    "workflow": "shared.WorkflowError",
    "api": "shared.ApiError",
    "openai": "shared.OpenAIError",
}
_ROOT = "urn:contract"


class ContractBroken(AssertionError):
    """The server's answer is not what the contract says; the message lists every difference."""


@dataclass(frozen=True)
class Asked:
    """A request as it went out; target is the raw path with its query."""

    method: str
    target: str
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class Answered:
    """A reply as it came back; the body of an event stream is left out."""

    status: int
    headers: Headers
    body: bytes

    @property
    def media_type(self) -> str:
        """Return the lower-case media type without parameters."""
        return str(self.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Operation:
    """One operation of the document."""

    id: str
    method: str
    path: str
    spec: Document
    item: Document


@dataclass
class SentEvent:
    """One server-sent event; an absent field is None."""

    event: str | None = None
    id: str | None = None
    data: str | None = None
    retry: str | None = None

    def fields(self) -> Document:
        """Return the fields that the contract describes."""
        return {name: value for name in ("event", "id", "data") if (value := getattr(self, name)) is not None}


@dataclass
class _Request:
    host_url: str
    path: str
    method: str
    content_type: str
    body: bytes | None
    parameters: RequestParameters = field(default_factory=RequestParameters)


@dataclass
class _Response:
    status_code: int
    headers: Headers
    content_type: str
    data: bytes | None


def _content_schema(validator: Any, schema: Any, instance: Any, _parent: Any) -> Iterator[jsonschema.ValidationError]:
    """Make contentSchema an assertion: the text must be JSON that matches it."""
    if not isinstance(instance, str):
        return
    try:
        content = json.loads(instance)
    except ValueError:
        yield jsonschema.ValidationError(f"{instance[:200]!r} is not JSON")
        return
    yield from validator.descend(content, schema, schema_path="contentSchema")


_EventValidator = extend(Draft202012Validator, {"contentSchema": _content_schema})


class Oracle:
    """Judge requests and replies by one OpenAPI 3.1 document, bundled into one file."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.operations = {operation.id: operation for operation in _operations(document)}
        self._registry: Registry[Any] = Registry().with_resource(_ROOT, Resource(document, DRAFT202012))
        config = Config(
            spec_validator_cls=None,
            request_validator_cls=V31RequestValidator,
            response_validator_cls=V31ResponseValidator,
            extra_media_type_deserializers={"application/problem+json": json.loads, "application/yaml": bytes.decode},
        )
        api = OpenAPI.from_dict(_for_openapi_core(document), config=config)
        self._requests = api.request_validator
        self._responses = api.response_validator

    def schema_errors(self, pointer: str, instance: Any) -> list[str]:
        """Return what is wrong with `instance` by the schema at `pointer` ("#/components/schemas/shared.Problem")."""
        validator = _EventValidator(
            {"$ref": f"{_ROOT}{pointer}"}, registry=self._registry, format_checker=FormatChecker()
        )
        return [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(instance)]

    def check(self, asked: Asked, answered: Answered, operation_id: str | None = None) -> None:
        """Judge one exchange.

        Raises:
            ContractBroken: undeclared status or media type, a header or body that breaks its schema, a body where none
                is declared, or a request that breaks the contract and was accepted.
        """
        operation = self.operations[operation_id] if operation_id else None
        request, response = _request(asked), _response(answered)
        errors = list(self._responses.iter_errors(request, response))
        if any(isinstance(error, PathError) for error in errors):
            faults = self._outside_faults(asked, answered)
        else:
            is_stream = answered.media_type == EVENT_STREAM
            errors = [e for e in errors if not (is_stream and isinstance(e, DataValidationError))]
            faults = [_worded(error) for error in errors]
            faults += self._request_faults(request, answered)
        if operation is not None:
            faults += self._declared_faults(operation, answered)
        if faults:
            lines = "\n  ".join(faults)
            raise ContractBroken(
                f"{asked.method} {asked.target} → {answered.status} {answered.media_type}\n  {lines}\n"
                f"  body: {answered.body[:600]!r}"
            )

    def check_event(self, operation_id: str, status: int, event: SentEvent) -> None:
        """Judge one event of a stream, its data by contentSchema included.

        Raises:
            ContractBroken: the event is not one of those declared.
        """
        operation = self.operations[operation_id]
        path = operation.path.replace("~", "~0").replace("/", "~1")
        pointer = (
            f"#/paths/{path}/{operation.method}/responses/{status}/content/{EVENT_STREAM.replace('/', '~1')}/schema"
        )
        faults = self.schema_errors(pointer, event.fields())
        if faults:
            raise ContractBroken(f"{operation_id} sent {event}\n  " + "\n  ".join(faults))

    def judge_request(self, asked: Asked) -> list[str]:
        """Return what is wrong with a request by openapi-core, credentials aside."""
        return self._request_errors(_request(asked))

    def _request_errors(self, request: _Request) -> list[str]:
        return [_worded(error) for error in self._requests.iter_errors(request)]

    def _request_faults(self, request: _Request, answered: Answered) -> list[str]:
        if answered.status >= 300:
            return []
        return [f"accepted, although the request is wrong: {fault}" for fault in self._request_errors(request)]

    def _declared_faults(self, operation: Operation, answered: Answered) -> list[str]:
        """Find what openapi-core lets pass: a body where the contract declares none, an undeclared stream."""
        declared = self.resolve(operation.spec["responses"].get(str(answered.status), {}))
        content = declared.get("content", {})
        if not content and answered.body:
            return [f"a body of {len(answered.body)} bytes where the contract declares none"]
        if content and answered.media_type not in content:
            return [f"media type {answered.media_type!r} is not one of {sorted(content)}"]
        return []

    def _outside_faults(self, asked: Asked, answered: Answered) -> list[str]:
        """Judge the answer to a path or method that the contract lacks: an error in the style of its prefix."""
        if answered.status < 400:
            return [f"{asked.method} {asked.target} is not in the contract, yet was answered"]
        prefixes: dict[str, str] = self.document["x-error-prefixes"]
        path = urlsplit(asked.target).path
        prefix = max((prefix for prefix in prefixes if path.startswith(prefix)), key=len, default="/")
        style = self.document["x-error-styles"][prefixes[prefix]]
        faults = []
        if answered.media_type != style["content_type"]:
            faults.append(f"media type {answered.media_type!r} instead of {style['content_type']!r}")
        if answered.status == 405 and "Allow" not in answered.headers:
            faults.append("405 without Allow")
        if "X-Request-Id" not in answered.headers:
            faults.append("no X-Request-Id")
        return faults + self._body_faults(f"#/components/schemas/{ERROR_SCHEMAS[style['format']]}", answered)

    def _body_faults(self, pointer: str, answered: Answered) -> list[str]:
        try:
            body = json.loads(answered.body)
        except ValueError:
            return [f"the body is not JSON: {answered.body[:200]!r}"]
        return self.schema_errors(pointer, body)

    def resolve(self, node: Document) -> Document:
        """Follow a local $ref."""
        while isinstance(reference := node.get("$ref"), str):
            node = self.document
            for part in reference.removeprefix("#/").split("/"):
                node = node[part.replace("~1", "/").replace("~0", "~")]
        return node


def parse_events(lines: Iterator[str]) -> Iterator[SentEvent | str]:
    """Yield every event of a stream, every block that only says a position, and every comment (as its text), by the WHATWG grammar."""
    event = SentEvent()
    for line in lines:
        if line.startswith(":"):
            yield line[1:].strip()
        elif line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "data" and event.data is not None:
                value = f"{event.data}\n{value}"
            if name in {"event", "id", "data", "retry"}:
                setattr(event, name, value)
        else:
            if event.data is not None or event.id is not None:
                yield event
            event = SentEvent()


def _operations(document: Document) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield Operation(item[method]["operationId"], method, path, item[method], item)


def _for_openapi_core(document: Document) -> Document:
    """Drop what openapi-core cannot judge.

    The type of parameters and headers that allow several (it raises TypeError on them); security (it stops at the
    first credential that it does not find, so a wrong body would pass).
    """
    document = copy.deepcopy(document)
    components = document.get("components", {})
    nodes = [*components.get("parameters", {}).values(), *components.get("headers", {}).values()]
    for item in document["paths"].values():
        nodes += item.get("parameters", [])
        for operation in (item[method] for method in METHODS if method in item):
            nodes += operation.get("parameters", [])
            operation["security"] = []
            for response in operation["responses"].values():
                nodes += response.get("headers", {}).values()
    for response in components.get("responses", {}).values():
        nodes += response.get("headers", {}).values()
    for node in nodes:
        if isinstance(node.get("schema", {}).get("type"), list):
            del node["schema"]["type"]
    return document


def _request(asked: Asked) -> _Request:
    url = urlsplit(asked.target)
    content_type = asked.headers.get("Content-Type", "")
    cookies = [pair.strip().partition("=")[::2] for pair in asked.headers.get("Cookie", "").split(";") if pair.strip()]
    parameters = RequestParameters(
        query=ImmutableMultiDict(parse_qsl(url.query, keep_blank_values=True)),
        header=asked.headers,
        cookie=ImmutableMultiDict(cookies),
    )
    body = asked.body or None
    return _Request("http://localhost", url.path, asked.method.lower(), content_type.lower(), body, parameters)


def _response(answered: Answered) -> _Response:
    return _Response(answered.status, answered.headers, answered.headers.get("Content-Type", ""), answered.body or None)


def _worded(error: BaseException) -> str:
    causes = getattr(error.__cause__, "schema_errors", None)
    if causes:
        return f"{error}: " + "; ".join(f"{cause.json_path}: {cause.message[:300]}" for cause in causes)
    return f"{error or type(error).__name__}" + (f" ({error.__cause__})" if error.__cause__ else "")
