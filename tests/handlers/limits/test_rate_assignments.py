"""Assignments of rate profiles over the whole product."""

from __future__ import annotations

from typing import Any

import pytest

from core.limits import generation
from core.limits.assignments import do_assign
from core.limits.profiles import list_profiles
from tests.client import Answer, Client
from tests.factories.people import People

MISSING = "01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a99"


@pytest.fixture
def profiles(client: Client, people: People) -> dict[str, str]:
    """Make profiles a and b; name → id."""
    made = {}
    for name, burst in (("a", 100), ("b", 200)):
        body = {"name": name, "params": {"burst": burst, "window_seconds": 60}}
        made[name] = client.call("rate_profiles_create", as_=people.ada, body=body).json["id"]
    return made


def _assign(client: Client, people: People, profile_id: str, method: str, path: str) -> Answer:
    body = {"profile_id": profile_id, "method": method, "path": path}
    return client.call("rate_assignments_create", as_=people.ada, body=body)


def _profile_of(client: Client, people: People, operation_id: str, **parts: Any) -> str | None:
    return client.call(operation_id, as_=people.ben, **parts).headers.get("X-RateLimit-Profile")


def test_an_assignment_takes_the_contracts_place_until_it_is_deleted(
    client: Client, people: People, profiles: dict[str, str]
) -> None:
    assert _profile_of(client, people, "models_list") == "default"
    assigned = _assign(client, people, profiles["a"], "GET", "/v1/models")
    assert (assigned.status, assigned.json["profile_name"], assigned.json["path_pattern"]) == (201, "a", "/v1/models")
    assert _profile_of(client, people, "models_list") == "a"
    assert _profile_of(client, people, "sessions_get_me") == "default"
    path = {"id": assigned.json["id"]}
    assert client.call("rate_assignments_delete", as_=people.ada, path=path).status == 204
    assert _profile_of(client, people, "models_list") == "default"
    assert client.call("rate_assignments_delete", as_=people.ada, path=path).status == 404


def test_the_same_method_and_path_replace_the_assignment(
    client: Client, people: People, profiles: dict[str, str]
) -> None:
    first = _assign(client, people, profiles["a"], "GET", "/v1/models").json
    second = _assign(client, people, profiles["b"], "GET", "/v1/models").json
    assert (first["id"], first["created_at"]) == (second["id"], second["created_at"])
    rows = client.call("rate_assignments_list", as_=people.ada).json
    assert rows == [second]
    assert _profile_of(client, people, "models_list") == "b"


def test_the_assignment_that_says_more_holds(client: Client, people: People, profiles: dict[str, str]) -> None:
    assert _assign(client, people, profiles["a"], "*", "*").status == 201
    assert _profile_of(client, people, "models_list") == "a"
    assert _profile_of(client, people, "setup_get") == "a"
    assert _assign(client, people, profiles["b"], "GET", "/v1/*").status == 201
    assert _profile_of(client, people, "models_list") == "b"
    assert _profile_of(client, people, "sessions_get_me") == "a"


def test_all_operations_of_a_profile_draw_on_one_bucket(
    client: Client, people: People, profiles: dict[str, str]
) -> None:
    for path in ("/v1/models", "/api/auth/me"):
        assert _assign(client, people, profiles["a"], "GET", path).status == 201
    left = [
        int(client.call(operation_id, as_=people.ben).headers["RateLimit-Remaining"])
        for operation_id in ("models_list", "sessions_get_me", "models_list")
    ]
    assert left == [99, 98, 97]


def test_assignments_are_listed_by_path_and_method(client: Client, people: People, profiles: dict[str, str]) -> None:
    pairs = [("POST", "/api/conversations"), ("GET", "/api/conversations"), ("*", "*")]
    for method, path in pairs:
        assert _assign(client, people, profiles["a"], method, path).status == 201
    rows = client.call("rate_assignments_list", as_=people.ada).json
    assert [(row["path_pattern"], row["method"]) for row in rows] == [
        ("*", "*"),
        ("/api/conversations", "GET"),
        ("/api/conversations", "POST"),
    ]
    page = client.call("rate_assignments_list", as_=people.ada, query={"limit": 1, "offset": 1})
    assert page.json == rows[1:2]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/no/such/path"), ("POST", "/v1/models"), ("GET", "/api/conversations/5")]
)
def test_a_pattern_that_means_no_operation_is_422(
    client: Client, people: People, profiles: dict[str, str], method: str, path: str
) -> None:
    answer = _assign(client, people, profiles["a"], method, path)
    assert (answer.status, answer.code, answer.json["errors"][0]["pointer"]) == (422, "invalid_assignment", "/path")


def test_a_profile_that_is_not_there_is_422(client: Client, people: People) -> None:
    answer = _assign(client, people, MISSING, "GET", "/v1/models")
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/profile_id")


@pytest.mark.parametrize("change", [{"method": "BREW"}, {"path": "v1/models"}, {"path": ""}, {"profile_id": "x"}])
def test_an_assignment_that_breaks_the_contract_is_422(
    client: Client, people: People, profiles: dict[str, str], change: dict[str, str]
) -> None:
    body = {"profile_id": profiles["a"], "method": "GET", "path": "/v1/models"} | change
    answer = client.call("rate_assignments_create", as_=people.ada, body=body)
    assert (answer.status, answer.code) == (422, "validation_failed")


def test_each_change_moves_the_generation(client: Client, people: People) -> None:
    before = generation.current()
    profile = next(row for row in list_profiles() if row.name == "runs.start")
    do_assign(profile.id, "GET", "/v1/models")
    assert generation.current() == before + 1
    assert _profile_of(client, people, "models_list") == "runs.start"


def test_an_address_is_counted_where_the_profile_says_so(client: Client, people: People) -> None:
    body = {"name": "ip", "key": "address", "params": {"burst": 2, "window_seconds": 3600}}
    profile_id = client.call("rate_profiles_create", as_=people.ada, body=body).json["id"]
    assert _assign(client, people, profile_id, "GET", "/v1/models").status == 201
    callers = [people.ben, people.cyn, people.ada]
    assert [client.call("models_list", as_=person).status for person in callers] == [200, 200, 429]


def test_who_is_not_signed_in_is_counted_by_address(client: Client, people: People) -> None:
    body = {"name": "probe", "params": {"burst": 2, "window_seconds": 3600}}
    profile_id = client.call("rate_profiles_create", as_=people.ada, body=body).json["id"]
    assert _assign(client, people, profile_id, "GET", "/api/setup").status == 201
    assert [client.call("setup_get").status for _ in range(3)] == [200, 200, 429]


def test_an_operation_that_declares_no_429_is_not_limited(client: Client, people: People) -> None:
    body = {"name": "once", "params": {"burst": 1, "window_seconds": 3600}}
    profile_id = client.call("rate_profiles_create", as_=people.ada, body=body).json["id"]
    assert _assign(client, people, profile_id, "GET", "/healthz").status == 422
    assert _assign(client, people, profile_id, "GET", "*").status == 201
    assert [client.call("health_check_liveness").status for _ in range(3)] == [200, 200, 200]
