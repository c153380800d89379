"""The tests' own PostgreSQL: it starts from either kind of binaries, restarts, and outlives nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg2
import pytest

from tests import postgres

_PARENT = """
import sys
from tests import postgres
server = postgres.PostgresServer()
print(server.url(), server.folder, flush=True)
sys.stdin.readline()
"""


def _sources() -> list[Path]:
    return [postgres.find_binaries(), *postgres.wheel_folders()]


def _select(url: str, query: str) -> object:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(query)
            connection.commit()
            return cursor.fetchone() if cursor.description else None
    finally:
        connection.close()


@pytest.mark.parametrize("binaries", _sources(), ids=str)
def test_data_is_kept_when_the_server_restarts(binaries: Path) -> None:
    server = postgres.PostgresServer(binaries)
    try:
        _select(server.url(), "CREATE TABLE kept AS SELECT 7 AS number")
        server.stop()
        with pytest.raises(psycopg2.OperationalError):
            _select(server.url(), "SELECT 1")
        server.start()
        assert _select(server.url(), "SELECT number FROM kept") == (7,)
    finally:
        server.close()
    assert not server.folder.exists()


def test_server_and_folder_go_when_the_tests_are_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    url, folder = parent.stdout.readline().split()
    assert _select(url, "SELECT 1") == (1,)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)
    deadline = time.monotonic() + 10
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(folder).exists()
    with pytest.raises(psycopg2.OperationalError):
        _select(url, "SELECT 1")


def test_a_copy_holds_the_rows_of_its_template(postgres_server: postgres.Server) -> None:
    template = postgres.create_database(postgres_server)
    _select(postgres_server.url(template), "CREATE TABLE seeded AS SELECT 'x' AS letter")
    copy = postgres.create_database(postgres_server, template)
    assert _select(postgres_server.url(copy), "SELECT letter FROM seeded") == ("x",)
    for name in (copy, template):
        postgres.drop_database(postgres_server, name)
    with pytest.raises(psycopg2.OperationalError):
        _select(postgres_server.url(copy), "SELECT 1")
