"""Administration of rate profiles over the whole product."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from core.limits.profiles import list_profiles
from tests.client import Answer, Client
from tests.conftest import ROOT
from tests.factories.people import People
from tests.live import Live

MISSING = "01936f4e-7c1a-7d3b-9a52-0c6f5e1b2a99"
AHEAD = {"projects.default": "projects", "runs.start": "projects", "settings.write": "settings"}
"""Shipped for operations of areas that the contract does not have yet (page 003)."""
UPLOADS: dict[str, Any] = {"name": "uploads", "params": {"requests_per_second": 2.5, "burst": 5}}


def _profile(client: Client, people: People, name: str) -> dict[str, Any]:
    rows = client.call("rate_profiles_list", as_=people.ada).json
    return next(row for row in rows if row["name"] == name)


def _make(client: Client, people: People, **changes: Any) -> Answer:
    return client.call("rate_profiles_create", as_=people.ada, body=UPLOADS | changes)


def test_the_fixed_limits_of_the_surfaces_are_shipped(client: Client, people: People) -> None:
    rows = {row["name"]: row for row in client.call("rate_profiles_list", as_=people.ada).json}
    assert list(rows) == sorted(rows)
    figures = {name: (row["algorithm"], row["key"], *row["params"].values()) for name, row in rows.items()}
    assert figures["projects.default"] == ("gcra", "user", 1, 60, 60)
    assert figures["runs.start"] == ("gcra", "user", 0.1, 6, 60)
    assert figures["settings.write"][1:] == ("user", 0.333333, 20, 60)
    assert figures["asset.password"][::3] == ("fixed_window", 5)
    assert figures["asset.password"][4] == 900


def test_every_shipped_profile_limits_an_operation(people: People) -> None:
    """One that nothing names would promise a limit that nobody meets."""
    table = msgspec.json.decode((ROOT / "models/contract/operations.json").read_bytes())
    named = {row["rate_profile"] for row in table["operations"] if row.get("rate_profile")}
    shipped = {row.name for row in list_profiles() if row.is_shipped}
    assert shipped == named | AHEAD.keys()
    for area in set(AHEAD.values()):
        assert not (ROOT / "spec/paths" / area).exists(), f"{area} is here: its profiles must be named by now"


def test_profiles_are_listed_by_pages(client: Client, people: People) -> None:
    whole = client.call("rate_profiles_list", as_=people.ada).json
    page = client.call("rate_profiles_list", as_=people.ada, query={"limit": 2, "offset": 1})
    assert page.json == whole[1:3]
    assert client.call("rate_profiles_list", as_=people.ada, query={"limit": 0}).status == 422


def test_a_settings_figure_is_shown_and_cannot_be_changed(client: Client, people: People) -> None:
    pinned = _profile(client, people, "conversation.post")
    assert pinned["params"] == {"requests_per_second": 1e6, "burst": 1_000_000, "window_seconds": 1}
    body = {"params": UPLOADS["params"]}
    answer = client.call("rate_profiles_update", as_=people.ada, path={"id": pinned["id"]}, body=body)
    assert (answer.status, answer.code) == (409, "RGP.409")


def test_a_profile_is_made_changed_and_deleted(client: Client, people: People) -> None:
    made = _make(client, people, description="For uploads.")
    assert made.status == 201
    assert made.json["params"] == {"requests_per_second": 2.5, "burst": 5, "window_seconds": 2}
    assert (made.json["algorithm"], made.json["key"], made.json["description"]) == ("gcra", "user", "For uploads.")
    path = {"id": made.json["id"]}
    body = {"params": {"burst": 100, "window_seconds": 60}}
    changed = client.call("rate_profiles_update", as_=people.ada, path=path, body=body)
    assert changed.json["params"] == {"requests_per_second": 1.66667, "burst": 100, "window_seconds": 60}
    assert changed.json["description"] == "For uploads."
    renamed = client.call("rate_profiles_update", as_=people.ada, path=path, body=body | {"description": "Other."})
    assert renamed.json["description"] == _profile(client, people, "uploads")["description"] == "Other."
    assert client.call("rate_profiles_delete", as_=people.ada, path=path).status == 204
    assert client.call("rate_profiles_delete", as_=people.ada, path=path).status == 404


@pytest.mark.parametrize("algorithm", ["gcra", "token_bucket", "fixed_window"])
def test_every_algorithm_is_enforced_by_a_caller_of_its_own(client: Client, people: People, algorithm: str) -> None:
    params = {"burst": 3, "window_seconds": 3600}
    made = _make(client, people, algorithm=algorithm, params=params)
    body = {"profile_id": made.json["id"], "method": "GET", "path": "/api/auth/me"}
    assert client.call("rate_assignments_create", as_=people.ada, body=body).status == 201
    answers = [client.call("sessions_get_me", as_=people.ben) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    refused = answers[-1]
    expected = {"RateLimit-Limit": "3", "X-RateLimit-Limit": "3", "X-RateLimit-Profile": "uploads"}
    assert dict(refused.headers).items() >= expected.items()
    wait = 3600 if algorithm == "fixed_window" else 1200
    assert wait - 60 <= int(refused.headers["Retry-After"]) <= wait
    assert 3540 <= int(refused.headers["RateLimit-Reset"]) <= 3600
    assert (refused.code, refused.json["retry_after_seconds"]) == (
        "RGP.RATE_LIMITED",
        int(refused.headers["Retry-After"]),
    )
    assert client.call("sessions_get_me", as_=people.cyn).status == 200


def test_a_profile_in_use_cannot_be_deleted(client: Client, people: People) -> None:
    made = _make(client, people)
    body = {"profile_id": made.json["id"], "method": "GET", "path": "/api/auth/me"}
    assigned = client.call("rate_assignments_create", as_=people.ada, body=body)
    path = {"id": made.json["id"]}
    answer = client.call("rate_profiles_delete", as_=people.ada, path=path)
    assert (answer.status, answer.code) == (409, "RGP.409")
    assert client.call("rate_assignments_delete", as_=people.ada, path={"id": assigned.json["id"]}).status == 204
    assert client.call("rate_profiles_delete", as_=people.ada, path=path).status == 204
    shipped = {"id": _profile(client, people, "default")["id"]}
    assert client.call("rate_profiles_delete", as_=people.ada, path=shipped).status == 409


def test_a_known_name_is_409(client: Client, people: People) -> None:
    assert _make(client, people).status == 201
    answer = _make(client, people)
    assert (answer.status, answer.code) == (409, "RGP.409")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"params": {}}, "invalid_profile"),
        ({"params": {"requests_per_second": 1, "window_seconds": 1, "burst": 1}}, "invalid_profile"),
        ({"params": {"window_seconds": 5}}, "invalid_profile"),
        ({"params": {"requests_per_second": 0}}, "validation_failed"),
        ({"params": {"requests_per_second": 1, "burst": 0}}, "validation_failed"),
        ({"params": {"requests_per_second": 1, "colour": 1}}, "validation_failed"),
        ({"algorithm": "leaky"}, "validation_failed"),
        ({"key": "planet"}, "validation_failed"),
        ({"name": "no spaces"}, "validation_failed"),
        ({"description": "\0"}, "validation_failed"),
    ],
)
def test_what_makes_no_profile_is_422(client: Client, people: People, changes: dict[str, Any], code: str) -> None:
    answer = _make(client, people, **changes)
    assert (answer.status, answer.code) == (422, code)
    assert answer.json["errors"]


def test_a_missing_profile_is_404(client: Client, people: People) -> None:
    body = {"params": UPLOADS["params"]}
    assert client.call("rate_profiles_update", as_=people.ada, path={"id": MISSING}, body=body).status == 404
    assert client.call("rate_profiles_delete", as_=people.ada, path={"id": MISSING}).status == 404


CALLS: dict[str, dict[str, Any]] = {
    "rate_profiles_list": {},
    "rate_profiles_create": {"body": UPLOADS},
    "rate_profiles_update": {"path": {"id": MISSING}, "body": {"params": UPLOADS["params"]}},
    "rate_profiles_delete": {"path": {"id": MISSING}},
    "rate_assignments_list": {},
    "rate_assignments_create": {"body": {"profile_id": MISSING, "method": "GET", "path": "/healthz"}},
    "rate_assignments_delete": {"path": {"id": MISSING}},
}


@pytest.mark.parametrize(("operation_id", "parts"), CALLS.items(), ids=CALLS)
def test_limits_are_the_administrators_alone(
    client: Client, people: People, operation_id: str, parts: dict[str, Any]
) -> None:
    assert client.call(operation_id, **parts).status == 401
    answer = client.call(operation_id, as_=people.ben, **parts)
    assert (answer.status, answer.code) == (403, "RGP.RBAC.FORBIDDEN")


@pytest.mark.settings(limits_admin_api="false")
@pytest.mark.parametrize(("operation_id", "parts"), CALLS.items(), ids=CALLS)
def test_limits_can_be_switched_off(client: Client, people: People, operation_id: str, parts: dict[str, Any]) -> None:
    assert client.call(operation_id, as_=people.ada, **parts).status == 404


def test_every_worker_follows_a_change_within_a_second(live: Live) -> None:
    client, people = live.client, live.people
    body = UPLOADS | {"name": f"live-{uuid4().hex[:8]}", "params": {"burst": 1000, "window_seconds": 60}}
    profile = client.call("rate_profiles_create", as_=people.ada, body=body).json
    body = {"profile_id": profile["id"], "method": "GET", "path": "/v1/models"}
    assigned = client.call("rate_assignments_create", as_=people.ada, body=body).json
    try:
        time.sleep(1)  # within which every worker follows
        seen = {client.call("models_list", as_=people.cyn).headers["X-RateLimit-Profile"] for _ in range(40)}
        assert seen == {profile["name"]}
        body = {"params": {"burst": 999, "window_seconds": 60}}
        client.call("rate_profiles_update", as_=people.ada, path={"id": profile["id"]}, body=body)
        time.sleep(1)  # within which every worker follows
        answers = [client.call("models_list", as_=people.cyn) for _ in range(40)]
        assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"999"}
    finally:
        client.call("rate_assignments_delete", as_=people.ada, path={"id": assigned["id"]})
        client.call("rate_profiles_delete", as_=people.ada, path={"id": profile["id"]})
