"""What a client offers, in no language: resources, their methods, and where each argument goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from codegen import ir
from codegen.bundle import Bundle
from codegen.ir import EVENT_STREAM
from codegen.locate import escape, unescape
from codegen.names import camel, snake
from codegen.table import BY_POLICY

_BODY_ORDER = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded")
_REDIRECTS = frozenset({"301", "302", "303", "307", "308"})
PACKAGE = "accord-client"
"""What a client is called where nobody says otherwise; in Python it is imported with _ for -."""

_MEMBERS = frozenset(
    ("call", "client", "close", "connection", "constructor", "cookies", "core", "engine", "is_async", "with_options")
)
"""What a client itself is made of, in any language: a resource of such a name gets another."""
_BUILTINS = frozenset(("bool", "bytes", "dict", "float", "int", "str", "tuple"))
"""What types are called in Python: a method of such a name would hide it from the methods behind it."""
_CLASSES = frozenset((
    "Answer", "Any", "Async", "AsyncClient", "Blob", "Body", "Call", "Callable", "Client", "Connection",
    "CookieJar", "Date", "Event", "Events", "EventStream", "File", "FileInput", "Generic", "Idempotent", "IfMatch",
    "IfNoneMatch", "List", "Literal", "M", "Mapping", "Moment", "NonNullable", "Operation", "Options", "Page",
    "PagedCall", "Pager", "Pages", "Paging", "Parameter", "Promise", "Record", "Renewal", "RequestOptions",
    "Resource", "Response", "Retry", "Scheme", "Schemes", "Sequence", "ServerEvent", "Stream", "StreamCall",
    "Struct", "Sync", "Token", "TypeAlias", "TypedDict", "UnsetType", "Upload", "Violation",
))  # fmt: skip
"""Classes and types of the run times, and what generated modules import."""

Kind = Literal["value", "paged", "stream"]


@dataclass(frozen=True)
class Argument:
    """One argument. wire: its name in the contract; location `body`: a body's member.

    schema: pointer of what it may be, of the media type where it has no schema (bytes).
    """

    name: str
    wire: str
    location: str
    schema: str
    is_required: bool
    description: str
    node: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Body:
    """A request's body. is_whole: it is one argument `body`, not one for each member.

    separators: field of a form that is a list → what stands between its items, where they are one text.
    """

    content_type: str
    pointer: str | None
    is_whole: bool
    is_required: bool
    constants: Mapping[str, Any]
    separators: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """One way to call an operation. kind stream: it is answered by events."""

    name: str
    operation: ir.Operation
    kind: Kind
    arguments: tuple[Argument, ...]
    body: Body | None
    is_idempotent: bool

    @property
    def class_name(self) -> str:
        """Return the name that types of this operation's own begin with."""
        return camel(self.operation.id)


@dataclass(frozen=True)
class Resource:
    """What `client.<name>` is."""

    name: str
    area: str
    methods: tuple[Method, ...]

    @property
    def class_name(self) -> str:
        """Return the name of its class."""
        return class_name(self.name)


def class_name(resource: str) -> str:
    """Return the class of a resource; one that the run times' names would hide is named for what it is."""
    name = camel(resource)
    return f"{name}Resource" if name in _CLASSES else name


def resources(contract: ir.Contract) -> tuple[Resource, ...]:
    """Return every resource of a contract, by name."""
    grouped: dict[str, list[ir.Operation]] = {}
    for operation in contract.operations:
        name = snake(operation.resource)
        grouped.setdefault(f"{name}_api" if name in _MEMBERS else name, []).append(operation)
    return tuple(_resource(contract.bundle, name, grouped[name]) for name in sorted(grouped))


def _resource(bundle: Bundle, name: str, operations: list[ir.Operation]) -> Resource:
    taken: set[str] = set()
    methods = []
    for operation in operations:
        for method in _methods(bundle, operation, taken):
            taken.add(method.name)
            methods.append(method)
    return Resource(name, snake(operations[0].area), tuple(methods))


def _methods(bundle: Bundle, operation: ir.Operation, taken: set[str]) -> Iterator[Method]:
    """Yield one method, or two where a member `stream` of the body decides between a value and events."""
    types = {media.content_type for response in successes(operation) for media in response.media}
    can_stream = EVENT_STREAM in types
    is_twofold = can_stream and len(types) > 1
    name = _name(operation, taken, ("", "_stream") if is_twofold else ("",))
    if is_twofold:
        yield _method(bundle, operation, name, "value", {"stream": False})
        yield _method(bundle, operation, f"{name}_stream", "stream", {"stream": True})
    elif can_stream:
        yield _method(bundle, operation, name, "stream", {})
    else:
        yield _method(bundle, operation, name, "paged" if "x-paging" in operation.node else "value", {})


def _name(operation: ir.Operation, taken: set[str], endings: tuple[str, ...]) -> str:
    """Return a name that is free with each of the endings."""
    own = snake(operation.id)
    for prefix in (snake(operation.resource), snake(operation.id.partition("_")[0])):
        if own.startswith(f"{prefix}_"):
            own = own.removeprefix(f"{prefix}_")
            break
    name, number = f"{own}_" if own in _BUILTINS else snake(own), 2
    while name == "raw" or any(f"{name}{ending}" in taken for ending in endings):
        name, number = f"{own}_{number}", number + 1
    return name


def _method(bundle: Bundle, operation: ir.Operation, name: str, kind: Kind, fixed: dict[str, Any]) -> Method:
    names = {"self", "options"}
    arguments = [
        _argument(names, parameter.name, parameter.location, parameter.schema, parameter.node)
        for parameter in operation.parameters
        if parameter.location != "header" or parameter.name.lower() not in {*BY_POLICY, "x-request-id"}
    ]
    body, members = _body(bundle, operation, names, fixed)
    is_idempotent = bool(operation.node.get("x-idempotent"))
    return Method(name, operation, kind, (*arguments, *members), body, is_idempotent)


def _argument(names: set[str], wire: str, location: str, schema: str, node: Mapping[str, Any]) -> Argument:
    name = snake(wire)
    if name in names:
        name = f"{location}_{name}"
    while name in names:
        name += "_"
    names.add(name)
    is_required = bool(node.get("required")) or location == "path"
    return Argument(name, wire, location, schema, is_required, str(node.get("description", "")), node)


def _body(
    bundle: Bundle, operation: ir.Operation, names: set[str], fixed: dict[str, Any]
) -> tuple[Body | None, list[Argument]]:
    if operation.body is None or not operation.body.media:
        return None, []
    media = min(operation.body.media, key=lambda media: _rank(media.content_type))
    is_required = bool(operation.body.node.get("required"))
    properties = members(bundle, media.schema) if media.schema is not None and _rank(media.content_type) < 9 else {}
    if not properties:
        whole = [_argument(names, "body", "body", media.schema or media.pointer, {"required": is_required})]
        return Body(media.content_type, media.schema, True, is_required, {}), whole
    needed = required(bundle, media.schema or "", is_sent=True)
    constants = {name: value for name, value in fixed.items() if name in properties}
    arguments = []
    for name, pointer in properties.items():
        if name not in constants:
            told = {"required": name in needed and is_required, "description": described(bundle, pointer)}
            arguments.append(_argument(names, name, "body", pointer, told))
    separators = _separators(media.node.get("encoding", {}))
    return Body(media.content_type, media.schema, False, is_required, constants, separators), arguments


def _separators(encoding: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    known = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}
    styles = {name: row.get("style", "form") for name, row in encoding.items() if "contentType" not in row}
    return {
        name: known[style]
        for name, style in styles.items()
        if style in known and not encoding[name].get("explode", style == "form")
    }


def _rank(content_type: str) -> int:
    if content_type in _BODY_ORDER:
        return _BODY_ORDER.index(content_type)
    return 5 if content_type.endswith("+json") else 9


@dataclass(frozen=True)
class Credential:
    """What a security scheme asks for. kind: bearer, basic, header, query or cookie; from_cookie: the cookie whose value the header repeats."""

    scheme: str
    kind: str
    parameter: str
    from_cookie: str | None

    @property
    def variable(self) -> str:
        """Return the environment variable that holds it: TOKEN, API_KEY, SESSION_ID."""
        if self.kind == "bearer":
            return "TOKEN"
        name = self.from_cookie or (self.parameter if self.kind == "cookie" else self.scheme)
        return re.sub(r"\W", "_", snake(name)).upper()

    @property
    def cookie(self) -> str | None:
        """Return the cookie that it is kept in; None for what a program is given as a text."""
        return self.from_cookie or (self.parameter if self.kind == "cookie" else None)


def credential(contract: ir.Contract, scheme: str) -> Credential:
    """Return what a security scheme asks for; for a scheme of HTTP that no client writes, the whole value of its header."""
    node = contract.schemes[scheme]
    if node.get("type") == "apiKey":
        return Credential(scheme, str(node["in"]), str(node["name"]), node.get("x-from-cookie"))
    word = str(node.get("scheme", "bearer")).lower()
    return Credential(scheme, word if word in {"basic", "bearer"} else "header", "Authorization", None)


@dataclass(frozen=True)
class Renewal:
    """How a bearer token is exchanged for its successor. token, expires_in: members of the operation's answer."""

    scheme: str
    operation: ir.Operation
    token: str
    expires_in: str


def renewal(contract: ir.Contract) -> Renewal | None:
    """Return the renewal that a security scheme declares; None where none does."""
    for name, node in contract.schemes.items():
        declared = node.get("x-renewal", {})
        operation = next((o for o in contract.operations if o.id == declared.get("operation")), None)
        if operation is not None:
            return Renewal(name, operation, declared["token"], declared["expires_in"])
    return None


def successes(operation: ir.Operation) -> list[ir.Response]:
    """Return the answers that are no errors: 2xx, and redirects that the contract declares."""
    return [r for r in operation.responses if r.status.startswith("2") or r.status in _REDIRECTS]


def sse(operation: ir.Operation) -> Mapping[str, Any]:
    """Return what `x-sse` says of an operation's events; empty where it says nothing."""
    streams = (media for response in successes(operation) for media in response.media)
    return next((media.sse for media in streams if media.content_type == EVENT_STREAM), {})


def members(bundle: Bundle, pointer: str) -> dict[str, str]:
    """Return member → pointer of its schema for an object with named members, through references and allOf; else nothing."""
    pointer, node = bundle.follow(pointer)
    if not isinstance(node, dict) or {"oneOf", "anyOf"} & set(node):
        return {}
    found: dict[str, str] = {}
    for index in range(len(node.get("allOf", []))):
        found |= members(bundle, f"{pointer}/allOf/{index}")
    return found | {name: f"{pointer}/properties/{escape(name)}" for name in node.get("properties", {})}


def required(bundle: Bundle, pointer: str, *, is_sent: bool | None = None) -> set[str]:
    """Return the members that must be there, through references and allOf.

    is_sent: in a request, where what is readOnly need not be; False: in an answer, where what is writeOnly need not be.
    """
    pointer, node = bundle.follow(pointer)
    if not isinstance(node, dict):
        return set()
    parts = [required(bundle, f"{pointer}/allOf/{index}") for index in range(len(node.get("allOf", [])))]
    needed = set(node.get("required", [])).union(*parts)
    if is_sent is None or not needed:
        return needed
    mark = "readOnly" if is_sent else "writeOnly"
    return {name for name in needed if not _is_marked(bundle, members(bundle, pointer).get(name), mark)}


def _is_marked(bundle: Bundle, pointer: str | None, mark: str) -> bool:
    nodes = (bundle.get(pointer), bundle.follow(pointer)[1]) if pointer is not None else ()
    return any(isinstance(node, dict) and node.get(mark) is True for node in nodes)


def described(bundle: Bundle, pointer: str) -> str:
    """Return a schema's own description, or that of what it refers to."""
    for node in (bundle.get(pointer), bundle.follow(pointer)[1]):
        if isinstance(node, dict) and isinstance(node.get("description"), str):
            return str(node["description"])
    return ""


def member_at(bundle: Bundle, pointer: str, path: str) -> str | None:
    """Return the schema of the member that a JSON pointer into a value names; None when there is none."""
    for token in path.split("/")[1:]:
        found = members(bundle, pointer).get(unescape(token))
        if found is None:
            return None
        pointer = found
    return bundle.follow(pointer)[0]
