"""Examples are valid: of bodies, responses, parameters and schemas, as are the values of an enum; and every JSON body has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from codegen.bundle import Bundle
from codegen.findings import Finding
from codegen.ir import Contract
from codegen.locate import escape

RULE = "examples"
_URI = "urn:contract"


def check(contract: Contract) -> Iterator[Finding]:
    """Yield examples that break their schema, and bodies that nobody can see one of."""
    validators = _Validators(contract.bundle)
    for pointer, kind in contract.bundle.kinds.items():
        node = contract.bundle.get(pointer)
        if isinstance(node, dict) and (kind == "schema" or "$ref" not in node):
            if kind != "schema" and {"example", "examples"} <= set(node):
                twice = contract.bundle.locate(f"{pointer}/example")
                yield Finding(RULE, twice, "move it into examples: beside them it is ignored")
            if kind == "example" and set(node) <= {"summary", "description"}:
                yield Finding(RULE, contract.bundle.locate(pointer), "write its value: without it there is no example")
            for place, value in _only(pointer, node) if kind == "schema" else ():
                if validators.messages(pointer, value):
                    told = f"remove {value!r}: the rest of the schema refuses it"
                    yield Finding(RULE, contract.bundle.locate(place), told)
            for place, value in _examples(contract.bundle, pointer, kind, node):
                schema = pointer if kind == "schema" else f"{pointer}/schema"
                for message in validators.messages(schema, value):
                    yield Finding(RULE, contract.bundle.locate(place), message)
    yield from _missing(contract)


def _only(pointer: str, node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the values that alone can be."""
    yield from ((f"{pointer}/enum/{index}", value) for index, value in enumerate(node.get("enum", ())))
    if "const" in node:
        yield f"{pointer}/const", node["const"]


def _examples(bundle: Bundle, pointer: str, kind: str, node: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if kind == "schema":
        for value in node.get("examples", []):
            yield f"{pointer}/examples", value
        if "default" in node:
            yield f"{pointer}/default", node["default"]
    if kind not in {"mediaType", "parameter", "header"} or "schema" not in node:
        return
    if "example" in node:
        yield f"{pointer}/example", node["example"]
    for name in node.get("examples", {}):
        at, example = bundle.follow(f"{pointer}/examples/{escape(name)}")
        if "value" in example:
            yield f"{at}/value", example["value"]


def _missing(contract: Contract) -> Iterator[Finding]:
    for operation in contract.operations:
        media = list(operation.body.media) if operation.body else []
        media += [entry for response in operation.responses if response.status < "300" for entry in response.media]
        for entry in media:
            is_json = entry.content_type == "application/json" or entry.content_type.endswith("+json")
            if is_json and not entry.node.get("examples") and "example" not in entry.node:
                place = contract.bundle.locate(entry.pointer)
                yield Finding(RULE, place, f"add an example of this {entry.content_type} of {operation.id}")


class _Validators:
    """Validators of any schema of a bundle, references into the whole of it allowed."""

    def __init__(self, bundle: Bundle) -> None:
        self._registry = jsonschema_rs.Registry([(_URI, bundle.document)], draft=jsonschema_rs.Draft202012)

    def messages(self, pointer: str, value: Any) -> list[str]:
        schema = {"$ref": f"{_URI}#{quote(pointer, safe='/~')}"}
        try:
            validator = jsonschema_rs.Draft202012Validator(schema, registry=self._registry, validate_formats=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            return [f"its schema cannot be compiled: {str(error).splitlines()[0]}"]
        return [
            f"the example breaks its schema{_at(error.instance_path)}: {error.message}"
            for error in validator.iter_errors(value)
        ]


def _at(path: list[Any]) -> str:
    return " at " + "/".join(map(str, path)) if path else ""
