"""Tenants: registered, made, and seen by their own alone."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.client import Client, Person
from tests.conftest import FrozenClock
from tests.factories.api_keys import ROOT, make_key, with_key
from tests.factories.people import People
from tests.factories.tenants import make_account, register

NEWCOMER = {"email": "Owner@Example.org", "organizationName": "Example Ltd"}


def test_registration_makes_a_tenant_whose_key_does_what_an_admin_does(client: Client, people: People) -> None:
    answer = client.call("tenants_register", body=NEWCOMER)
    assert answer.status == 201
    data = answer.json["data"]
    assert {"tenant:read", "chat:create", "file:upload", "apikey:create"} <= set(data["scopes"])
    assert not {scope for scope in data["scopes"] if scope in {"iam:admin", "tenant:create", "git:push"}}
    owner = with_key(people.ada, data["apiKey"])
    own = client.call("tenants_get_own", as_=owner)
    assert own.json["data"] == {
        **own.json["data"],
        "id": data["tenantId"],
        "name": "Example Ltd",
        "plan": "free",
        "status": "active",
        "ragStoreId": data["tenantId"],
    }
    accounts = client.call("accounts_list", path={"tenantId": data["tenantId"]}, as_=owner).json["data"]
    assert [(row["email"], row["role"]) for row in accounts] == [("owner@example.org", "admin")]
    keys = client.call("api_keys_list", path={"tenantId": data["tenantId"]}, as_=owner).json["data"]
    assert [row["created_by"] for row in keys] == [accounts[0]["userId"]]


@pytest.mark.parametrize("email", ["owner@example.org", "ben@example.com", "Nobody@example.com"])
def test_registration_does_not_tell_whether_the_address_is_known(client: Client, people: People, email: str) -> None:
    """Register with the address of a user, of another tenant's account, and of nobody: all are answered and shown alike."""
    host = register(client)
    make_account(client, host, people.ada)
    body = {"email": "owner@example.org", "name": "Owner", "role": "admin"}
    assert client.call("accounts_create", path={"tenantId": host.id}, body=body, as_=host.admin).status == 201
    registered = [register(client, email=email) for _ in range(2)]
    for tenancy in registered:
        [account] = client.call("accounts_list", path={"tenantId": tenancy.id}, as_=tenancy.admin).json["data"]
        assert (account["email"], account["role"]) == (email.lower(), "admin")
    assert registered[0].id != registered[1].id


def test_registration_takes_an_address_from_nobody(client: Client, people: People) -> None:
    """Register with an address before its owner comes: an administrator can still make the owner's user."""
    tenancy = register(client, email="new@example.com")
    body = {"email": "new@example.com", "password": "correct horse"}
    made = client.call("users_create", body=body, as_=people.ada)
    assert made.status == 201, made.text
    assert client.call("users_get", path={"id": made.json["id"]}, as_=people.ada).json["email"] == "new@example.com"
    [account] = client.call("accounts_list", path={"tenantId": tenancy.id}, as_=tenancy.admin).json["data"]
    assert account["userId"] != made.json["id"]
    path, change = {"id": account["userId"]}, {"email": "vouched@example.com"}
    assert client.call("users_update", path=path, body=change, as_=people.ada).status == 200
    [account] = client.call("accounts_list", path={"tenantId": tenancy.id}, as_=tenancy.admin).json["data"]
    assert account["email"] == "vouched@example.com"


def test_registration_is_replayed_with_its_secret_for_ten_minutes(
    client: Client, people: People, frozen_clock: FrozenClock
) -> None:
    key = {"Idempotency-Key": "newcomer"}
    first = client.call("tenants_register", body=NEWCOMER, headers=key)
    frozen_clock.advance(599)
    assert client.call("tenants_register", body=NEWCOMER, headers=key).json == first.json
    other = {**NEWCOMER, "organizationName": "Other"}
    assert client.call("tenants_register", body=other, headers=key).status == 422
    frozen_clock.advance(2)
    assert client.call("tenants_register", body=NEWCOMER, headers=key).status == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "no", "organizationName": "X"},
        {"email": "a@example.com", "organizationName": " "},
        {"email": "a@example.com", "organizationName": "\0"},
        {**NEWCOMER, "plan": "big"},
    ],
)
def test_registration_outside_the_contract_is_400(client: Client, people: People, body: dict[str, str]) -> None:
    answer = client.call("tenants_register", body=body)
    assert (answer.status, answer.json["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_tenant_is_seen_by_its_own_and_by_system_wide_administrators(client: Client, people: People) -> None:
    tenancy = register(client, name="First")
    path = {"tenantId": tenancy.id}
    answer = client.call("tenants_get", path=path, as_=tenancy.admin)
    assert (answer.status, answer.json["data"]["name"]) == (200, "First")
    assert client.call("tenants_get", path=path, as_=people.ada).json == answer.json
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert client.call("tenants_get", path=path, as_=tenancy.admin, headers=tag).status == 304
    assert client.call("tenants_get_own", as_=people.ben).json["data"]["id"] == ROOT


def test_administrator_makes_a_tenant_and_its_admin(client: Client, people: People) -> None:
    answer = client.call("tenants_create", body={"name": "Made", "email": people.ben.email}, as_=people.ada)
    assert (answer.status, answer.json["data"]["name"]) == (201, "Made")
    path = {"tenantId": answer.json["data"]["id"]}
    assert answer.headers["Location"] == f"/api/v1/tenants/{path['tenantId']}"
    accounts = client.call("accounts_list", path=path, as_=people.ada).json["data"]
    assert [(row["userId"], row["role"]) for row in accounts] == [(people.ben.user_id, "admin")]
    empty = client.call("tenants_create", body={"name": "Empty"}, as_=people.ada).json["data"]["id"]
    assert client.call("accounts_list", path={"tenantId": empty}, as_=people.ada).json["data"] == []
    key = make_key(client, people.ada, tenant_id=empty).holder
    assert client.call("tenants_get_own", as_=key).json["data"]["id"] == empty
    assert client.call("tenants_get", path={"tenantId": ROOT}, as_=key).status == 404


def test_user_stays_at_home_when_another_tenant_takes_them_in(client: Client, people: People) -> None:
    client.call("tenants_create", body={"name": "Made", "email": people.ben.email}, as_=people.ada)
    assert client.call("tenants_get_own", as_=people.ben.in_browser()).json["data"]["id"] == ROOT


def _asks(path: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """Return every operation on a tenant's things, for one tenant."""
    key, account = {**path, "keyId": str(uuid4())}, {**path, "accountId": str(uuid4())}
    return [
        ("tenants_get", {"path": path}),
        ("accounts_list", {"path": path}),
        ("accounts_create", {"path": path, "body": {"email": "x@example.org", "name": "X", "role": "viewer"}}),
        ("accounts_get", {"path": account}),
        ("accounts_update", {"path": account, "body": {"name": "X"}}),
        ("api_keys_list", {"path": path}),
        ("api_keys_create", {"path": path, "body": {"name": "X"}}),
        ("api_keys_rotate", {"path": key}),
        ("api_keys_delete", {"path": key}),
    ]


def test_foreign_tenant_is_answered_byte_for_byte_like_a_missing_one(client: Client, people: People) -> None:
    own, foreign = register(client), register(client)
    missing = {"tenantId": str(uuid4())}
    for (operation, parts), (_, nowhere) in zip(_asks({"tenantId": foreign.id}), _asks(missing), strict=True):
        answers = [client.call(operation, as_=own.admin, **asked) for asked in (parts, nowhere)]
        assert [answer.status for answer in answers] == [404, 404], operation
        assert answers[0].content == answers[1].content
        assert {*answers[0].headers.keys()} == {*answers[1].headers.keys()}


def test_foreign_key_and_account_are_answered_like_missing_ones(client: Client, people: People) -> None:
    own, foreign = register(client), register(client)
    key = make_key(client, foreign.admin, tenant_id=foreign.id)
    account = make_account(client, foreign, people.ada)
    for operation, name, taken in [
        ("api_keys_rotate", "keyId", key.id),
        ("api_keys_delete", "keyId", key.id),
        ("accounts_get", "accountId", account.id),
        ("accounts_update", "accountId", account.id),
    ]:
        body = {"status": "disabled"} if operation == "accounts_update" else None
        paths = [{"tenantId": own.id, name: which} for which in (taken, str(uuid4()))]
        answers = [client.call(operation, path=path, body=body, as_=own.admin) for path in paths]
        assert [answer.status for answer in answers] == [404, 404], operation
        assert answers[0].content == answers[1].content
    assert client.call("tenants_get_own", as_=key.holder).status == 200
    assert client.call("tenants_get_own", as_=account.person).status == 200


def _callers(client: Client, people: People) -> dict[str, Person | None]:
    tenancy = register(client)
    return {
        "no one": None,
        "viewer": make_account(client, tenancy, people.ada, role="viewer").person,
        "admin": tenancy.admin,
        "a narrow key": make_key(client, tenancy.admin, scopes=["usage:read"], tenant_id=tenancy.id).holder,
    }


def test_scopes_decide_who_may(client: Client, people: People) -> None:
    callers = _callers(client, people)
    statuses = {
        name: (
            client.call("tenants_get_own", as_=caller).status,
            client.call("tenants_create", body={"name": "X"}, as_=caller).status,
        )
        for name, caller in callers.items()
    }
    assert statuses == {
        "no one": (401, 401),
        "viewer": (200, 403),
        "admin": (200, 403),
        "a narrow key": (403, 403),
    }
