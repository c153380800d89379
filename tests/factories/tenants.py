"""Tenants with people and keys to test with, made as a caller makes them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from tests.client import Client, Person
from tests.factories.api_keys import Key, make_key, with_key
from tests.factories.people import PASSWORD, sign_in

_numbers = count(1)


@dataclass(frozen=True)
class Tenancy:
    """A tenant and its admin, who holds the key of the registration alone: there is no password to log in with."""

    id: str
    admin: Person
    key: str


@dataclass(frozen=True)
class Account:
    """An account and its user, signed in."""

    id: str
    person: Person


def register(client: Client, *, name: str = "Example Ltd", email: str | None = None) -> Tenancy:
    """Register an organization."""
    address = email or f"owner{next(_numbers)}@example.org"
    answer = client.call("tenants_register", body={"email": address, "organizationName": name})
    assert answer.status == 201, answer.text
    data = answer.json["data"]
    owner = Person(user_id="", name=name, email=address, password="")
    return Tenancy(data["tenantId"], with_key(owner, data["apiKey"]), data["apiKey"])


def make_account(
    client: Client, tenancy: Tenancy, administrator: Person, *, role: str = "member", name: str = "Dee"
) -> Account:
    """Make an account, have the system-wide administrator set its user's password, and sign in."""
    email = f"{name.lower()}{next(_numbers)}@example.org"
    body = {"email": email, "name": name, "role": role}
    answer = client.call("accounts_create", path={"tenantId": tenancy.id}, body=body, as_=tenancy.admin)
    assert answer.status == 201, answer.text
    account = answer.json["data"]
    change = {"password": PASSWORD}
    answer = client.call("users_update", path={"id": account["userId"]}, body=change, as_=administrator)
    assert answer.status == 200, answer.text
    person = Person(user_id=account["userId"], name=name, email=email, password=PASSWORD)
    return Account(account["id"], sign_in(client, person))


def make_tenant_key(client: Client, tenancy: Tenancy, *scopes: str) -> Key:
    """Make a key of the tenant with these scopes; without any, with those of everyday work."""
    return make_key(client, tenancy.admin, scopes=scopes or None, tenant_id=tenancy.id)
