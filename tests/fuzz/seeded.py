"""The contract with real things in its examples: what the fuzzer sends first, and builds its variations on."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tests.fuzz.seeds import Value
from tests.oracle import Document, Operation, Oracle

Values = Mapping[str, Mapping[str, Value]]


def seed_contract(oracle: Oracle, values: Values, *, scheme: str, is_exact: bool = False) -> Document:
    """Return a copy of the contract whose examples name real things.

    Left out are operations that no caller by the scheme may call, and links to them. is_exact: leaves out every optional
    parameter without a value, so that nothing but the examples is sent.
    """
    document = copy.deepcopy(oracle.document)
    for operation in oracle.operations.values():
        item = document["paths"][operation.path]
        if not takes(operation, scheme):
            del item[operation.method]
            continue
        seeded = _seeded(oracle, operation, values.get(operation.id, {}), is_exact=is_exact)
        item[operation.method] = {**seeded, "responses": _linked(oracle, seeded["responses"], scheme)}
    for item in document["paths"].values():
        item.pop("parameters", None)  # each operation has its own copy now
    return document


def takes(operation: Operation, scheme: str) -> bool:
    """Say whether a caller by this scheme may call an operation."""
    security = operation.spec["security"]
    return not security or any(scheme in alternative for alternative in security)


def _linked(oracle: Oracle, responses: Document, scheme: str) -> Document:
    """Return an operation's responses with the links that a caller by the scheme may follow."""
    kept = {}
    for status, response in responses.items():
        shown = oracle.resolve(response)
        links = {
            name: link
            for name, link in shown.get("links", {}).items()
            if takes(oracle.operations[oracle.resolve(link)["operationId"]], scheme)
        }
        kept[status] = {**shown, "links": links} if "links" in shown else response
    return kept


def _seeded(oracle: Oracle, operation: Operation, seeds: Mapping[str, Value], *, is_exact: bool) -> Document:
    spec = copy.deepcopy(operation.spec)
    declared = [*operation.item.get("parameters", []), *operation.spec.get("parameters", [])]
    parameters = {(each["in"], each["name"]): each for each in map(oracle.resolve, declared)}
    spec["parameters"] = [
        _with_example(parameter, seeds.get(f"{place}.{name}"))
        for (place, name), parameter in parameters.items()
        if parameter.get("required") or f"{place}.{name}" in seeds or not is_exact
    ]
    if "requestBody" in spec:
        spec["requestBody"] = copy.deepcopy(oracle.resolve(spec["requestBody"]))
        for media in spec["requestBody"]["content"].values():
            for example in media.get("examples", {}).values():
                example["value"] = overlay(example["value"], seeds)
    return spec


def _with_example(parameter: Document, value: Value | None) -> Document:
    if value is None:
        return parameter
    return {**{name: part for name, part in parameter.items() if name != "examples"}, "example": value}


def overlay(value: Any, seeds: Mapping[str, Value]) -> Any:
    """Return a copy of an example body with the seeded members in place of its own."""
    if not isinstance(value, dict):
        return value
    copied = copy.deepcopy(value)
    for place, seed in seeds.items():
        kind, *names = place.split(".")
        holder = copied
        for name in names[:-1]:
            holder = holder.get(name, {})
        if kind == "body" and isinstance(holder, dict):
            holder[names[-1]] = seed
    return copied
