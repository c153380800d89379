"""Each keyword of a schema can bind a value: one for another type, or half of a pair, constrains nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape, unescape

RULE = "effects"
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "x-unit")
_KEYWORDS = {
    "string": ("minLength", "maxLength", "pattern", "format", "contentMediaType", "contentSchema"),
    "integer": _NUMBERS,
    "number": _NUMBERS,
    "array": (
        *("items", "prefixItems", "unevaluatedItems", "contains", "minContains", "maxContains"),
        *("minItems", "maxItems", "uniqueItems"),
    ),
    "object": (
        *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames"),
        *("required", "dependentRequired", "dependentSchemas", "minProperties", "maxProperties", "x-freeform"),
    ),
}
_NEEDS = {
    "then": "if",
    "else": "if",
    "minContains": "contains",
    "maxContains": "contains",
    "contentSchema": "contentMediaType",
    "x-open-enum": "enum",
}
_PAIRS = (
    *(("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")),
    ("minContains", "maxContains"),
)
_OPEN_PAIRS = (
    *(("exclusiveMinimum", "maximum"), ("minimum", "exclusiveMaximum")),
    ("exclusiveMinimum", "exclusiveMaximum"),
)


def check(contract: Contract) -> Iterator[Finding]:
    """Yield keywords without an effect, and schemas that no value can fit."""
    bundle = contract.bundle
    for pointer, kind in bundle.kinds.items():
        node = bundle.get(pointer)
        if kind == "schema" and isinstance(node, dict):
            for keyword, message in [*_messages(node), *_default(bundle, pointer, node)]:
                yield Finding(RULE, bundle.locate(f"{pointer}/{escape(keyword)}"), message)


def _messages(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "type" in node:
        types = node["type"] if isinstance(node["type"], list) else [node["type"]]
        bound = {keyword for kind in types for keyword in _KEYWORDS.get(kind, ())}
        for keyword in sorted(set(node) & _ALL - bound):
            yield keyword, f"remove {keyword}, or another type: it binds nothing of type {' or '.join(types)}"
    if node.get("enum") == []:
        yield "enum", "no value fits: name at least one"
    for keyword, needed in _NEEDS.items():
        if keyword in node and needed not in node:
            yield keyword, f"write {needed} beside {keyword}: alone it binds nothing"
    if "if" in node and not {"then", "else"} & set(node):
        yield "if", "write then or else beside if: alone it binds nothing"
    for least, most in _PAIRS:
        if least in node and most in node and node[least] > node[most]:
            yield least, f"no value fits: {least} is more than {most}"
    for least, most in _OPEN_PAIRS:
        if least in node and most in node and node[least] >= node[most]:
            yield least, f"no value fits: {least} is not less than {most}"
    if node.get("additionalProperties") is False and "patternProperties" not in node:
        for name in sorted(set(node.get("required", ())) - set(node.get("properties", {}))):
            yield "required", f"no value fits: {name!r} is required, and additionalProperties refuses it"


def _default(bundle: Bundle, pointer: str, node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the default of a member that a type cannot fill in: it is evaluated once, and not through a reference."""
    above, _, name = pointer.rpartition("/")
    owner, _, keyword = above.rpartition("/")
    if keyword != "properties" or bundle.kinds.get(owner) != "schema":
        return
    target = bundle.follow(pointer)[1]
    if not isinstance(target, dict):
        return
    if "default" in target and "default" not in node:
        yield "$ref", "write the default beside this $ref: one behind it is not filled in"
    if "default" in node and unescape(name) in bundle.get(owner).get("required", ()):
        yield "default", "remove it, or take the member out of `required`: what must be there is not filled in"
    value = node.get("default")
    if isinstance(value, list | dict) and value:
        yield "default", "remove it and say in words what is meant: lists and objects are not filled in"
    if isinstance(value, str) and target.get("format") in {"uuid", "date", "date-time"}:
        yield "default", f"remove it and say in words what is meant: a {target['format']} is not filled in"


_ALL = frozenset(keyword for keywords in _KEYWORDS.values() for keyword in keywords)
