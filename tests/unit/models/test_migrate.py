"""Migrations: they make exactly the tables that are declared, once, whoever else runs them at the same time."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import peewee

import models.tables
from core.kernel.settings import Settings
from models import migrate
from models.database import database, is_sqlite, read, write
from models.tables.identity import Role, RoleScope
from models.tables.system import SecurityEpoch, SetupGuard
from models.tables.table import Table

_PG_COLUMNS = """
    SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2
"""
_PG_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_PG_INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
_SQLITE_SCHEMA = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND type <> 'trigger' ORDER BY 1"
_HISTORY = "schema_migrations"


def _tables() -> list[type[peewee.Model]]:
    for module in pkgutil.iter_modules(models.tables.__path__, "models.tables."):
        importlib.import_module(module.name)
    return peewee.sort_models(Table.__subclasses__())


def _schema() -> list[tuple[object, ...]]:
    queries = (_SQLITE_SCHEMA,) if is_sqlite() else (_PG_COLUMNS, _PG_CONSTRAINTS, _PG_INDEXES)
    with read():
        rows = [row for query in queries for row in database.execute_sql(query).fetchall()]
    return [row for row in rows if _HISTORY not in str(row)]


def test_migrations_equal_tables(empty_database: Settings) -> None:
    migrate.apply()
    migrated = _schema()
    with write():
        database.drop_tables(_tables())
        database.create_tables(_tables())
    assert migrated == _schema()
    assert migrated


def test_nothing_is_pending_when_applied(empty_database: Settings) -> None:
    before = migrate.pending()
    assert migrate.apply() == before
    assert before[0] == "0001_identity"
    assert migrate.pending() == []
    assert migrate.apply() == []


def test_guarded_rows_and_roles_exist_when_migrated(database: Settings) -> None:
    with read():
        assert SetupGuard.get_by_id(1).closed_at is None
        assert SecurityEpoch.get_by_id(1).value == 1
        scopes = {r.name: {s.scope for s in r.scopes} for r in Role.select().prefetch(RoleScope.select())}
    assert scopes["superadmin"] == {"iam:admin"}
    assert scopes["member"] == {s for s in scopes["admin"] if not s.startswith("apikey:")}
    assert scopes["viewer"] < scopes["member"]
    assert all(scope.endswith(":read") for scope in scopes["viewer"])
    assert not {"iam:admin", "tenant:create", "settings:write"} & scopes["admin"]


_APPLY = """
from core.kernel.settings import read
from models import database, migrate
import os
database.bind(read({k: v for k, v in os.environ.items() if k.startswith("ACCORD_")}))
print(len(migrate.apply()))
"""


def test_each_migration_runs_once_when_processes_race(empty_database: Settings, tmp_path: Path) -> None:
    environment = {**os.environ, "ACCORD_DATABASE_URL": empty_database.database_url, "ACCORD_DATA_DIR": str(tmp_path)}
    count = len(migrate.pending())
    racers = [
        subprocess.Popen([sys.executable, "-c", _APPLY], env=environment, stdout=subprocess.PIPE) for _ in range(4)
    ]
    applied = sorted(int(racer.communicate(timeout=60)[0]) for racer in racers)
    assert applied == [0, 0, 0, count]
