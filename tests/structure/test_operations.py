"""Every operation of the contract has its handler and its tests, found by its name."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest

from tests.isolation.samples import FACTORIES
from tests.structure.tree import ROOT, modules

METHODS = ("get", "put", "post", "delete", "patch")


def _operations() -> dict[str, dict[str, Any]]:
    bundle = ROOT / "models/contract/openapi.json"
    if not bundle.exists():
        return {}
    items = json.loads(bundle.read_text())["paths"].values()
    return {item[method]["operationId"]: item[method] for item in items for method in METHODS if method in item}


def _handlers() -> dict[str, str]:
    """Return every public function of the handlers with its stem; `prepare_` steps belong to their operation."""
    found = {}
    for module in modules("handlers"):
        if module.is_generated or module.path.count("/") != 2:
            continue
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith(("_", "prepare_")):
                found[node.name] = module.path.removeprefix("handlers/").removesuffix(".py")
    return found


def _stem(operation: dict[str, Any]) -> str:
    """Return the stem that declares an operation."""
    area = operation["tags"][0]
    for path in (ROOT / "spec/paths" / area).glob("*.yaml"):
        if f"\n    operationId: {operation['operationId']}\n" in path.read_text():
            return f"{area}/{path.stem}"
    raise AssertionError(f"{operation['operationId']} is in no file of spec/paths/{area}")


OPERATIONS = _operations()


@pytest.mark.whole
def test_the_contract_has_operations() -> None:
    assert OPERATIONS


@pytest.mark.whole
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_has_its_handler_where_its_stem_says(operation_id: str) -> None:
    assert _handlers().get(operation_id) == _stem(OPERATIONS[operation_id])


@pytest.mark.whole
def test_no_handler_is_left_without_an_operation() -> None:
    assert set(_handlers()) <= set(OPERATIONS)


@pytest.mark.whole
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_is_called_by_the_tests_of_its_stem(operation_id: str) -> None:
    area, resource = _stem(OPERATIONS[operation_id]).split("/")
    path = ROOT / f"tests/handlers/{area}/test_{resource}.py"
    assert path.exists(), f"{path.relative_to(ROOT)} is missing"
    assert f'"{operation_id}"' in path.read_text()


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_an_operation_has_its_place_in_the_isolation_matrix(operation_id: str) -> None:
    area = OPERATIONS[operation_id]["tags"][0]
    assert operation_id in FACTORIES, (
        f'add "{operation_id}" to SAMPLES in tests/isolation/samples/{area}.py (a new area: name its module in '
        "samples/__init__.py): a function that makes what the operation names and returns the request; "
        f"then run pytest tests/isolation -k {operation_id}"
    )
