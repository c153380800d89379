"""What a caller would know: for each parameter or member of a body that names a thing, how to make one.

A new operation needs one row of SEEDS for what no row names yet, and a property of Scene for a new kind of thing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from tests.client import Client, Person
from tests.factories import api_keys, conversations, people
from tests.factories.conversations import Talk
from tests.oracle import Document, Operation, Oracle

WELL_KNOWN = "security.txt"
LIMITED_PATH = "/api/setup"
"""The one path whose limits are changed: what admits nobody there hides nothing else."""


class Scene:
    """Things that belong together, made when one is asked for; each operation has a scene of its own.

    So an operation that deletes, uses up or leaves its thing takes it from no other. Everything is the administrator's,
    who is also the caller.
    """

    def __init__(self, client: Client, administrator: Person) -> None:
        self._client = client
        self.administrator = administrator

    @cached_property
    def member(self) -> Person:
        """Return a user who takes part in `talk`."""
        return self._user("Member")

    @cached_property
    def stranger(self) -> Person:
        """Return a user who takes part in nothing."""
        return self._user("Stranger")

    @cached_property
    def role_id(self) -> str:
        """Return a role of `member`."""
        answer = self._client.call("users_get", path={"id": self.member.user_id}, as_=self.administrator)
        return str(answer.json["roles"][0]["id"])

    @cached_property
    def talk(self) -> Talk:
        """Return a conversation with a thread."""
        return conversations.make_talk(self._client, self.administrator, self.member)

    @cached_property
    def message_id(self) -> str:
        """Return a message of the administrator's below the root."""
        return self._reply("system")["message_id"]

    @cached_property
    def answer_id(self) -> str:
        """Return a generated message."""
        return self._reply("user")["assistant_message_id"]

    @cached_property
    def message_path(self) -> str:
        """Return the published path of the thread's first message."""
        return f"m{uuid.UUID(self.talk.root_id).hex}"

    @cached_property
    def invite(self) -> str:
        """Return the token of an invite that the administrator made."""
        return self._invite(self.administrator, self.talk.conversation_id)

    @cached_property
    def invitation(self) -> str:
        """Return the token of an invite into a conversation that the administrator is not in."""
        owner = people.sign_in(self._client, self.stranger)
        return self._invite(owner, conversations.make_conversation(self._client, owner))

    @cached_property
    def tenant_id(self) -> str:
        """Return the tenant of everything."""
        return api_keys.ROOT

    @cached_property
    def account_id(self) -> str:
        """Return an account of the tenant."""
        return self._made(
            "accounts_create", {"email": _address(), "name": "Jane", "role": "member"}, {"tenantId": self.tenant_id}
        )

    @cached_property
    def key_id(self) -> str:
        """Return an API key of the tenant."""
        return api_keys.make_key(self._client, self.administrator).id

    @cached_property
    def made_role_id(self) -> str:
        """Return a role that is not built in."""
        return self._made("roles_create", {"name": _name(), "scopes": ["projects:read"]})

    @cached_property
    def provider(self) -> str:
        """Return the name of an identity provider with credentials."""
        addresses = {f"{name}_url": f"https://login.example.com/{name}" for name in ("auth", "token", "userinfo")}
        spec = {"provider": "custom", "client_id": "accord", "client_secret": "correct-horse", **addresses}
        name = _name()
        body = {"kind": "FederationProvider", "version": "v1", "metadata": {"name": name}, "spec": spec}
        answer = self._client.call("federation_put", path={"name": name}, body=body, as_=self.administrator)
        assert answer.status == 200, answer.text
        return name

    @cached_property
    def rate_profile_id(self) -> str:
        """Return a rate profile that admits whatever comes."""
        return self._made("rate_profiles_create", {"name": _name(), "params": {"requests_per_second": 1_000_000}})

    @cached_property
    def rate_assignment_id(self) -> str:
        """Return an assignment."""
        body = {"profile_id": self.rate_profile_id, "method": "GET", "path": LIMITED_PATH}
        return self._made("rate_assignments_create", body)

    def _made(self, operation_id: str, body: dict[str, Any], path: dict[str, str] | None = None) -> str:
        """Make a thing and return its id."""
        answer = self._client.call(operation_id, path=path, body=body, as_=self.administrator)
        assert answer.status == 201, answer.text
        made = answer.json
        return str(made.get("data", made)["id"])

    def _user(self, name: str) -> Person:
        body = {"email": _address(), "password": people.PASSWORD}
        answer = self._client.call("users_create", body=body, as_=self.administrator)
        assert answer.status == 201, answer.text
        return Person(user_id=answer.json["id"], name=name, **body)

    def _reply(self, role: str) -> dict[str, str]:
        return conversations.reply(self._client, self.administrator, self.talk.root_id, "Yes", role=role)

    def _invite(self, owner: Person, conversation_id: str) -> str:
        body = {"email": "guest@example.com", "role": "member"}
        answer = self._client.call("invites_create", path={"conversation_id": conversation_id}, body=body, as_=owner)
        assert answer.status == 200, answer.text
        return str(answer.json["token"])


def _address() -> str:
    return f"{_name()}@example.com"


def _name() -> str:
    return f"n{uuid.uuid4().hex}"


Value = str | int
Maker = Callable[[Scene], Value]

# "operations place.name" → how to make its value. Operations are matched by *, the first row that matches counts, and a
# row of an operation that lacks the parameter does nothing. Body members within members are joined by dots.
SEEDS: dict[str, Maker] = {
    "invites_accept body.token": lambda scene: scene.invitation,
    "invites_revoke path.token": lambda scene: scene.invite,
    "messages_cancel path.message_id": lambda scene: scene.answer_id,
    "participants_add body.user_id": lambda scene: scene.stranger.user_id,
    "sessions_login body.email": lambda scene: scene.member.email,
    "sessions_login body.password": lambda scene: scene.member.password,
    "threads_mark_read body.path": lambda scene: scene.message_path,
    "tokens_create_personal body.email": lambda scene: scene.member.email,
    "tokens_create_personal body.password": lambda scene: scene.member.password,
    "tokens_elevate body.password": lambda scene: scene.administrator.password,
    "tokens_create body.username": lambda scene: scene.member.email,
    "tokens_create body.password": lambda scene: scene.member.password,
    "users_* path.id": lambda scene: scene.member.user_id,
    "federation_put body.metadata.name": lambda scene: scene.provider,
    "federation_* path.name": lambda scene: scene.provider,
    "federation_* path.provider": lambda scene: scene.provider,
    "rate_assignments_* path.id": lambda scene: scene.rate_assignment_id,
    "rate_assignments_create body.path": lambda _: LIMITED_PATH,
    "rate_assignments_create body.profile_id": lambda scene: scene.rate_profile_id,
    "rate_profiles_* path.id": lambda scene: scene.rate_profile_id,
    "rate_profiles_create body.name": lambda _: _name(),
    "roles_* path.id": lambda scene: scene.made_role_id,
    "roles_create body.name": lambda _: _name(),
    "users_* body.password": lambda _: people.PASSWORD,
    "* body.email": lambda _: _address(),
    "* path.tenantId": lambda scene: scene.tenant_id,
    "* path.accountId": lambda scene: scene.account_id,
    "* path.keyId": lambda scene: scene.key_id,
    "well_known_get path.path": lambda _: WELL_KNOWN,
    "* path.conversation_id": lambda scene: scene.talk.conversation_id,
    "* body.conversation_id": lambda scene: scene.talk.conversation_id,
    "* path.root_id": lambda scene: scene.talk.root_id,
    "* body.root_id": lambda scene: scene.talk.root_id,
    "* path.parent_id": lambda scene: scene.message_id,
    "* path.message_id": lambda scene: scene.message_id,
    "* path.user_id": lambda scene: scene.member.user_id,
    "* path.role_id": lambda scene: scene.role_id,
}

# Rows that every drawn request follows: it would take the server away from all others.
ALWAYS = frozenset({"rate_assignments_create body.path"})


def seed(oracle: Oracle, operation: Operation, scene: Scene) -> dict[str, Value]:
    """Make what an operation needs, and return it by place."""
    return {place: SEEDS[row](scene) for place, row in _rows(oracle, operation).items()}


class Seeds:
    """The values made for every operation: `values[operation id]["path.id"]`."""

    def __init__(self, oracle: Oracle, client: Client, administrator: Person) -> None:
        operations = oracle.operations.values()
        self._rows = {operation.id: _rows(oracle, operation) for operation in operations}
        self.values = {each.id: seed(oracle, each, Scene(client, administrator)) for each in operations}

    def known(self, operation_id: str) -> dict[str, tuple[list[Value], bool]]:
        """Return, for each seeded place, every value that its row made for whatever operation, and whether one is a must."""
        return {place: (self._made(row), row in ALWAYS) for place, row in self._rows[operation_id].items()}

    def _made(self, row: str) -> list[Value]:
        places = [(name, place) for name, rows in self._rows.items() for place, own in rows.items() if own == row]
        return [self.values[name][place] for name, place in places]


def unused_seeds(oracle: Oracle) -> set[str]:
    """Return the rows that seed nothing."""
    used = {row for operation in oracle.operations.values() for row in _rows(oracle, operation).values()}
    return set(SEEDS) - used


def _rows(oracle: Oracle, operation: Operation) -> dict[str, str]:
    """Return the row that counts for each place of an operation."""
    places, rows = _places(oracle, operation), {}
    for row in SEEDS:
        operations, _, place = row.partition(" ")
        if place in places and fnmatchcase(operation.id, operations):
            rows.setdefault(place, row)
    return rows


def _places(oracle: Oracle, operation: Operation) -> set[str]:
    """Return "in.name" of every parameter of an operation, and "body.name" of every member of its body."""
    declared = [*operation.item.get("parameters", []), *operation.spec.get("parameters", [])]
    parameters = [oracle.resolve(parameter) for parameter in declared]
    body = oracle.resolve(operation.spec.get("requestBody", {}))
    schemas = [media["schema"] for media in body.get("content", {}).values()]
    members = {member for schema in schemas for member in _members(oracle, schema, depth=2)}
    return {f"{each['in']}.{each['name']}" for each in parameters} | {f"body.{member}" for member in members}


def _members(oracle: Oracle, schema: Document, *, depth: int) -> Iterator[str]:
    schema = oracle.resolve(schema)
    for name, part in schema.get("properties", {}).items():
        yield name
        if depth > 1:
            yield from (f"{name}.{inner}" for inner in _members(oracle, part, depth=depth - 1))
    for part in (part for keyword in ("allOf", "oneOf", "anyOf") for part in schema.get(keyword, ())):
        yield from _members(oracle, part, depth=depth)
