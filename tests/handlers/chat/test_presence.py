"""Presence over HTTP, seen through what the conversation was told."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from models.database import read
from models.tables.chat import Presence
from tests.conftest import FrozenClock
from tests.handlers.chat.conftest import MISSING, Room
from tests.unit.core.chat.conftest import payloads


def _told(room: Room, type: str) -> list[dict[str, Any]]:
    return payloads(UUID(room.id), type)


def test_a_change_of_status_is_told_and_a_repeat_is_not(room: Room, frozen_clock: FrozenClock) -> None:
    before = len(_told(room, "presence.update"))
    for body in ({"status": "away"}, {"status": "away"}):
        assert room.call("presence_send_heartbeat", room.people.ben, body=body).status == 204
    told = _told(room, "presence.update")[before:]
    assert [(one["user_id"], one["status"]) for one in told] == [(room.people.ben.user_id, "away")]
    frozen_clock.advance(61)
    room.call("presence_send_heartbeat", room.people.ben, body={"status": "away"})
    assert len(_told(room, "presence.update")) == before + 2


def test_a_heartbeat_without_a_body_means_online(room: Room) -> None:
    room.call("presence_send_heartbeat", room.people.ben, body={"status": "offline"})
    assert room.call("presence_send_heartbeat", room.people.ben).status == 204
    assert _told(room, "presence.update")[-1]["status"] == "online"


def test_typing_is_told_with_its_end_and_ended_by_a_message(room: Room, frozen_clock: FrozenClock) -> None:
    body = {"conversation_id": room.id, "root_id": room.root, "seconds": 5}
    assert room.call("presence_set_typing", room.people.ben, body=body).status == 204
    (started,) = _told(room, "typing.update")
    assert started["user_id"] == room.people.ben.user_id
    assert datetime.fromisoformat(started["expires_at"]).timestamp() == frozen_clock.seconds + 5
    room.say(room.people.ben, "done", parent=room.root)
    assert len(_told(room, "typing.update")) == 2
    assert _told(room, "typing.update")[1]["expires_at"] < started["expires_at"]


def test_a_message_notes_its_author_at_most_every_ten_seconds(room: Room, frozen_clock: FrozenClock) -> None:
    began = frozen_clock.seconds + 11
    for seconds, noted in ((11, 0), (9, 0), (2, 11)):
        frozen_clock.advance(seconds)
        room.say(room.people.ben, "still here", parent=room.root)
        assert _seen_seconds(room) == pytest.approx(began + noted, abs=0.5)


def test_a_message_means_online_whatever_was_said_before(room: Room, frozen_clock: FrozenClock) -> None:
    room.call("presence_send_heartbeat", room.people.ben, body={"status": "away"})
    room.say(room.people.ben, "back", parent=room.root)
    with read():
        assert Presence.get(Presence.user == UUID(room.people.ben.user_id)).status == "online"


def _seen_seconds(room: Room) -> float:
    with read():
        seen: datetime = Presence.get(Presence.user == UUID(room.people.ben.user_id)).last_seen_at
    return seen.timestamp()


def test_clearing_is_not_told(room: Room) -> None:
    body = {"conversation_id": room.id, "root_id": room.root, "seconds": 0}
    assert room.call("presence_set_typing", room.people.ben, body=body).status == 204
    assert _told(room, "typing.update") == []


@pytest.mark.parametrize("body", [{"status": "asleep"}, {"more": 1}])
def test_a_bad_heartbeat_is_refused(room: Room, body: dict[str, object]) -> None:
    assert room.call("presence_send_heartbeat", body=body).status == 422


def test_typing_asks_for_a_place_in_the_conversation(room: Room) -> None:
    body = {"conversation_id": room.id, "root_id": room.root, "seconds": 5}
    assert room.call("presence_set_typing", room.people.cyn, body=body).status == 404
    assert room.call("presence_set_typing", body=body | {"root_id": MISSING}).status == 404
    assert room.call("presence_set_typing", body=body | {"seconds": 301}).status == 422
    assert room.client.call("presence_set_typing", body=body).status == 401
    assert room.client.call("presence_send_heartbeat", body={}).status == 401
    room.add(room.people.cyn, "viewer")
    assert room.call("presence_set_typing", room.people.cyn, body=body).status == 403
