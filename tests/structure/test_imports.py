"""Imports point one way: each room uses only what the architecture lets it."""

from __future__ import annotations

import pytest

from tests.structure.tree import ROOMS, Module, modules

# (prefix of the importing module, prefixes it may import); the longest prefix that matches decides.
ALLOWED = (
    ("codegen", ("codegen", "core.kernel")),
    ("core.kernel", ("core.kernel",)),
    ("core", ("core", "models.tables", "models.database", "models.statements", "models.contract")),
    ("models.database", ("core.kernel", "models.postgresql")),
    ("models.postgresql", ("core.kernel",)),
    ("models.statements", ("models.database",)),
    ("models.tables", ("core.kernel", "models.database", "models.tables")),
    ("models.migrations", ("core.kernel", "models.database", "models.tables.fields")),
    ("models.migrate", ("core.kernel", "models.database", "models.migrations", "models.tables")),
    ("models.contract", ("core.kernel", "models.contract")),
    ("server.migration", ("core.kernel", "models.database", "models.migrate", "server")),
    ("server", ("core.kernel", "models.database", "server")),
    ("handlers", ("core", "handlers", "models", "server")),
)
# Core may use the value types of the contract, never what the server is driven by.
FORBIDDEN = (("core", "models.contract.signatures"), ("core", "models.contract.parameters"))
OUTER_ONCE = {"connexion": "server."}


def _is_below(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _allowed(module: Module) -> tuple[str, ...]:
    matching = [row for row in ALLOWED if _is_below(module.name, row[0])]
    return max(matching, key=lambda row: len(row[0]))[1] if matching else ()


def _is_ours(name: str) -> bool:
    return name.split(".", 1)[0] in {*ROOMS, "tests"}


@pytest.mark.parametrize("room", ROOMS)
def test_modules_import_only_what_their_room_may(room: str) -> None:
    wrong = [
        f"{module.path}:{line} imports {name}"
        for module in modules(room)
        for name, line in module.imports()
        if _is_ours(name) and not any(_is_below(name, prefix) for prefix in _allowed(module))
    ]
    wrong += [
        f"{module.path}:{line} imports {name}"
        for module in modules(room)
        for name, line in module.imports()
        for importer, imported in FORBIDDEN
        if _is_below(module.name, importer) and _is_below(name, imported)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_command_line_does_not_import_what_it_loads_by_name() -> None:
    for module in modules("server"):
        assert not [name for name, _ in module.imports() if name.startswith(("handlers", "codegen"))], module.path


@pytest.mark.parametrize(("library", "room"), OUTER_ONCE.items())
def test_a_framework_is_imported_in_one_module(library: str, room: str) -> None:
    users = [m.name for m in modules(*ROOMS) if any(_is_below(name, library) for name, _ in m.imports())]
    assert len(users) <= 1, users
    assert all(user.startswith(room) for user in users), users
