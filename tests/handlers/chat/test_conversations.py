"""Conversations over HTTP."""

from __future__ import annotations

import pytest

from tests.client import Client
from tests.factories.people import People
from tests.handlers.chat.conftest import MISSING, Room


def test_a_conversation_is_created_with_the_caller_as_owner(client: Client, people: People) -> None:
    made = client.call("conversations_create", body={"title": "Plans", "is_group": True}, as_=people.ada)
    assert made.status == 201
    shown = client.call("conversations_get", path=made.json, as_=people.ada)
    assert shown.status == 200
    assert (shown.json["title"], shown.json["is_group"], shown.json["role"]) == ("Plans", True, "owner")
    assert [person["user_id"] for person in shown.json["participants"]] == [people.ada.user_id]


@pytest.mark.parametrize("title", ["", "   ", "x" * 201, "a\x00b", 7, None])
def test_a_bad_title_is_refused(client: Client, people: People, title: object) -> None:
    answer = client.call("conversations_create", body={"title": title}, as_=people.ada)
    assert (answer.status, answer.code) == (422, "validation_failed")


def test_a_repeat_with_the_same_key_makes_no_second_one(client: Client, people: People) -> None:
    headers = {"Idempotency-Key": "one"}
    first = client.call("conversations_create", body={"title": "Plans"}, headers=headers, as_=people.ada)
    again = client.call("conversations_create", body={"title": "Plans"}, headers=headers, as_=people.ada)
    other = client.call("conversations_create", body={"title": "Other"}, headers=headers, as_=people.ada)
    assert (again.status, again.json) == (201, first.json)
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert len(client.call("conversations_list", as_=people.ada).json["conversations"]) == 1


def test_nobody_is_let_in_without_a_credential(client: Client) -> None:
    assert client.call("conversations_create", body={"title": "Plans"}).status == 401
    assert client.call("conversations_list").status == 401
    assert client.call("conversations_get", path={"conversation_id": MISSING}).status == 401


def test_a_browser_needs_the_csrf_header(client: Client, people: People) -> None:
    browser = people.ada.in_browser()
    assert client.call("conversations_create", body={"title": "Plans"}, as_=browser).status == 201
    browser.csrf = "wrong"
    assert client.call("conversations_create", body={"title": "Plans"}, as_=browser).status == 403


def test_conversations_are_listed_newest_first_in_pages(client: Client, people: People) -> None:
    made = [
        client.call("conversations_create", body={"title": str(number)}, as_=people.ben).json["conversation_id"]
        for number in range(5)
    ]
    found, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.call("conversations_list", query=query, as_=people.ben).json
        found += [conversation["conversation_id"] for conversation in page["conversations"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        client.call("conversations_create", body={"title": "meanwhile"}, as_=people.ben)
    assert found == made[::-1]
    assert client.call("conversations_list", as_=people.cyn).json["conversations"] == []


def test_a_page_that_ends_with_the_last_one_names_no_next(client: Client, people: People) -> None:
    for number in range(2):
        client.call("conversations_create", body={"title": str(number)}, as_=people.ben)
    page = client.call("conversations_list", query={"limit": 2}, as_=people.ben).json
    assert (len(page["conversations"]), page["next_cursor"]) == (2, None)


def test_a_foreign_conversation_is_answered_like_a_missing_one(room: Room) -> None:
    foreign = room.call("conversations_get", room.people.cyn, path={"conversation_id": room.id})
    missing = room.call("conversations_get", room.people.cyn, path={"conversation_id": MISSING})
    assert foreign.status == missing.status == 404
    assert foreign.text.replace(room.id, "") == missing.text.replace(MISSING, "")


def test_an_unchanged_conversation_is_304(room: Room) -> None:
    first = room.call("conversations_get", path={"conversation_id": room.id})
    headers = {"If-None-Match": first.headers["ETag"]}
    assert room.call("conversations_get", path={"conversation_id": room.id}, headers=headers).status == 304
    room.add(room.people.cyn, "viewer")
    assert room.call("conversations_get", path={"conversation_id": room.id}, headers=headers).status == 200
