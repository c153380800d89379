"""What every test may ask for: databases of its own, settings, a clock that stands still."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from core.kernel import clock
from core.kernel.settings import Settings, read
from models import database as database_door
from tests import postgres

BACKENDS = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --backend, which narrows the tests that use a database to one of the two."""
    parser.addoption("--backend", choices=BACKENDS, help="run database tests on this backend only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that uses a database on both."""
    if "backend" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--backend")
        metafunc.parametrize("backend", [chosen] if chosen else BACKENDS, scope="session")


def read_settings(data_dir: Path, **variables: str) -> Settings:
    """Read settings as a start would, with a data folder of the test's and `variables` (names without ACCORD_)."""
    environment = {"ACCORD_DATA_DIR": str(data_dir)}
    environment |= {f"ACCORD_{name.upper()}": value for name, value in variables.items()}
    return read(environment)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give dev settings with a data folder of the test's own; no database is made."""
    return read_settings(tmp_path)


class Databases(Protocol):
    """A source of fresh databases on one backend."""

    def create(self, folder: Path, *, migrated: bool) -> str:
        """Make a database and return its URL."""

    def drop(self, url: str) -> None:
        """Remove it."""


class SqliteDatabases:
    """Databases as files: a migrated one is a copy of a file that was migrated once."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        _migrate(f"sqlite:///{self._template}", folder)

    def create(self, folder: Path, *, migrated: bool) -> str:
        """Make a database file in `folder`."""
        target = folder / "accord.db"
        if migrated and self._template.exists():
            shutil.copyfile(self._template, target)
        return f"sqlite:///{target}"

    def drop(self, url: str) -> None:
        """Leave the file to pytest, which keeps the last folders for looking at."""


class PostgresDatabases:
    """Databases of the session's server: a migrated one is cloned from a template that was migrated once."""

    def __init__(self, folder: Path, server: postgres.Server) -> None:
        self._server = server
        self._template = postgres.create_database(server)
        _migrate(server.url(self._template), folder)

    def create(self, folder: Path, *, migrated: bool) -> str:
        """Make a database on the server."""
        return self._server.url(postgres.create_database(self._server, self._template if migrated else None))

    def drop(self, url: str) -> None:
        """Remove the database."""
        postgres.drop_database(self._server, url.rpartition("/")[2])


def _migrate(url: str, folder: Path) -> None:
    if importlib.util.find_spec("models.migrate") is None:
        return
    database_door.bind(read_settings(folder, database_url=url))
    importlib.import_module("models.migrate").apply()
    close_database()


def close_database() -> None:
    """Close every connection of this process, so that a template can be cloned and a database dropped."""
    if database_door.database.obj is not None:
        database_door.database.close_all()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """Hold one PostgreSQL server for the whole session."""
    with postgres.running() as server:
        yield server


@pytest.fixture(scope="session")
def databases(backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Give the source of databases of the backend that the test runs on."""
    folder = tmp_path_factory.mktemp(backend)
    if backend == "sqlite":
        return SqliteDatabases(folder)
    return PostgresDatabases(folder, request.getfixturevalue("postgres_server"))


@pytest.fixture
def empty_database(databases: Databases, tmp_path: Path) -> Iterator[Settings]:
    """Bind a database without tables, for tests of migrations, and give its settings."""
    yield from _bound(databases, tmp_path, migrated=False)


@pytest.fixture
def database(databases: Databases, tmp_path: Path) -> Iterator[Settings]:
    """Bind a fresh migrated database, on SQLite and on PostgreSQL in turn, and give its settings."""
    yield from _bound(databases, tmp_path, migrated=True)


def _bound(databases: Databases, folder: Path, *, migrated: bool) -> Iterator[Settings]:
    url = databases.create(folder, migrated=migrated)
    settings = read_settings(folder, database_url=url)
    database_door.bind(settings)
    try:
        yield settings
    finally:
        close_database()
        databases.drop(url)


class FrozenClock:
    """A clock that moves only when told."""

    def __init__(self, start_seconds: float) -> None:
        self.seconds = start_seconds

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@pytest.fixture
def frozen_clock() -> Iterator[FrozenClock]:
    """Hold time still at 2026-01-01T00:00:00Z; `advance(seconds)` moves it."""
    frozen = FrozenClock(1_767_225_600.0)
    former = clock.set_source(frozen)
    yield frozen
    clock.set_source(former)
