"""API keys: shown once, worth no more than their maker, ended at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from models.database import database as database_door
from models.database import read
from tests.client import Answer, Client, Person
from tests.conftest import FrozenClock
from tests.factories.api_keys import ROOT, Key, make_key, with_key
from tests.factories.people import People, give_role, sign_in, take_role
from tests.factories.tenants import register

IN_ROOT = {"tenantId": ROOT}


@pytest.fixture
def ben(client: Client, people: People) -> Person:
    """Give ben, an admin of the root workspace and of nothing else."""
    give_role(client, people.ada, people.ben, "admin")
    return sign_in(client, people.ben)


def _create(client: Client, maker: Person, **body: object) -> Answer:
    return client.call("api_keys_create", path=IN_ROOT, body={"name": "a key", **body}, as_=maker)


def _works(client: Client, holder: Person) -> int:
    return client.call("models_list", as_=holder).status


def _listed(client: Client, caller: Person, key: Key) -> dict[str, Any]:
    rows = client.call("api_keys_list", path=IN_ROOT, as_=caller).json["data"]
    return dict(next(row for row in rows if row["id"] == key.id))


def test_key_is_shown_once_and_kept_as_a_hash(client: Client, ben: Person) -> None:
    answer = _create(client, ben, scopes=["chat:read"], expires_at="2099-01-01T00:00:00Z")
    assert answer.status == 201
    made = answer.json["data"]
    secret = made.pop("apiKey")
    assert secret.startswith(made["prefix"])
    assert made["prefix"].startswith("sk_live_")
    rows = client.call("api_keys_list", path=IN_ROOT, as_=ben)
    assert rows.json["data"] == [{**made, "last_used_at": None}]
    assert (made["scopes"], made["created_by"]) == (["chat:read"], ben.user_id)
    with read():
        stored = [
            str(row)
            for table in ("api_keys", "api_key_secrets")
            for row in database_door.execute_sql(f"SELECT * FROM {table}").fetchall()
        ]
    assert len(stored) == 2
    assert secret not in " ".join(stored)


def test_key_is_taken_in_its_header_and_as_a_bearer(client: Client, ben: Person) -> None:
    key = make_key(client, ben)
    assert _works(client, key.holder) == 200
    assert client.call("models_list", headers={"Authorization": f"Bearer {key.secret}"}).status == 200
    both = {"x-api-key": key.secret, "Authorization": f"Bearer {key.secret}"}
    assert client.call("models_list", headers=both).status == 200


@pytest.mark.parametrize("other", ["another key", "a token"])
def test_two_credentials_are_400(client: Client, ben: Person, other: str) -> None:
    bearer = make_key(client, ben).secret if other == "another key" else ben.token
    headers = {"x-api-key": make_key(client, ben).secret, "Authorization": f"Bearer {bearer}"}
    assert client.call("models_list", headers=headers).status == 400


@pytest.mark.parametrize("secret", ["", "sk_live_", "sk_live_" + "x" * 43, "nonsense", "sk_test_" + "x" * 43])
def test_what_is_no_key_is_401(client: Client, people: People, secret: str) -> None:
    assert client.call("models_list", headers={"x-api-key": secret}).status == 401


@pytest.mark.parametrize("header", ["x-api-key", "Authorization"])
def test_key_opens_only_what_lists_keys(client: Client, ben: Person, header: str) -> None:
    secret = make_key(client, ben).secret
    headers = {header: secret if header == "x-api-key" else f"Bearer {secret}"}
    for operation in ("conversations_list", "sessions_get_me", "tokens_get_me", "tokens_refresh"):
        assert client.call(operation, headers=headers).status == 401, operation


def test_key_without_scopes_gets_those_of_everyday_work(client: Client, ben: Person, people: People) -> None:
    scopes = _create(client, ben).json["data"]["scopes"]
    assert {"chat:read", "file:upload", "model:*", "tenant:read"} <= set(scopes)
    assert not {scope for scope in scopes if scope.startswith(("apikey:", "iam:", "git:", "settings:"))}
    assert _create(client, people.ada).json["data"]["scopes"] == scopes


@pytest.mark.parametrize(
    "scopes",
    [["iam:admin"], ["chat:read", "tenant:create"], ["settings:read"], ["git:push"], ["settings:*"], ["unheard:of"]],
)
def test_scope_beyond_the_makers_is_403(client: Client, ben: Person, scopes: list[str]) -> None:
    answer = _create(client, ben, scopes=scopes)
    assert (answer.status, answer.json["error"]["code"]) == (403, "INSUFFICIENT_SCOPE")
    assert client.call("api_keys_list", path=IN_ROOT, as_=ben).json["data"] == []


def test_every_scope_of_a_resource_is_spelled_out_but_the_elevated(client: Client, people: People) -> None:
    scopes = _create(client, people.ada, scopes=["git:*", "apikey:*"]).json["data"]["scopes"]
    assert scopes == ["apikey:create", "apikey:delete", "apikey:read", "apikey:rotate", "git:commit"]
    assert _create(client, people.ada, scopes=["git:push"]).status == 403


def test_key_makes_no_key_beyond_itself(client: Client, ben: Person) -> None:
    narrow = make_key(client, ben, scopes=["apikey:create", "chat:read"])
    assert _create(client, narrow.holder, scopes=["chat:read"]).status == 201
    assert _create(client, narrow.holder, scopes=["chat:create"]).status == 403
    assert _create(client, narrow.holder).json["data"]["scopes"] == ["chat:read"]


def test_key_loses_what_its_maker_loses(client: Client, people: People, ben: Person) -> None:
    key = make_key(client, ben, scopes=["apikey:read", "chat:read"])
    assert client.call("api_keys_list", path=IN_ROOT, as_=key.holder).status == 200
    take_role(client, people.ada, ben, "admin")
    assert client.call("api_keys_list", path=IN_ROOT, as_=key.holder).status == 403
    assert _works(client, key.holder) == 200
    give_role(client, people.ada, ben, "admin")
    assert client.call("api_keys_list", path=IN_ROOT, as_=key.holder).status == 200


def test_key_ends_with_its_maker(client: Client, people: People, ben: Person) -> None:
    key, path = make_key(client, ben), {"id": ben.user_id}
    assert _works(client, key.holder) == 200
    assert client.call("users_update", path=path, body={"is_active": False}, as_=people.ada).status == 200
    assert _works(client, key.holder) == 423
    assert client.call("users_delete", path=path, as_=people.ada).status == 204
    assert _works(client, key.holder) == 401


def test_key_expires(client: Client, ben: Person, frozen_clock: FrozenClock) -> None:
    end = datetime.fromtimestamp(frozen_clock.seconds, UTC) + timedelta(seconds=10)
    key = make_key(client, ben, expires_at=end.isoformat())
    frozen_clock.advance(9)
    assert _works(client, key.holder) == 200
    frozen_clock.advance(1)
    assert _works(client, key.holder) == 401


def test_deleted_key_is_refused_at_once_and_repeats_are_404(client: Client, ben: Person) -> None:
    key, other = make_key(client, ben), make_key(client, ben)
    assert _works(client, key.holder) == 200
    path = {**IN_ROOT, "keyId": key.id}
    assert client.call("api_keys_delete", path=path, as_=ben).json == {"success": True}
    assert _works(client, key.holder) == 401
    assert _works(client, other.holder) == 200
    assert client.call("api_keys_delete", path=path, as_=ben).status == 404


def test_last_use_is_noted_once_a_minute(client: Client, ben: Person, frozen_clock: FrozenClock) -> None:
    key = make_key(client, ben)
    seen = []
    for _ in range(3):
        _works(client, key.holder)
        seen.append(_listed(client, ben, key)["last_used_at"])
        frozen_clock.advance(40)
    assert seen[0] is not None
    assert seen[1] == seen[0]
    assert seen[2] > seen[0]


def test_rotated_key_works_with_both_secrets_until_the_overlap_ends(
    client: Client, ben: Person, frozen_clock: FrozenClock
) -> None:
    key = make_key(client, ben, scopes=["chat:read"])
    path = {**IN_ROOT, "keyId": key.id}
    answer = client.call("api_keys_rotate", path=path, body={"overlapSeconds": 60}, as_=ben)
    assert (answer.status, answer.json["data"]["id"], answer.json["data"]["scopes"]) == (200, key.id, ["chat:read"])
    newer = with_key(ben, answer.json["data"]["apiKey"])
    assert _listed(client, ben, key)["prefix"] == answer.json["data"]["prefix"]
    assert (_works(client, key.holder), _works(client, newer)) == (200, 200)
    frozen_clock.advance(60)
    assert (_works(client, key.holder), _works(client, newer)) == (401, 200)


def test_rotation_overlaps_for_an_hour_unless_told_otherwise(
    client: Client, ben: Person, frozen_clock: FrozenClock
) -> None:
    key, other = make_key(client, ben), make_key(client, ben)
    client.call("api_keys_rotate", path={**IN_ROOT, "keyId": key.id}, as_=ben)
    client.call("api_keys_rotate", path={**IN_ROOT, "keyId": other.id}, body={"overlapSeconds": 0}, as_=ben)
    assert (_works(client, key.holder), _works(client, other.holder)) == (200, 401)
    frozen_clock.advance(3599)
    assert _works(client, key.holder) == 200
    frozen_clock.advance(1)
    assert _works(client, key.holder) == 401


def test_later_rotation_prolongs_no_former_secret(client: Client, ben: Person, frozen_clock: FrozenClock) -> None:
    key = make_key(client, ben)
    for overlap_seconds in (10, 1000):
        body = {"overlapSeconds": overlap_seconds}
        assert client.call("api_keys_rotate", path={**IN_ROOT, "keyId": key.id}, body=body, as_=ben).status == 200
    frozen_clock.advance(10)
    assert _works(client, key.holder) == 401


def test_rotated_key_acts_for_who_rotated_it_and_never_gains(client: Client, people: People, ben: Person) -> None:
    key = make_key(client, people.ada, scopes=["iam:admin"])
    assert client.call("api_keys_rotate", path={**IN_ROOT, "keyId": key.id}, as_=ben).status == 403
    plain = make_key(client, people.ada, scopes=["chat:read"])
    answer = client.call("api_keys_rotate", path={**IN_ROOT, "keyId": plain.id}, as_=ben)
    assert answer.json["data"]["created_by"] == ben.user_id


def test_rotation_gives_nobody_back_what_a_refused_secret_could_do(client: Client, people: People, ben: Person) -> None:
    """Whoever was disabled, or lost a role, still has the secret; who takes the key over does not lend it new power."""
    demoted, disabled = (make_key(client, ben, scopes=["apikey:read", "chat:read"]) for _ in range(2))
    take_role(client, people.ada, ben, "admin")
    assert client.call("api_keys_list", path=IN_ROOT, as_=demoted.holder).status == 403
    answer = client.call("api_keys_rotate", path={**IN_ROOT, "keyId": demoted.id}, as_=people.ada)
    assert client.call("api_keys_list", path=IN_ROOT, as_=with_key(ben, answer.json["data"]["apiKey"])).status == 200
    assert client.call("api_keys_list", path=IN_ROOT, as_=demoted.holder).status == 401
    off = {"is_active": False}
    assert client.call("users_update", path={"id": ben.user_id}, body=off, as_=people.ada).status == 200
    assert _works(client, disabled.holder) == 423
    assert client.call("api_keys_rotate", path={**IN_ROOT, "keyId": disabled.id}, as_=people.ada).status == 200
    assert _works(client, disabled.holder) == 401


def test_key_is_its_tenants_and_stays_when_its_maker_is_given_another_password(
    client: Client, people: People, ben: Person
) -> None:
    key, body = make_key(client, ben), {"password": "another one"}
    assert client.call("users_update", path={"id": ben.user_id}, body=body, as_=people.ada).status == 200
    assert _works(client, ben) == 401
    assert _works(client, key.holder) == 200


def test_key_of_an_administrator_ends_with_the_account_of_its_tenant(client: Client, people: People) -> None:
    """A system-wide administrator's key needs no account in the key's tenant; one that is there and disabled ends it."""
    key = make_key(client, people.ada)
    elsewhere = register(client).id
    client.call("tenants_create", body={"name": "Refuge", "email": people.ada.email}, as_=people.ada)
    foreign = make_key(client, people.ada, tenant_id=elsewhere)
    rows = client.call("accounts_list", path=IN_ROOT, as_=people.ada).json["data"]
    account = next(row["id"] for row in rows if row["userId"] == people.ada.user_id)
    path = {**IN_ROOT, "accountId": account}
    assert (_works(client, key.holder), _works(client, foreign.holder)) == (200, 200)
    assert client.call("accounts_update", path=path, body={"status": "disabled"}, as_=people.ada).status == 200
    assert (_works(client, key.holder), _works(client, foreign.holder)) == (401, 200)


def test_secrets_are_replayed_for_ten_minutes(client: Client, ben: Person, frozen_clock: FrozenClock) -> None:
    headers, path = {"Idempotency-Key": "once"}, IN_ROOT
    first = client.call("api_keys_create", path=path, body={"name": "a"}, as_=ben, headers=headers)
    rotate = {"path": {**IN_ROOT, "keyId": first.json["data"]["id"]}, "as_": ben, "headers": headers}
    rotated = client.call("api_keys_rotate", **rotate)
    assert rotated.json["data"]["apiKey"] != first.json["data"]["apiKey"]
    frozen_clock.advance(599)
    again = client.call("api_keys_create", path=path, body={"name": "a"}, as_=ben, headers=headers)
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert client.call("api_keys_rotate", **rotate).json == rotated.json
    assert client.call("api_keys_create", path=path, body={"name": "b"}, as_=ben, headers=headers).status == 422
    frozen_clock.advance(2)
    assert client.call("api_keys_create", path=path, body={"name": "a"}, as_=ben, headers=headers).status == 409
    assert client.call("api_keys_rotate", **rotate).status == 409
    assert len(client.call("api_keys_list", path=path, as_=ben).json["data"]) == 1


@pytest.mark.parametrize("made_ahead_seconds", [0, -1])
def test_key_that_would_have_ended_is_400(
    client: Client, ben: Person, frozen_clock: FrozenClock, made_ahead_seconds: int
) -> None:
    end = datetime.fromtimestamp(frozen_clock.seconds + made_ahead_seconds, UTC)
    answer = _create(client, ben, expires_at=end.isoformat())
    assert (answer.status, answer.json["error"]["details"][0]["pointer"]) == (400, "/expires_at")


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "a", "scopes": []}, {"name": "a", "scopes": ["x"]}, {"name": "a", "more": 1}]
)
def test_body_outside_the_contract_is_400(client: Client, ben: Person, body: dict[str, object]) -> None:
    answer = client.call("api_keys_create", path=IN_ROOT, body=body, as_=ben)
    assert (answer.status, answer.json["error"]["code"]) == (400, "VALIDATION_ERROR")


OPERATIONS: list[tuple[str, dict[str, str], object]] = [
    ("api_keys_list", {}, None),
    ("api_keys_create", {}, {"name": "a"}),
    ("api_keys_rotate", {"keyId": str(uuid4())}, None),
    ("api_keys_delete", {"keyId": str(uuid4())}, None),
]


@pytest.mark.parametrize(("operation", "path", "body"), OPERATIONS)
def test_members_may_not(client: Client, people: People, operation: str, path: dict, body: object) -> None:
    sent: dict[str, Any] = {"path": {**IN_ROOT, **path}, "body": body}
    assert client.call(operation, as_=people.ben, **sent).status == 403
    assert client.call(operation, **sent).status == 401
    browser = replace(people.ada, token=None, csrf=None)
    assert client.call(operation, as_=browser, **sent).status in {200, 403}


@pytest.mark.parametrize(("operation", "path", "body"), OPERATIONS)
def test_unknown_tenants_and_keys_are_404(
    client: Client, ben: Person, operation: str, path: dict, body: object
) -> None:
    unknown = client.call(operation, path={"tenantId": str(uuid4()), **path}, body=body, as_=ben)
    assert (unknown.status, unknown.json["error"]["code"]) == (404, "NOT_FOUND")
    if path:
        assert client.call(operation, path={**IN_ROOT, **path}, body=body, as_=ben).status == 404


@pytest.mark.parametrize(("scope", "status"), [("model:*", 200), ("model:gpt-4", 200), ("model:gpt-3.5", 403)])
def test_completion_demands_the_scope_of_its_model(client: Client, ben: Person, scope: str, status: int) -> None:
    holder = make_key(client, ben, scopes=[scope]).holder
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}
    assert client.call("completions_create", body=body, as_=holder).status == status
