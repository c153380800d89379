"""PostgreSQL is away when a worker starts, or takes connections and says nothing: no rule is forgotten, no probe is held."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests import postgres
from tests.client import Client
from tests.databases import read_settings
from tests.drills.scene import await_true
from tests.factories.people import make_people
from tests.links import Link
from tests.live import Live, LiveServer
from tests.oracle import Oracle

SILENCE_SECONDS = 3.0
"""Three times the timeout that the server of a silent link is given."""
PROBE_SECONDS = 2.5
"""The probe's own 1.5 s, and what a machine under load adds."""
WAITERS = 12


@pytest.fixture(scope="module")
def database_server() -> Iterator[postgres.PostgresServer]:
    """Give a PostgreSQL of these tests' own, to be stopped, frozen and started."""
    server = postgres.PostgresServer()
    yield server
    server.close()


@pytest.fixture
def away(database_server: postgres.PostgresServer, oracle: Oracle, tmp_path: Path) -> Iterator[Live]:
    """Give a server of one worker over it, which waits at most 2 s for a connection."""
    url = database_server.url(postgres.create_database(database_server))
    server = LiveServer(read_settings(tmp_path, database_url=url), workers=1, database_timeout_seconds="2")
    try:
        client = server.client(oracle)
        yield Live(server, client, make_people(client))
    finally:
        server.close()


def _log_in_without_a_name(client: Client) -> tuple[int, str | None]:
    """Call what is limited and needs no database but for that; return the status and the profile that held."""
    answer = client.call("sessions_login", body={"password": "x"})
    return answer.status, answer.headers.get("X-RateLimit-Profile")


def test_worker_that_starts_without_its_database_admits_nothing_unlimited(
    database_server: postgres.PostgresServer, away: Live
) -> None:
    assert _log_in_without_a_name(away.client) == (422, "default")
    database_server.stop()
    try:
        killed = away.server.kill_worker()
        await_true(lambda: away.server.workers() not in ([], [killed]), "no new worker", seconds=20)
        for _ in range(3):
            assert _log_in_without_a_name(away.client) == (503, None)
        assert away.client.call("health_check_liveness").status == 200
    finally:
        database_server.start()
    seen = {_log_in_without_a_name(away.client)}

    def is_back() -> bool:
        seen.add(_log_in_without_a_name(away.client))
        return (422, "default") in seen

    await_true(is_back, "no recovery", seconds=15)
    assert seen <= {(503, None), (422, "default")}, "admitted while no limit was known"


def test_probes_are_not_held_by_a_database_that_says_nothing(
    database_server: postgres.PostgresServer, away: Live
) -> None:
    client, ada = away.client, away.people.ada.by_token()
    with ThreadPoolExecutor(WAITERS) as pool:
        with database_server.silent():
            waiting = [pool.submit(client.call, "tokens_get_me", as_=ada) for _ in range(WAITERS)]
            time.sleep(0.2)
            for probe in ("health_check_readiness", "health_check_dependencies", "health_report") * 2:
                began = time.monotonic()
                answer = client.call(probe)
                assert time.monotonic() - began < PROBE_SECONDS, probe
                assert answer.status == 503 or answer.json["status"] == "unhealthy"
        assert {done.result(60).status for done in waiting} <= {200, 503}
    await_true(lambda: client.call("health_check_dependencies").status == 200, "no recovery", seconds=15)
    assert client.call("tokens_get_me", as_=ada).status == 200


def test_callers_are_answered_when_the_connections_of_a_worker_fall_silent(
    database_server: postgres.PostgresServer, oracle: Oracle, tmp_path: Path
) -> None:
    url = database_server.url(postgres.create_database(database_server))
    with closing(Link(url)) as link:
        through = read_settings(tmp_path, database_url=link.url)
        with closing(LiveServer(through, workers=1, database_timeout_seconds="1")) as server:
            client = server.client(oracle)
            ada, workers = make_people(client).ada.by_token(), server.workers()
            with ThreadPoolExecutor(WAITERS) as pool, link.silent():
                began = time.monotonic()
                waiting = [pool.submit(client.call, "users_list", as_=ada) for _ in range(WAITERS)]
                assert {done.result(60).status for done in waiting} == {503}
                assert time.monotonic() - began < 2 * SILENCE_SECONDS
            await_true(lambda: client.call("users_list", as_=ada).status == 200, "no recovery", seconds=15)
            assert server.workers() == workers, "a worker was replaced"


def test_callers_are_told_that_the_database_is_busy_when_locks_or_places_in_the_pool_are_not_had(
    database_server: postgres.PostgresServer, oracle: Oracle, tmp_path: Path
) -> None:
    url = database_server.url(postgres.create_database(database_server))
    settings = read_settings(tmp_path, database_url=url)
    with closing(LiveServer(settings, workers=1, database_timeout_seconds="1", database_pool_size="1")) as server:
        client = server.client(oracle)
        ada = make_people(client).ada.by_token()
        with closing(psycopg2.connect(url)) as other, ThreadPoolExecutor(WAITERS) as pool:
            other.cursor().execute("LOCK TABLE users")
            waiting = [pool.submit(client.call, "users_list", as_=ada) for _ in range(WAITERS)]
            told = {(done.result(60).status, done.result().json["error"]["message"]) for done in waiting}
            assert told == {(503, "The database is busy.")}
