"""Secrets that are planted everywhere and found nowhere: not in log, metrics, errors, published contract or database."""

from __future__ import annotations

import base64
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import psycopg2
import pytest

from tests.client import Answer, Client, Person
from tests.drills.scene import Launch
from tests.factories.api_keys import ROOT, make_key
from tests.factories.conversations import make_conversation
from tests.handlers.identity.conftest import definition
from tests.live import Live

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PUBLISHED = ("metrics_get", "contract_get_json", "contract_get_yaml", "contract_show_swagger", "health_check_readiness")


ECHOED = {
    "in a path in refusals": "a problem's `instance` is the path that was asked for, told to who asked",
    "as a name in refusals": "an unknown member or parameter is named to who sent it; its value is not",
}


@dataclass
class Plant:
    """What was planted, by name, and the answers of refusals, in which none of it may be found."""

    client: Client
    secrets: dict[str, str] = field(default_factory=dict)
    refusals: list[Answer] = field(default_factory=list)

    def new(self, name: str) -> str:
        """Plant a made-up secret."""
        self.secrets[name] = f"canary-{name.replace(' ', '-')}-{uuid4().hex}"
        return self.secrets[name]

    def keep(self, name: str, value: str) -> str:
        """Plant a secret that the server made."""
        assert len(value) > 15
        self.secrets[name] = value
        return value

    def call(self, operation_id: str, **parts: Any) -> Answer:
        """Call an operation and keep its refusal."""
        answer = self.client.call(operation_id, **parts)
        if answer.status >= 400:
            self.refusals.append(answer)
        return answer

    def send(self, method: str, target: str, headers: dict[str, str], data: bytes = b"") -> None:
        """Send what is to be refused."""
        answer = self.client.request(method, target, headers=headers, data=data)
        assert answer.status >= 400, (method, target, answer.text)
        self.refusals.append(answer)


@pytest.fixture
def planted(launch: Launch) -> tuple[Live, Plant]:
    """Give a server on which every kind of secret was used, rightly and wrongly."""
    settings = {
        name: f"canary-setting-{name.replace('_', '-')}-{uuid4().hex}" for name in ("ai_api_key", "setup_token")
    }
    live = launch(workers=1, log_level="debug", **settings)
    plant = Plant(live.client, dict(settings))
    for step in (_people, _credentials, _providers, _misplaced, _malformed):
        step(live, plant)
    time.sleep(0.3)
    return live, plant


def _people(live: Live, plant: Plant) -> None:
    ada = live.people.ada.by_token()
    first, second = plant.new("password"), plant.new("second password")
    headers = {"Idempotency-Key": plant.new("idempotency key")}
    body = {"email": "canary@example.com", "password": first}
    made = plant.call("users_create", body=body, as_=ada, headers=headers)
    assert made.status == 201, made.text
    assert plant.call("users_create", body=body, as_=ada, headers=headers).json == made.json
    changed = plant.call("users_update", path={"id": made.json["id"]}, body={"password": second}, as_=ada)
    assert changed.status == 200
    plant.call("sessions_login", body={"email": "canary@example.com", "password": plant.new("wrong password")})
    plant.call("sessions_login", body={"email": plant.new("password as a name"), "password": second})
    plant.call(
        "setup_create", body={"username": "x", "email": "x@example.com", "password": plant.new("set-up password")}
    )


def _credentials(live: Live, plant: Plant) -> None:
    password = plant.secrets["second password"]
    login = plant.call("sessions_login", body={"email": "canary@example.com", "password": password})
    assert login.status == 200, login.text
    person = Person("", "", "", password, None, login.cookies["SESSION_ID"], login.json["csrf_token"])
    plant.keep("session", person.session or "")
    plant.keep("csrf", person.csrf or "")
    rotated = plant.call("sessions_refresh", as_=person)
    plant.keep("rotated session", rotated.cookies["SESSION_ID"])
    form = urlencode({"username": "canary@example.com", "password": password}).encode()
    headers = {**FORM, "Idempotency-Key": plant.new("key of a secret answer")}
    token = plant.keep("token", plant.call("tokens_create", data=form, headers=headers).json["access_token"])
    bearer = {"Authorization": f"Bearer {token}"}
    plant.keep("refreshed token", plant.call("tokens_refresh", headers=bearer).json["access_token"])
    ada = live.people.ada.by_token()
    plant.keep("api key", make_key(live.client, ada).secret)
    path = {"conversation_id": make_conversation(live.client, ada)}
    body = {"email": "guest@example.com", "role": "member"}
    invite = plant.keep("invite", plant.call("invites_create", path=path, body=body, as_=ada).json["token"])
    assert plant.call("invites_revoke", path={"token": invite}, as_=ada).status == 204
    assert plant.call("invites_accept", body={"token": invite}, as_=live.people.ben.by_token()).status == 410
    plant.keep("ada's token", live.people.ada.token or "")


def _providers(live: Live, plant: Plant) -> None:
    body = definition("canary", issuer="https://issuer.example.com", client_secret=plant.new("provider secret"))
    stored = plant.call("federation_put", path={"name": "canary"}, body=body, as_=live.people.ada.by_token())
    assert stored.status < 300, stored.text
    for operation, path in (("federation_get", {"name": "canary"}), ("federation_list", {})):
        shown = plant.call(operation, path=path, as_=live.people.ada.by_token())
        assert shown.status == 200
        assert plant.secrets["provider secret"] not in shown.text


def _misplaced(live: Live, plant: Plant) -> None:
    """Put secrets where none belongs: path, query, headers, other fields."""
    ada = live.people.ada.headers("GET")
    secret = plant.new("in a path")
    plant.send("GET", f"/api/conversations/{secret}", ada)
    plant.send("GET", f"/api/nowhere/{secret}", ada)
    plant.send("GET", f"/api/conversations?limit={secret}", ada)
    plant.send("GET", f"/api/conversations?{plant.new('as a name')}=1", ada)
    plant.send("GET", f"/api/conversations?cursor={quote(plant.new('in a query'))}", ada)
    for name in ("Authorization", "x-api-key", "X-CSRF-TOKEN", "Cookie"):
        value = plant.new(f"in {name}")
        sent = {"Authorization": f"Bearer {value}", "Cookie": f"SESSION_ID={value}"}.get(name, value)
        plant.send("GET", "/api/conversations", {name: sent})
    plant.send("GET", "/api/conversations", {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"})
    plant.send("GET", "/api/conversations", {**ada, "Cookie": f"SESSION_ID={plant.new('beside a token')}"})
    key = {"x-api-key": f"sk_live_{plant.new('in a key')}"}
    plant.send("GET", f"/api/v1/tenants/{ROOT}/api-keys", key)


def _malformed(live: Live, plant: Plant) -> None:
    """Send bodies that are refused, whose values are secrets."""
    json_body = {"Content-Type": "application/json"}
    value = plant.new("in a broken body")
    for body in (
        f'{{"email": "a@example.com", "password": "{value}"',
        f'{{"email": "a@example.com", "password": ["{value}"]}}',
        f'{{"email": "a@example.com", "password": "{value}", "{plant.secrets["as a name"]}": "{value}"}}',
        f'{{"email": "a@example.com", "password": "{value * 9}"}}',
        f'"{value}"',
    ):
        plant.send("POST", "/api/auth/login", json_body, body.encode())
    plant.send(
        "POST", "/auth/token", FORM, f"username=a&password={value}&more={value}&{plant.secrets['as a name']}=1".encode()
    )
    ada = {**live.people.ada.headers("POST"), **json_body, "Idempotency-Key": plant.new("idempotency")}
    plant.send("POST", "/auth/admin/users", ada, f'{{"email": "{value}"}}'.encode())


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _dump(url: str) -> bytes:
    """Return every value of every table: what a dump in clear would hold."""
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"))
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
    else:
        connection = psycopg2.connect(url)
        names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    cursor = connection.cursor()
    cursor.execute(names)
    values: list[bytes] = []
    for (name,) in cursor.fetchall():
        cursor.execute(f'SELECT * FROM "{name}"')
        values += [_bytes(value) for row in cursor.fetchall() for value in row]
    connection.close()
    return b"\n".join(values)


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


def _found(plant: Plant, places: dict[str, bytes]) -> list[str]:
    return [
        f"{name} in {place}"
        for name, secret in plant.secrets.items()
        for place, text in places.items()
        if secret.encode() in text or base64.b64encode(secret.encode()).rstrip(b"=")[:-2] in text
    ]


def test_no_secret_is_found_where_it_was_not_given(planted: tuple[Live, Plant]) -> None:
    live, plant = planted
    published: Callable[[str], bytes] = lambda operation: plant.client.call(operation).content  # noqa: E731
    places = {operation: published(operation) for operation in PUBLISHED}
    places |= _files(Path(live.server.settings.data_dir))
    places["database"] = _dump(live.server.settings.database_url)
    places["refusals"] = b"\n".join(answer.content + str(answer.headers).encode() for answer in plant.refusals)
    assert b"canary@example.com" in places["database"], "the dump must be able to find something"
    assert any("log" in place and b"sessions_login" in text for place, text in places.items())
    assert b'accord_requests_total{operation="sessions_login"' in places["metrics_get"]
    found = [line for line in _found(plant, places) if line not in ECHOED]
    print(f"\n{len(plant.secrets)} secrets, {len(plant.refusals)} refusals, {len(places)} places: {len(found)} found")
    assert len(plant.secrets) > 25
    assert len(plant.refusals) > 20
    assert not found, "\n".join(found)
