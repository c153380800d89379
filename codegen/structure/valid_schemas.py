"""Every schema is valid JSON Schema 2020-12, its patterns compile, and its format is one that is checked."""

from __future__ import annotations

from collections.abc import Iterator

import jsonschema_rs

from codegen import grammar
from codegen.bundle import Bundle
from codegen.findings import Finding, meant
from codegen.locate import escape

RULE = "valid_schemas"
FORMATS = frozenset(
    [
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "idn-email",
        "hostname",
        "idn-hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "iri",
        "iri-reference",
        "uuid",
        "uri-template",
        "json-pointer",
        "relative-json-pointer",
        "regex",
    ]
)
_ANNOTATIONS = frozenset(["password"])  # binds no text: says that a value is not to be shown
_INSTEAD = {
    "int32": "minimum and maximum",
    "int64": "minimum and maximum",
    "float": "type: number",
    "double": "type: number",
    "byte": "a pattern",
    "binary": "contentMediaType",
}
_COMBINATIONS = frozenset(["allOf", "anyOf", "oneOf", "not", "if", "then", "else"])
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def check(bundle: Bundle) -> Iterator[Finding]:
    """Yield schemas that the validator would refuse or read otherwise than meant."""
    for pointer, kind in bundle.kinds.items():
        if kind == "schema":
            yield from _schema(bundle, pointer)
    yield from circles(bundle)


def circles(bundle: Bundle) -> Iterator[Finding]:
    """Yield schemas that nobody can read to an end."""
    for pointer, kind in bundle.kinds.items():
        is_component = kind == "schema" and pointer.rpartition("/")[0] == "/components/schemas"
        if is_component and _leads_to_itself(bundle, pointer):
            yield Finding(RULE, bundle.locate(pointer), "break the circle: this schema is a part of itself")


def _leads_to_itself(bundle: Bundle, pointer: str) -> bool:
    """Say whether a component is a part of itself, with no member or item between; every circle goes through a component."""
    seen: set[str] = set()
    queue = list(_parts(bundle, pointer))
    while queue:
        part = queue.pop()
        if part not in seen:
            seen.add(part)
            queue += _parts(bundle, part)
    return pointer in seen


def _parts(bundle: Bundle, pointer: str) -> Iterator[str]:
    node = bundle.get(pointer)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("$ref"), str):
        yield node["$ref"].lstrip("#")
    for word in _COMBINATIONS & node.keys():
        if isinstance(node[word], list):
            yield from (f"{pointer}/{word}/{index}" for index in range(len(node[word])))
        else:
            yield f"{pointer}/{word}"


def _schema(bundle: Bundle, pointer: str) -> Iterator[Finding]:
    node = bundle.get(pointer)
    if isinstance(node, bool):
        return
    if not isinstance(node, dict):
        yield Finding(RULE, bundle.locate(pointer), "write a schema: an object, true or false")
        return
    own = {key: value for key, value in node.items() if grammar.slot("schema", key) in {None, grammar.DATA}}
    own |= {key: len(node[key]) * [{}] for key in _LISTS if isinstance(node.get(key), list)}
    try:
        jsonschema_rs.meta.validate({**own, "$schema": _DIALECT})
    except jsonschema_rs.ValidationError as error:
        place = pointer + "".join(f"/{part}" for part in error.instance_path)
        fix = meant(error.instance) if " is not of type" in error.message else ""
        if place == f"{pointer}/type":
            fix = ": write string, integer, number, boolean, array, object or null, or a list of some"
        yield Finding(RULE, bundle.locate(place), f"{error.message} (JSON Schema 2020-12){fix}")
    yield from _format(bundle, pointer, node.get("format"))
    yield from _pattern(bundle, f"{pointer}/pattern", node.get("pattern"))
    named = node.get("patternProperties")
    for pattern in named if isinstance(named, dict) else ():
        yield from _pattern(bundle, f"{pointer}/patternProperties/{escape(pattern)}", pattern)


def _format(bundle: Bundle, pointer: str, name: object) -> Iterator[Finding]:
    if isinstance(name, str) and name not in FORMATS | _ANNOTATIONS:
        fix = f"write {_INSTEAD[name]} instead" if name in _INSTEAD else "write a pattern instead"
        yield Finding(RULE, bundle.locate(f"{pointer}/format"), f"format {name!r} is not checked: {fix}")


def _pattern(bundle: Bundle, pointer: str, pattern: object) -> Iterator[Finding]:
    if isinstance(pattern, str):
        try:
            jsonschema_rs.Draft202012Validator({"pattern": pattern})
        except jsonschema_rs.ValidationError as error:
            yield Finding(RULE, bundle.locate(pointer), f"write an ECMA 262 pattern: {error.message}")
