"""Every field has the type that OpenAPI gives it, so that later stages need not doubt it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from codegen import grammar
from codegen.bundle import Bundle
from codegen.findings import Finding, meant
from codegen.locate import escape

RULE = "field_types"
_TEXTS = dict.fromkeys(("summary", "description", "name", "title", "operationId", "url", "operationRef"), str)
_FLAGS = dict.fromkeys(("deprecated", "explode"), bool)
SECURITY = list[dict[str, list[str]]]
Types = Mapping[str, Mapping[str, Any]]
"""Kind → field → the type of what it holds."""

TYPES: Types = {
    "root": {"openapi": str, "security": SECURITY, "jsonSchemaDialect": str},
    "info": {"version": str},
    "operation": {"tags": list[str], "security": SECURITY},
    "parameter": {"required": bool, "in": Literal["path", "query", "header", "cookie"], "style": str},
    "header": {"required": bool, "style": Literal["simple"]},
    "requestBody": {"required": bool},
    "encoding": {"contentType": str, "style": str},
    "sse": {"resumable": bool, "start": str},
    "securityScheme": {"type": str, "in": str, "scheme": str},
    "link": {"parameters": dict[str, Any]},
    "discriminator": {"propertyName": str, "mapping": dict[str, str]},
    "schema": {"examples": list[Any], "description": str, "title": str},
}
_KNOWN: Types = {
    kind: {**({} if kind in {"schema", "sse"} else {"$ref": str, **_TEXTS, **_FLAGS}), **TYPES.get(kind, {})}
    for kind in grammar.KINDS
}
REQUIRED = {
    "root": ("openapi", "info", "paths"),
    "info": ("title", "version"),
    "parameter": ("name", "in"),
    "requestBody": ("content",),
    "response": ("description",),
    "securityScheme": ("type",),
    "discriminator": ("propertyName",),
    "operation": ("operationId", "responses"),
}


def check(bundle: Bundle) -> Iterator[Finding]:
    """Yield fields of the wrong type and fields that are missing."""
    return findings(bundle, REQUIRED, _KNOWN)


def findings(bundle: Bundle, required: Mapping[str, Sequence[str]], types: Types) -> Iterator[Finding]:
    """Yield what has another form than OpenAPI gives it; required, types: of a kind, which fields there must be, and what they hold."""
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if kind == "schema" and isinstance(node, bool):
            continue
        if not isinstance(node, dict):
            yield Finding(RULE, bundle.locate(pointer), f"write a mapping: this is where the {kind} stands")
            continue
        for name in () if "$ref" in node else required.get(kind, ()):
            if name not in node:
                yield Finding(RULE, bundle.locate(pointer), f"give this {kind} its {name}")
        for name, value in node.items():
            for message in _messages(kind, name, value, types.get(kind, {})):
                yield Finding(RULE, bundle.locate(f"{pointer}/{escape(name)}"), message)


def _messages(kind: str, name: str, value: Any, known: Mapping[str, Any]) -> Iterator[str]:
    slot = grammar.slot(kind, name)
    if slot is not None and slot.form in {"list", "map"}:
        expected = list if slot.form == "list" else dict
        if not isinstance(value, expected):
            yield f"{name}: write a {'list' if slot.form == 'list' else 'mapping'}"
        return
    if name in known and slot in {None, grammar.DATA}:
        try:
            msgspec.convert(value, known[name])
        except msgspec.ValidationError as error:
            yield f"{name}: {error}{meant(value)}"
