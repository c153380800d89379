"""Probes."""

from __future__ import annotations

import msgspec
import pytest

from core.kernel import settings
from models import database as door
from models.database import database as proxy
from models.database import write
from tests.client import Client


def test_liveness_is_ok(client: Client) -> None:
    answer = client.call("health_check_liveness")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


def test_readiness_is_true_when_migrated(client: Client) -> None:
    answer = client.call("health_check_readiness")
    assert (answer.status, answer.json) == (200, {"ready": True})


def test_readiness_names_a_schema_that_is_behind(client: Client) -> None:
    with write():
        proxy.execute_sql("DELETE FROM schema_migrations WHERE name = '0001_identity'")
    answer = client.call("health_check_readiness")
    assert (answer.status, answer.json) == (503, {"ready": False, "missing": ["schema_behind"]})


@pytest.fixture
def lost(client: Client) -> Client:
    """Point the database door at a folder that does not exist."""
    door.bind(msgspec.structs.replace(settings.current(), database_url="sqlite:////no/such/folder/accord.db"))
    return client


def test_readiness_names_a_database_that_is_gone(lost: Client) -> None:
    answer = lost.call("health_check_readiness")
    assert answer.status == 503
    assert answer.json == {"ready": False, "missing": ["database_connection_unavailable"]}


def test_report_describes_the_process(client: Client) -> None:
    answer = client.call("health_report")
    assert answer.status == 200
    assert answer.json["status"] == "healthy"
    assert answer.json["memory"]["heapUsed"] > 0


def test_report_is_unhealthy_when_the_database_is_gone(lost: Client) -> None:
    answer = lost.call("health_report")
    assert (answer.status, answer.json["status"]) == (200, "unhealthy")


def test_dependencies_pass_when_the_database_answers(client: Client) -> None:
    answer = client.call("health_check_dependencies")
    assert answer.status == 200
    assert answer.json["status"] == "ready"
    assert answer.json["checks"]["database"]["status"] == "pass"
    assert answer.json["checks"]["redis"]["status"] == "skipped"


def test_dependencies_fail_when_the_database_is_gone(lost: Client) -> None:
    answer = lost.call("health_check_dependencies")
    assert (answer.status, answer.json["status"]) == (503, "not_ready")
    assert answer.json["checks"]["database"]["status"] == "fail"


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        ("health_check_liveness", 422),
        ("health_check_readiness", 422),
        ("health_report", 400),
        ("health_check_dependencies", 400),
    ],
)
def test_unknown_query_parameter_is_refused(client: Client, operation: str, status: int) -> None:
    assert client.call(operation, query={"x": "1"}).status == status
