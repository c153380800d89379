"""Every generated type can be decoded, and the generated package holds what the table names."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from core.kernel.operation import Contract

PACKAGE = Path(__file__).parents[2] / "models" / "contract"
MODULES = sorted(
    path.relative_to(PACKAGE.parents[1]).with_suffix("").as_posix().replace("/", ".")
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
)


def _contract() -> Contract:
    return msgspec.json.decode((PACKAGE / "operations.json").read_bytes(), type=Contract)


def _types(module: ModuleType) -> list[object]:
    return [
        value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
    ]


@pytest.mark.parametrize("module", MODULES)
def test_every_struct_has_a_decoder(module: str) -> None:
    for kind in _types(importlib.import_module(module)):
        msgspec.json.Decoder(kind)


def test_every_type_of_the_table_exists() -> None:
    named = set()
    for operation in _contract().operations:
        media = [m for response in operation.responses for m in response.media]
        media += operation.body.media if operation.body else []
        named |= {operation.parameters_type, *(m.type for m in media)}
    assert len(named) > 20
    for qualified in named - {None}:
        module, _, name = qualified.partition(":")
        msgspec.json.Decoder(getattr(importlib.import_module(module), name))
