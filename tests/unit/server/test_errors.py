"""Every example of a refusal in the contract is one that the server really renders: code, type, title and status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from core.kernel.operation import Contract
from core.kernel.problems import Invalid, Problem
from server.errors import ErrorRenderer
from tests.unit.server.tiny import CONTRACT_DIR

BASE = "https://accord.dev/problems/"
CONTRACT = msgspec.json.decode((CONTRACT_DIR / "operations.json").read_bytes(), type=Contract)
DOCUMENT = json.loads((CONTRACT_DIR / "openapi.json").read_bytes())
SAID_BY_THE_OCCASION = {"detail", "instance", "errors", "retry_after_seconds", "message", "param"}


def _kinds(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _examples() -> dict[str, tuple[str, Any]]:
    """Return every example of an error: where it is → (the operation's style, value)."""
    found = {}
    for operation in CONTRACT.operations:
        node = DOCUMENT["paths"][operation.path][operation.method.lower()]
        for status, response in node["responses"].items():
            for name, example in _examples_of(response) if status >= "400" else ():
                found[f"{operation.id} {status} {name}"] = (operation.error_style, example["value"])
    return found


def _examples_of(response: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    for media in response.get("content", {}).values():
        if (
            media["schema"].get("$ref", "").startswith("#/components/schemas/shared.")
        ):  # else it is a report, no problem
            yield from media["examples"].items()


def _constant(value: Any) -> Any:
    """Leave out what depends on the occasion."""
    if not isinstance(value, dict):
        return value
    return {name: _constant(member) for name, member in value.items() if name not in SAID_BY_THE_OCCASION}


@pytest.mark.parametrize("style", sorted({style for style, _ in _examples().values()}))
def test_examples_of_errors_are_what_the_server_renders(style: str) -> None:
    renderer = ErrorRenderer(CONTRACT, BASE)
    rendered = [_constant(json.loads(renderer.answer(kind(), CONTRACT.styles[style], "/x").body)) for kind in _kinds()]
    examples = {where: value for where, (of, value) in _examples().items() if of == style}
    assert examples
    assert {where: value for where, value in examples.items() if _constant(value) not in rendered} == {}


@pytest.mark.parametrize("style", [name for name, row in CONTRACT.styles.items() if row.format == "problem"])
def test_type_is_made_of_the_published_code(style: str) -> None:
    renderer = ErrorRenderer(CONTRACT, BASE)
    for kind in _kinds():
        body = json.loads(renderer.answer(kind(), CONTRACT.styles[style], "/x").body)
        assert body["type"] == BASE + body["code"].lower().replace(".", "-").replace("_", "-")
        assert body["status"] == (CONTRACT.styles[style].invalid_status if kind is Invalid else kind.status)
