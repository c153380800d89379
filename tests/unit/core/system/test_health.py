"""Readiness and dependency checks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import gevent
import msgspec
import peewee
import pytest

from core.kernel import clock, settings
from core.kernel.problems import Unavailable
from core.kernel.settings import Settings
from core.system import health
from models import database as door
from tests import redis
from tests.databases import read_settings
from tests.endpoint import running


class _Endpoint(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/v1/models" else 599)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[HTTPServer]:
    with running(HTTPServer(("127.0.0.1", 0), _Endpoint)) as server:
        yield server


def test_nothing_is_missing_when_migrated(database: Settings) -> None:
    assert health.find_missing(lambda: []) == []


def test_schema_is_named_when_behind(database: Settings) -> None:
    assert health.find_missing(lambda: ["0009_more"]) == ["schema_behind"]


def test_database_is_named_when_it_cannot_be_reached() -> None:
    def pending() -> list[str]:
        raise Unavailable

    assert health.find_missing(pending) == ["database_connection_unavailable"]


def test_database_passes_and_others_are_skipped_when_only_it_is_configured(database: Settings) -> None:
    checks = health.check_dependencies()
    assert (checks.database.status, checks.redis.status, checks.ai.status) == ("pass", "skipped", "skipped")
    assert checks.is_ready


def test_unready_when_the_database_is_unreachable(unreachable: None) -> None:
    checks = health.check_dependencies()
    assert checks.database.status == "fail"
    assert checks.database.error == "The database cannot be reached."
    assert not checks.is_ready


@pytest.mark.parametrize(("status", "outcome"), [(200, "pass"), (401, "pass"), (500, "fail")])
def test_ai_endpoint_is_shown_and_stays_optional(
    database: Settings, endpoint: HTTPServer, monkeypatch: pytest.MonkeyPatch, status: int, outcome: str
) -> None:
    monkeypatch.setattr(_Endpoint, "status", status)
    url = f"http://127.0.0.1:{endpoint.server_port}/v1"
    settings.install(msgspec.structs.replace(database, ai_base_url=url))
    checks = health.check_dependencies()
    assert checks.ai.status == outcome
    assert checks.is_ready


def test_ai_endpoint_fails_when_no_one_listens(database: Settings) -> None:
    settings.install(msgspec.structs.replace(database, ai_base_url="http://127.0.0.1:9"))
    assert health.check_dependencies().ai.error == "ConnectError"


@pytest.fixture
def unreachable(tmp_path: Path) -> Iterator[None]:
    nowhere = read_settings(tmp_path, database_url=f"sqlite:///{tmp_path}/no/such/folder/accord.db")
    settings.install(nowhere)
    door.bind(nowhere)
    yield
    door.database.close_all()


def test_memory_is_that_of_this_process() -> None:
    memory = health.get_memory()
    assert 5 < memory.used_mb <= memory.peak_mb
    assert health.get_uptime_seconds() >= 0


def test_silent_database_is_missing_before_two_seconds_are_over() -> None:
    began = time.monotonic()
    assert health.find_missing(lambda: gevent.sleep(10) or []) == ["database_connection_unavailable"]
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("error", [peewee.OperationalError, peewee.InterfaceError, Unavailable])
def test_database_that_breaks_while_it_is_asked_is_missing(error: type[Exception]) -> None:
    def ask() -> list[str]:
        raise error("gone")

    assert health.find_missing(ask) == ["database_connection_unavailable"]


def test_redis_is_asked_when_it_is_configured(database: Settings) -> None:
    with redis.running() as url:
        settings.install(msgspec.structs.replace(database, redis_url=url))
        assert health.check_dependencies().redis.status == "pass"
    checks = health.check_dependencies()
    assert (checks.redis.status, checks.is_ready) == ("fail", False)


def test_dependencies_are_asked_once_for_all_who_want_to_know_and_again_after_a_while(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[health.Checks] = []

    def ask() -> health.Checks:
        gevent.sleep(0.1)
        passed = health.Check(status="pass")
        checks = health.Checks(
            database=passed, redis=passed, ai=passed, total_latency_ms=len(asked), checked_at=clock.now()
        )
        asked.append(checks)
        return checks

    monkeypatch.setattr(health, "check_dependencies", ask)
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.5)
    callers = [gevent.spawn(health.get_checks) for _ in range(20)]
    gevent.joinall(callers, raise_error=True)
    assert [each.value for each in callers] == asked * 20
    assert health.get_checks() is asked[0]
    gevent.sleep(0.6)
    assert health.get_checks() is asked[1]
    settings.install(msgspec.structs.replace(database, ai_base_url="http://127.0.0.1:9"))
    assert health.get_checks() is asked[2]


def test_a_failure_is_not_kept_longer(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_SECONDS", 0.2)
    with monkeypatch.context() as outage:
        outage.setattr(health, "_ask_database", lambda: "The database cannot be reached.")
        assert health.get_status() == "unhealthy"
    assert health.get_status() == "unhealthy"
    gevent.sleep(0.3)
    assert health.get_status() == "healthy"


def test_full_queue_of_logins_is_degraded(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(health.hashing.queue), "is_full", property(lambda queue: True))
    assert health.get_status() == "degraded"
