"""What is another's is answered like what does not exist, byte for byte, by every operation that names it."""

from __future__ import annotations

from typing import Any

import pytest

from server.service import Service
from tests.client import Answer
from tests.handlers.chat.conftest import MISSING, Room

CONTENT = {"content": "x"}
# operation → (what its path or body names, where, the rest of the request)
NAMED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "conversations_get": ("conversation", "path", {}),
    "participants_add": ("conversation", "path", {"body": {"user_id": MISSING, "role": "member"}}),
    "invites_create": ("conversation", "path", {"body": {"email": "cyn@example.com", "role": "member"}}),
    "threads_list": ("conversation", "path", {}),
    "threads_list_unread": ("conversation", "path", {}),
    "streams_open_conversation": ("conversation", "path", {}),
    "threads_create": ("conversation", "path", {"body": CONTENT}),
    "threads_get_tree": ("root", "path", {}),
    "threads_mark_read": ("root", "path", {"body": {}}),
    "messages_reply": ("parent", "path", {"body": CONTENT}),
    "messages_list_chunks": ("message", "path", {}),
    "messages_delete": ("message", "path", {"body": {}}),
    "messages_restore": ("message", "path", {}),
    "messages_edit": ("message", "path", {"body": CONTENT}),
    "messages_cancel": ("message", "path", {}),
    "presence_set_typing": ("conversation", "body", {"body": {"root_id": MISSING, "seconds": 5}}),
}
ELSEWHERE = {
    "participants_remove": "below: its path names two things",
    "invites_accept": "an invite's token is its bearer's, whoever that is: nobody's is foreign",
    "invites_revoke": "below: it is named by its token",
    "conversations_create": "names nothing",
    "conversations_list": "names nothing",
    "presence_send_heartbeat": "names nothing",
    "models_list": "names nothing",
    "completions_create": "names a model, which is everybody's",
}


def _same(foreign: Answer, missing: Answer, own: str, other: str) -> None:
    assert (foreign.status, missing.status) == (404, 404)
    assert foreign.text.replace(own, "") == missing.text.replace(other, "")
    volatile = {"date", "x-request-id", "content-length"}
    assert [h for h in foreign.headers if h[0].lower() not in volatile and "ratelimit" not in h[0].lower()] == [
        h for h in missing.headers if h[0].lower() not in volatile and "ratelimit" not in h[0].lower()
    ]


def _ids(room: Room) -> dict[str, str]:
    return {"conversation": room.id, "root": room.root, "parent": room.root, "message": room.reply}


def test_every_operation_of_the_area_is_here(service: Service) -> None:
    assert {row.id for row in service.contract.operations if row.area == "chat"} == {*NAMED, *ELSEWHERE}


@pytest.mark.parametrize("operation_id", NAMED)
def test_what_is_foreign_is_answered_like_what_is_missing(room: Room, operation_id: str) -> None:
    kind, place, request = NAMED[operation_id]

    def ask(value: str) -> Answer:
        named = {**request.get(place, {}), f"{kind}_id": value}
        return room.call(operation_id, room.people.cyn, **{**request, place: named})

    own = _ids(room)[kind]
    _same(ask(own), ask(MISSING), own, MISSING)


def test_a_foreign_conversations_participant_is_answered_like_a_missing_ones(room: Room) -> None:
    def ask(conversation: str) -> Answer:
        path = {"conversation_id": conversation, "user_id": room.people.ben.user_id}
        return room.call("participants_remove", room.people.cyn, path=path)

    _same(ask(room.id), ask(MISSING), room.id, MISSING)


def test_a_foreign_invite_is_answered_like_a_missing_one(room: Room) -> None:
    body = {"email": "ben@example.com", "role": "member"}
    own = room.call("invites_create", path={"conversation_id": room.id}, body=body).json["token"]
    missing = own[::-1]
    answers = [room.call("invites_revoke", room.people.cyn, path={"token": token}) for token in (own, missing)]
    _same(answers[0], answers[1], own, missing)


def test_a_foreign_thread_of_ones_own_conversation_cannot_be_typed_in(room: Room) -> None:
    mine = room.call("conversations_create", room.people.cyn, body={"title": "Mine"}).json["conversation_id"]

    def ask(root_id: str) -> Answer:
        body = {"conversation_id": mine, "root_id": root_id, "seconds": 5}
        return room.call("presence_set_typing", room.people.cyn, body=body)

    _same(ask(room.root), ask(MISSING), room.root, MISSING)
