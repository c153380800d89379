"""Racing requests: exactly the limit is admitted, not one more and not one less, by every algorithm on every store."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from core.kernel.settings import Settings
from tests import redis
from tests.client import Client, Person
from tests.databases import SECRET_KEY
from tests.live import Live
from tests.unit.core.limits.counter_rules import ALGORITHMS

PROCESSES = 2
BUCKETS = 50
WINDOW_SECONDS = 31 * 86_400
"""The longest: of 2,500 places one comes back after 18 minutes, of 50,000 one in 54 seconds."""
OVER_HTTP = int(os.environ.get("ACCORD_TEST_RACING_REQUESTS", "5000"))
CLIENTS = 8
PER_CONNECTION = 100
"""Then a client connects anew, so that both workers are met by every one."""
SLOWEST_PER_SECOND = 30
"""A server that answers fewer is not raced with."""


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis.running() as url:
        yield url


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_racing_processes_admit_exactly_the_limit(database: Settings, algorithm: str) -> None:
    _race(database, algorithm, requests=6_000)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_racing_processes_admit_exactly_the_limit_on_redis(settings: Settings, redis_url: str, algorithm: str) -> None:
    _race(settings, algorithm, requests=6_000, redis_url=redis_url)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_hundred_thousand_racing_requests_admit_exactly_the_limit(database: Settings, algorithm: str) -> None:
    _race(database, algorithm, requests=100_000)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_hundred_thousand_racing_requests_admit_exactly_the_limit_on_redis(
    settings: Settings, redis_url: str, algorithm: str
) -> None:
    _race(settings, algorithm, requests=100_000, redis_url=redis_url)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_racing_clients_of_two_workers_are_admitted_exactly_the_limit(
    launch: Callable[..., Live], algorithm: str
) -> None:
    _race_over_http(launch(workers=2), algorithm, requests=600, limit=150)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_many_racing_requests_of_clients_are_admitted_exactly_the_limit(
    launch: Callable[..., Live], algorithm: str
) -> None:
    _race_over_http(launch(workers=2), algorithm, requests=OVER_HTTP, limit=OVER_HTTP // 2)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_many_racing_requests_of_clients_are_admitted_exactly_the_limit_on_redis(
    launch: Callable[..., Live], redis_url: str, algorithm: str
) -> None:
    _race_over_http(launch(workers=2, redis_url=redis_url), algorithm, requests=OVER_HTTP, limit=OVER_HTTP // 2)


def _race(settings: Settings, algorithm: str, *, requests: int, redis_url: str = "") -> None:
    """Let two processes ask for 50 buckets that hold half of what is asked, and compare bucket by bucket."""
    limit = requests // BUCKETS // 2
    arguments = [str(part) for part in (requests // PROCESSES, BUCKETS, limit, algorithm)]
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.drills.racer", str(seed), *arguments],
            env=_environment(settings, redis_url),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(PROCESSES)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    began = time.monotonic()
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    results = [json.loads(racer.communicate(timeout=800)[0]) for racer in racers]
    seconds = time.monotonic() - began
    asked, admitted = (_sum(results, name) for name in ("asked", "admitted"))
    expected = {bucket: min(limit, count) for bucket, count in asked.items()}
    over = sum(max(0, admitted[bucket] - count) for bucket, count in expected.items())
    refused = sum(max(0, count - admitted[bucket]) for bucket, count in expected.items())
    print(
        f"\n{algorithm}, {_store(settings, redis_url)}: {asked.total():,} requests of {PROCESSES} processes in {seconds:.1f} s: "
        f"{admitted.total():,} admitted of {sum(expected.values()):,}; {over} over, {refused} false refusals"
    )
    assert asked.total() == requests
    assert all(admitted[bucket] for bucket in expected)
    assert min(_from(result, "admitted") for result in results) > 0
    assert (over, refused) == (0, 0)


def _environment(settings: Settings, redis_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ACCORD_")}
    return kept | {
        "ACCORD_DATA_DIR": settings.data_dir,
        "ACCORD_DATABASE_URL": settings.database_url,
        "ACCORD_SECRET_KEYS": SECRET_KEY,
        "ACCORD_REDIS_URL": redis_url,
    }


def _store(settings: Settings, redis_url: str) -> str:
    return "Redis" if redis_url else "SQLite" if settings.is_sqlite else "PostgreSQL"


def _sum(results: list[dict[str, dict[str, int]]], name: str) -> Counter[str]:
    whole: Counter[str] = Counter()
    for result in results:
        whole.update(result[name])
    return whole


def _from(result: dict[str, dict[str, int]], name: str) -> int:
    return sum(result[name].values())


def _race_over_http(live: Live, algorithm: str, *, requests: int, limit: int) -> None:
    client, people = live.client, live.people
    _limit(client, people.ada, algorithm, limit)
    time.sleep(1)  # both workers follow
    began = time.monotonic()
    deadline = began + 60 + requests / SLOWEST_PER_SECOND
    asker = partial(_ask, live, people.ben.by_token().headers("GET"), deadline)
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = sum(pool.map(asker, _parts(requests)), Counter[int]())
    seconds = time.monotonic() - began
    print(f"\n{algorithm} over HTTP, 2 workers: {dict(statuses)} in {seconds:.1f} s; limit {limit}")
    come_back = 0 if algorithm == "fixed_window" else int(seconds * limit / WINDOW_SECONDS)
    assert limit <= statuses[200] <= limit + come_back
    assert statuses == {200: statuses[200], 429: requests - statuses[200]}


def _parts(requests: int) -> list[int]:
    """Divide requests among connections."""
    whole, rest = divmod(requests, PER_CONNECTION)
    return [PER_CONNECTION] * whole + ([rest] if rest else [])


def _ask(live: Live, headers: dict[str, str], deadline: float, requests: int) -> Counter[int]:
    """Ask so many times over one connection, and count the statuses."""
    statuses: Counter[int] = Counter()
    connection = http.client.HTTPConnection(live.server.host, live.server.port, timeout=30)
    for _ in range(requests):
        assert time.monotonic() < deadline, "the server answers too slowly to be raced with"
        connection.request("GET", "/v1/models", headers=headers)
        response = connection.getresponse()
        response.read()
        statuses[response.status] += 1
    connection.close()
    return statuses


def _limit(client: Client, administrator: Person, algorithm: str, limit: int) -> None:
    params = {"burst": limit, "window_seconds": WINDOW_SECONDS}
    body: dict[str, Any] = {"name": "race", "algorithm": algorithm, "params": params}
    profile = client.call("rate_profiles_create", as_=administrator, body=body)
    assert profile.status == 201, profile.text
    body = {"profile_id": profile.json["id"], "method": "GET", "path": "/v1/models"}
    assert client.call("rate_assignments_create", as_=administrator, body=body).status == 201
