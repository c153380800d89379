"""Browser sessions over the whole product."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from core.kernel import settings
from tests.client import Client, Person
from tests.conftest import FrozenClock
from tests.factories.people import PASSWORD, People


def _browser(person: Person) -> Person:
    return replace(person, token=None)


def _login(client: Client, email: str, password: str = PASSWORD):
    return client.call("sessions_login", body={"email": email, "password": password})


def test_login_sets_both_cookies(client: Client, people: People) -> None:
    answer = _login(client, "ADA@example.com")
    assert answer.status == 200
    assert answer.json["user"]["roles"] == ["admin", "member"]
    assert answer.json["csrf_token"] == answer.cookies["CSRF-TOKEN"]
    session, csrf, device = answer.headers.getlist("Set-Cookie")
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=7776000"} <= set(device.split("; "))
    assert session.startswith("SESSION_ID=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=28800"} <= set(session.split("; "))
    assert "SameSite=Strict" in csrf
    assert "HttpOnly" not in csrf
    assert "Secure" not in session


def test_cookies_are_secure_in_production(client: Client, people: People) -> None:
    settings.install(msgspec.structs.replace(settings.current(), profile="production"))
    assert all("Secure" in cookie for cookie in _login(client, "ada@example.com").headers.getlist("Set-Cookie"))


def test_unknown_user_and_wrong_password_answer_alike(client: Client, people: People) -> None:
    wrong, unknown = _login(client, "ada@example.com", "wrong"), _login(client, "nobody@example.com", "wrong")
    assert (wrong.status, wrong.code) == (401, "RGP.AUTH.INVALID_CREDENTIALS")
    assert wrong.content == unknown.content
    assert "WWW-Authenticate" in wrong.headers
    assert "Set-Cookie" not in wrong.headers


def test_disabled_user_is_423(client: Client, people: People) -> None:
    client.call("users_update", path={"id": people.ben.user_id}, body={"is_active": False}, as_=people.ada)
    answer = _login(client, people.ben.email)
    assert (answer.status, answer.code) == (423, "RGP.AUTH.DISABLED")


@pytest.mark.parametrize("body", [{}, {"email": "", "password": "x"}, {"email": "a", "password": ""}, {"email": 1}])
def test_login_outside_the_contract_is_422(client: Client, people: People, body: dict[str, object]) -> None:
    assert client.call("sessions_login", body=body).status == 422


def test_unreadable_login_is_refused(client: Client, people: People) -> None:
    json = {"Content-Type": "application/json"}
    assert client.call("sessions_login", data=b"{", headers=json).status == 400
    assert client.call("sessions_login", data=b"x", headers={"Content-Type": "text/plain"}).status == 415
    assert client.call("sessions_login", data=b" " * 16_385, headers=json).status == 413


def test_me_shows_session_callers_and_bearers(client: Client, people: People) -> None:
    browser = client.call("sessions_get_me", as_=_browser(people.ben))
    bearer = client.call("sessions_get_me", as_=people.ben)
    assert (browser.status, bearer.status) == (200, 200)
    assert browser.json["session"]["id"]
    assert bearer.json["session"] is None
    assert browser.json["id"] == bearer.json["id"] == people.ben.user_id
    assert browser.json["role"] == "member"
    assert "iam:admin" not in browser.json["abilities"]
    again = client.call("sessions_get_me", as_=_browser(people.ben), headers={"If-None-Match": browser.headers["ETag"]})
    assert again.status == 304


def test_me_is_401_without_and_with_a_wrong_credential(client: Client, people: People) -> None:
    assert client.call("sessions_get_me").status == 401
    assert client.call("sessions_get_me", headers={"Authorization": "Bearer nonsense"}).status == 401
    assert client.call("sessions_get_me", headers={"Cookie": "SESSION_ID=nonsense"}).status == 401


def test_two_credentials_are_400(client: Client, people: People) -> None:
    headers = _browser(people.ben).headers("GET") | people.ada.headers("GET")
    assert client.call("sessions_get_me", headers=headers).status == 400


def test_refresh_rotates_and_the_former_cookie_is_refused_elsewhere(client: Client, people: People) -> None:
    former = _browser(people.ben)
    answer = client.call("sessions_refresh", as_=former)
    assert answer.status == 200
    assert answer.headers["X-Session-Rotated"] == "1"
    fresh = replace(former, session=answer.cookies["SESSION_ID"], csrf=answer.json["csrf_token"])
    assert client.call("sessions_get_me", as_=former).status == 401
    assert client.call("sessions_get_me", as_=fresh).status == 200
    again = client.call("sessions_refresh", as_=former)
    assert again.cookies == answer.cookies


def test_reuse_after_the_grace_ends_the_session(client: Client, people: People, frozen_clock: FrozenClock) -> None:
    former = _browser(people.ben)
    answer = client.call("sessions_refresh", as_=former)
    fresh = replace(former, session=answer.cookies["SESSION_ID"], csrf=answer.json["csrf_token"])
    frozen_clock.advance(10)
    assert client.call("sessions_refresh", as_=former).status == 401
    assert client.call("sessions_get_me", as_=fresh).status == 401


@pytest.mark.parametrize("operation", ["sessions_refresh", "sessions_logout"])
@pytest.mark.parametrize("csrf", [None, "x" * 22])
def test_unsafe_request_of_a_browser_needs_its_csrf_token(
    client: Client, people: People, operation: str, csrf: str | None
) -> None:
    headers = {"Cookie": f"SESSION_ID={people.ben.session}"} | ({"X-CSRF-TOKEN": csrf} if csrf else {})
    answer = client.call(operation, headers=headers)
    assert (answer.status, answer.code) == (403, "RGP.AUTH.CSRF")
    assert client.call("sessions_get_me", as_=_browser(people.ben)).status == 200


def test_csrf_token_of_another_session_is_refused(client: Client, people: People) -> None:
    assert client.call("sessions_logout", as_=replace(_browser(people.ben), csrf=people.cyn.csrf)).status == 403


def test_logout_ends_the_session_and_clears_the_cookies(client: Client, people: People) -> None:
    answer = client.call("sessions_logout", as_=_browser(people.ben))
    assert answer.status == 204
    cleared = {cookie.partition("=")[0]: "Max-Age=0" in cookie for cookie in answer.headers.getlist("Set-Cookie")}
    assert cleared == {"SESSION_ID": True, "CSRF-TOKEN": True}
    assert client.call("sessions_get_me", as_=_browser(people.ben)).status == 401
    assert client.call("sessions_get_me", as_=people.ben).status == 200


def test_logout_of_a_bearer_revokes_the_token_alone(client: Client, people: People) -> None:
    assert client.call("sessions_logout", as_=people.ben).status == 204
    assert client.call("sessions_get_me", as_=people.ben).status == 401
    assert client.call("sessions_get_me", as_=_browser(people.ben)).status == 200


def test_logout_and_refresh_are_401_without_a_credential(client: Client, people: People) -> None:
    assert client.call("sessions_logout").status == 401
    assert client.call("sessions_refresh").status == 401


def test_session_lives_while_it_is_used_and_ends_when_it_is_not(
    client: Client, people: People, frozen_clock: FrozenClock
) -> None:
    browser = _browser(people.ben)
    for _ in range(3):
        frozen_clock.advance(7 * 3600)
        assert client.call("sessions_get_me", as_=browser).status == 200
    frozen_clock.advance(8 * 3600 + 60)
    assert client.call("sessions_get_me", as_=browser).status == 401


@pytest.mark.settings(auth_v1="false")
def test_sessions_are_404_and_their_cookies_count_for_nothing_when_switched_off(client: Client, people: People) -> None:
    browser = _browser(people.ben)
    assert _login(client, people.ben.email).status == 404
    for operation in ("sessions_get_me", "sessions_refresh", "sessions_logout"):
        for person in (None, browser, people.ben):
            answer = client.call(operation, as_=person)
            assert (answer.status, answer.code) == (404, "RGP.NOT_FOUND")
    assert client.call("conversations_list", as_=browser).status == 401
    assert client.call("conversations_list", as_=people.ben).status == 200
    assert "/api/auth/login" in client.call("contract_get_json").json["paths"]


def test_wrong_passwords_are_429_where_they_come_from_and_the_known_browser_gets_in(
    client: Client, people: People
) -> None:
    device = _login(client, "ben@example.com").cookies["DEVICE"]
    assert [_login(client, "ben@example.com", "wrong").status for _ in range(10)] == [401] * 10
    throttled = _login(client, "ben@example.com")
    assert (throttled.status, throttled.code) == (429, "login_throttled")
    assert int(throttled.headers["Retry-After"]) in range(1, 61)
    body = {"email": "ben@example.com", "password": PASSWORD}
    answer = client.call("sessions_login", body=body, headers={"Cookie": f"DEVICE={device}"})
    assert answer.status == 200
    assert answer.cookies["DEVICE"] == device
    assert _login(client, "cyn@example.com").status == 200


def test_a_browsers_cookie_is_ours_or_new(client: Client, people: People) -> None:
    body = {"email": "ben@example.com", "password": PASSWORD}
    for sent in ("x", "é" * 43, "a" * 44):
        answer = client.call("sessions_login", body=body, headers={"Cookie": f"DEVICE={sent}"})
        assert answer.status in {200, 422}
        assert answer.cookies.get("DEVICE") != sent
