"""Both doors to the first administrator."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from core.kernel import settings
from core.kernel.settings import Settings
from models.database import read
from models.tables.identity import User
from tests.client import Client

SETUP = {"username": "ada", "email": "ada@example.com", "password": "correct horse"}
BOOTSTRAP = {"email": "ada@example.com", "password": "correct horse", "first_name": "Ada"}
DOORS = [("setup_create", SETUP, 400), ("setup_bootstrap", BOOTSTRAP, 409)]


def _count_users() -> int:
    with read():
        return User.select().count()


@pytest.mark.parametrize(("door", "body"), [(door, body) for door, body, _ in DOORS])
def test_first_administrator_is_made_and_both_doors_close(client: Client, door: str, body: dict[str, str]) -> None:
    assert client.call("setup_get").json == {"is_setup": False}
    answer = client.call(door, body=body)
    assert answer.status == 200
    assert client.call("setup_get").json == {"is_setup": True}
    login = client.call("sessions_login", body={"email": "ada@example.com", "password": "correct horse"})
    assert login.json["user"]["roles"] == ["admin", "member"]
    for other, again, closed in DOORS:
        assert client.call(other, body=again).status == closed
    assert _count_users() == 1


def test_setup_answers_nothing_and_bootstrap_names_the_user(client: Client) -> None:
    answer = client.call("setup_bootstrap", body=BOOTSTRAP)
    assert answer.json["message"] == "Bootstrap complete"
    with read():
        assert answer.json["user_id"] == str(User.get().id)


def test_setup_has_an_empty_body(client: Client) -> None:
    assert client.call("setup_create", body=SETUP).content == b""


def test_closed_doors_say_so_in_their_own_words(client: Client) -> None:
    client.call("setup_create", body=SETUP)
    assert client.call("setup_create", body=SETUP).code == "already_set_up"
    assert client.call("setup_bootstrap", body=BOOTSTRAP).json["error"]["details"]["code"] == "already_set_up"


def test_repeat_is_replayed_when_the_key_is_the_same(client: Client) -> None:
    key = {"Idempotency-Key": "first"}
    assert client.call("setup_create", body=SETUP, headers=key).status == 200
    assert client.call("setup_create", body=SETUP, headers=key).status == 200
    answer = client.call("setup_create", body=SETUP | {"username": "eve"}, headers=key)
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert _count_users() == 1


@pytest.fixture
def guarded(client: Client, database: Settings) -> Iterator[Client]:
    settings.install(msgspec.structs.replace(database, profile="production", setup_token="right"))
    yield client
    settings.install(database)


@pytest.mark.parametrize(("door", "body", "_closed"), DOORS)
def test_token_is_asked_for_in_production(guarded: Client, door: str, body: dict[str, str], _closed: int) -> None:
    assert guarded.call(door, body=body).status == 403
    assert guarded.call(door, body=body, headers={"X-Setup-Token": "wrong"}).status == 403
    assert _count_users() == 0
    assert guarded.call(door, body=body, headers={"X-Setup-Token": "right"}).status == 200


def test_common_password_is_refused_in_production(guarded: Client) -> None:
    body = SETUP | {"password": "password1"}
    answer = guarded.call("setup_create", body=body, headers={"X-Setup-Token": "right"})
    assert answer.status == 422
    assert answer.json["errors"][0]["rule"] == "common_password"
    assert _count_users() == 0


@pytest.mark.parametrize(
    ("door", "change"),
    [
        ("setup_create", {"username": ""}),
        ("setup_create", {"username": "a b"}),
        ("setup_create", {"email": "none"}),
        ("setup_create", {"password": "short"}),
        ("setup_create", {"password": "p" * 129}),
        ("setup_create", {"password": "nul\x00nul\x00nul"}),
        ("setup_create", {"more": 1}),
        ("setup_bootstrap", {"phone_number": "call me"}),
        ("setup_bootstrap", {"first_name": " "}),
    ],
)
def test_body_outside_the_contract_is_422(client: Client, door: str, change: dict[str, object]) -> None:
    body = (SETUP if door == "setup_create" else BOOTSTRAP) | change
    assert client.call(door, body=body).status == 422
    assert _count_users() == 0


@pytest.mark.parametrize(("door", "_body", "_closed"), DOORS)
def test_unreadable_bodies_are_refused(client: Client, door: str, _body: object, _closed: int) -> None:
    assert client.call(door, data=b"{", headers={"Content-Type": "application/json"}).status == 400
    assert client.call(door, data=b"{}", headers={"Content-Type": "text/plain"}).status == 415
    large = b'"' + b"x" * 1_048_577 + b'"'
    assert client.call(door, data=large, headers={"Content-Type": "application/json"}).status == 413
