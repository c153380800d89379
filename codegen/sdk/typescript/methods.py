"""What each operation becomes in TypeScript: a method with typed arguments, and the plain data that its call needs."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Any

from codegen import ir
from codegen.bundle import Bundle
from codegen.ir import EVENT_STREAM
from codegen.locate import unescape
from codegen.names import camel, snake, words
from codegen.resolved import Resolved
from codegen.sdk import servers, surface
from codegen.sdk.surface import Kind, successes
from codegen.table import BY_POLICY, is_typed

_POLICY_OPTIONS = {"idempotency-key": "Idempotent", "if-match": "IfMatch", "if-none-match": "IfNoneMatch"}
_RESERVED = frozenset((
    "arguments", "await", "body", "break", "case", "catch", "class", "const", "continue", "debugger", "default",
    "delete", "do", "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "if",
    "implements", "import", "in", "instanceof", "interface", "let", "new", "null", "options", "package", "params",
    "private", "protected", "public", "return", "static", "super", "switch", "this", "throw", "true", "try",
    "typeof", "undefined", "var", "void", "while", "with", "yield",
))  # fmt: skip
"""What no argument can be called in a class, and the other arguments of a method."""


@dataclass(frozen=True)
class Argument:
    """A positional argument for a path parameter."""

    name: str
    wire: str
    type: str
    description: str


@dataclass(frozen=True)
class Method:
    """A way to call an operation.

    aliases: exported type names → TypeScript. params, body: the alias of that argument, None without one.
    result: the type of a value, of an item (paged) or of an event. options: interfaces of the options it takes.
    data: the Operation of the run time as plain data. served: what is to be said of a server of its own.
    constants: members of the body that this way of calling fixes.
    """

    name: str
    kind: Kind
    operation: ir.Operation
    path: tuple[Argument, ...]
    params: str | None
    params_required: bool
    body: str | None
    body_required: bool
    result: str
    page: str | None
    options: tuple[str, ...]
    data: dict[str, Any]
    served: list[str]
    constants: dict[str, Any] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def lower_camel(text: str) -> str:
    """Return an identifier: `Last-Event-ID` is lastEventId."""
    first, *rest = [word.lower() for word in words(text)] or ["value"]
    name = first + "".join(word.capitalize() for word in rest)
    return f"n{name}" if name[0].isdigit() else name


def header_argument(name: str, others: Container[str] = ()) -> str:
    """Return the argument of a header or cookie: `X-Setup-Token` is setupToken. others: names of the query's parameters."""
    own = lower_camel(name.removeprefix("X-"))
    return own if own not in others else lower_camel(name) if lower_camel(name) not in others else f"{own}Header"


def positional(method: surface.Method, given: Mapping[str, Any]) -> list[Any]:
    """Return what a method is called with, argument → value given: path parameters, body, params; None for one left out."""
    held = [(argument, given[argument.name]) for argument in method.arguments if argument.name in given]
    found = [value for argument, value in held if argument.location == "path"]
    members = {argument.wire: value for argument, value in held if argument.location == "body"}
    queried = {argument.wire for argument in method.arguments if argument.location == "query"}
    params = {
        argument.wire if argument.location == "query" else header_argument(argument.wire, queried): value
        for argument, value in held
        if argument.location in {"query", "header", "cookie"}
    }
    if method.body is not None:
        is_given = bool(members) or (method.body.is_required and not method.body.is_whole)
        whole = next(iter(members.values()), None) if method.body.is_whole else members
        found += [whole if is_given else None] if is_given or params else []
    return [*found, params] if params else found


def methods(bundle: Bundle, resource: surface.Resource) -> tuple[Method, ...]:
    """Return the methods of a resource."""
    return tuple(_Builder(bundle, method).method() for method in resource.methods)


def _success_types(operation: ir.Operation) -> list[str]:
    return list(dict.fromkeys(m.content_type for response in successes(operation) for m in response.media))


def _key(pointer: str) -> str:
    """Return the last token of a pointer as TypeScript text."""
    return _quoted(unescape(pointer.rpartition("/")[2]))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def component(pointer: str) -> str | None:
    """Return the generated type of a component's schema; None for a schema that is written in place."""
    parts = pointer.lstrip("#").split("/")
    if parts[1:3] == ["components", "schemas"] and len(parts) == 4:
        return f'components["schemas"][{_quoted(unescape(parts[3]))}]'
    return None


class _Builder:
    def __init__(self, bundle: Bundle, method: surface.Method) -> None:
        self._bundle = bundle
        self._method = method
        self._operation = operation = method.operation
        self._root = f"operations[{_quoted(operation.id)}]"

    def method(self) -> Method:
        """Describe this way to call the operation."""
        name, kind = lower_camel(self._method.name), self._method.kind
        constants = dict(self._method.body.constants) if self._method.body is not None else {}
        own = camel(snake(name))
        aliases: dict[str, str] = {}
        path = tuple(self._path_argument(p) for p in self._operation.parameters if p.location == "path")
        params = self._params()
        if params:
            aliases[f"{own}Params"] = params
        body = self._body_media()
        if body is not None:
            aliases[f"{own}Body"] = self._body_type(body, constants)
        result, page = self._result(own, kind, aliases)
        others = [p for p in self._operation.parameters if self._is_param(p)]
        return Method(
            name=name,
            kind=kind,
            operation=self._operation,
            path=path,
            params=f"{own}Params" if params else None,
            params_required=any(p.node.get("required") for p in others),
            body=f"{own}Body" if body is not None else None,
            body_required=self._operation.body is not None and bool(self._operation.body.node.get("required")),
            result=result,
            page=page,
            options=self._options(),
            data=self._data(kind, body),
            served=servers.told(self._bundle.document, self._operation, "baseUrl"),
            constants=constants if body is not None else {},
            aliases=aliases,
        )

    def _path_argument(self, parameter: ir.Parameter) -> Argument:
        schema = Resolved(self._bundle, parameter.schema)
        kinds = schema.kinds()
        type_ = "string"
        if kinds <= {"integer", "number"}:
            type_ = "number"
        elif kinds <= {"array", "object"} or (isinstance(schema.node, dict) and "enum" in schema.node):
            type_ = f'{self._root}["parameters"]["path"][{_quoted(parameter.name)}]'
        name = lower_camel(parameter.name)
        return Argument(
            f"{name}Value" if name in _RESERVED else name, parameter.name, type_, parameter.node.get("description", "")
        )

    def _is_param(self, parameter: ir.Parameter) -> bool:
        if parameter.location == "header":
            return parameter.name.lower() not in {*BY_POLICY, "x-request-id"}
        return parameter.location != "path"

    def _placed(self, location: str) -> list[ir.Parameter]:
        return [p for p in self._operation.parameters if p.location == location and self._is_param(p)]

    def _argument(self, parameter: ir.Parameter) -> str:
        return header_argument(parameter.name, {p.name for p in self._placed("query")})

    def _key(self, parameter: ir.Parameter) -> str:
        """Return what the run time calls a parameter."""
        if parameter.location == "path":
            return f"{{{parameter.name}}}"
        return parameter.name if parameter.location == "query" else self._argument(parameter)

    def _params(self) -> str:
        """Return the type of query, header and cookie parameters; those of the query keep their names."""
        parts = [f'NonNullable<{self._root}["parameters"]["query"]>'] if self._placed("query") else []
        for location in ("header", "cookie"):
            found = self._placed(location)
            members = [
                f"{self._argument(p)}{'' if p.node.get('required') else '?'}: "
                f'NonNullable<{self._root}["parameters"]["{location}"]>[{_quoted(p.name)}]'
                for p in found
            ]
            if members:
                parts.append(f"{{ {'; '.join(members)} }}")
        return " & ".join(parts)

    def _options(self) -> tuple[str, ...]:
        names = {p.name.lower() for p in self._operation.parameters if p.location == "header"}
        found = {option for name, option in _POLICY_OPTIONS.items() if name in names}
        if self._operation.node.get("x-idempotent"):
            found.add("Idempotent")
        return ("RequestOptions", *sorted(found))

    def _body_media(self) -> ir.Media | None:
        told = self._method.body
        media = self._operation.body.media if self._operation.body is not None else ()
        return next((m for m in media if told is not None and m.content_type == told.content_type), None)

    def _body_type(self, media: ir.Media, constants: dict[str, Any]) -> str:
        if media.schema is None or not is_typed(media.content_type):
            return "string | Upload" if _is_text(media.content_type) else "Upload"
        at = f'NonNullable<{self._root}["requestBody"]>["content"][{_key(media.pointer)}]'
        type_ = component(media.schema) or at
        needed = surface.required(self._bundle, media.schema)
        given = sorted(needed - surface.required(self._bundle, media.schema, is_sent=True))
        if given:
            names = " | ".join(map(_quoted, given))
            type_ = f"Omit<{type_}, {names}> & Partial<Pick<{type_}, {names}>>"
        fixed = [f"{name}?: {'true' if value else 'false | null'}" for name, value in constants.items()]
        return f"{type_} & {{ {'; '.join(fixed)} }}" if fixed else type_

    def _result(self, own: str, kind: Kind, aliases: dict[str, str]) -> tuple[str, str | None]:
        if kind == "stream":
            aliases[f"{own}Event"] = self._event_type()
            return f"{own}Event", None
        types = [
            self._answer_type(r, m)
            for r in successes(self._operation)
            for m in r.media
            if m.content_type != EVENT_STREAM
        ]
        if any(not r.media for r in successes(self._operation)) or not types:
            types.append("void")
        result = " | ".join(dict.fromkeys(types))
        if result not in {"void", "string", "Blob"}:
            aliases[f"{own}Result"] = result
            result = f"{own}Result"
        if kind != "paged":
            return result, None
        aliases[f"{own}Item"] = self._item_type(result)
        return f"{own}Item", result

    def _answer_type(self, response: ir.Response, media: ir.Media) -> str:
        if not media.content_type.endswith(("/json", "+json")):
            return "string" if _is_text(media.content_type) else "Blob"
        if media.schema is None:
            return "unknown"
        status = response.status if response.status.isdigit() else _quoted(response.status)
        at = f'{self._root}["responses"][{status}]["content"][{_key(media.pointer)}]'
        return component(media.schema) or at

    def _item_type(self, page: str) -> str:
        type_ = page
        for token in self._operation.node["x-paging"]["items"].split("/")[1:]:
            type_ = f"NonNullable<{type_}[{_quoted(unescape(token))}]>"
        return f"{type_}[number]"

    def _event_type(self) -> str:
        events = surface.sse(self._operation).get("events", {})
        types = {name: component(schema.get("$ref", "")) or "unknown" for name, schema in events.items()}
        if set(types) <= {"message"}:
            return types.get("message", "unknown")
        return "".join(f"\n  | ServerEvent<{_quoted(name)}, {type_}>" for name, type_ in types.items())

    def _data(self, kind: Kind, body: ir.Media | None) -> dict[str, Any]:
        operation = self._operation
        types = _success_types(operation)
        accept = [EVENT_STREAM] if kind == "stream" else [name for name in types if name != EVENT_STREAM]
        data: dict[str, Any] = {"id": operation.id, "method": operation.method, "path": operation.path}
        security = [list(map(lower_camel, row)) for row in operation.security]
        optional = {
            "security": [row for row in security if row],
            "idempotent": bool(operation.node.get("x-idempotent")),
            "body": body.content_type if body is not None else None,
            "separators": dict(self._method.body.separators) if self._method.body is not None else None,
            "accept": accept,
            "redirects": [int(r.status) for r in successes(operation) if r.status.startswith("3")],
            "styles": {self._key(p): style for p in operation.parameters if (style := _style(p))},
            "headers": {self._argument(p): p.name for p in self._placed("header")},
            "cookies": {self._argument(p): p.name for p in self._placed("cookie")},
            "paging": self._paging() if kind == "paged" else None,
            "events": self._events() if kind == "stream" else None,
            "deprecated": _deprecation(operation.node),
            "server": servers.own(self._bundle.document, operation),
        }
        return data | {name: value for name, value in optional.items() if value}

    def _paging(self) -> dict[str, Any]:
        declared = self._operation.node["x-paging"]
        limit = declared.get("limit", "limit")
        schemas = [Resolved(self._bundle, p.schema) for p in self._placed("query") if p.name == limit]
        default = schemas[0].default() if schemas else None
        paging = {**declared, "limit": limit}
        return paging if default is None else {**paging, "defaultLimit": default}

    def _events(self) -> dict[str, Any]:
        declared = surface.sse(self._operation)
        names = list(declared.get("events", {}))
        events: dict[str, Any] = {"names": names}
        if set(names) <= {"message"}:
            events["plain"] = True
        headers = {p.name.lower(): p.name for p in self._operation.parameters if p.location == "header"}
        if declared.get("resumable"):
            events["cursor"] = headers.get("last-event-id", "Last-Event-ID")
            if "start" in declared:
                events["start"] = declared["start"]
        return events


def _is_text(content_type: str) -> bool:
    return content_type.startswith("text/") or content_type.endswith(("/yaml", "+yaml", "/xml", "+xml"))


def _style(parameter: ir.Parameter) -> dict[str, Any]:
    """Return what differs from the style that a parameter of its location has by default."""
    if parameter.content is not None:
        return {"json": True}
    default = "form" if parameter.location in {"query", "cookie"} else "simple"
    style = parameter.node.get("style", default)
    explode = parameter.node.get("explode", style == "form")
    told: dict[str, Any] = {"style": style} if style != default else {}
    return told | ({"explode": explode} if explode != (style == "form") else {})


def _deprecation(node: dict[str, Any]) -> str | None:
    if not node.get("deprecated"):
        return None
    since = f" since {node['x-deprecated-at']}" if "x-deprecated-at" in node else ""
    until = f", gone after {node['x-sunset']}" if "x-sunset" in node else ""
    return f"deprecated{since}{until}"
