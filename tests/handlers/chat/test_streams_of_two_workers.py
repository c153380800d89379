"""What one worker writes, the streams of every worker tell, and within a second."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.client import Stream
from tests.handlers.chat.conftest import Room
from tests.live import Live

# Each connection goes to either worker: that twelve of them all go to one happens once in 2,000 runs.
STREAMS = 12
SECOND = 1.0


@pytest.fixture
def room(live: Live) -> Room:
    """Give a conversation of Ada's, with Ben in it, on a running server of two workers."""
    made = live.client.call("conversations_create", body={"title": "Plans"}, as_=live.people.ada)
    room = Room(live.client, live.people, made.json["conversation_id"], "", "")
    assert room.add(live.people.ben, "member").status == 204
    room.root = room.say(live.people.ada, "When do we ship?")["root_id"]
    return room


@contextmanager
def _following(room: Room) -> Iterator[list[Stream]]:
    """Hold Ben's streams, all of which are live."""
    path = {"conversation_id": room.id}
    with ExitStack() as stack:
        streams = [
            stack.enter_context(room.client.stream("streams_open_conversation", path=path, as_=room.people.ben))
            for _ in range(STREAMS)
        ]
        room.say(room.people.ada, "all here?")
        for stream in streams:
            stream.events_until("unread.update")
        yield streams


def _payload(event: Any) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(event.data)["payload"]
    return payload


def test_a_message_reaches_the_streams_of_every_worker(room: Room) -> None:
    with _following(room) as streams:
        for _ in range(3):
            root_id = room.say(room.people.ada, "news")["root_id"]
            written = time.monotonic()
            for stream in streams:
                (*_, told) = stream.events_until("thread.new")
                assert _payload(told)["root_id"] == root_id
            assert time.monotonic() - written < SECOND


def test_a_removed_members_streams_end_on_every_worker(room: Room) -> None:
    with _following(room) as streams:
        path = {"conversation_id": room.id, "user_id": room.people.ben.user_id}
        assert room.call("participants_remove", path=path).status == 204
        removed = time.monotonic()
        for stream in streams:
            stream.rest()
        assert time.monotonic() - removed < SECOND


def test_a_cancel_through_any_worker_ends_the_answer(room: Room) -> None:
    with _following(room) as followed:
        stream = followed[0]
        for _number in range(6):
            made = room.say(room.people.ben, "word " * 1000, role=None)
            answer = made["assistant_message_id"]
            stream.events_until("message.delta")
            cancelled = room.call("messages_cancel", path={"message_id": answer})
            asked = time.monotonic()
            assert (cancelled.status, cancelled.json["status"]) == (202, "cancelled")
            (*_, done) = stream.events_until("message.done")
            assert time.monotonic() - asked < SECOND
            assert (_payload(done)["message_id"], _payload(done)["finish_reason"]) == (answer, "cancelled")
