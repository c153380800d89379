"""People to test with: an administrator made by setup and two members, each with a bearer token and a browser session."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from tests.client import Client, Person

PASSWORD = "correct horse battery"
BUILTIN_ROLES = {
    name: str(UUID(int=0x4000_8000 << 48 | number))
    for number, name in enumerate(("superadmin", "admin", "member", "viewer"), 1)
}


@dataclass(frozen=True)
class People:
    """ada is the administrator; ben and cyn are members."""

    ada: Person
    ben: Person
    cyn: Person


def make_people(client: Client) -> People:
    """Fill a database without users."""
    ada = make_administrator(client)
    return People(ada=ada, ben=make_member(client, ada, "Ben"), cyn=make_member(client, ada, "Cyn"))


def make_administrator(client: Client, *, name: str = "Ada", setup_token: str | None = None) -> Person:
    """Take the setup door and sign in."""
    email = f"{name.lower()}@example.com"
    headers = {"X-Setup-Token": setup_token} if setup_token else {}
    body = {"username": name.lower(), "email": email, "password": PASSWORD}
    answer = client.call("setup_create", body=body, headers=headers)
    assert answer.status == 200, answer.text
    return sign_in(client, Person(user_id="", name=name, email=email, password=PASSWORD))


def make_member(client: Client, administrator: Person, name: str) -> Person:
    """Create a user and sign in."""
    email = f"{name.lower()}@example.com"
    body = {"email": email, "password": PASSWORD, "first_name": name}
    answer = client.call("users_create", body=body, as_=administrator)
    assert answer.status == 201, answer.text
    return sign_in(client, Person(user_id=answer.json["id"], name=name, email=email, password=PASSWORD))


def sign_in(client: Client, person: Person) -> Person:
    """Give a person a fresh session and a fresh token."""
    answer = client.call("sessions_login", body={"email": person.email, "password": person.password})
    assert answer.status == 200, answer.text
    person.user_id = answer.json["user"]["id"]
    person.session = answer.cookies["SESSION_ID"]
    person.csrf = answer.json["csrf_token"]
    form = urlencode({"username": person.email, "password": person.password}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.call("tokens_create", data=form, headers=headers)
    assert answer.status == 200, answer.text
    person.token = answer.json["access_token"]
    return person


def give_role(client: Client, administrator: Person, person: Person, role: str) -> None:
    """Give a person one of the built-in roles of the root workspace: admin, member or viewer."""
    path = {"user_id": person.user_id, "role_id": BUILTIN_ROLES[role]}
    answer = client.call("users_assign_role", path=path, as_=administrator)
    assert answer.status == 200, answer.text


def take_role(client: Client, administrator: Person, person: Person, role: str) -> None:
    """Take a built-in role of the root workspace from a person."""
    path = {"user_id": person.user_id, "role_id": BUILTIN_ROLES[role]}
    answer = client.call("users_remove_role", path=path, as_=administrator)
    assert answer.status == 204, answer.text
