"""The PostgreSQL pool: a connection that the server has ended is not handed out, and a living one costs no query."""

from __future__ import annotations

import psycopg2
import pytest

from core.kernel.settings import Settings
from models.database import database, read


@pytest.fixture
def postgresql(empty_database: Settings) -> Settings:
    """Keep to the one backend that has a pool."""
    if empty_database.is_sqlite:
        pytest.skip("SQLite's connections are files")
    return empty_database


def _backend() -> int:
    with read():
        return int(database.execute_sql("SELECT pg_backend_pid()").fetchone()[0])


def test_connection_is_used_again_when_the_server_keeps_it(postgresql: Settings) -> None:
    """Two scopes, one connection."""
    assert _backend() == _backend()


def test_another_connection_is_made_when_the_server_has_ended_the_pooled_one(postgresql: Settings) -> None:
    """As a restart of the server does."""
    ended = _backend()
    other = psycopg2.connect(postgresql.database_url)
    try:
        other.autocommit = True
        other.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", (ended,))
    finally:
        other.close()
    assert _backend() != ended
