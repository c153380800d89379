"""Fresh databases for tests: copies of templates, which are made once a session and backend.

A template is `empty`, `migrated`, or `peopled` (migrated, with the people of tests.factories.people already in it).
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import gevent
import gevent.local
import peewee

from core.kernel.settings import Settings, read
from models import database, postgresql
from models.migrate import apply
from tests import postgres

BACKENDS = ("sqlite", "postgresql")
SECRET_KEY = "a-secret-of-the-tests-that-every-copy-of-a-template-shares"
_UNMET = {"limit": 1_000_000, "window_seconds": 1}
UNLIMITED_POSTS = json.dumps(dict.fromkeys(("conversation.post", "tenant.minute"), _UNMET))
"""Tests post, and call a tenant's operations, faster than the shipped profiles allow people to."""
UNLIMITED = json.dumps(dict.fromkeys(("conversation.post", "tenant.minute", "asset.password"), _UNMET))
"""For tests that call every operation again and again."""
_ANSWER_SECONDS = 30
Fill = Callable[[Settings], None]


class _GreenletConnections(peewee._ConnectionState, gevent.local.local):
    """Connections that belong to a greenlet."""


peewee._ConnectionLocal = _GreenletConnections  # as in a worker, where threading.local is patched; pytest's is not


def read_settings(data_dir: Path, **variables: str) -> Settings:
    """Read settings as a start would, with a data folder of the test's and `variables` (names without ACCORD_)."""
    environment = {"ACCORD_DATA_DIR": str(data_dir), "ACCORD_SECRET_KEYS": SECRET_KEY}
    environment["ACCORD_RATE_PROFILES"] = UNLIMITED_POSTS
    environment |= {f"ACCORD_{name.upper()}": value for name, value in variables.items()}
    return read(environment)


def close() -> None:
    """Close every connection of this process, so that a template can be cloned and a database dropped.

    What greenlets have asked is answered before: psycopg2 closes no connection under a question, and would wait for ever.
    """
    pool = database.database.obj
    if pool is None:
        return
    with gevent.Timeout(_ANSWER_SECONDS, TimeoutError("a greenlet waits for PostgreSQL, or does not run")):
        while any(held.connection in postgresql._waiting_since for held in pool._in_use.values()):
            gevent.sleep(0.001)
    pool.close_all()


def migrate(_settings: Settings) -> None:
    """Bring the bound database to the newest schema."""
    apply()


class Databases(ABC):
    """Copies of templates on one backend. fills: template → (the template it is made from, what is put in)."""

    def __init__(self, folder: Path, fills: dict[str, tuple[str, Fill]]) -> None:
        self._folder = folder
        self._fills = fills
        self._templates: dict[str, str] = {}

    def create(self, folder: Path, template: str = "migrated") -> str:
        """Make a database and return its URL; `folder` takes its files."""
        return self._copy(self._template(template), folder)

    def _template(self, name: str) -> str | None:
        if name == "empty":
            return None
        if name not in self._templates:
            base, fill = self._fills[name]
            folder = self._folder / name
            folder.mkdir()
            url = self.create(folder, base)
            settings = read_settings(folder, database_url=url)
            database.bind(settings)
            try:
                fill(settings)
            finally:
                close()
            self._templates[name] = url
        return self._templates[name]

    @abstractmethod
    def _copy(self, url: str | None, folder: Path) -> str:
        """Copy a template, or make an empty database."""

    @abstractmethod
    def drop(self, url: str) -> None:
        """Remove a database."""


class SqliteDatabases(Databases):
    """Databases as files."""

    def _copy(self, url: str | None, folder: Path) -> str:
        target = folder / "accord.db"
        if url is not None:
            source = url.removeprefix("sqlite:///")
            with sqlite3.connect(source) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            shutil.copyfile(source, target)
        return f"sqlite:///{target}"

    def drop(self, url: str) -> None:
        """Leave the file to pytest, which keeps the last folders for looking at."""


class PostgresDatabases(Databases):
    """Databases of the session's server."""

    def __init__(self, folder: Path, fills: dict[str, tuple[str, Fill]], server: postgres.Server) -> None:
        super().__init__(folder, fills)
        self._server = server

    def _copy(self, url: str | None, folder: Path) -> str:
        template = None if url is None else url.rpartition("/")[2]
        return self._server.url(postgres.create_database(self._server, template))

    def drop(self, url: str) -> None:
        """Remove the database."""
        postgres.drop_database(self._server, url.rpartition("/")[2])
