"""Threads over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client import Person
from tests.handlers.chat.conftest import MISSING, Room


def _list(room: Room, by: Person | None = None, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = room.call("threads_list", by, path={"conversation_id": room.id}, query=query).json
    return found


def _unread(room: Room, by: Person) -> dict[str, int]:
    found = room.call("threads_list_unread", by, path={"conversation_id": room.id}).json["threads"]
    return {thread["root_id"]: thread["unread"] for thread in found}


def test_a_thread_begins_with_its_root(room: Room) -> None:
    answer = room.call("threads_create", path={"conversation_id": room.id}, body={"content": "Notes", "role": "system"})
    assert answer.status == 201
    made = answer.json
    assert (made["message_id"], made["depth"], made["assistant_message_id"]) == (made["root_id"], 1, None)
    (shown,) = room.shown(made["root_id"])
    assert (shown["content"], shown["role"], shown["parent_id"]) == ("Notes", "system", None)
    assert shown["path"] == "m" + made["root_id"].replace("-", "")


@pytest.mark.parametrize("role", [None, "user"])
def test_a_users_message_starts_an_answer(room: Room, role: str | None) -> None:
    made = room.say(room.people.ada, "Hello", role=role)
    question, answer = room.shown(made["root_id"])
    assert question["role"] == "user"
    assert (answer["id"], answer["is_streaming"]) == (made["assistant_message_id"], True)
    assert (answer["parent_id"], answer["author_user_id"]) == (question["id"], None)


def test_the_list_tells_of_each_thread(room: Room) -> None:
    (thread,) = _list(room)["threads"]
    assert thread["root_excerpt"] == "When do we ship?"
    assert thread["root_author"] == room.people.ada.user_id
    assert (thread["message_count"], thread["participant_count"]) == (2, 2)
    assert thread["last_activity_at"] > thread["created_at"]


def test_pages_keep_the_order_of_the_first_page_while_threads_move(room: Room) -> None:
    roots = [room.root, *(room.say(room.people.ada, str(number))["root_id"] for number in range(6))]
    page = _list(room, limit=3)
    found = [thread["root_id"] for thread in page["threads"]]
    room.say(room.people.ben, "moves up", parent=roots[0])
    room.say(room.people.ben, "again", parent=roots[5])
    new = room.say(room.people.ben, "new")["root_id"]
    while page["next_after"]:
        page = _list(room, limit=3, after=page["next_after"])
        found += [thread["root_id"] for thread in page["threads"]]
    assert found == roots[::-1]
    assert [thread["root_id"] for thread in _list(room, limit=3)["threads"]] == [new, roots[5], roots[0]]


def test_a_time_begins_before_it(room: Room) -> None:
    (thread,) = _list(room)["threads"]
    assert _list(room, after=thread["last_activity_at"])["threads"] == []
    assert _list(room, after="2999-01-01T00:00:00Z")["threads"] == [thread]


@pytest.mark.parametrize(
    "query",
    [
        {"after": "soon"},
        {"after": "2026-13-01T00:00:00Z"},
        {"after": "0001-01-01T00:00:00+14:00"},
        {"after": "9999-12-31T23:59:59-14:00"},
        {"limit": 0},
        {"limit": 201},
    ],
)
def test_a_bad_page_is_refused(room: Room, query: dict[str, Any]) -> None:
    assert room.call("threads_list", path={"conversation_id": room.id}, query=query).status == 422


def test_unread_counts_others_messages_behind_the_mark(room: Room) -> None:
    ada, ben = room.people.ada, room.people.ben
    assert _unread(room, ada) == {room.root: 1}
    assert _unread(room, ben) == {}
    second = room.say(ben, "two", parent=room.root)["message_id"]
    room.say(ben, "three", parent=second)
    assert _unread(room, ada) == {room.root: 3}
    path = next(message["path"] for message in room.shown() if message["id"] == second)
    assert room.call("threads_mark_read", path={"root_id": room.root}, body={"path": path}).status == 204
    assert _unread(room, ada) == {room.root: 1}
    assert room.call("threads_mark_read", path={"root_id": room.root}).status == 204
    assert _unread(room, ada) == {}
    assert room.call("threads_mark_read", path={"root_id": room.root}, body={"path": path}).status == 204
    assert _unread(room, ada) == {}


def test_a_deleted_message_is_not_unread(room: Room) -> None:
    room.call("messages_delete", room.people.ben, path={"message_id": room.reply})
    assert _unread(room, room.people.ada) == {}


def test_a_mark_at_another_threads_message_is_404(room: Room) -> None:
    other = room.say(room.people.ada, "other")["root_id"]
    path = "m" + other.replace("-", "")
    assert room.call("threads_mark_read", path={"root_id": room.root}, body={"path": path}).status == 404
    assert room.call("threads_get_tree", path={"root_id": room.root}, query={"cursor_path": path}).status == 404


def test_the_tree_is_depth_first_in_slices_of_any_size(room: Room) -> None:
    first = room.say(room.people.ada, "1", parent=room.root)["message_id"]
    second = room.say(room.people.ada, "2", parent=room.root)["message_id"]
    below = room.say(room.people.ben, "1.1", parent=first)["message_id"]
    last = room.say(room.people.ben, "1.1.1", parent=below)["message_id"]
    expected = [room.root, room.reply, first, below, last, second]
    assert [message["id"] for message in room.shown()] == expected
    for limit in (1, 2, 5):
        found: list[dict[str, Any]] = []
        cursor = None
        while len(found) <= len(expected) and (cursor is not None or not found):
            query = {"limit": limit} | ({"cursor_path": cursor} if cursor else {})
            page = room.call("threads_get_tree", path={"root_id": room.root}, query=query).json
            found += page["messages"]
            cursor = page["next_cursor"]
        assert [message["id"] for message in found] == expected
        assert found == room.shown()
    shown = {message["id"]: message for message in room.shown()}
    assert shown[last]["path"] == ".".join(f"m{i.replace('-', '')}" for i in (room.root, first, below, last))
    assert shown[last]["depth"] == 4


def test_viewers_read_and_do_not_write(room: Room) -> None:
    room.add(room.people.cyn, "viewer")
    cyn = room.people.cyn
    body = {"content": "Hello"}
    assert room.call("threads_create", cyn, path={"conversation_id": room.id}, body=body).status == 403
    assert room.call("threads_get_tree", cyn, path={"root_id": room.root}).status == 200
    assert room.call("threads_mark_read", cyn, path={"root_id": room.root}).status == 204


@pytest.mark.parametrize("content", ["", "x" * 100_001, "a\x00b", 3])
def test_bad_content_is_refused(room: Room, content: object) -> None:
    answer = room.call("threads_create", path={"conversation_id": room.id}, body={"content": content})
    assert answer.status == 422


@pytest.mark.parametrize(
    ("operation_id", "key", "body"),
    [
        ("threads_list", "conversation_id", None),
        ("threads_list_unread", "conversation_id", None),
        ("threads_create", "conversation_id", {"content": "Hello"}),
        ("threads_get_tree", "root_id", None),
        ("threads_mark_read", "root_id", {}),
    ],
)
def test_a_foreign_thread_is_answered_like_a_missing_one(
    room: Room, operation_id: str, key: str, body: dict[str, str] | None
) -> None:
    options = {} if body is None else {"body": body}
    mine = room.id if key == "conversation_id" else room.root
    foreign = room.call(operation_id, room.people.cyn, path={key: mine}, **options)
    missing = room.call(operation_id, room.people.cyn, path={key: MISSING}, **options)
    assert foreign.status == missing.status == 404
    assert foreign.text.replace(mine, "") == missing.text.replace(MISSING, "")
    assert room.client.call(operation_id, path={key: mine}, **options).status == 401


@pytest.mark.settings(rate_profiles="{}")
def test_posts_beyond_ten_at_once_are_refused_until_the_next_is_due(room: Room) -> None:
    # Ada has begun the room's thread: nine of her ten are left, of one budget for threads and replies.
    body = {"content": "x", "role": "system"}
    calls = [("threads_create", {"conversation_id": room.id}), ("messages_reply", {"parent_id": room.root})]
    answers = [room.call(*calls[number % 2][:1], path=calls[number % 2][1], body=body) for number in range(20)]
    statuses = [answer.status for answer in answers]
    admitted = statuses.index(429)
    assert 9 <= admitted < 20
    refused = answers[admitted]
    assert (refused.code, refused.headers["X-RateLimit-Profile"]) == ("RGP.RATE_LIMITED", "conversation.post")
    assert (refused.headers["Retry-After"], refused.headers["RateLimit-Limit"]) == ("1", "10")
    others = room.call("threads_create", room.people.ben, path={"conversation_id": room.id}, body=body)
    assert others.status == 201
