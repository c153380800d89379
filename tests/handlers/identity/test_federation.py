"""Logins by a certified OpenID Connect provider over HTTP, and the administration of providers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import pytest

from core.identity import throttling
from core.kernel import settings
from core.system import audit
from models.database import read
from models.tables.federation import FederationProviderRow, LoginFlow
from tests import openid
from tests.client import Client, Person
from tests.conftest import FrozenClock
from tests.factories.people import People
from tests.handlers.identity.conftest import NAME, Federation, definition


def _holder(federation: Federation, token: str) -> Any:
    person = Person(user_id="", name="", email="", password="", token=token)
    return federation.client.call("tokens_get_me", as_=person).json


def test_a_login_makes_a_member_who_is_the_same_the_next_time(federation: Federation) -> None:
    first, second = federation.log_in("dora"), federation.log_in("dora")
    assert (first.status, second.status) == (200, 200), first.text
    made, again = (_holder(federation, answer.json["access_token"]) for answer in (first, second))
    assert made["user_id"] == again["user_id"]
    assert made["groups"] == ["member"]
    user = federation.client.call("users_get", path={"id": made["user_id"]}, as_=federation.people.ada).json
    assert (user["email"], user["first_name"], user["federated_provider"]) == ("dora@example.com", "Given", NAME)


def test_a_verified_address_links_to_the_user_who_has_it(federation: Federation) -> None:
    answer = federation.log_in("ben")
    assert _holder(federation, answer.json["access_token"])["user_id"] == federation.people.ben.user_id
    login = federation.client.call(
        "sessions_login", body={"email": "ben@example.com", "password": federation.people.ben.password}
    )
    assert login.status == 200


def test_an_unverified_address_neither_links_nor_makes_a_user(federation: Federation) -> None:
    for person in ("unverified.ben", "unverified.eve"):
        answer = federation.log_in(person)
        assert answer.status == 403
        assert answer.json["error"]["details"]["code"] == "email_not_verified"
    users = federation.client.call("users_list", as_=federation.people.ada).json
    assert "eve@example.com" not in {user["email"] for user in users}


def test_a_subject_stays_linked_when_its_address_is_no_longer_verified(federation: Federation) -> None:
    user_id = _holder(federation, federation.log_in("dora").json["access_token"])["user_id"]
    ada = federation.people.ada
    federation.client.call("users_update", path={"id": user_id}, body={"email": "other@example.com"}, as_=ada)
    assert _holder(federation, federation.log_in("dora").json["access_token"])["user_id"] == user_id


def test_only_allowed_domains_may_log_in(federation: Federation) -> None:
    federation.put(allowed_domains=["example.org"])
    answer = federation.log_in("ben")
    assert (answer.status, answer.json["error"]["details"]["code"]) == (403, "domain_not_allowed")
    federation.put(allowed_domains=["EXAMPLE.com"])
    assert federation.log_in("ben").status == 200


def test_the_default_role_replaces_member(federation: Federation) -> None:
    federation.put(default_role="viewer")
    assert _holder(federation, federation.log_in("vic").json["access_token"])["groups"] == ["viewer"]


def test_a_disabled_user_is_403(federation: Federation) -> None:
    ben, ada = federation.people.ben, federation.people.ada
    federation.client.call("users_update", path={"id": ben.user_id}, body={"is_active": False}, as_=ada)
    answer = federation.log_in("ben")
    assert (answer.status, answer.json["error"]["details"]["code"]) == (403, "account_disabled")


def test_the_start_asks_with_state_nonce_and_pkce(federation: Federation) -> None:
    url, _ = federation.start()
    asked = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) == len(asked["nonce"]) == 43
    with read():
        row = LoginFlow.get()
    kept = " ".join(str(value) for value in row.__data__.values())
    assert asked["state"] not in kept
    assert asked["nonce"].encode() not in bytes(row.sealed)


def test_an_address_begins_logins_at_a_measured_pace(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "BEGUN", throttling.Bucket("begun", 3, 60_000))
    assert [federation.client.call("federation_start", path={"provider": NAME}).status for _ in range(4)] == [
        302
    ] * 3 + [429]
    with read():
        assert LoginFlow.select().count() == 3


def test_a_state_is_used_once(federation: Federation) -> None:
    url, cookie = federation.start()
    query = federation.visit(url, "dora")
    assert federation.come_back(query, cookie).status == 200
    again = federation.come_back(query, cookie)
    assert (again.status, again.json["error"]["details"]["code"]) == (400, "login_state_invalid")


def test_a_state_is_used_up_by_a_code_that_fails(federation: Federation) -> None:
    url, cookie = federation.start()
    query = federation.visit(url, "dora")
    refused = federation.come_back({**query, "code": "another"}, cookie)
    assert (refused.status, refused.json["error"]["details"]["code"]) == (401, "login_not_proven")
    assert federation.come_back(query, cookie).status == 400


def test_a_login_begun_in_another_browser_is_refused_and_stays_good_for_its_own(federation: Federation) -> None:
    url, cookie = federation.start()
    query = federation.visit(url, "eve")
    _, cookie_of_victim = federation.start()
    for foreign in (None, cookie_of_victim, "x"):
        assert federation.come_back(query, foreign).status == 400
    assert federation.come_back(query, cookie).status == 200


def test_an_unknown_state_is_refused(federation: Federation) -> None:
    _, cookie = federation.start()
    assert federation.come_back({"code": "c", "state": "s"}, cookie).status == 400
    assert federation.come_back({"code": "c"}, cookie).status == 400
    assert federation.come_back({}, cookie).status == 400


def test_a_state_of_another_provider_is_refused(federation: Federation) -> None:
    body = definition("other", issuer=federation.provider.issuer)
    ada = federation.people.ada
    assert federation.client.call("federation_put", path={"name": "other"}, body=body, as_=ada).status == 200
    url, cookie = federation.start()
    query = federation.visit(url, "dora")
    headers = {"Cookie": f"LOGIN-FLOW={cookie}"}
    answer = federation.client.call("federation_callback", path={"provider": "other"}, query=query, headers=headers)
    assert answer.status == 400


def test_a_state_ends_after_ten_minutes(federation: Federation, frozen_clock: FrozenClock) -> None:
    url, cookie = federation.start()
    query = federation.visit(url, "dora")
    frozen_clock.advance(600)
    assert federation.come_back(query, cookie).status == 400


def test_an_answer_of_another_issuer_or_of_none_is_refused(federation: Federation) -> None:
    for change in ({"iss": "https://attacker.example"}, {"iss": None}):
        url, cookie = federation.start()
        query = {name: value for name, value in (federation.visit(url, "dora") | change).items() if value is not None}
        answer = federation.come_back(query, cookie)
        assert (answer.status, answer.json["error"]["details"]["code"]) == (401, "login_not_proven")


def test_a_code_without_its_verifier_is_refused(federation: Federation) -> None:
    """Give a code of one login to another: its PKCE verifier does not fit."""
    stolen = federation.visit(federation.start()[0], "ben")["code"]
    url, cookie = federation.start()
    query = federation.visit(url, "eve")
    answer = federation.come_back({**query, "code": stolen}, cookie)
    assert (answer.status, answer.json["error"]["details"]["code"]) == (401, "login_not_proven")


def test_a_refusal_of_the_provider_is_401(federation: Federation) -> None:
    url, cookie = federation.start()
    query = federation.visit(url, "nobody")
    assert query["error"] == "access_denied"
    assert federation.come_back(query, cookie).status == 401


def test_wrong_credentials_of_ours_are_503_and_name_nothing(federation: Federation) -> None:
    federation.put(client_secret="wrong")
    answer = federation.log_in("dora")
    assert (answer.status, answer.json["error"]["details"]["code"]) == (503, "provider_unavailable")
    assert "Retry-After" in answer.headers
    assert "invalid_client" not in answer.text


def test_a_provider_that_is_down_is_503(federation: Federation) -> None:
    federation.put(issuer="http://127.0.0.1:9")
    answer = federation.client.call("federation_start", path={"provider": NAME})
    assert answer.status == 503
    assert "127.0.0.1" not in answer.text


def test_rotated_keys_are_followed_at_once(federation: Federation) -> None:
    assert federation.log_in("dora").status == 200
    federation.provider.restart()
    assert federation.log_in("dora").status == 200


@pytest.mark.settings(oauth_ui_redirect_url="https://ui.example.com/done?from=accord")
def test_the_token_goes_to_the_user_interface_where_there_is_one(federation: Federation) -> None:
    answer = federation.log_in("dora")
    assert answer.status == 302
    page, _, token = answer.headers["Location"].partition("&token=")
    assert page == "https://ui.example.com/done?from=accord"
    assert _holder(federation, unquote(token))["groups"] == ["member"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_provider_without_credentials_is_501(federation: Federation) -> None:
    for missing in ({"client_secret": ""}, {"client_id": ""}):
        assert federation.put(**missing).status == 200
        assert federation.client.call("federation_start", path={"provider": NAME}).status == 501
        assert federation.come_back({"code": "c", "state": "s"}, "x").status == 501


def test_an_unknown_or_disabled_provider_is_404(federation: Federation) -> None:
    body = definition(enabled=False, issuer=federation.provider.issuer)
    federation.client.call("federation_put", path={"name": NAME}, body=body, as_=federation.people.ada)
    for name in (NAME, "nowhere"):
        assert federation.client.call("federation_start", path={"provider": name}).status == 404
        answer = federation.client.call("federation_callback", path={"provider": name}, query={"state": "s"})
        assert answer.status == 404


def test_a_definition_is_shown_without_its_secret(federation: Federation) -> None:
    shown = federation.client.call("federation_get", path={"name": NAME}, as_=federation.people.ada)
    assert shown.json["spec"]["client_secret"] == "***"
    assert shown.json["spec"]["issuer"] == federation.provider.issuer
    assert federation.put().json == shown.json
    with read():
        row = FederationProviderRow.get()
    assert openid.CLIENT_SECRET not in row.document
    assert openid.CLIENT_SECRET.encode() not in bytes(row.sealed_secret)


def test_three_asterisks_keep_the_secret(federation: Federation) -> None:
    assert federation.put(client_secret="***").status == 200
    assert federation.log_in("dora").status == 200
    body = definition("new", issuer=federation.provider.issuer, client_secret="***")
    answer = federation.client.call("federation_put", path={"name": "new"}, body=body, as_=federation.people.ada)
    assert answer.status == 422


def test_a_kept_secret_is_sent_to_nobody_else(federation: Federation) -> None:
    """Put the asterisks back with another address: whoever may not read the secret would have it sent to themselves."""
    for spec in ({"issuer": "https://login.example.org"}, {"provider": "google"}):
        body = definition(**{"client_secret": "***", **spec})
        answer = federation.client.call("federation_put", path={"name": NAME}, body=body, as_=federation.people.ada)
        assert answer.status == 422, answer.text
        faults = answer.json["error"]["details"]["errors"]
        assert [(fault["pointer"], fault["rule"]) for fault in faults] == [
            ("/spec/client_secret", "secret_of_elsewhere")
        ]
    assert federation.put(issuer="https://login.example.org").status == 200, "a secret that is stated goes anywhere"


def test_providers_are_listed_replaced_and_deleted(federation: Federation) -> None:
    client, ada = federation.client, federation.people.ada
    google = {**definition("google"), "spec": {"provider": "google", "client_id": "c", "client_secret": "s"}}
    assert client.call("federation_put", path={"name": "google"}, body=google, as_=ada).status == 200
    assert client.call("federation_list", as_=ada).json == [NAME, "google"]
    assert client.call("federation_delete", path={"name": NAME}, as_=ada).status == 204
    assert client.call("federation_delete", path={"name": NAME}, as_=ada).status == 404
    assert client.call("federation_get", path={"name": NAME}, as_=ada).status == 404
    assert client.call("federation_list", as_=ada).json == ["google"]


def test_a_stale_change_is_412(federation: Federation) -> None:
    client, ada = federation.client, federation.people.ada
    etag = client.call("federation_get", path={"name": NAME}, as_=ada).headers["ETag"]
    federation.put(allowed_domains=["example.com"])
    body = definition(issuer=federation.provider.issuer)
    headers = {"If-Match": etag}
    assert client.call("federation_put", path={"name": NAME}, body=body, as_=ada, headers=headers).status == 412


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"issuer": "http://login.example.com"}, "/spec/issuer"),
        ({"issuer": "https://10.0.0.1"}, "/spec/issuer"),
        ({"issuer": "https://169.254.169.254/latest"}, "/spec/issuer"),
        ({"issuer": "https://[::ffff:10.0.0.1]"}, "/spec/issuer"),
        ({"issuer": "https://ada:pw@login.example.com"}, "/spec/issuer"),
        ({"issuer": "https://login.example.com", "token_url": "https://login.example.com/t"}, "/spec/token_url"),
        ({"auth_url": "https://login.example.com/a"}, "/spec"),
        ({"issuer": "https://login.example.com", "default_role": "superadmin"}, "/spec/default_role"),
        ({"issuer": "https://login.example.com", "default_role": "nothing"}, "/spec/default_role"),
        ({"issuer": "https://login.example.com", "tenant_id": "x"}, "/spec/tenant_id"),
        ({"provider": "google", "issuer": "https://login.example.com"}, "/spec/issuer"),
    ],
)
def test_a_definition_that_does_not_hold_is_422(
    client: Client, people: People, spec: dict[str, Any], pointer: str
) -> None:
    answer = client.call("federation_put", path={"name": NAME}, body=definition(**spec), as_=people.ada)
    assert answer.status == 422
    assert [fault["pointer"] for fault in answer.json["error"]["details"]["errors"]] == [pointer]


def test_the_name_of_the_path_is_the_definitions(client: Client, people: People) -> None:
    body = definition("other", issuer="https://login.example.com")
    answer = client.call("federation_put", path={"name": NAME}, body=body, as_=people.ada)
    assert [fault["pointer"] for fault in answer.json["error"]["details"]["errors"]] == ["/metadata/name"]


@pytest.mark.parametrize("operation_id", ["federation_list", "federation_get", "federation_put", "federation_delete"])
def test_administration_needs_its_scope(client: Client, people: People, operation_id: str) -> None:
    parts: dict[str, Any] = {} if operation_id == "federation_list" else {"path": {"name": NAME}}
    if operation_id == "federation_put":
        parts["body"] = definition(issuer="https://login.example.com")
    assert client.call(operation_id, as_=people.ben, **parts).status == 403


def test_a_login_and_its_failure_are_in_the_audit_trail(federation: Federation) -> None:
    url, cookie = federation.start()
    query = federation.visit(url, "dora")
    token = federation.come_back(query, cookie).json["access_token"]
    person = Person(user_id="", name="", email="", password="", token=token)
    user_id = federation.client.call("tokens_get_me", as_=person).json["user_id"]
    [entry] = audit.list_entries(limit=1, operation="federation_callback")
    assert (entry.status, str(entry.user_id), entry.client_address) == (200, user_id, "127.0.0.1")
    assert entry.request_id
    assert federation.come_back(query, cookie).status == 400
    assert federation.log_in("unverified.eve").status == 403
    used, unverified = audit.list_entries(limit=2, operation="federation_callback")
    assert (used.status, used.code, used.user_id) == (400, "login_state_invalid", None)
    assert (unverified.status, unverified.code) == (403, "email_not_verified")
    settings.install(msgspec.structs.replace(settings.current(), oauth_ui_redirect_url="https://ui.example.com/in"))
    assert federation.log_in("dora").status == 302
    [entry] = audit.list_entries(limit=1, operation="federation_callback")
    assert (entry.status, str(entry.user_id)) == (302, user_id)


def test_a_login_by_a_provider_is_elevated_by_nothing(federation: Federation) -> None:
    """However a provider knew the person: what needs more asks for a password of this service, which there is none of."""
    token = federation.log_in("dora").json["access_token"]
    dora = Person(user_id="", name="", email="", password="", token=token)
    for password in ("", "x", "correct horse battery"):
        body = {"password": password, "abilities": ["git:push"]}
        answer = federation.client.call("tokens_elevate", body=body, as_=dora)
        assert answer.status in {401, 422}, answer.text
    assert answer.status == 401
