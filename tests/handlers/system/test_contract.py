"""The published contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from werkzeug.test import Client as Browser

import models.contract
from server.logs import Log
from server.ports import DefinitionSet
from server.runtime import Runtime
from server.service import Service
from tests.client import Client, InProcess
from tests.oracle import Oracle

PUBLISHED = Path(models.contract.__path__[0])


@pytest.mark.parametrize(("operation", "kind"), [("contract_get_json", "json"), ("contract_get_yaml", "yaml")])
def test_contract_is_served_with_a_validator(client: Client, operation: str, kind: str) -> None:
    answer = client.call(operation)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == f"application/{kind}"
    assert _without_samples(yaml.load(answer.content, yaml.CSafeLoader)) == json.loads(
        (PUBLISHED / "openapi.json").read_bytes()
    )
    again = client.call(operation, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.content) == (304, b"")


def _without_samples(document: Any) -> Any:
    """Take every operation's samples out of a published contract; each must have some."""
    for item in document["paths"].values():
        for node in item.values():
            if isinstance(node, dict) and "operationId" in node:
                assert node.pop("x-codeSamples")
    return document


def test_contract_names_this_service(client: Client) -> None:
    document = json.loads(client.call("contract_get_json").content)
    assert document["openapi"].startswith("3.1")
    assert "/openapi.json" in document["paths"]


@pytest.mark.parametrize("operation", ["contract_show_swagger", "contract_show_redoc"])
def test_page_takes_everything_from_this_server(client: Client, operation: str) -> None:
    answer = client.call(operation)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "://" not in answer.text
    assert "/docs-assets/" in answer.text


class Defined:
    """What users define at run time: nothing, or one operation with a schema of its own."""

    now = 0

    def generation(self) -> int:
        return self.now

    def load(self) -> DefinitionSet:
        schema = {"type": "object", "properties": {"name": {"type": "string"}}}
        reply = {"description": "It.", "content": {"application/json": {"schema": {"$ref": f"#{HOUSE}"}}}}
        paths = {"/api/houses": {"get": {"operationId": "records_list_house", "responses": {"200": reply}}}}
        bundle = {"paths": paths, "components": {"schemas": {"user.House": schema}}} if self.now % 2 else {}
        return DefinitionSet(generation=self.now, operations=(), bundle=bundle, handlers={})


HOUSE = "/components/schemas/user.House"


def test_a_definition_is_published_and_taken_back_with_the_pages_that_show_it(
    service: Service, client: Client, oracle: Oracle
) -> None:
    fixed = client.call("contract_get_json")
    defined = Defined()
    ports = msgspec.structs.replace(service.ports, definitions=defined)
    log = Log("error", 2)
    runtime = Runtime(msgspec.structs.replace(service, ports=ports), log)
    client = Client(InProcess(runtime.wsgi), oracle)
    tags = [fixed.headers["ETag"]]
    for defined.now in (1, 2, 3):
        is_there = defined.now % 2 == 1
        answer = client.call("contract_get_json", headers={"If-None-Match": tags[-1]})
        tags.append(answer.headers["ETag"])
        assert answer.status == 200
        document = answer.json
        assert document == yaml.safe_load(client.call("contract_get_yaml").text)
        assert ("/api/houses" in document["paths"], "user.House" in document["components"]["schemas"]) == (
            is_there,
        ) * 2
        assert set(fixed.json["paths"]) <= set(document["paths"])
        assert client.call("contract_get_json", headers={"If-None-Match": tags[-1]}).status == 304
        swagger, redoc = client.call("contract_show_swagger").text, client.call("contract_show_redoc").text
        start = swagger.rpartition('src="')[2].partition('"')[0]
        assert 'url: "/openapi.json"' in Browser(runtime.wsgi).get(start).text
        assert 'spec-url="/openapi.json"' in redoc
    assert tags[1] == tags[3] != tags[2]


@pytest.mark.parametrize(
    "operation", ["contract_get_json", "contract_get_yaml", "contract_show_swagger", "contract_show_redoc"]
)
def test_unknown_query_parameter_is_422(client: Client, operation: str) -> None:
    answer = client.call(operation, query={"x": "1"})
    assert (answer.status, answer.code) == (422, "validation_failed")
