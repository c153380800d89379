"""A disabled user is told so, with a declared 423, by every operation that needs a caller and through every credential."""

from __future__ import annotations

from uuid import uuid4

import pytest

from core.kernel.operation import Operation
from server.service import Service
from tests.client import Client
from tests.factories.people import People


@pytest.mark.parametrize("credential", ["token", "session"])
def test_disabled_user_is_refused_with_423_when_an_operation_needs_a_caller(
    client: Client, people: People, service: Service, credential: str
) -> None:
    ben = people.ben.by_token() if credential == "token" else people.ben.in_browser()
    disabled = client.call(
        "users_update", path={"id": ben.user_id}, body={"is_active": False}, as_=people.ada.by_token()
    )
    assert disabled.status == 200, disabled.text
    scheme = "bearer" if credential == "token" else "session"
    secured = [row for row in service.contract.operations if _takes(row, scheme)]
    assert len(secured) > 20
    statuses = {
        row.id: client.request(row.method, _concrete(row), headers=ben.headers(row.method)).status for row in secured
    }
    assert {name: status for name, status in statuses.items() if status != 423} == {}


def _takes(operation: Operation, scheme: str) -> bool:
    return any(scheme in alternative.schemes for alternative in operation.security)


def _concrete(operation: Operation) -> str:
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", str(uuid4()))
    return path
