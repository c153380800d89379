"""Roles: made, changed and deleted, with effect on everyone who holds them from the next request on."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.client import Answer, Client, Person
from tests.factories.people import BUILTIN_ROLES, People


def _create(client: Client, people: People, name: str = "editor", **more: Any) -> dict[str, Any]:
    answer = client.call("roles_create", body={"name": name, **more}, as_=people.ada)
    assert answer.status == 201, answer.text
    return dict(answer.json)


def _update(client: Client, people: People, role_id: str, **body: list[str]) -> Answer:
    return client.call("roles_update_scopes", path={"id": role_id}, body=body, as_=people.ada)


def _give(client: Client, people: People, role_id: str) -> None:
    path = {"user_id": people.ben.user_id, "role_id": role_id}
    assert client.call("users_assign_role", path=path, as_=people.ada).status == 200


def _abilities(client: Client, person: Person) -> set[str]:
    return set(client.call("sessions_get_me", as_=person.in_browser()).json["abilities"])


def test_builtin_roles_are_listed_first_with_what_they_grant(client: Client, people: People) -> None:
    made = _create(client, people, description="Edits.", scopes=["projects:write", "projects:read"])
    assert made["scopes"] == ["projects:read", "projects:write"]
    rows = client.call("roles_list", as_=people.ada).json
    assert [row["name"] for row in rows] == [*BUILTIN_ROLES, "editor"]
    assert [row["is_builtin"] for row in rows] == [True] * 4 + [False]
    assert rows[4] == made
    granted = {row["name"]: set(row["scopes"]) for row in rows}
    assert granted["superadmin"] == {"iam:admin"}
    assert granted["admin"] - granted["member"] == {f"apikey:{verb}" for verb in ("create", "delete", "read", "rotate")}
    assert granted["viewer"] == {scope for scope in granted["member"] if scope.endswith(":read")}
    forbidden = {"iam:admin", "tenant:create", "settings:read", "settings:write"}
    assert not forbidden & (granted["admin"] | granted["member"] | granted["viewer"])
    page = client.call("roles_list", query={"limit": 2, "offset": 3}, as_=people.ada).json
    assert page == rows[3:5]


def test_known_name_is_409(client: Client, people: People) -> None:
    _create(client, people)
    for name in ("editor", "admin"):
        answer = client.call("roles_create", body={"name": name}, as_=people.ada)
        assert (answer.status, answer.json["error"]["details"]["code"]) == (409, "role_exists")


def test_scopes_are_added_removed_and_replaced(client: Client, people: People) -> None:
    role = _create(client, people, scopes=["a:read"])
    changed = _update(client, people, role["id"], add=["b:read", "a:read"], remove=["a:read", "c:read"])
    assert (changed.status, changed.json["scopes"]) == (200, ["b:read"])
    assert _update(client, people, role["id"], scopes=["x:1", "d:*"]).json["scopes"] == ["d:*", "x:1"]
    assert _update(client, people, role["id"], scopes=[]).json["scopes"] == []


def test_role_that_would_grow_too_large_stays_as_it_was(client: Client, people: People) -> None:
    role = _create(client, people, scopes=[f"a:{number}" for number in range(1000)])
    answer = _update(client, people, role["id"], add=["b:1"])
    assert (answer.status, answer.json["error"]["details"]["code"]) == (409, "role_full")
    assert _update(client, people, role["id"], add=["b:1"], remove=["a:1"]).status == 200


def test_change_counts_from_the_next_request_of_every_holder_on(client: Client, people: People) -> None:
    role = _create(client, people, scopes=["tenant:create", "made:up"])
    assert not {"tenant:create", "made:up"} & _abilities(client, people.ben)
    _give(client, people, role["id"])
    assert {"tenant:create", "made:up"} <= _abilities(client, people.ben)
    _update(client, people, role["id"], remove=["made:up"])
    assert "made:up" not in _abilities(client, people.ben)
    _update(client, people, role["id"], scopes=["other:thing"])
    assert "tenant:create" not in _abilities(client, people.ben)
    assert client.call("roles_delete", path={"id": role["id"]}, as_=people.ada).status == 204
    assert "other:thing" not in _abilities(client, people.ben)
    assert client.call("roles_delete", path={"id": role["id"]}, as_=people.ada).status == 404


def test_role_gives_no_session_an_elevated_scope(client: Client, people: People) -> None:
    role = _create(client, people, scopes=["git:*", "settings:*", "settings:write", "git:push"])
    _give(client, people, role["id"])
    assert not {"git:push", "settings:write"} & _abilities(client, people.ben)
    assert "settings:*" in _abilities(client, people.ben)


@pytest.mark.parametrize("name", BUILTIN_ROLES)
def test_builtin_roles_stay(client: Client, people: People, name: str) -> None:
    path = {"id": BUILTIN_ROLES[name]}
    answers = [
        client.call("roles_delete", path=path, as_=people.ada),
        _update(client, people, path["id"], add=["iam:admin"]),
        _update(client, people, path["id"], scopes=[]),
    ]
    assert [answer.status for answer in answers] == [409, 409, 409]
    assert {answer.json["error"]["details"]["code"] for answer in answers} == {"role_built_in"}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("roles_create", {}),
        ("roles_create", {"name": "two words"}),
        ("roles_create", {"name": "a", "scopes": ["plain"]}),
        ("roles_create", {"name": "a", "scopes": ["a:b", "a:b"]}),
        ("roles_update_scopes", {}),
        ("roles_update_scopes", {"scopes": ["a:b"], "add": ["a:c"]}),
        ("roles_update_scopes", {"scopes": [], "remove": []}),
        ("roles_update_scopes", {"add": ["a"]}),
    ],
)
def test_body_outside_the_contract_is_422(client: Client, people: People, operation: str, body: dict) -> None:
    path = {"id": _create(client, people, "made")["id"]} if operation == "roles_update_scopes" else {}
    assert client.call(operation, path=path, body=body, as_=people.ada).status == 422


def test_role_is_made_once_when_the_request_is_repeated(client: Client, people: People) -> None:
    sent: dict[str, Any] = {"body": {"name": "once"}, "as_": people.ada, "headers": {"Idempotency-Key": "k"}}
    assert client.call("roles_create", **sent).json == client.call("roles_create", **sent).json


ROWS: list[tuple[str, dict[str, str], object, int]] = [
    ("roles_list", {}, None, 200),
    ("roles_create", {}, {"name": "x"}, 201),
    ("roles_update_scopes", {"id": str(uuid4())}, {"add": ["a:b"]}, 404),
    ("roles_delete", {"id": str(uuid4())}, None, 404),
]


def test_only_administrators_may(client: Client, people: People) -> None:
    for operation, path, body, status in ROWS:
        sent = {"path": path, "body": body}
        assert client.call(operation, as_=people.ben, **sent).status == 403, operation
        assert client.call(operation, headers={"Authorization": "Bearer x"}, **sent).status == 401, operation
        assert client.call(operation, as_=people.ada, **sent).status == status, operation
