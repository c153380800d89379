"""Bearer tokens over the whole product."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import msgspec
import pytest

from core.identity import hashing
from core.identity.callers import CallerVerifier
from core.identity.scopes import CATALOGUE
from core.kernel.exchange import Credentials
from core.kernel.principal import DEV_USER_ID
from core.kernel.settings import Settings
from models.database import read
from models.tables.identity import TokenFamily
from tests.client import Answer, Client, Person
from tests.conftest import FrozenClock
from tests.factories.api_keys import make_key
from tests.factories.people import PASSWORD, People, give_role, take_role
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
    assert answer.json["groups"] == ["dev"]
    assert set(answer.json["scopes"]) == CATALOGUE
    assert client.call("users_list").status == 200
    for operation in ("tokens_refresh", "tokens_revoke"):
        assert client.call(operation).status == 401


@pytest.mark.parametrize("change", [{"profile": "production"}, {"bind": "0.0.0.0:8080"}])
def test_no_credential_is_no_one_elsewhere(database: Settings, change: dict[str, str]) -> None:
    verifier = CallerVerifier(msgspec.structs.replace(database, **change))
    nothing = Credentials(values={}, is_unsafe=False, error_style="workflow", client_address="127.0.0.1", is_local=True)
    assert verifier.verify(nothing) is None
    assert CallerVerifier(database).verify(nothing) is not None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "[::1]:8080", "Origin": "http://127.0.0.1:8080"}, 200),
        ({"Host": "evil.example.com"}, 401),
        ({"Host": "127.0.0.1.evil.example.com"}, 401),
        ({"Host": "localhost", "Origin": "https://evil.example.com"}, 401),
        ({"Host": "localhost", "Origin": "null"}, 401),
        ({"Host": "localhost", "Origin": "http://[evil"}, 401),
    ],
)
def test_web_page_of_another_site_is_not_the_dev_user(
    client: Client, people: People, headers: dict[str, str], status: int
) -> None:
    assert client.call("users_list", headers=headers).status == status


@pytest.mark.settings(trusted_proxies="127.0.0.1")
@pytest.mark.parametrize(("address", "status"), [("192.0.2.7", 401), ("127.0.0.2", 200)])
def test_caller_behind_a_proxy_is_not_the_dev_user(client: Client, people: People, address: str, status: int) -> None:
    assert client.call("users_list", headers={"X-Forwarded-For": address}).status == status


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


def _personal(client: Client, email: str, password: str = PASSWORD, **more: object) -> Answer:
    return client.call("tokens_create_personal", body={"email": email, "password": password, **more})


def _elevate(client: Client, person: Person, *abilities: str, password: str = PASSWORD) -> Answer:
    return client.call("tokens_elevate", body={"password": password, "abilities": list(abilities)}, as_=person)


def test_personal_token_holds_what_a_device_needs_as_far_as_the_user_does(client: Client, people: People) -> None:
    answer = _personal(client, people.ben.email, deviceName="Ben's phone")
    assert answer.status == 201
    expected = ["git:commit", "projects:read", "projects:write", "runs:control", "runs:start"]
    assert answer.json["abilities"] == expected
    assert _me(client, answer.json["token"]).json["scopes"] == expected
    assert _personal(client, people.ada.email).json["abilities"] == [*expected, "settings:read"]
    with read():
        assert [row.device_name for row in TokenFamily.select().where(TokenFamily.device_name.is_null(False))] == [
            "Ben's phone"
        ]


def test_personal_token_is_cut_to_the_wanted_abilities(client: Client, people: People) -> None:
    wanted = ["chat:*", "settings:write", "git:push", "apikey:read"]
    answer = _personal(client, people.ben.email, abilities=wanted)
    assert answer.json["abilities"] == ["chat:create", "chat:delete", "chat:read"]
    refused = _personal(client, people.ben.email, abilities=["settings:write"])
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/abilities")


def test_personal_token_of_a_user_without_such_abilities_stays_without_any(client: Client, people: People) -> None:
    for role in ("viewer", "member"):
        give_role(client, people.ada, people.ben, role)
        take_role(client, people.ada, people.ben, role)
    answer = _personal(client, people.ben.email)
    assert (answer.status, answer.json["abilities"]) == (201, [])
    give_role(client, people.ada, people.ben, "member")
    refreshed = client.call("tokens_refresh", as_=_holder(people.ben, answer.json["token"]))
    assert (refreshed.status, refreshed.json["scope"]) == (200, "")


def test_personal_token_failures_are_the_same_401(client: Client, people: People) -> None:
    client.call("users_update", path={"id": people.cyn.user_id}, body={"is_active": False}, as_=people.ada)
    answers = [
        _personal(client, people.ben.email, "wrong"),
        _personal(client, "nobody@example.com"),
        _personal(client, people.cyn.email),
    ]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert _personal(client, people.ben.email, abilities=[]).status == 422
    assert _personal(client, people.ben.email, more=1).status == 422


def test_personal_token_is_replayed_for_ten_minutes(client: Client, people: People, frozen_clock: FrozenClock) -> None:
    body, key = {"email": people.ben.email, "password": PASSWORD}, {"Idempotency-Key": "device"}
    first = client.call("tokens_create_personal", body=body, headers=key)
    frozen_clock.advance(599)
    assert client.call("tokens_create_personal", body=body, headers=key).json == first.json
    frozen_clock.advance(2)
    assert client.call("tokens_create_personal", body=body, headers=key).status == 409


@pytest.mark.parametrize("credential", ["token", "session"])
def test_elevated_token_alone_holds_elevated_scopes(client: Client, people: People, credential: str) -> None:
    caller = people.ben.by_token() if credential == "token" else people.ben.in_browser()
    answer = _elevate(client, caller, "git:push", "settings:write", "chat:read", "apikey:read")
    assert answer.status == 201
    assert answer.json["abilities"] == ["chat:read", "git:push"]
    assert _me(client, answer.json["token"]).json["scopes"] == ["chat:read", "git:push"]
    assert "git:push" not in client.call("sessions_get_me", as_=caller).json["abilities"]


def test_superadmin_elevates_to_both_and_by_their_resources(client: Client, people: People) -> None:
    answer = _elevate(client, people.ada, "git:*", "settings:*")
    assert answer.json["abilities"] == ["git:commit", "git:push", "settings:read", "settings:write"]
    assert _me(client, answer.json["token"]).json["scopes"] == answer.json["abilities"]


def test_elevation_lasts_fifteen_minutes_and_is_not_refreshed(
    client: Client, people: People, frozen_clock: FrozenClock
) -> None:
    token = _elevate(client, people.ben, "git:push").json["token"]
    frozen_clock.advance(899)
    assert _me(client, token).json["scopes"] == ["git:push"]
    refused = client.call("tokens_refresh", as_=_holder(people.ben, token))
    assert (refused.status, refused.json["error"]["details"]["code"]) == (403, "elevated_token")
    assert _me(client, token).status == 200
    frozen_clock.advance(1)
    assert _me(client, token).status == 401


def test_elevation_needs_the_callers_own_password(client: Client, people: People) -> None:
    wrong = _elevate(client, people.ben, "git:push", password="wrong")
    assert (wrong.status, wrong.json["code"]) == (401, "invalid_credentials")
    assert _elevate(client, people.ben, "settings:write").status == 422
    assert client.call("tokens_elevate", body={"password": PASSWORD, "abilities": ["git:push"]}).status == 401
    key = make_key(client, people.ada).holder
    assert _elevate(client, key, "git:push").status == 401
    assert _elevate(client, replace(people.ben, token=None, csrf="x"), "git:push").status == 403


def test_elevated_scope_goes_with_the_role_that_gave_it(client: Client, people: People) -> None:
    token = _elevate(client, people.ben, "git:push").json["token"]
    take_role(client, people.ada, people.ben, "member")
    assert _me(client, token).json["scopes"] == []


def test_elevated_token_is_revoked_like_any_other(client: Client, people: People) -> None:
    token = _elevate(client, people.ben, "git:push").json["token"]
    assert client.call("tokens_revoke", as_=_holder(people.ben, token)).status == 204
    assert _me(client, token).status == 401
    assert _me(client, people.ben.token or "").status == 200
