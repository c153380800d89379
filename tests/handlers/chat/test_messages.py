"""Messages over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from models.database import read
from models.tables.chat import Message, MessageEdit
from tests.client import Answer, Person
from tests.handlers.chat.conftest import MISSING, Room


def _do(room: Room, operation_id: str, message_id: str, by: Person | None = None, **options: Any) -> Answer:
    return room.call(operation_id, by, path={"message_id": message_id}, **options)


def _content(room: Room, message_id: str) -> str:
    return next(str(message["content"]) for message in room.shown() if message["id"] == message_id)


def test_a_reply_hangs_below_its_parent(room: Room) -> None:
    answer = room.call("messages_reply", path={"parent_id": room.reply}, body={"content": "Good.", "role": "tool"})
    assert answer.status == 201
    assert (answer.json["parent_id"], answer.json["depth"]) == (room.reply, 3)
    assert (answer.json["root_id"], answer.json["assistant_message_id"]) == (room.root, None)


def test_an_answer_is_generated_and_its_chunks_are_kept(room: Room, run_jobs: Callable[[], int]) -> None:
    made = room.say(room.people.ada, "And the notes?", role=None, parent=room.reply)
    answer = made["assistant_message_id"]
    assert run_jobs() == 1
    assert _content(room, answer) == "Echo: And the notes?"
    chunks = _do(room, "messages_list_chunks", answer).json
    assert [chunk["idx"] for chunk in chunks] == list(range(len(chunks)))
    assert "".join(chunk["content"] for chunk in chunks) == "Echo: And the notes?"
    assert _do(room, "messages_list_chunks", answer, query={"from": 1}).json == chunks[1:]
    assert _do(room, "messages_list_chunks", answer, query={"limit": 1}).json == chunks[:1]
    assert _do(room, "messages_list_chunks", answer, query={"limit": 501}).status == 422
    assert _do(room, "messages_list_chunks", room.root).json == []


def test_a_message_is_edited_by_its_author_and_its_history_kept(room: Room) -> None:
    body = {"content": "On Monday.", "reason": "holiday"}
    assert _do(room, "messages_edit", room.reply, body=body).status == 403
    assert _do(room, "messages_edit", room.reply, room.people.ben, body=body).status == 204
    assert _content(room, room.reply) == "On Monday."
    with read():
        (edit,) = MessageEdit.select()
    assert (edit.content, edit.reason) == ("On Friday.", "holiday")


def test_a_generated_answer_is_edited_by_managers_once_it_is_whole(room: Room, run_jobs: Callable[[], int]) -> None:
    answer = room.say(room.people.ben, "Hello", role=None, parent=room.root)["assistant_message_id"]
    assert _do(room, "messages_edit", answer, body={"content": "Better"}).status == 409
    run_jobs()
    assert _do(room, "messages_edit", answer, room.people.ben, body={"content": "Better"}).status == 403
    assert _do(room, "messages_edit", answer, body={"content": "Better"}).status == 204
    assert _content(room, answer) == "Better"


def test_a_deleted_message_keeps_its_place_without_its_content(room: Room) -> None:
    assert _do(room, "messages_delete", room.reply, room.people.ben, body={"reason": "wrong"}).status == 204
    assert _do(room, "messages_delete", room.reply, room.people.ben).status == 204
    with read():
        assert Message.get_by_id(UUID(room.reply)).deleted_reason == "wrong"
    shown = room.shown()
    assert [message["id"] for message in shown] == [room.root, room.reply]
    assert (shown[1]["content"], shown[1]["deleted_at"] is not None) == ("", True)
    edited = _do(room, "messages_edit", room.reply, room.people.ben, body={"content": "x"})
    assert (edited.status, edited.code) == (409, "RGP.409")
    assert room.call("messages_reply", path={"parent_id": room.reply}, body={"content": "x"}).status == 409


def test_a_deleted_root_has_no_excerpt(room: Room) -> None:
    _do(room, "messages_delete", room.root)
    (thread,) = room.call("threads_list", path={"conversation_id": room.id}).json["threads"]
    assert thread["root_excerpt"] == ""


def test_only_managers_restore(room: Room) -> None:
    _do(room, "messages_delete", room.reply, room.people.ben)
    assert _do(room, "messages_restore", room.reply, room.people.ben).status == 403
    assert _do(room, "messages_restore", room.reply).status == 204
    assert _do(room, "messages_restore", room.reply).status == 204
    assert _content(room, room.reply) == "On Friday."


def test_a_member_deletes_only_what_is_its_own(room: Room) -> None:
    assert _do(room, "messages_delete", room.root, room.people.ben).status == 403
    assert _do(room, "messages_delete", room.reply).status == 204


def test_a_running_answer_is_cancelled_by_its_deletion(room: Room, run_jobs: Callable[[], int]) -> None:
    answer = room.say(room.people.ada, "word " * 400, role=None)
    assert _do(room, "messages_delete", answer["assistant_message_id"]).status == 204
    run_jobs()
    shown = room.shown(answer["root_id"])[-1]
    assert (shown["finish_reason"], shown["content"]) == ("cancelled", "")
    assert _do(room, "messages_list_chunks", answer["assistant_message_id"]).json == []


def test_cancelling_tells_what_became_of_the_answer(room: Room, run_jobs: Callable[[], int]) -> None:
    running = room.say(room.people.ada, "word " * 400, role=None)["assistant_message_id"]
    asked = _do(room, "messages_cancel", running, room.people.ben)
    assert (asked.status, asked.json) == (202, {"message_id": running, "status": "cancelled"})
    run_jobs()
    whole = room.say(room.people.ada, "Hello", role=None)["assistant_message_id"]
    run_jobs()
    assert _do(room, "messages_cancel", whole).json["status"] == "completed"
    refused = _do(room, "messages_cancel", room.root)
    assert (refused.status, refused.code) == (400, "RGP.V1.CANCEL_ROLE")


@pytest.mark.parametrize(
    ("operation_id", "body"),
    [
        ("messages_edit", {"content": "x"}),
        ("messages_delete", {}),
        ("messages_restore", None),
        ("messages_cancel", None),
        ("messages_list_chunks", None),
        ("messages_reply", {"content": "x"}),
    ],
)
def test_a_foreign_message_is_answered_like_a_missing_one(
    room: Room, operation_id: str, body: dict[str, str] | None
) -> None:
    key = "parent_id" if operation_id == "messages_reply" else "message_id"
    options = {} if body is None else {"body": body}
    foreign = room.call(operation_id, room.people.cyn, path={key: room.reply}, **options)
    missing = room.call(operation_id, room.people.cyn, path={key: MISSING}, **options)
    assert foreign.status == missing.status == 404
    assert foreign.text.replace(room.reply, "") == missing.text.replace(MISSING, "")
    assert room.client.call(operation_id, path={key: room.reply}, **options).status == 401
    if operation_id != "messages_list_chunks":
        room.add(room.people.cyn, "viewer")
        assert room.call(operation_id, room.people.cyn, path={key: room.reply}, **options).status == 403


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": "x", "role": "king"}, {"content": "x", "more": 1}])
def test_a_bad_reply_is_refused(room: Room, body: dict[str, Any]) -> None:
    answer = room.call("messages_reply", path={"parent_id": room.reply}, body=body)
    assert (answer.status, answer.code) == (422, "validation_failed")
