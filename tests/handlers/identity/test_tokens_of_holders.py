"""Tokens that a holder narrowed as the README says, to one thing that paths name."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.client import Client, Person
from tests.conftest import ROOT
from tests.factories.conversations import make_conversation
from tests.factories.people import People
from tests.factories.tokens import narrow as append

EXAMPLE = re.search(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def _narrowed(client: Client, person: Person, check: str) -> Person:
    """Narrow a person's token by the README's example and the published keys."""
    assert EXAMPLE is not None
    names: dict[str, Any] = {}
    exec(EXAMPLE.group(1), names)  # the example of the README, as a reader would run it
    answer = client.call("well_known_get", path={"path": "biscuit-keys.json"})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    return replace(person, token=names["narrow"](person.token, answer.json, check))


def _get(client: Client, person: Person, conversation_id: str) -> int:
    return client.call("conversations_get", path={"conversation_id": conversation_id}, as_=person).status


def test_token_narrowed_to_one_resource_opens_what_names_it_alone(client: Client, people: People) -> None:
    mine, other = (make_conversation(client, people.ben) for _ in range(2))
    lesser = _narrowed(client, people.ben, f'check if resource("conversation_id", "{mine}")')
    for _ in range(2):  # a cache of callers must not carry one request's resource over to the next
        assert _get(client, lesser, mine) == 200
        assert _get(client, lesser, other) == 401
    assert client.call("conversations_list", as_=lesser).status == 401
    assert client.call("tokens_get_me", as_=lesser).status == 401
    assert _get(client, people.ben, other) == 200


def test_resource_is_told_by_its_name_too(client: Client, people: People) -> None:
    mine = make_conversation(client, people.ben)
    assert _get(client, _narrowed(client, people.ben, f'check if resource("project", "{mine}")'), mine) == 401


def test_resource_is_the_same_in_capitals(client: Client, people: People) -> None:
    mine, other = (make_conversation(client, people.ben) for _ in range(2))
    for check, seen in (("check", (200, 401)), ("reject", (401, 200))):
        lesser = _narrowed(client, people.ben, f'{check} if resource("conversation_id", "{mine}")')
        for spelled in (str.lower, str.upper):
            assert (_get(client, lesser, spelled(mine)), _get(client, lesser, spelled(other))) == seen


def test_narrowed_token_is_narrowed_further_and_never_widened(client: Client, people: People) -> None:
    mine, other = (make_conversation(client, people.ben) for _ in range(2))
    lesser = _narrowed(client, people.ben, f'check if resource("conversation_id", "{mine}")')
    both = _narrowed(client, lesser, f'check if resource("conversation_id", "{other}")')
    forged = replace(people.ben, token=append(lesser.token or "", f'resource("conversation_id", "{mine}");'))
    assert [_get(client, person, mine) for person in (both, forged)] == [401, 401]
    assert [_get(client, person, other) for person in (both, forged)] == [401, 401]


@pytest.mark.parametrize("value", ['"', "a\\", "x\ny", "{name}"])
def test_strange_value_in_a_path_is_data_and_no_code(client: Client, people: People, value: str) -> None:
    lesser = _narrowed(client, people.ben, f'check if resource("conversation_id", "{uuid4()}")')
    assert client.call("conversations_get", path={"conversation_id": value}, as_=lesser).status == 401
