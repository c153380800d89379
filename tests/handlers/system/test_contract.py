"""The published contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import models.contract
from tests.client import Client

PUBLISHED = Path(models.contract.__path__[0])


@pytest.mark.parametrize(("operation", "kind"), [("contract_get_json", "json"), ("contract_get_yaml", "yaml")])
def test_contract_is_served_with_a_validator(client: Client, operation: str, kind: str) -> None:
    answer = client.call(operation)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == f"application/{kind}"
    assert answer.content == (PUBLISHED / f"openapi.{kind}").read_bytes()
    again = client.call(operation, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.content) == (304, b"")


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


@pytest.mark.parametrize(
    "operation", ["contract_get_json", "contract_get_yaml", "contract_show_swagger", "contract_show_redoc"]
)
def test_unknown_query_parameter_is_422(client: Client, operation: str) -> None:
    answer = client.call(operation, query={"x": "1"})
    assert (answer.status, answer.code) == (422, "validation_failed")
