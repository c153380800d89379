"""Writes the typed signature of every handler, one module of Protocols an area, and the file that binds handlers to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from codegen.emit.types import HEADER
from codegen.ir import EVENT_STREAM
from codegen.names import camel
from core.kernel.operation import Operation, Response


def signatures(operations: Iterable[Operation]) -> dict[str, str]:
    """Return area → source of its module of Protocols."""
    ordered = sorted(operations, key=lambda operation: (operation.area, operation.id))
    return {area: _module(list(group)) for area, group in groupby(ordered, key=lambda operation: operation.area)}


def _module(operations: Sequence[Operation]) -> str:
    protocols = [_protocol(operation) for operation in operations]
    text = "\n".join(protocols)
    imported = sorted({name for operation in operations for name in modules(operation)})
    aliases = [import_line(name) for name in imported]
    calls = [
        name
        for name in ("Call", "EventStream", "Reply")
        if f"{name}[" in text or f"| {name}" in text or f"-> {name}" in text
    ]
    typing = ["Any"] if "Any" in text else []
    typing += ["Literal"] if "Literal[" in text else []
    return "\n".join(
        [
            HEADER,
            "",
            "from __future__ import annotations",
            "",
            f"from typing import {', '.join([*typing, 'Protocol'])}",
            "",
            f"from core.kernel.call import {', '.join(calls)}",
            *aliases,
            "",
            text,
        ]
    )


def _protocol(operation: Operation) -> str:
    call = f"Call[{_name(operation.parameters_type)}, {_body(operation)}]"
    return "\n".join(
        [
            "",
            f"class {camel(operation.id)}(Protocol):",
            f'    """{operation.method} {operation.path} ({operation.origin})."""',
            "",
            f"    def __call__(self, call: {call}, /) -> {' | '.join(returns(operation))}: ...",
            "",
        ]
    )


def call_type(operation: Operation) -> tuple[str, str]:
    """Return the two type arguments of the operation's Call as source."""
    return _name(operation.parameters_type), _body(operation)


def returns(operation: Operation) -> list[str]:
    """Return the types a handler may answer with; 304 is the server's own."""
    answers = [response for response in operation.success if response.status != 304]
    result: list[str] = []
    for response in answers:
        for kind in _answers(response):
            if kind == "EventStream":
                result.append(kind)
                continue
            if len(answers) == 1:
                result.append(kind)
            result.append(f"Reply[{kind}, Literal[{response.status}]]")
    return list(dict.fromkeys([*result, *_refusals(operation)])) or ["None"]


def _refusals(operation: Operation) -> Iterable[str]:
    """Return the error answers whose body is the area's own: a handler answers them, where it raises shared problems."""
    own = f"#/components/schemas/{operation.area}."
    for response in operation.responses:
        for media in response.media:
            if response.status >= 400 and (media.schema or "").startswith(own):
                yield f"Reply[{operation.area}.{(media.schema or '').removeprefix(own)}, Literal[{response.status}]]"


def _answers(response: Response) -> list[str]:
    kinds = []
    for media in response.media:
        if media.content_type == EVENT_STREAM:
            kinds.append("EventStream")
        elif media.type is not None:
            kinds.append(_name(media.type))
        elif media.schema is not None and "json" in media.content_type:
            kinds.append("Any")
        else:
            kinds.append("None")
    return kinds or ["None"]


def _body(operation: Operation) -> str:
    if operation.body is None:
        return "None"
    kinds = [_name(media.type) if media.type else "Any" for media in operation.body.media]
    if not operation.body.required:
        kinds.append("None")
    return " | ".join(dict.fromkeys(kinds))


def _name(qualified: str | None) -> str:
    if qualified is None:
        return "None"
    module, _, name = qualified.partition(":")
    return f"{_alias(module)}.{name}"


def _alias(module: str) -> str:
    """Return the local name of a generated module: its own, with `_parameters` where it holds parameters."""
    package, _, own = module.rpartition(".")
    return f"{own}_parameters" if package.endswith(".parameters") else own


def import_line(module: str) -> str:
    """Return the line that imports a generated module under its local name."""
    package, _, own = module.rpartition(".")
    return f"from {package} import {own}" + ("" if _alias(module) == own else f" as {_alias(module)}")


def modules(operation: Operation) -> Iterable[str]:
    """Return the generated modules that the operation's signature names."""
    qualified = [operation.parameters_type]
    qualified += [media.type for media in operation.body.media] if operation.body else []
    qualified += [media.type for response in operation.success if response.status != 304 for media in response.media]
    return {name.partition(":")[0] for name in qualified if name is not None}


def bindings(operations: Iterable[Operation], package: str, handlers: str) -> str:
    """Return the source that assigns every handler to its Protocol, for the type checker; nothing imports it.

    package: where the generated types are (`models.contract`). handlers: the handlers' package.
    """
    ordered = sorted(operations, key=lambda operation: (operation.area, operation.resource, operation.id))
    modules = sorted({(operation.area, operation.resource) for operation in ordered})
    lines = [
        HEADER,
        '"""Every handler against its signature; a line names where the contract states the operation."""',
        "",
    ]
    lines += [f"from {handlers}.{area} import {resource} as {area}_{resource}" for area, resource in modules]
    lines += [
        f"from {package}.signatures import {area} as {area}_signatures" for area in sorted({a for a, _ in modules})
    ]
    lines.append("")
    for operation in ordered:
        protocol = f"{operation.area}_signatures.{camel(operation.id)}"
        handler = f"{operation.area}_{operation.resource}.{operation.id}"
        lines.append(f"{operation.id}: {protocol} = {handler}  # {operation.origin}")
    return "\n".join([*lines, ""])
