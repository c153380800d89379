"""Operations that come and go while the server runs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from core.kernel.operation import Operation, Parameter, Response
from server import snapshot
from server.ports import DefinitionSet
from tests.unit.server.conftest import Running
from tests.unit.server.shop_contract import BOTH, SCHEMAS, operation, ref


def _greeting(path: str, method: str = "GET") -> Operation:
    success = Response(status=200, origin="user.yaml:1", media=())
    return operation(f"greet{path.replace('/', '_')}", method, path, success)


class Definitions:
    """What users have defined so far."""

    def __init__(self) -> None:
        self.now = 0
        self.loads = 0
        self.operations: tuple[Operation, ...] = ()

    def define(self, *operations: Operation) -> None:
        self.operations = operations
        self.now += 1

    def generation(self) -> int:
        return self.now

    def load(self) -> DefinitionSet:
        self.loads += 1
        return DefinitionSet(
            generation=self.now,
            operations=self.operations,
            bundle={"components": {"schemas": SCHEMAS}},
            handlers={row.id: _greet for row in self.operations},
        )


def _greet(call: Any) -> None:
    return None


@pytest.fixture
def definitions(running: Running, monkeypatch: pytest.MonkeyPatch) -> Definitions:
    """Serve the shop with definitions that are followed at once."""
    monkeypatch.setattr(snapshot, "CHECK_SECONDS", 0.0)
    made = Definitions()
    running.rebuild(definitions=made)
    return made


def test_an_operation_is_added_and_taken_away_as_a_whole(running: Running, definitions: Definitions) -> None:
    client = running.client
    assert client.get("/hello/world").status_code == 404
    definitions.define(_greeting("/hello/world"), _greeting("/hello/moon"))
    assert [client.get(path).status_code for path in ("/hello/world", "/hello/moon")] == [200, 200]
    assert client.post("/hello/world").headers["Allow"] == "GET"
    definitions.define(_greeting("/hello/moon"))
    assert [client.get(path).status_code for path in ("/hello/world", "/hello/moon")] == [404, 200]
    definitions.define()
    assert client.get("/hello/moon").status_code == 404


def test_the_contract_comes_first_and_its_catch_alls_last(running: Running, definitions: Definitions) -> None:
    definitions.define(_greeting("/items"), _greeting("/hello"))
    assert running.client.get("/items").json["page"] == 1
    assert running.client.get("/hello").data == b""
    assert running.client.get("/other").json == {"model": "other"}


def test_a_parameter_that_is_not_sent_has_its_default_where_no_type_gives_it_one(
    running: Running, definitions: Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(f"{__name__}._greet", lambda call: seen.append(call.parameters))
    integer = {"schema": ref("integer"), "shapes": ("integer",), "origin": "user.yaml:2"}
    parameters = (
        Parameter(name="page", field="page", location="query", default=7, has_default=True, **integer),
        Parameter(name="ids", field="ids", location="query", is_array=True, default=[1], has_default=True, **integer),
        Parameter(name="X-N", field="x_n", location="header", default=3, has_default=True, style="simple", **integer),
    )
    definitions.define(msgspec.structs.replace(_greeting("/hello/pages"), parameters=parameters))
    for query in ("", "?page=8"):
        assert running.client.get(f"/hello/pages{query}").status_code == 200
    assert seen == [{"page": 7, "ids": [1], "x_n": 3}, {"page": 8, "ids": [1], "x_n": 3}]


def test_nothing_is_compiled_while_the_generation_stands(running: Running, definitions: Definitions) -> None:
    for _ in range(3):
        running.client.get("/hello/world")
    assert definitions.loads == 1


def test_the_generation_is_asked_for_at_most_twice_a_second(
    running: Running, definitions: Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.client.get("/hello/world")
    monkeypatch.setattr(snapshot, "CHECK_SECONDS", 60.0)
    definitions.define(_greeting("/hello/world"))
    assert running.client.get("/hello/world").status_code == 404


def test_a_definition_is_served_under_the_style_and_checks_of_the_contract(
    running: Running, definitions: Definitions
) -> None:
    secured = msgspec.structs.replace(_greeting("/hello/world"), security=BOTH)
    definitions.define(secured)
    refused = running.client.get("/hello/world")
    assert (refused.status_code, refused.json["code"]) == (401, "unauthenticated")
    assert running.client.get("/hello/world", headers={"Authorization": "Bearer good"}).status_code == 200
