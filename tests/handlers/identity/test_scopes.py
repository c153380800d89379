"""The catalogue of scopes: everything that the contract asks for, and nothing else."""

from __future__ import annotations

import json

from tests.client import Client
from tests.conftest import ROOT
from tests.factories.people import People


def test_catalogue_holds_what_the_contract_asks_for(client: Client, people: People) -> None:
    answer = client.call("scopes_list", as_=people.ada)
    operations = json.loads((ROOT / "models/contract/operations.json").read_text())["operations"]
    asked = {scope for row in operations for alternative in row.get("security", []) for scope in alternative["scopes"]}
    assert {"iam:admin", "apikey:create"} <= asked
    assert {scope for scope in asked if "{" not in scope} <= set(answer.json["system"])
    assert answer.json == {**answer.json, "crud": [], "workflows": [], "crud_api_enabled": False}


def test_catalogue_is_for_administrators(client: Client, people: People) -> None:
    assert client.call("scopes_list", as_=people.ben).status == 403
    assert client.call("scopes_list", headers={"Authorization": "Bearer x"}).status == 401
