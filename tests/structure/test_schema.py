"""Migrations and tables agree: both lead to the same schema, on both databases."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from core.kernel.settings import Settings
from models import database as door
from models.tables.table import Table
from tests import databases as sources
from tests.structure.tree import modules

Column = tuple[str, str, bool, bool]
Schema = dict[str, tuple[frozenset[Column], frozenset[tuple[tuple[str, ...], bool]], frozenset[tuple[str, str, str]]]]


def _tables() -> list[type[Table]]:
    for module in modules("models"):
        if module.name.startswith("models.tables."):
            importlib.import_module(module.name)
    return Table.__subclasses__()


def _schema() -> Schema:
    """Describe every table: columns (name, type, nullable, key), indexes (columns, unique), foreign keys."""
    schema: Schema = {}
    with door.read():
        for table in door.database.get_tables():
            columns = {(c.name, c.data_type.upper(), c.null, c.primary_key) for c in door.database.get_columns(table)}
            indexes = {(tuple(i.columns), i.unique) for i in door.database.get_indexes(table)}
            keys = {(k.column, k.dest_table, k.dest_column) for k in door.database.get_foreign_keys(table)}
            schema[table] = (frozenset(columns), frozenset(indexes), frozenset(keys))
    return schema


@pytest.fixture
def created(databases: sources.Databases, tmp_path: Path, database: Settings) -> tuple[Schema, Schema]:
    """Give the schema that migrations make and the one that the tables describe."""
    migrated = _schema()
    folder = tmp_path / "created"
    folder.mkdir()
    url = databases.create(folder, "empty")
    door.bind(sources.read_settings(folder, database_url=url))
    with door.write():
        door.database.create_tables(_tables())
    described = _schema()
    sources.close()
    databases.drop(url)
    return migrated, described


def test_migrations_make_what_the_tables_describe(created: tuple[Schema, Schema]) -> None:
    migrated, described = created
    history = set(migrated) - set(described)
    assert len(history) == 1, f"tables that no class describes: {history}"
    for table, description in described.items():
        assert migrated[table] == description, table
