"""How each declared error of an operation is provoked, from the contract alone: so new operations need nothing here."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from werkzeug.datastructures import Headers

from core.kernel.principal import ROOT_TENANT_ID, Principal
from core.system.idempotency import SqlIdempotencyStore
from models.database import write
from server.background import FailureObserver
from server.idempotency import Keeper
from server.request import Request
from server.service import Service
from tests.client import Answer, Client, Person, environ_of
from tests.factories.api_keys import make_key
from tests.factories.people import People
from tests.factories.tokens import narrow
from tests.fuzz.expectations import parameters
from tests.fuzz.seeded import overlay
from tests.fuzz.seeds import Scene, Value, seed
from tests.oracle import Asked, Document, Operation, Oracle

KEY = "a-key-that-somebody-holds"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_DEFAULT_BODY_BYTES = 1024 * 1024


@dataclass
class Stage:
    """A service with people in it, asked as one of them or nobody."""

    client: Client
    people: People
    service: Service
    observer: FailureObserver

    @property
    def oracle(self) -> Oracle:
        """Return the contract."""
        return self.client.oracle

    def ask(
        self,
        operation: Operation,
        person: Person | None = None,
        *,
        query: str = "",
        body: bytes | None = None,
        content_type: str | None = None,
        values: Mapping[str, Value] | None = None,
        **headers: str,
    ) -> Answer:
        """Send the operation's example with what is given in place of it: `values` are seeds by their place.

        Underscores stand for dashes in headers.
        """
        asked = self.asked(operation, query=query, body=body, content_type=content_type, values=values)
        sent = Headers(person.headers(asked.method) if person else {})
        sent.update(asked.headers)
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        return self.client.request(asked.method, asked.target, headers=dict(sent), data=asked.body)

    def asked(
        self,
        operation: Operation,
        *,
        query: str = "",
        body: bytes | None = None,
        content_type: str | None = None,
        values: Mapping[str, Value] | None = None,
    ) -> Asked:
        """Build the request of the operation's example, its ids made up unless `values` has them."""
        given = values or {}
        target = operation.path
        for parameter in parameters(self.oracle, operation):
            if parameter["in"] == "path":
                value = given.get(f"path.{parameter['name']}", self.made_up(parameter))
                target = target.replace(f"{{{parameter['name']}}}", quote(str(value), safe=""))
        own_type, example = self.example(operation, given)
        headers = Headers({"Content-Type": content_type or own_type} if own_type else {})
        target += f"?{query}" if query else ""
        return Asked(operation.method.upper(), target, headers, example if body is None else body)

    def example(self, operation: Operation, values: Mapping[str, Value] | None = None) -> tuple[str | None, bytes]:
        """Return the media type and bytes of the first example of a body, with the seeded values in it."""
        declared = self.oracle.resolve(operation.spec.get("requestBody", {}))
        for media_type, media in declared.get("content", {}).items():
            value = overlay(next(iter(media["examples"].values()))["value"], values or {})
            return media_type, urlencode(value).encode() if media_type == FORM else json.dumps(value).encode()
        return None, b""

    def made_up(self, parameter: Document) -> str:
        """Return a text that a path parameter may be, and that names nothing."""
        schema = self.oracle.resolve(parameter["schema"])
        if schema.get("format") == "uuid":
            return str(uuid.uuid4())
        return "a" * max(schema.get("minLength", 1), 8)

    def hold_key(self, operation: Operation, asked: Asked, person: Person | None) -> None:
        """Leave a key as a request that is still running holds it."""
        compiled = next(row for row in self.service.contract.operations if row.id == operation.id)
        request = Request(environ_of(asked) | {"wsgi.input": io.BytesIO()}, "127.0.0.1", False)
        request.environ["HTTP_IDEMPOTENCY_KEY"] = KEY
        if person is not None:
            user_id = uuid.UUID(person.user_id)
            request.principal = Principal(
                kind="token", user_id=user_id, tenant_id=ROOT_TENANT_ID, credential_id="", scopes=frozenset()
            )
        keeper = Keeper(compiled, SqlIdempotencyStore(self.service.settings), self.observer)
        claim = keeper.claim(request, asked.body)
        assert claim is not None
        with write():
            keeper.begin(claim)


Provoke = Callable[[Stage, Operation], Iterator[Answer]]


def malformed(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Send what cannot be read: a broken body, two credentials, bytes that are not UTF-8, an unknown parameter."""
    ada = stage.people.ada
    if "requestBody" in operation.spec:
        is_form = stage.example(operation)[0] == FORM
        yield stage.ask(operation, ada.by_token(), body=b"a=%ff" if is_form else b"{")
    if operation.spec["security"]:
        yield stage.ask(operation, ada.by_token(), **ada.in_browser().headers("POST"))
    yield stage.ask(operation, query="%ff=1")
    yield stage.ask(operation, ada.by_token(), query="unheard_of=1")


def anonymous(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Send no credential, or, where it is in the body, one of nobody."""
    yield stage.ask(operation)
    if isinstance(example := _example(stage, operation), dict) and "password" in example:
        yield stage.ask(operation, body=json.dumps(example | {"password": "of nobody"}).encode())


def powerless(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Ask without the scope, without the CSRF token, without the set-up token, with a token that is narrowed."""
    ada, ben = stage.people.ada, stage.people.ben
    yield stage.ask(operation, ben.by_token())
    if any("csrf" in alternative for alternative in operation.spec["security"]):
        yield stage.ask(operation, replace(ada.in_browser(), csrf="wrong"))
    if "requestBody" in operation.spec and not operation.spec["security"]:
        yield stage.ask(operation)
    assert ada.token is not None
    for scope in ("usage:read", "chat:read"):
        if any("api_key" in alternative for alternative in operation.spec["security"]):
            yield stage.ask(operation, make_key(stage.client, ada.by_token(), scopes=[scope]).holder)
        check = f'check if requested_scope("{scope}");'
        yield stage.ask(operation, replace(ada.by_token(), token=narrow(ada.token, check)))
    yield stage.ask(operation, replace(ada.by_token(), token=narrow(ada.token, "check if true;")))


def missing(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Name what is not there, in the path, and in the body by the contract's example; change a version of it."""
    yield stage.ask(operation, stage.people.ada.by_token())
    yield stage.ask(operation, stage.people.ada.by_token(), If_Match='"older"')
    if isinstance(example := _example(stage, operation), dict):
        absent = {name: "absent" for name, value in example.items() if isinstance(value, str)}
        for name in absent:
            yield stage.ask(
                operation, stage.people.ada.by_token(), body=json.dumps(example | {name: "absent"}).encode()
            )


def in_progress(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Repeat a request with a key while the first is running."""
    yield _with_held_key(stage, operation, body=None)


def stale(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Change a version that is no longer."""
    values = seed(stage.oracle, operation, Scene(stage.client, stage.people.ada.by_token()))
    yield stage.ask(operation, stage.people.ada.by_token(), values=values, If_Match='"older"')


def unchanged(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Ask whether a thing has changed that has not."""
    values = seed(stage.oracle, operation, Scene(stage.client, stage.people.ada.by_token()))
    yield stage.ask(operation, stage.people.ada.by_token(), values=values, If_None_Match="*")


def too_large(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Send one byte more than the operation takes."""
    limit = operation.spec.get("x-max-body", _DEFAULT_BODY_BYTES)
    yield stage.ask(
        operation,
        stage.people.ada.by_token(),
        body=b" " * (limit + 1),
        content_type=stage.example(operation)[0] or JSON,
    )


def wrong_type(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Send a body of a type that is not declared."""
    yield stage.ask(operation, stage.people.ada.by_token(), body=b"x", content_type="text/plain")


def invalid(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Break the schema; where that is 400, use an Idempotency-Key twice."""
    for person in (stage.people.ada.by_token(), stage.people.ada.in_browser()):
        yield stage.ask(operation, person, query="unheard_of=1")
    for parameter in parameters(stage.oracle, operation):
        if parameter["in"] == "query" and "maxLength" in parameter["schema"]:
            too_long = "a" * (parameter["schema"]["maxLength"] + 1)
            yield stage.ask(operation, query=f"{parameter['name']}={too_long}")
    if "x-idempotent" in operation.spec:
        yield _with_held_key(stage, operation, body=b"another")


def disabled(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Ask as a user who is disabled."""
    ben = stage.people.ben
    change = stage.client.call(
        "users_update", path={"id": ben.user_id}, body={"is_active": False}, as_=stage.people.ada.by_token()
    )
    assert change.status == 200, change.text
    yield stage.ask(operation, ben.by_token())
    yield stage.ask(operation, ben.in_browser())
    if isinstance(example := _example(stage, operation), dict) and "email" in example:
        body = example | {"email": ben.email, "password": ben.password}
        yield stage.ask(operation, body=json.dumps(body).encode())


def limited(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Ask more often than the profile lets."""
    for _ in range(3):
        yield stage.ask(operation, stage.people.ada.by_token())
        yield stage.ask(operation, stage.people.ada.in_browser())


def plain(stage: Stage, operation: Operation) -> Iterator[Answer]:
    """Ask as the administrator, on a stage that fails by itself."""
    yield stage.ask(operation, stage.people.ada.by_token())
    yield stage.ask(operation, stage.people.ada.in_browser())


def _example(stage: Stage, operation: Operation) -> Any:
    media_type, body = stage.example(operation)
    return json.loads(body) if media_type == JSON else None


def _with_held_key(stage: Stage, operation: Operation, *, body: bytes | None) -> Answer:
    ada = stage.people.ada.by_token() if operation.spec["security"] else None
    values = seed(stage.oracle, operation, Scene(stage.client, stage.people.ada.by_token()))
    stage.hold_key(operation, stage.asked(operation, body=body, values=values), ada)
    return stage.ask(operation, ada, values=values, Idempotency_Key=KEY)
