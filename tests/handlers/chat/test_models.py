"""Models over HTTP."""

from __future__ import annotations

from tests.client import Client
from tests.factories.people import People


def test_the_echoed_models_are_listed_in_both_shapes(client: Client, people: People) -> None:
    answer = client.call("models_list", as_=people.ben)
    assert answer.status == 200
    assert answer.json["object"] == "list"
    assert [(model["id"], model["owned_by"]) for model in answer.json["data"]] == [
        ("gpt-4", "echo"),
        ("gpt-3.5", "echo"),
    ]
    assert answer.json["models"] == [
        {"id": "gpt-4", "name": "GPT-4", "model_type": "chat"},
        {"id": "gpt-3.5", "name": "GPT-3.5", "model_type": "chat"},
    ]


def test_nobody_is_told_without_a_credential(client: Client) -> None:
    answer = client.call("models_list")
    assert answer.status == 401
    assert answer.json["error"]["code"] == "unauthenticated"
