"""PostgreSQL: a connection that the server has ended is not handed out, a living one costs no query, a lost commit is found."""

from __future__ import annotations

from contextlib import closing, suppress

import psycopg2
import pytest

from core.kernel.settings import Settings
from models.database import database, read, transaction_id, was_committed, write


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


def test_the_end_of_a_transaction_is_known_to_other_connections(postgresql: Settings) -> None:
    with write():
        committed = transaction_id()
    with suppress(RuntimeError), write():
        rolled_back = transaction_id()
        raise RuntimeError
    with closing(psycopg2.connect(postgresql.database_url)) as other:
        cursor = other.cursor()
        cursor.execute("SELECT txid_current()")
        (under_way,) = cursor.fetchone()
        assert [was_committed(each) for each in (committed, rolled_back, under_way)] == [True, False, None]


def test_another_connection_is_made_when_the_server_has_ended_the_pooled_one(postgresql: Settings) -> None:
    """As a restart of the server does."""
    ended = _backend()
    with closing(psycopg2.connect(postgresql.database_url)) as other:
        other.autocommit = True
        other.cursor().execute("SELECT pg_terminate_backend(%s, 5000)", (ended,))
    assert _backend() != ended
