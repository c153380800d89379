"""Participants over HTTP."""

from __future__ import annotations

import pytest

from tests.client import Person
from tests.handlers.chat.conftest import MISSING, Room


def _roles(room: Room) -> dict[str, str]:
    found = room.call("conversations_get", path={"conversation_id": room.id}).json["participants"]
    return {person["user_id"]: person["role"] for person in found}


def _remove(room: Room, user_id: str, by: Person | None = None) -> int:
    path = {"conversation_id": room.id, "user_id": user_id}
    return room.call("participants_remove", by, path=path).status


def _add(room: Room, by: Person, user_id: str, role: str) -> int:
    body = {"user_id": user_id, "role": role}
    return room.call("participants_add", by, path={"conversation_id": room.id}, body=body).status


def test_a_participant_is_added_and_its_role_changed(room: Room) -> None:
    assert room.add(room.people.cyn, "viewer").status == 204
    assert _roles(room)[room.people.cyn.user_id] == "viewer"
    assert room.add(room.people.cyn, "admin").status == 204
    assert _roles(room)[room.people.cyn.user_id] == "admin"


def test_a_participant_is_removed_and_sees_nothing_more(room: Room) -> None:
    assert _remove(room, room.people.ben.user_id) == 204
    assert room.call("conversations_get", room.people.ben, path={"conversation_id": room.id}).status == 404
    assert _remove(room, room.people.ben.user_id) == 404


def test_everybody_may_leave_but_the_last_owner(room: Room) -> None:
    assert _remove(room, room.people.ben.user_id, room.people.ben) == 204
    path = {"conversation_id": room.id, "user_id": room.people.ada.user_id}
    answer = room.call("participants_remove", path=path)
    assert (answer.status, answer.code) == (409, "RGP.409")
    assert room.add(room.people.ada, "member").status == 409
    assert room.add(room.people.cyn, "owner").status == 204
    assert _remove(room, room.people.ada.user_id) == 204


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_members_and_viewers_manage_nobody(room: Room, role: str) -> None:
    room.add(room.people.ben, role)
    assert _add(room, room.people.ben, room.people.cyn.user_id, "member") == 403
    assert _remove(room, room.people.ada.user_id, room.people.ben) == 403


def test_an_admin_neither_makes_nor_removes_owners(room: Room) -> None:
    room.add(room.people.ben, "admin")
    assert _add(room, room.people.ben, room.people.cyn.user_id, "owner") == 403
    assert _remove(room, room.people.ada.user_id, room.people.ben) == 403
    assert _add(room, room.people.ben, room.people.cyn.user_id, "member") == 204


def test_an_unknown_user_and_a_foreign_conversation_are_404(room: Room) -> None:
    assert _add(room, room.people.ada, MISSING, "member") == 404
    assert _add(room, room.people.cyn, room.people.cyn.user_id, "owner") == 404
    assert _remove(room, room.people.ada.user_id, room.people.cyn) == 404


def test_a_role_that_is_none_is_422_and_no_caller_401(room: Room) -> None:
    assert _add(room, room.people.ada, room.people.cyn.user_id, "king") == 422
    path = {"conversation_id": room.id, "user_id": room.people.ben.user_id}
    assert room.client.call("participants_remove", path=path).status == 401
