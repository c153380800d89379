"""Parameters are ones that the server reads: names match the path, styles suit the type, nothing is ambiguous."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from codegen.findings import Finding
from codegen.ir import Contract, Operation, Parameter
from codegen.resolved import Resolved

RULE = "parameters"
STYLES = {
    "path": {"simple"},
    "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
    "header": {"simple"},
    "cookie": {"form"},
}
COOKIE_OF_MANY = "write a plain value; arrays and objects in cookies are read differently by everyone"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_IGNORED = {"accept", "content-type", "authorization"}


def check(contract: Contract) -> Iterator[Finding]:
    """Yield parameters that could not be read as they are declared."""
    for pointer, header in {h.pointer: h for o in contract.operations for r in o.responses for h in r.headers}.items():
        if header.name.lower() == "content-type":
            yield Finding(
                RULE, contract.bundle.locate(pointer), "remove it: OpenAPI ignores it, `content` says the media type"
            )
        if {"array", "object"} & Resolved(contract.bundle, header.schema).kinds():
            yield Finding(
                RULE, contract.bundle.locate(pointer), "write a plain value: headers of answers are not split"
            )
    for operation in contract.operations:
        yield from _template(contract, operation)
        yield from _twice(contract, operation)
        for parameter in operation.parameters:
            for message in _messages(contract, parameter):
                yield Finding(RULE, contract.bundle.locate(parameter.pointer), message)


def _template(contract: Contract, operation: Operation) -> Iterator[Finding]:
    named = re.findall(r"\{([^{}]*)\}", operation.path)
    declared = {parameter.name for parameter in operation.parameters if parameter.location == "path"}
    place = contract.bundle.locate(operation.pointer)
    for name in sorted(set(named) ^ declared):
        fix = "declare" if name in named else "remove, or write into the path,"
        yield Finding(RULE, place, f"{fix} the path parameter {name!r}")
    for name, count in Counter(named).items():
        if count > 1:
            yield Finding(RULE, place, f"name the path parameter {name!r} once")
    if re.search(r"\}[^/]|[^/]\{", operation.path):
        yield Finding(RULE, place, "let a path parameter fill its whole segment")


def _twice(contract: Contract, operation: Operation) -> Iterator[Finding]:
    """Yield parameters of which another one hides the value: of one list, or members of an object that is spread over the query."""
    seen: dict[tuple[str, str], str] = {}
    lists = [(operation.pointer, operation.node), (operation.pointer.rpartition("/")[0], operation.path_node)]
    for base, owner in lists:
        listed: set[tuple[str, str]] = set()
        for index in range(len(owner.get("parameters", []))):
            _, node = contract.bundle.follow(f"{base}/parameters/{index}")
            name = str(node["name"]).lower() if node["in"] == "header" else str(node["name"])
            if (node["in"], name) in listed:
                place = contract.bundle.locate(f"{base}/parameters/{index}")
                yield Finding(RULE, place, f"remove the second {node['in']} parameter {node['name']!r}")
            listed.add((node["in"], name))
    for parameter in operation.parameters:
        for name in _keys(contract, parameter):
            other = seen.setdefault((parameter.location, name), parameter.name)
            if other != parameter.name:
                place = contract.bundle.locate(parameter.pointer)
                yield Finding(RULE, place, f"rename {name!r}: {other!r} and {parameter.name!r} both read it")


def _keys(contract: Contract, parameter: Parameter) -> Iterable[str]:
    schema = Resolved(contract.bundle, parameter.schema)
    is_form = parameter.location == "query" and parameter.node.get("style", "form") == "form" and not parameter.content
    is_spread = is_form and parameter.node.get("explode", True) and "object" in schema.kinds()
    return schema.properties() if is_spread else [parameter.name]


def _messages(contract: Contract, parameter: Parameter) -> Iterator[str]:
    node = parameter.node
    if parameter.location == "header" and parameter.name.lower() in _IGNORED:
        yield f"remove the header parameter {parameter.name}: OpenAPI ignores it (3.1, 4.8.12.1)"
    if parameter.location in {"header", "cookie"} and not _TOKEN.fullmatch(parameter.name):
        yield f"rename {parameter.name!r}: no {parameter.location} can be called so (RFC 9110, 5.6.2)"
    if parameter.location == "path" and node.get("required") is not True:
        yield "write `required: true`; a path parameter always is"
    if not str(node.get("description") or "x").strip():
        yield "write a description or leave it out"
    _, schema = contract.bundle.follow(parameter.schema)
    if node.get("required") is True and isinstance(schema, dict) and "default" in schema:
        yield "remove the default, or `required`: what must be sent is not filled in"
    kinds = Resolved(contract.bundle, parameter.schema).kinds()
    if parameter.content is not None:
        if parameter.content.content_type != "application/json" or parameter.location != "query":
            yield "write a JSON query parameter; other `content` parameters are not read"
        for word in sorted({"style", "explode"} & set(node)):
            yield f"remove {word}: it is for parameters with a schema, and `content` has its own"
        return
    default = "form" if parameter.location in {"query", "cookie"} else "simple"
    yield from _styles(parameter, node.get("style", default), node.get("explode"), kinds)
    yield from _nested(parameter, Resolved(contract.bundle, parameter.schema), kinds)


def _nested(parameter: Parameter, schema: Resolved, kinds: set[str]) -> Iterator[str]:
    """Yield what no style can write: values inside values, and members without a name."""
    fix = "or take it as JSON: `content: {application/json: …}`"
    if kinds == {"array"} and {"array", "object"} & schema.items():
        yield f"write plain items, {fix}"
    if kinds == {"object"}:
        names = [name for name, member in schema.members().items() if {"array", "object"} & member]
        if names:
            yield f"write plain members instead of {', '.join(names)}, {fix}"
        if not schema.properties() and parameter.node.get("style") != "deepObject":
            yield f"name the members, {fix}"


def _styles(parameter: Parameter, style: str, explode: bool | None, kinds: set[str]) -> Iterator[str]:
    if style not in STYLES[parameter.location]:
        yield f"write style {' or '.join(sorted(STYLES[parameter.location]))} in the {parameter.location}, not {style}"
    elif style == "deepObject" and kinds != {"object"}:
        yield "use deepObject for an object"
    elif style in {"spaceDelimited", "pipeDelimited"} and (kinds != {"array"} or explode):
        yield f"use {style} for an array with `explode: false`"
    elif parameter.location == "cookie" and {"array", "object"} & kinds:
        yield COOKIE_OF_MANY
    elif {"array", "object"} & kinds and len(kinds) > 1:
        yield "write one type; text cannot tell an array or object from other types"
