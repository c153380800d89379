"""The matrix's installation: two tenants with people of every role, and every caller that the matrix asks as."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from core.identity import users
from core.identity.passwords import hash_password
from core.kernel import clock
from models.database import write
from models.tables.identity import Tenant
from tests.client import Client, Person
from tests.factories.api_keys import make_key
from tests.factories.people import PASSWORD, sign_in
from tests.isolation.callers import Caller, Headers, nothing, with_both, with_strange_csrf, without_csrf
from tests.isolation.scene import Scene
from tests.isolation.side import HOME, OTHER, Side

ROLE_IDS = {
    name: f"00000000-0000-4000-8000-{number:012}" for number, name in enumerate(("admin", "member", "viewer"), 2)
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NARROW = "usage:read"
BEARER, KEY, SESSION = frozenset({"bearer"}), frozenset({"api_key"}), frozenset({"session", "csrf"})


@dataclass
class World:
    """member, other_member: whose objects callers that are turned away are shown, and strangers to each other."""

    client: Client
    superadmin: Person
    member: Person
    other_member: Person
    callers: list[Caller]

    def scene(self, person: Person, side: Side) -> Scene:
        """Return the corner of a person."""
        return Scene(self.client, person, side, self.superadmin)


def make_world(client: Client, superadmin: Person, everything: frozenset[str]) -> World:
    """Fill the bound database, which holds the administrator. everything: what an administrator's API key may do."""
    with write():
        Tenant.create(id=OTHER.tenant_id, name=f"{OTHER.mark} works", created_at=clock.now())
    password_hash = hash_password(PASSWORD)

    def person(side: Side, role: str) -> Person:
        return sign_in(client, _make_person(side, role, password_hash))

    member, other_member = person(HOME, "member"), person(OTHER, "member")
    callers = [
        Caller("public", member, HOME, "nobody", frozenset(), nothing),
        _live(client, "superadmin", superadmin, HOME, "superadmin"),
        _live(client, "admin", person(HOME, "admin"), HOME, "admin"),
        _live(client, "member", member, HOME, "member"),
        _live(client, "viewer", person(HOME, "viewer"), HOME, "viewer"),
        _live(client, "other member", other_member, OTHER, "member"),
        _live(client, "other admin", person(OTHER, "admin"), OTHER, "admin"),
        _narrowed(client, member),
        Caller("revoked token", member, HOME, "member", BEARER, _revoked(client, member), state="revoked"),
        Caller(
            "disabled user", member, HOME, "member", BEARER, _disabled(client, superadmin, person), state="disabled"
        ),
        *_keys(client, person(HOME, "admin"), everything),
        *_browsers(client, person(HOME, "member"), person(HOME, "member")),
    ]
    return World(client, superadmin, member, other_member, callers)


def _make_person(side: Side, role: str, password_hash: str) -> Person:
    email = f"{role}@{side.domain}"
    number = users.User.select().count()
    new = users.NewUser(email=email.replace("@", f"{number}@"), password_hash=password_hash, first_name=side.mark)
    user = users.do_create_user(new, side.tenant_id)
    if role != "member":
        users.do_assign_role(user.id, ROLE_IDS[role], side.tenant_id)
        users.do_remove_role(user.id, ROLE_IDS["member"], side.tenant_id)
    return Person(user_id=str(user.id), name=role, email=user.email, password=PASSWORD)


def _live(client: Client, name: str, owner: Person, side: Side, role: str) -> Caller:
    """Make a caller with a token beside the owner's, since some operations end the one they are called with."""

    def renew() -> Headers:
        return _bearer(_new_token(client, owner))

    return Caller(name, owner, side, role, BEARER, renew(), renew=renew)


def _narrowed(client: Client, owner: Person) -> Caller:
    """Make a token that was cut to one scope, which few operations ask for."""

    def renew() -> Headers:
        return _bearer(_new_token(client, owner, scope=NARROW))

    return Caller("narrowed token", owner, HOME, "member", BEARER, renew(), holds=frozenset({NARROW}), renew=renew)


def _keys(client: Client, maker: Person, everything: frozenset[str]) -> list[Caller]:
    """Make the callers with an API key; it acts for an administrator of the tenant."""

    def secret(*scopes: str) -> str:
        return make_key(client, maker.by_token(), scopes=scopes).secret

    def caller(name: str, send: Headers, **options: Any) -> Caller:
        return Caller(name, maker, HOME, "admin", KEY, send, **options)

    former = make_key(client, maker.by_token(), scopes=sorted(everything))
    path = {"tenantId": str(HOME.tenant_id), "keyId": former.id}
    assert client.call("api_keys_delete", path=path, as_=maker.by_token()).status < 300
    return [
        caller("key", _x_api_key(secret(*sorted(everything)))),
        caller("key as bearer", _bearer(secret(*sorted(everything)))),
        caller("key without the scope", _x_api_key(secret(NARROW)), holds=frozenset({NARROW})),
        caller("revoked key", _x_api_key(former.secret), state="revoked"),
    ]


def _browsers(client: Client, surfer: Person, keeper: Person) -> list[Caller]:
    """Make the callers with cookies; surfer signs in again and again, which ends older sessions, keeper never."""

    def renew() -> Headers:
        return _new_session(client, surfer).in_browser().headers

    cookie = frozenset({"session"})
    return [
        Caller("session", surfer, HOME, "member", SESSION, renew(), renew=renew),
        Caller("cookie without CSRF", keeper, HOME, "member", cookie, without_csrf(keeper)),
        Caller("cookie with a strange CSRF", keeper, HOME, "member", cookie, with_strange_csrf(keeper)),
        Caller("two credentials", keeper, HOME, "member", BEARER | SESSION, with_both(keeper)),
    ]


def _new_token(client: Client, person: Person, scope: str = "") -> str:
    form = urlencode({"username": person.email, "password": person.password, "scope": scope}).encode()
    answer = client.call("tokens_create", data=form, headers=FORM)
    assert answer.status == 200, answer.text
    return str(answer.json["access_token"])


def _new_session(client: Client, person: Person) -> Person:
    answer = client.call("sessions_login", body={"email": person.email, "password": person.password})
    assert answer.status == 200, answer.text
    return Person(
        person.user_id,
        person.name,
        person.email,
        person.password,
        person.token,
        answer.cookies["SESSION_ID"],
        answer.json["csrf_token"],
    )


def _bearer(token: str) -> Headers:
    return lambda _method: {"Authorization": f"Bearer {token}"}


def _x_api_key(secret: str) -> Headers:
    return lambda _method: {"x-api-key": secret}


def _revoked(client: Client, person: Person) -> Headers:
    send = _bearer(_new_token(client, person))
    assert client.call("tokens_revoke", headers=send("POST")).status == 204
    return send


def _disabled(client: Client, superadmin: Person, person: Callable[[Side, str], Person]) -> Headers:
    former = person(HOME, "member")
    path, body = {"id": former.user_id}, {"is_active": False}
    answer = client.call("users_update", path=path, body=body, as_=superadmin.by_token())
    assert answer.status == 200, answer.text
    return former.by_token().headers
