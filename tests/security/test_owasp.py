"""What the suites of docs/security.md lacked: closed request bodies, passwords as they are, no foreign origins."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from core.kernel.operation import Operation
from server.service import Service
from tests.client import Client
from tests.conftest import ROOT
from tests.factories.people import People

SMUGGLED = {"is_superadmin": True, "role_id": str(uuid4()), "tenant_id": str(uuid4())}
BUNDLE = json.loads((ROOT / "models/contract/openapi.json").read_text())
LONG = "Zwölf  Boxkämpfer jagen Viktor quer über den großen Sylter Deich … "


def _schema(reference: str) -> Any:
    node: Any = BUNDLE
    for part in reference.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/").replace("~0", "~")]
    return _schema(node["$ref"]) if "$ref" in node else node


def _example(operation: Operation) -> dict[str, Any] | None:
    """Return the first JSON example of a closed body."""
    item = BUNDLE["paths"][operation.path][operation.method.lower()]
    body = item.get("requestBody", {})
    media = (_schema(body["$ref"]) if "$ref" in body else body).get("content", {}).get("application/json")
    if media is None or _schema(operation.body.media[0].schema).get("additionalProperties") is not False:
        return None
    value = next(iter(media.get("examples", {}).values()), {}).get("value")
    return value if isinstance(value, dict) else None


def _path(operation: Operation) -> str:
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", str(uuid4()))
    return path


def test_members_outside_the_contract_are_refused_everywhere(client: Client, people: People, service: Service) -> None:
    tried, taken = 0, []
    for operation in service.contract.operations:
        example = _example(operation) if operation.body else None
        if example is None:
            continue
        tried += 1
        headers = {**people.ada.headers(operation.method), "Content-Type": "application/json"}
        data = json.dumps({**example, **SMUGGLED}).encode()
        status = client.request(operation.method, _path(operation), headers=headers, data=data).status
        if status not in {400, 401, 403, 404, 422}:
            taken.append((operation.id, status))
    assert tried > 15
    assert not taken


def test_long_password_of_any_composition_works_as_it_is(client: Client, people: People) -> None:
    password = (LONG * 2)[:128]
    body = {"email": "long@example.com", "password": password}
    assert client.call("users_create", body=body, as_=people.ada.by_token()).status == 201
    for wrong in (password[:-1], password.lower(), password.strip(), password.replace("  ", " ")):
        if wrong != password:
            assert client.call("sessions_login", body={**body, "password": wrong}).status == 401
    assert client.call("sessions_login", body=body).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_no_other_origin_is_let_in(client: Client, people: People, origin: str) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    answer = client.call("conversations_list", as_=people.ada.in_browser(), headers=headers)
    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]
    assert client.request("OPTIONS", "/api/conversations", headers=headers).status == 405
