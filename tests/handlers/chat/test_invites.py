"""Invites over HTTP."""

from __future__ import annotations

import pytest

from models.database import read
from models.tables.chat import Invite
from tests.client import Answer, Person
from tests.conftest import FrozenClock
from tests.handlers.chat.conftest import Room


def _invite(room: Room, by: Person | None = None, **more: object) -> Answer:
    body = {"email": "cyn@example.com", "role": "member"} | more
    return room.call("invites_create", by, path={"conversation_id": room.id}, body=body)


def _accept(room: Room, token: str, by: Person) -> Answer:
    return room.call("invites_accept", by, body={"token": token})


def test_an_invite_lets_its_holder_join_once(room: Room) -> None:
    token = _invite(room).json["token"]
    joined = _accept(room, token, room.people.cyn)
    assert (joined.status, joined.json) == (200, {"conversation_id": room.id})
    assert room.call("conversations_get", room.people.cyn, path=joined.json).json["role"] == "member"
    assert _accept(room, token, room.people.cyn).status == 200
    assert (_accept(room, token, room.people.ben).status, _accept(room, token, room.people.ben).code) == (
        410,
        "RGP.410",
    )


def test_a_revoked_invite_is_gone(room: Room) -> None:
    token = _invite(room).json["token"]
    assert room.call("invites_revoke", path={"token": token}).status == 204
    assert room.call("invites_revoke", path={"token": token}).status == 204
    assert _accept(room, token, room.people.cyn).status == 410


def test_a_newer_invite_for_the_same_address_and_role_replaces_the_older(room: Room) -> None:
    older, other = _invite(room).json["token"], _invite(room, role="viewer").json["token"]
    newer = _invite(room, email="CYN@example.com").json["token"]
    assert _accept(room, older, room.people.cyn).status == 410
    assert _accept(room, other, room.people.cyn).status == 200
    assert _accept(room, newer, room.people.cyn).status == 200


def test_an_expired_invite_is_gone(room: Room, frozen_clock: FrozenClock) -> None:
    token = _invite(room, ttl_seconds=60).json["token"]
    frozen_clock.advance(61)
    assert _accept(room, token, room.people.cyn).status == 410


@pytest.mark.parametrize("body", [{"ttl_seconds": 0}, {"email": "nobody"}, {"role": "king"}])
def test_a_bad_invite_is_refused(room: Room, body: dict[str, object]) -> None:
    assert _invite(room, **body).status == 422


def test_only_managers_invite_and_revoke_and_only_owners_invite_owners(room: Room) -> None:
    token = _invite(room).json["token"]
    assert _invite(room, room.people.ben).status == 403
    assert room.call("invites_revoke", room.people.ben, path={"token": token}).status == 403
    room.add(room.people.ben, "admin")
    assert _invite(room, room.people.ben, role="owner").status == 403
    assert _invite(room, room.people.ben).status == 200


def test_a_foreign_caller_learns_nothing(room: Room) -> None:
    token = _invite(room).json["token"]
    assert _invite(room, room.people.cyn).status == 404
    assert room.call("invites_revoke", room.people.cyn, path={"token": token}).status == 404
    assert _accept(room, "x" * 43, room.people.cyn).status == 404
    assert room.client.call("invites_accept", body={"token": token}).status == 401


def test_the_token_is_replayed_for_its_key_and_not_kept_in_the_clear(room: Room) -> None:
    body, headers = {"email": "cyn@example.com", "role": "member"}, {"Idempotency-Key": "once"}
    path = {"conversation_id": room.id}
    first = room.call("invites_create", path=path, body=body, headers=headers)
    again = room.call("invites_create", path=path, body=body, headers=headers)
    assert first.json == again.json
    with read():
        (invite,) = Invite.select().dicts()
    assert first.json["token"] not in repr(invite)
