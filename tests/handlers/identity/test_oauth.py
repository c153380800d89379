"""Logins by GitHub and Apple, whose endpoints are fakes on a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from core.kernel import settings
from core.system import audit
from tests import provider_endpoint
from tests.client import Answer, Client, Person
from tests.factories.people import People
from tests.factories.tenants import register
from tests.provider_endpoint import ProviderEndpoint

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
APPLE_KEY = ECKey.generate_key("P-256")
EMAILS = [
    {"email": "old@example.com", "primary": False, "verified": True},
    {"email": "Dora@example.com", "primary": True, "verified": True},
]


@dataclass
class Scene:
    """A service with credentials at `door`, which is github or apple, and the fake that stands for it."""

    client: Client
    people: People
    endpoint: ProviderEndpoint
    door: str

    def start(self, **query: str) -> tuple[dict[str, str], str]:
        """Begin a login: what the provider is asked, and the browser's cookie."""
        answer = self.client.call(f"oauth_start_{self.door}", query=query)
        assert answer.status == 200, answer.text
        asked = dict(parse_qsl(urlsplit(answer.json["auth_url"]).query))
        if self.door == "apple":
            self.endpoint.give(self.endpoint.sign(self.endpoint.claims(nonce=asked["nonce"], email_verified="true")))
        return asked, answer.cookies["LOGIN-FLOW"]

    def come_back(self, query: dict[str, str], cookie: str | None) -> Answer:
        """Bring the provider's answer to the callback."""
        headers = {"Cookie": f"LOGIN-FLOW={cookie}"} if cookie else {}
        return self.client.call(f"oauth_callback_{self.door}", query=query, headers=headers)

    def log_in(self, **query: str) -> Answer:
        """Go the whole way."""
        asked, cookie = self.start(**query)
        return self.come_back({"code": "c-1", "state": asked["state"]}, cookie)


@pytest.fixture
def endpoint() -> Iterator[ProviderEndpoint]:
    """Give a fake that knows Dora."""
    with provider_endpoint.serving() as made:
        made.answers |= {
            "/login/oauth/access_token": {"access_token": "at-1", "token_type": "bearer", "scope": "user:email"},
            "/user": {"id": 583231, "login": "dora", "name": "Dora Lovelace", "email": None},
            "/user/emails": EMAILS,
        }
        yield made


@pytest.fixture(params=["github", "apple"])
def scene(request: pytest.FixtureRequest, client: Client, people: People, endpoint: ProviderEndpoint) -> Scene:
    """Give each door in turn."""
    configured = msgspec.structs.replace(
        settings.current(),
        github_client_id="accord",
        github_client_secret="gh-secret",
        github_url=endpoint.url,
        github_api_url=endpoint.url,
        apple_client_id="accord",
        apple_team_id="TEAM",
        apple_key_id="KEY",
        apple_private_key=APPLE_KEY.as_pem(private=True).decode().replace("\n", "\\n"),
        apple_issuer=endpoint.url,
    )
    settings.install(configured)
    return Scene(client, people, endpoint, request.param)


github = pytest.mark.parametrize("scene", ["github"], indirect=True)
apple = pytest.mark.parametrize("scene", ["apple"], indirect=True)


def _me(scene: Scene, answer: Answer) -> Any:
    cookies = answer.cookies
    person = Person("", "", "", "", session=cookies["SESSION_ID"], csrf=cookies["CSRF-TOKEN"])
    return scene.client.call("sessions_get_me", as_=person).json


def test_a_login_opens_a_session_and_leads_on(scene: Scene) -> None:
    answer = scene.log_in()
    assert (answer.status, answer.headers["Location"]) == (303, "/auth-success.html")
    me = _me(scene, answer)
    assert (me["email"], me["role"]) == ("dora@example.com", "member")
    assert _me(scene, scene.log_in())["id"] == me["id"]
    assert me["id"] not in answer.headers["Location"]


def test_the_session_of_a_login_can_be_ended(scene: Scene) -> None:
    cookies = scene.log_in().cookies
    person = Person("", "", "", "", session=cookies["SESSION_ID"], csrf=cookies["CSRF-TOKEN"])
    assert scene.client.call("sessions_logout", as_=replace(person, csrf="x")).status == 403
    assert scene.client.call("sessions_logout", as_=person).status == 204
    assert scene.client.call("sessions_get_me", as_=person).status == 401


def test_a_login_leads_where_its_start_said(scene: Scene) -> None:
    assert scene.log_in(return_to="/chat?c=1#x").headers["Location"] == "/chat?c=1#x"


def test_a_login_leads_to_the_tenant_that_its_start_named(scene: Scene) -> None:
    host, other = register(scene.client), register(scene.client)
    body = {"email": "dora@example.com", "name": "Dora", "role": "viewer"}
    made = scene.client.call("accounts_create", path={"tenantId": host.id}, body=body, as_=host.admin)
    assert made.status == 201, made.text
    assert _me(scene, scene.log_in())["role"] == "member"
    assert _me(scene, scene.log_in(tenant_id=host.id))["role"] == "viewer"
    refused = scene.log_in(tenant_id=other.id)
    assert (refused.status, refused.json["code"]) == (423, "RGP.AUTH.DISABLED")


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "/\t/evil.example",
        "/a\\b",
        "/ a",
        "/a\r\nb",
        "",
    ],
)
@github
def test_a_login_leads_to_no_other_site(scene: Scene, target: str) -> None:
    answer = scene.client.call("oauth_start_github", query={"return_to": target})
    assert answer.status == 422


def test_a_verified_address_links_to_the_user_who_has_it(scene: Scene) -> None:
    ben, ada = scene.people.ben, scene.people.ada
    scene.client.call("users_update", path={"id": ben.user_id}, body={"email": "dora@example.com"}, as_=ada)
    assert _me(scene, scene.log_in())["id"] == ben.user_id


@github
def test_only_an_address_that_github_verified_counts(scene: Scene) -> None:
    unverified = [{"email": "ben@example.com", "primary": True, "verified": False}]
    for rows in (unverified, [], {"message": "no"}, [7]):
        scene.endpoint.answers["/user/emails"] = rows
        scene.endpoint.answers["/user"] |= {"email": "ben@example.com"}
        answer = scene.log_in()
        assert (answer.status, answer.code) == (403, "email_not_verified")


@github
def test_another_verified_address_serves_where_the_primary_is_not(scene: Scene) -> None:
    scene.endpoint.answers["/user/emails"] = [{**EMAILS[1], "verified": False}, EMAILS[0]]
    assert _me(scene, scene.log_in())["email"] == "old@example.com"


@github
def test_github_is_asked_with_state_and_pkce(scene: Scene) -> None:
    asked, _ = scene.start()
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://127.0.0.1:8080/api/oauth/github/callback"
    assert asked["scope"] == "read:user user:email"
    scene.log_in()
    form = next(form for path, form, _ in scene.endpoint.asked if path == "/login/oauth/access_token")
    assert (form["client_id"], form["client_secret"]) == ("accord", "gh-secret")
    assert len(form["code_verifier"]) >= 43


@github
def test_an_error_that_github_sends_as_200_is_401(scene: Scene) -> None:
    scene.endpoint.answers["/login/oauth/access_token"] = {"error": "bad_verification_code"}
    answer = scene.log_in()
    assert (answer.status, answer.code) == (401, "login_not_proven")
    scene.endpoint.answers["/login/oauth/access_token"] = {"error": "incorrect_client_credentials"}
    assert scene.log_in().status == 503


def test_a_state_that_is_used_or_another_browsers_is_401(scene: Scene) -> None:
    asked, cookie = scene.start()
    query = {"code": "c-1", "state": asked["state"]}
    _, victim = scene.start()
    scene.start()
    for foreign in (None, victim):
        answer = scene.come_back(query, foreign)
        assert (answer.status, answer.code) == (401, "login_state_invalid")
        assert "Set-Cookie" not in answer.headers
    asked, cookie = scene.start()
    query = {"code": "c-1", "state": asked["state"]}
    assert [scene.come_back(query, cookie).status for _ in range(2)] == [303, 401]


def test_a_refusal_is_401(scene: Scene) -> None:
    asked, cookie = scene.start()
    assert scene.come_back({"error": "access_denied", "state": asked["state"]}, cookie).status == 401


def test_a_disabled_user_is_423(scene: Scene) -> None:
    user_id = _me(scene, scene.log_in())["id"]
    scene.client.call("users_update", path={"id": user_id}, body={"is_active": False}, as_=scene.people.ada)
    assert scene.log_in().status == 423


def test_a_browser_keeps_one_cookie_for_two_logins_at_once(scene: Scene) -> None:
    first, cookie = scene.start()
    again = scene.client.call(f"oauth_start_{scene.door}", headers={"Cookie": f"LOGIN-FLOW={cookie}"})
    assert again.cookies["LOGIN-FLOW"] == cookie
    odd = scene.client.call(f"oauth_start_{scene.door}", headers={"Cookie": "LOGIN-FLOW=short"})
    assert odd.cookies["LOGIN-FLOW"] != "short"
    if scene.door == "apple":
        scene.endpoint.give(scene.endpoint.sign(scene.endpoint.claims(nonce=first["nonce"])))
    assert scene.come_back({"code": "c-1", "state": first["state"]}, cookie).status == 303


@apple
def test_apple_is_shown_a_secret_that_its_key_signed(scene: Scene) -> None:
    asked, cookie = scene.start()
    assert (asked["response_mode"], asked["scope"]) == ("form_post", "name email")
    assert scene.come_back({"code": "c-1", "state": asked["state"]}, cookie).status == 303
    form = next(form for path, form, _ in scene.endpoint.asked if path == "/token")
    secret = jwt.decode(form["client_secret"], APPLE_KEY, algorithms=["ES256"])
    assert secret.header["kid"] == "KEY"
    assert (secret.claims["iss"], secret.claims["sub"]) == ("TEAM", "accord")
    assert secret.claims["aud"] == scene.endpoint.url
    assert 0 < secret.claims["exp"] - secret.claims["iat"] <= 15_777_000


@apple
def test_apples_form_post_is_finished_by_a_get_with_the_cookie(scene: Scene) -> None:
    asked, cookie = scene.start()
    user = json.dumps({"name": {"firstName": "Dora", "lastName": "Lovelace"}, "email": "evil@example.com"})
    form = {"code": "c-1", "state": asked["state"], "user": user, "id_token": "ignored"}
    posted = scene.client.call("oauth_receive_apple", data=urlencode(form).encode(), headers=FORM)
    assert posted.status == 303
    assert "Set-Cookie" not in posted.headers
    target = urlsplit(posted.headers["Location"])
    assert (target.scheme, target.netloc, target.path) == ("", "", "/api/oauth/apple/callback")
    query = {name: value for name, [value] in parse_qs(target.query).items()}
    assert query == {"code": "c-1", "state": asked["state"]}
    assert scene.come_back(query, None).status == 401
    me = _me(scene, scene.come_back(query, cookie))
    assert (me["name"], me["email"]) == ("Dora Lovelace", "dora@example.com")


@apple
@pytest.mark.parametrize(
    "user", ["", "{", "[]", '{"name": 7}', '{"name": {"firstName": 7}}', '{"name":{"firstName":"\\u0000"}}']
)
def test_a_name_that_cannot_be_read_is_left_out(scene: Scene, user: str) -> None:
    asked, cookie = scene.start()
    form = {"code": "c-1", "state": asked["state"], "user": user}
    posted = scene.client.call("oauth_receive_apple", data=urlencode(form).encode(), headers=FORM)
    assert posted.status == 303
    query = dict(parse_qsl(urlsplit(posted.headers["Location"]).query))
    assert _me(scene, scene.come_back(query, cookie))["name"] == "dora@example.com"


@apple
def test_a_refusal_is_carried_through_the_form_post(scene: Scene) -> None:
    asked, cookie = scene.start()
    data = urlencode({"error": "user_cancelled_authorize", "state": asked["state"]}).encode()
    posted = scene.client.call("oauth_receive_apple", data=data, headers=FORM)
    answer = scene.come_back(dict(parse_qsl(urlsplit(posted.headers["Location"]).query)), cookie)
    assert (answer.status, answer.code) == (401, "login_not_proven")


@pytest.mark.parametrize("door", ["github", "apple"])
def test_a_door_without_credentials_is_501(client: Client, people: People, door: str) -> None:
    assert client.call(f"oauth_start_{door}").status == 501
    assert client.call(f"oauth_callback_{door}", query={"code": "c", "state": "s"}).status == 501
    assert client.call(f"oauth_exchange_{door}", body={"auth_code": "c"}).status == 501


@pytest.mark.parametrize("operation_id", ["oauth_exchange_github", "oauth_exchange_apple"])
def test_a_developer_learns_whose_a_code_is(scene: Scene, operation_id: str) -> None:
    scene = replace(scene, door=operation_id.removeprefix("oauth_exchange_"))
    scene.endpoint.give(scene.endpoint.sign(scene.endpoint.claims()))
    answer = scene.client.call(operation_id, body={"auth_code": "c-1"})
    assert answer.status == 200, answer.text
    assert answer.text == f"Authenticated as user {_me(scene, scene.log_in())['id']}"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.settings(profile="production", public_url="https://accord.example.com")
@pytest.mark.parametrize("operation_id", ["oauth_exchange_github", "oauth_exchange_apple"])
def test_the_developers_door_is_closed_in_production(client: Client, operation_id: str) -> None:
    assert client.call(operation_id, body={"auth_code": "c-1"}).status == 404


@pytest.mark.settings(auth_v1="false")
@pytest.mark.parametrize(
    "operation_id", ["oauth_start_github", "oauth_callback_github", "oauth_start_apple", "oauth_callback_apple"]
)
def test_the_doors_go_with_cookie_sessions(client: Client, people: People, operation_id: str) -> None:
    assert client.call(operation_id).status == 404


def test_a_login_and_its_failure_are_in_the_audit_trail(scene: Scene) -> None:
    operation = f"oauth_callback_{scene.door}"
    me = _me(scene, scene.log_in())
    [entry] = audit.list_entries(limit=1, operation=operation)
    assert (entry.status, str(entry.user_id), entry.client_address) == (303, me["id"], "127.0.0.1")
    assert scene.come_back({"code": "c-1", "state": "never-given"}, None).status == 401
    [entry] = audit.list_entries(limit=1, operation=operation)
    assert (entry.status, entry.code, entry.user_id) == (401, "login_state_invalid", None)
