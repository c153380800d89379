"""Writes a module for each resource: its operations as data, and one class whose methods describe calls of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from codegen import ir
from codegen.ir import EVENT_STREAM
from codegen.names import camel, snake
from codegen.sdk import servers, surface
from codegen.sdk.python import types
from codegen.sdk.python.runtime.errors import class_of
from codegen.sdk.python.text import HEADER, docstring, literal, sentence
from codegen.sdk.surface import Argument, Method, Resource


class Resources:
    """Writes the resources of one contract; every type they need is collected in `types`."""

    def __init__(self, contract: ir.Contract) -> None:
        self._bundle = contract.bundle
        self.types = types.Types(contract.bundle)

    def module(self, resource: Resource) -> str:
        """Return the source of a resource's module."""
        parts, methods, aliases = [], [], []
        for method in resource.methods:
            place = f"{resource.area}.{method.class_name}"
            parts.append(self._operation(method, place))
            methods.append(self._method(method, place))
            if method.kind == "stream":
                aliases.append(self._event_alias(method, place))
        body = "\n\n".join(parts)
        text = re.sub(r"(?<![\w.])list\[", "List[", "".join(methods))  # a method `list` hides the type from here on
        described = f'"""{resource.class_name}: {", ".join(method.name for method in resource.methods)}."""'
        alias_text = "\n".join(filter(None, aliases))
        imported = types.imports(body + text + alias_text)
        return (
            f"{HEADER}\n{described}\n\nfrom __future__ import annotations\n\n{_runtime(body + text + alias_text)}\n{imported}\n\n"
            f"{alias_text}\n\n{body}\n\n\nclass {resource.class_name}(Resource[M]):\n"
            f'    """What `client.{resource.name}` offers."""\n\n{text}'
        )

    def _event_alias(self, method: Method, place: str) -> str:
        """Return the alias that names the events of a stream; a stream of plain data needs none."""
        events = self._events(method)
        if set(events) <= {"message"}:
            return ""
        rows = [f"Event[Literal[{literal(name)}], {self.types.received(at, place)}]" for name, at in events.items()]
        return f"{method.class_name}Event: TypeAlias = {' | '.join(rows)}\n"

    def _event_type(self, method: Method, place: str) -> str:
        events = self._events(method)
        if set(events) == {"message"}:
            return self.types.received(events["message"], f"{place}Event")
        return f"{method.class_name}Event" if events else "Any"

    def _events(self, method: Method) -> dict[str, str]:
        declared = surface.sse(method.operation)
        return {name: schema["$ref"].lstrip("#") for name, schema in declared.get("events", {}).items()}

    def _operation(self, method: Method, place: str) -> str:
        operation = method.operation
        rows = [literal(operation.id), literal(operation.method), literal(operation.path)]
        parameters = [_parameter(argument) for argument in method.arguments if argument.location != "body"]
        if parameters:
            rows.append(f"parameters=({', '.join(parameters)},)")
        if method.body is not None:
            rows.append(f"body={self._body(method)}")
        answers = self._answers(method, place)
        rows.append(f"answers=({''.join(f'Answer({s}, {literal(c)}, {t}), ' for s, c, t in answers)})")
        if method.kind == "stream":
            rows.append(f"events={self._stream(method, place)}")
        rows.append(f"security={tuple(map(tuple, operation.security))!r}")
        if method.is_idempotent:
            rows.append("is_idempotent=True")
        if operation.node.get("deprecated"):
            rows.append(f"deprecated={literal(_deprecation(operation))}")
        if server := servers.own(self._bundle.document, operation):
            rows.append(f"server={literal(server)}")
        inner = "".join(f"    {row},\n" for row in rows)
        return f"{_constant(method)} = Operation(\n{inner})"

    def _body(self, method: Method) -> str:
        body = method.body
        assert body is not None
        members = {a.name: a.wire for a in method.arguments if a.location == "body"} if not body.is_whole else {}
        files = sorted(
            a.wire for a in method.arguments if a.location == "body" and "FileInput" in self.types.sent(a.schema, "x.X")
        )
        separators = f", separators={dict(body.separators)!r}" if body.separators else ""
        return (
            f"Body({literal(body.content_type)}, {members!r}, {dict(body.constants)!r}, "
            f"frozenset({files!r}), is_required={body.is_required}{separators})"
        )

    def _answers(self, method: Method, place: str) -> list[tuple[int, str, str]]:
        """Return (status, media type, type) of every success that is no stream."""
        found = []
        for response in surface.successes(method.operation):
            status = int(response.status.replace("X", "0"))
            if not response.media:
                found.append((status, "", "None"))
            for media in response.media:
                if media.content_type == EVENT_STREAM:
                    continue
                found.append((status, media.content_type, self._answer(media, f"{place}Answer")))
        return found

    def _answer(self, media: ir.Media, place: str) -> str:
        if media.content_type.startswith("text/"):
            return "str"
        if "json" not in media.content_type:
            return "bytes"
        return "Any" if media.schema is None else self.types.received(media.schema, place)

    def _stream(self, method: Method, place: str) -> str:
        events = self._events(method).items()
        rows = [f"{literal(name)}: {self.types.received(at, f'{place}Event')}" for name, at in events]
        is_plain = set(self._events(method)) <= {"message"}
        declared = surface.sse(method.operation)
        cursor = "Last-Event-ID" if declared.get("resumable") else None
        start = next((a.name for a in method.arguments if a.wire == declared.get("start")), None)
        return f"Events({{{', '.join(rows)}}}, {is_plain}, {cursor!r}, {start!r})"

    def _method(self, method: Method, place: str) -> str:
        positional = [a for a in method.arguments if a.location == "path"]
        named = [a for a in method.arguments if a.location != "path"]
        named.sort(key=lambda argument: not argument.is_required)
        rows = [f"{a.name}: {self._given(method, a, place)}" for a in positional]
        rows += ["*"]
        for a in named:
            given = self._given(method, a, place)
            rows.append(
                f"{a.name}: {given}"
                if a.is_required
                else f"{a.name}: {given} | UnsetType = UNSET".replace("Any | UnsetType", "Any")
            )
        rows.append("options: Options | None = None")
        decorator, result, extra = self._result(method, place)
        signature = "".join(f"        {row},\n" for row in ["self", *rows])
        arguments = ", ".join(f"{literal(a.name)}: {a.name}" for a in method.arguments)
        described = docstring(self._described(method), 8)
        call = result.partition("[")[0]
        return (
            f"    @{decorator}\n    def {method.name}(\n{signature}    ) -> {result}:\n{described}"
            f"        return {call}({_constant(method)}, {{{arguments}}}, options{extra})\n\n"
        )

    def _given(self, method: Method, argument: Argument, place: str) -> str:
        given = self.types.sent(argument.schema, f"{place}{camel(argument.wire)}")
        body = method.body if argument.location == "body" else None
        is_bytes = body is not None and body.is_whole and "json" not in body.content_type
        return "FileInput | str" if is_bytes and given == "Any" else given

    def _result(self, method: Method, place: str) -> tuple[str, str, str]:
        """Return decorator, return type and what the call needs besides."""
        if method.kind == "stream":
            return "streamed", f"StreamCall[{self._event_type(method, place)}]", ""
        answers = list(dict.fromkeys(kind for _, _, kind in self._answers(method, place))) or ["None"]
        page = "Any" if "Any" in answers else " | ".join(answers)
        if method.kind == "value":
            return "method", f"Call[{page}]", ""
        item, paging = self._paging(method, place)
        return "paged", f"PagedCall[{item}, {page}]", f", {paging}"

    def _paging(self, method: Method, place: str) -> tuple[str, str]:
        declared: Mapping[str, Any] = method.operation.node["x-paging"]
        media = next(m for r in surface.successes(method.operation) for m in r.media if m.schema is not None)
        reply = media.schema or ""
        items = surface.member_at(self._bundle, reply, declared["items"])
        inner = (
            place
            if not declared["items"]
            else f"{self._answer(media, f'{place}Answer').lstrip('_')}{camel(declared['items'])}"
        )
        item = self.types.received(f"{items}/items", f"{inner}{'AnswerItem' if not declared['items'] else 'Item'}")
        by_wire = {argument.wire: argument for argument in method.arguments if argument.location == "query"}
        limit = by_wire.get(declared.get("limit", "limit"))
        size = self._bundle.follow(limit.schema)[1].get("default") if limit else None
        rows = [
            literal(declared["kind"]),
            literal(by_wire[declared["parameter"]].name),
            f"items={tuple(types.attribute_path(self._bundle, reply, declared['items']))!r}",
            f"next={tuple(types.attribute_path(self._bundle, reply, declared.get('next') or ''))!r}",
            f"limit={literal(limit.name if limit else 'limit')}",
            f"page_size={size!r}",
        ]
        return item, f"Paging({', '.join(rows)})"

    def _described(self, method: Method) -> list[str]:
        node = method.operation.node
        lines = [sentence(str(node.get("summary") or method.operation.id)), str(node.get("description", "")).strip()]
        if node.get("deprecated"):
            lines.append(_deprecation(method.operation))
        told = [(a.name, self._words(a)) for a in method.arguments]
        listed = [f"    {name}: {text}" for name, text in told if text]
        if listed:
            lines.append("Args:\n" + "\n".join(listed))
        statuses = [r.status for r in method.operation.responses if r.status.isdigit() and int(r.status) >= 300]
        if statuses:
            raised = dict.fromkeys(class_of(int(status)).__name__ for status in statuses)
            lines.append(f"Raises: {', '.join(raised)}; ConnectionFailed.")
        lines += servers.told(self._bundle.document, method.operation, "base_url")
        lines.append(f"{method.operation.method} {method.operation.path}")
        return lines

    def _words(self, argument: Argument) -> str:
        text = sentence(argument.description) or types.words(self._bundle, argument.schema)
        node = self._bundle.follow(argument.schema)[1]
        unit = node.get("x-unit") if isinstance(node, dict) else None
        if unit and "Unit:" not in text:
            text = f"{text} Unit: {unit}.".strip()
        if isinstance(node, dict) and "default" in node:
            text = f"{text} By default {literal(node['default'])}.".strip()
        return text


def _parameter(argument: Argument) -> str:
    rows = [literal(argument.name), literal(argument.wire), literal(argument.location)]
    default = "form" if argument.location in {"query", "cookie"} else "simple"
    style = argument.node.get("style", default)
    if style != "form":
        rows.append(f"style={literal(style)}")
    if not argument.node.get("explode", style == "form"):
        rows.append("explode=False")
    if "content" in argument.node:
        rows.append("is_json=True")
    return f"Parameter({', '.join(rows)})"


def _deprecation(operation: ir.Operation) -> str:
    ends = operation.node.get("x-sunset")
    return f"{operation.id} is deprecated{f' and ends on {ends}' if ends else ''}."


def _constant(method: Method) -> str:
    return f"_{snake(method.name).upper()}"


_RUNTIME = {
    "calls": ("Call",),
    "events": ("Event",),
    "kinds": ("M", "Resource"),
    "methods": ("method", "paged", "streamed"),
    "options": ("Options",),
    "paging": ("PagedCall", "Paging"),
    "streams": ("StreamCall",),
    "wire": ("Answer", "Body", "Events", "Operation", "Parameter"),
}


def _runtime(text: str) -> str:
    always = {"M", "Resource", "Options", "Operation"}
    lines = []
    for module, names in _RUNTIME.items():
        used = [
            name for name in names if name in always or f"{name}[" in text or f"{name}(" in text or f"@{name}\n" in text
        ]
        if used:
            lines.append(f"from ..runtime.{module} import {', '.join(used)}")
    return "\n".join(lines)
