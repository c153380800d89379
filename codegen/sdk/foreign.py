"""Reads a contract of another hand: names its operations, says what it leaves to be guessed, and refuses what no client writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from codegen import grammar, ir
from codegen.bundle import Bundle
from codegen.findings import Finding, Refused
from codegen.lint.parameters import COOKIE_OF_MANY, STYLES
from codegen.locate import escape
from codegen.resolved import Resolved
from codegen.sdk import servers
from codegen.structure import field_types, valid_schemas

_REQUIRED = {
    **{kind: field_types.REQUIRED[kind] for kind in ("info", "parameter", "securityScheme", "discriminator")},
    "root": ("openapi", "info"),
}
_NUMBERS = dict.fromkeys(("maximum", "minimum", "maxLength", "minLength", "maxItems", "minItems"), int | float)
_TYPES: field_types.Types = {
    **{kind: field_types.TYPES[kind] for kind in ("requestBody", "encoding", "discriminator")},
    "root": {"openapi": str, "security": field_types.SECURITY},
    "operation": {**field_types.TYPES["operation"], "operationId": str},
    "parameter": {**field_types.TYPES["parameter"], "name": str},
    "server": {"url": str},
    "securityScheme": {**field_types.TYPES["securityScheme"], "in": Literal["query", "header", "cookie"], "name": str},
    "schema": {"type": str | list[str], "enum": list[Any], "required": list[str], "format": str, **_NUMBERS},
}
"""What a client is made from; whatever else has another form than OpenAPI says does no harm."""
_FORMS = {kind: {"$ref": str, **_TYPES.get(kind, {})} for kind in grammar.KINDS}

_ANY_TYPE = re.compile(r"(\*|application)/\*")


def read(bundle: Bundle) -> ir.Contract:
    """Complete a bundle that was not read yet, and resolve it.

    Raises:
        Refused: with everything of another form than OpenAPI gives it and every schema that is a part of itself, or with
            every parameter and server that a client would write otherwise than the contract says.
    """
    wrong = list(_version(bundle)) or [
        *field_types.findings(bundle, _REQUIRED, _FORMS),
        *_slips(bundle),
        *valid_schemas.circles(bundle),
    ]
    if wrong:
        raise Refused(wrong)
    _complete(bundle)
    contract = ir.build(bundle)
    findings = [
        Finding("sdk", bundle.locate(pointer), message)
        for operation in contract.operations
        for pointer, message in _messages(bundle, operation)
    ]
    findings += [
        Finding("sdk", bundle.locate(pointer), "write the whole address, or the prefix into the path")
        for pointer in dict.fromkeys(servers.relative(contract))
    ]
    if findings:
        raise Refused(findings)
    return contract


def _version(bundle: Bundle) -> Iterator[Finding]:
    if "swagger" in bundle.document:
        yield Finding("sdk", bundle.locate("/swagger"), "convert it to OpenAPI 3: this is Swagger's format")
    elif not re.fullmatch(r"3(\.\d+)+", str(bundle.document.get("openapi"))):
        yield Finding(
            "sdk", bundle.locate(""), "write the version, as in `openapi: 3.1.0`: clients are made of OpenAPI 3"
        )


def _slips(bundle: Bundle) -> Iterator[Finding]:
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if kind == "securityScheme" and isinstance(node, dict) and node.get("type") == "apiKey":
            for name in sorted({"name", "in"} - node.keys()):
                yield Finding("sdk", bundle.locate(pointer), f"give this key its {name}")
        if kind == "mediaType" and isinstance(node, dict) and "type" in node:
            yield Finding("sdk", bundle.locate(f"{pointer}/type"), "write it below `schema`: a media type has no type")


def _messages(bundle: Bundle, operation: ir.Operation) -> Iterator[tuple[str, str]]:
    declared = {parameter.name for parameter in operation.parameters if parameter.location == "path"}
    for name in sorted(set(re.findall(r"\{([^{}]*)\}", operation.path)) - declared):
        yield operation.pointer, f"declare the path parameter {name!r}"
    for parameter in operation.parameters:
        message = _message(bundle, parameter)
        if message is not None:
            yield parameter.pointer, message


def _message(bundle: Bundle, parameter: ir.Parameter) -> str | None:
    """Return why no client writes this parameter; None when they do."""
    if parameter.content is not None:
        is_json = "json" in parameter.content.content_type
        return None if is_json else f"write a schema or JSON: clients write no {parameter.content.content_type} here"
    known = STYLES[parameter.location]
    style = parameter.node.get("style")
    if style is not None and style not in known:
        return f"write style {' or '.join(sorted(known))} in the {parameter.location}: clients do not write {style}"
    if parameter.location == "cookie" and Resolved(bundle, parameter.schema).kinds() <= {"array", "object"}:
        return COOKIE_OF_MANY
    return None


def _complete(bundle: Bundle) -> None:
    """Change the document so that a client can be written from it.

    An operation without an id is called after its method and path, and one whose id is taken gets a number. Where `default`
    is the only answer that can be a success, it is one. What is of any media type and no file is JSON. A certificate of the
    client's (mutualTLS) is its connection's, which the program makes.
    """
    _leave_certificates(bundle)
    for pointer in [pointer for pointer, kind in bundle.kinds.items() if kind in {"requestBody", "response"}]:
        _name_media(bundle, pointer)
    taken: set[str] = set()
    for path, method, operation in _operations(bundle.document):
        words = "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", path)) or "Root"
        name = str(operation.get("operationId") or f"{method}{words}")
        number, own = 2, name
        while name in taken:
            name, number = f"{own}_{number}", number + 1
        taken.add(name)
        operation["operationId"] = name
        responses = operation.setdefault("responses", {})
        if "default" in responses and not any(str(status)[0] in "23" for status in responses):
            _rename(responses, "default", "200")


def _operations(document: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document.get("paths", {}).items():
        for method in grammar.METHODS:
            if isinstance(item, dict) and isinstance(item.get(method), dict):
                yield path, method, item[method]


def _leave_certificates(bundle: Bundle) -> None:
    schemes = bundle.document.get("components", {}).get("securitySchemes", {})
    kinds = {name: bundle.follow(f"/components/securitySchemes/{escape(name)}")[1].get("type") for name in schemes}
    for name in [name for name, kind in kinds.items() if kind == "mutualTLS"]:
        del schemes[name]
        for owner in (bundle.document, *(operation for _, _, operation in _operations(bundle.document))):
            for requirement in owner.get("security") or ():
                requirement.pop(name, None)


def _name_media(bundle: Bundle, pointer: str) -> None:
    owner = bundle.get(pointer)
    content = owner.get("content") if isinstance(owner, dict) else None
    if not isinstance(content, dict) or "application/json" in content:
        return
    for name in [name for name in content if _ANY_TYPE.fullmatch(name)]:
        schema = f"{pointer}/content/{escape(name)}/schema"
        if "schema" in content[name] and not Resolved(bundle, schema).is_binary():
            _rename(content, name, "application/json")
            return


def _rename(node: dict[str, Any], name: str, better: str) -> None:
    """Rename a member where it stands, in the one object that everybody has hold of."""
    rows = [(better if key == name else key, value) for key, value in node.items()]
    node.clear()
    node.update(rows)
