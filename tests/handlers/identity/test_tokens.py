"""Bearer tokens over the whole product."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import msgspec
import pytest

from core.identity import hashing
from core.identity.callers import DEV_USER_ID, CallerVerifier
from core.kernel.exchange import Credentials
from core.kernel.settings import Settings
from tests.client import Answer, Client, Person
from tests.conftest import FrozenClock
from tests.factories.people import PASSWORD, People
from tests.factories.tokens import narrow

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _grant(client: Client, username: str, password: str = PASSWORD, headers: dict[str, str] | None = None, **more: str):
    form = urlencode({"username": username, "password": password, **more}).encode()
    return client.call("tokens_create", data=form, headers=FORM | (headers or {}))


def _me(client: Client, token: str) -> Answer:
    return client.call("tokens_get_me", headers={"Authorization": f"Bearer {token}"})


def _holder(person: Person, token: str) -> Person:
    return replace(person, token=token)


def test_token_is_granted_for_a_password(client: Client, people: People) -> None:
    answer = _grant(client, "ben@example.com", grant_type="password", client_id="x", client_secret="y")
    assert answer.status == 200
    assert answer.json["token_type"] == "bearer"
    assert answer.json["expires_in"] in {86_399, 86_400}
    me = _me(client, answer.json["access_token"])
    assert me.json["user_id"] == people.ben.user_id
    assert me.json["groups"] == ["member"]
    assert me.json["scopes"] == answer.json["scope"].split(" ")
    assert client.call("tokens_get_me", as_=people.ben, headers={"If-None-Match": me.headers["ETag"]}).status == 304


def test_token_is_narrowed_to_the_wanted_scopes(client: Client, people: People) -> None:
    answer = _grant(client, "ben@example.com", scope="chat:read apikey:read")
    assert answer.json["scope"] == "chat:read"
    assert _me(client, answer.json["access_token"]).json["scopes"] == ["chat:read"]
    assert _grant(client, "ben@example.com", scope="iam:admin").status == 422


def test_every_failure_is_the_same_401(client: Client, people: People) -> None:
    client.call("users_update", path={"id": people.cyn.user_id}, body={"is_active": False}, as_=people.ada)
    answers = [
        _grant(client, "ben@example.com", "wrong"),
        _grant(client, "nobody@example.com"),
        _grant(client, "cyn@example.com"),
    ]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


def test_form_outside_the_contract_is_refused(client: Client, people: People) -> None:
    assert _grant(client, "ben@example.com", grant_type="client_credentials").status == 422
    assert _grant(client, "ben@example.com", more="1").status == 422
    assert client.call("tokens_create", data=b"username=x", headers=FORM).status == 422
    assert client.call("tokens_create", body={"username": "x", "password": "y"}).status == 415
    assert client.call("tokens_create", data=b"username=%zz", headers=FORM).status in {400, 422}
    assert client.call("tokens_create", data=b"username=" + b"x" * 16_384, headers=FORM).status == 413


def test_repeat_is_replayed_for_ten_minutes(client: Client, people: People, frozen_clock: FrozenClock) -> None:
    key = {"Idempotency-Key": "k"}
    first = _grant(client, "ben@example.com", headers=key)
    frozen_clock.advance(599)
    assert _grant(client, "ben@example.com", headers=key).content == first.content
    frozen_clock.advance(1)
    assert _grant(client, "ben@example.com", headers=key).status == 409
    assert _grant(client, "cyn@example.com", headers=key).status == 422


def test_refresh_replaces_the_token_everywhere_but_in_its_own_grace(
    client: Client, people: People, frozen_clock: FrozenClock
) -> None:
    answer = client.call("tokens_refresh", as_=people.ben)
    assert answer.status == 200
    successor = answer.json["access_token"]
    assert client.call("tokens_get_me", as_=people.ben).status == 401
    assert _me(client, successor).status == 200
    frozen_clock.advance(9)
    assert client.call("tokens_refresh", as_=people.ben).json["access_token"] == successor
    frozen_clock.advance(1)
    assert client.call("tokens_refresh", as_=people.ben).status == 401
    assert _me(client, successor).status == 401


def test_revoked_token_is_refused_at_once(client: Client, people: People) -> None:
    assert client.call("tokens_get_me", as_=people.ben).status == 200
    assert client.call("tokens_revoke", as_=people.ben).status == 204
    for operation in ("tokens_get_me", "tokens_revoke", "tokens_refresh"):
        assert client.call(operation, as_=people.ben).status == 401


def test_narrowed_token_does_less_and_is_revoked_alone(client: Client, people: People) -> None:
    assert people.ada.token is not None
    narrowed = _holder(people.ada, narrow(people.ada.token, 'check if requested_scope("chat:read");'))
    assert client.call("tokens_get_me", as_=narrowed).json["scopes"] == ["chat:read"]
    assert client.call("users_list", as_=narrowed).status == 403
    assert client.call("users_list", as_=people.ada).status == 200
    refused = client.call("tokens_refresh", as_=narrowed)
    assert (refused.status, refused.json["error"]["details"]["code"]) == (403, "narrowed_token")
    deeper = _holder(people.ada, narrow(narrowed.token or "", "check if true;"))
    assert client.call("tokens_get_me", as_=deeper).status == 200
    assert client.call("tokens_revoke", as_=narrowed).status == 204
    assert client.call("tokens_get_me", as_=narrowed).status == 401
    assert client.call("tokens_get_me", as_=deeper).status == 401
    assert client.call("tokens_get_me", as_=people.ada).status == 200


def test_token_ends_after_a_day(client: Client, people: People, frozen_clock: FrozenClock) -> None:
    token = _grant(client, "ben@example.com").json["access_token"]
    frozen_clock.advance(86_399)
    assert _me(client, token).status == 200
    frozen_clock.advance(1)
    assert _me(client, token).status == 401


def test_no_credential_is_the_dev_user_in_the_dev_profile(client: Client, people: People) -> None:
    answer = client.call("tokens_get_me")
    assert answer.json["user_id"] == str(DEV_USER_ID)
    assert "iam:admin" in answer.json["scopes"]
    assert client.call("users_list").status == 200
    for operation in ("tokens_refresh", "tokens_revoke"):
        assert client.call(operation).status == 401


@pytest.mark.parametrize("change", [{"profile": "production"}, {"bind": "0.0.0.0:8080"}])
def test_no_credential_is_no_one_elsewhere(database: Settings, change: dict[str, str]) -> None:
    verifier = CallerVerifier(msgspec.structs.replace(database, **change))
    nothing = Credentials(values={}, is_unsafe=False, error_style="workflow", client_address="127.0.0.1")
    assert verifier.verify(nothing) is None


def test_dev_user_administers_and_a_real_token_is_honoured(client: Client, people: People) -> None:
    key, body = {"Idempotency-Key": "k"}, {"email": "dee@example.com"}
    made = client.call("users_create", body=body, headers=key)
    assert (made.status, client.call("users_create", body=body, headers=key).json) == (201, made.json)
    path = {"id": made.json["id"]}
    tag = {"If-Match": client.call("users_get", path=path).headers["ETag"]}
    assert client.call("users_update", path=path, body={"last_name": "Do"}, headers=tag).status == 200
    role = {"user_id": made.json["id"], "role_id": made.json["roles"][0]["id"]}
    assert client.call("users_assign_role", path=role).status == 200
    assert client.call("users_remove_role", path=role).status == 204
    assert client.call("users_delete", path=path).status == 204
    assert client.call("users_list", as_=people.ben).status == 403
    assert client.call("users_list", headers={"Authorization": "Bearer nonsense"}).status == 401
    assert client.call("conversations_list").status == 401


@pytest.mark.parametrize("name", ["ben@example.com", "nobody@example.com", "mute@example.com"])
def test_every_failed_login_hashes_once(
    client: Client, people: People, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    client.call("users_create", body={"email": "mute@example.com"}, as_=people.ada)
    run, hashed = hashing.queue.run, []

    def count(function, *arguments):
        hashed.append(arguments)
        return run(function, *arguments)

    monkeypatch.setattr(hashing.queue, "run", count)
    assert _grant(client, name, "wrong").status == 401
    assert client.call("sessions_login", body={"email": name, "password": "wrong"}).status == 401
    assert len(hashed) == 2


def test_logins_beyond_the_queue_are_503_and_say_when_to_come_back(
    client: Client, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "queue", hashing.HashingQueue(limit=0))
    login = client.call("sessions_login", body={"email": "ben@example.com", "password": PASSWORD})
    for answer in (login, _grant(client, "ben@example.com")):
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize("text", [b"a%00b", b"a%ED%A0%80", b"x" * 300])
def test_names_that_no_one_may_have_are_refused(client: Client, people: People, text: bytes) -> None:
    answer = client.call("tokens_create", data=b"username=" + text + b"&password=x", headers=FORM)
    assert answer.status in {400, 422}
