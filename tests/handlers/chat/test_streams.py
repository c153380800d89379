"""A conversation's stream over HTTP: events in order, resumed without gap or repeat, ended with the membership."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import gevent
import pytest

from core.system import events
from tests.conftest import FrozenClock
from tests.factories.tokens import narrow
from tests.handlers.chat.conftest import MISSING, Room


def _stream(room: Room, **options: Any) -> Any:
    person = options.pop("person", room.people.ada)
    path = {"conversation_id": room.id}
    return room.client.stream("streams_open_conversation", path=path, as_=person, **options)


def _all(room: Room) -> list[Any]:
    with _stream(room, query={"since": 0}) as stream:
        room.say(room.people.ada, "the end")
        found = stream.events_until("unread.update")
        while json.loads(found[-1].data)["payload"]["root_id"] == room.root:
            found += stream.events_until("unread.update")
    return list(found)


def test_a_stream_from_the_beginning_tells_everything_in_order(room: Room) -> None:
    found = _all(room)
    names = [event.event for event in found]
    assert names[:2] == ["membership.changed", "presence.update"]
    assert names[2:6] == ["thread.new", "thread.activity", "presence.update", "unread.update"]
    clocks = [int(event.id.rpartition(":")[2]) for event in found]
    assert clocks == sorted(set(clocks))
    assert all(json.loads(event.data)["type"] == event.event for event in found)


def test_a_stream_resumes_behind_any_event(room: Room) -> None:
    found = _all(room)
    for position in (0, 3, len(found) - 2):
        with _stream(room, headers={"Last-Event-ID": found[position].id}) as stream:
            assert [stream.next_event().id for _ in found[position + 1 :]] == [e.id for e in found[position + 1 :]]


def test_since_overrides_the_last_event_id(room: Room) -> None:
    found = _all(room)
    since = int(found[1].id.rpartition(":")[2])
    with _stream(room, query={"since": since}, headers={"Last-Event-ID": found[-1].id}) as stream:
        assert stream.next_event().id == found[2].id


def test_a_stream_without_a_position_begins_now(room: Room) -> None:
    with _stream(room) as stream:
        made = room.say(room.people.ben, "now")
        assert json.loads(stream.next_event().data)["payload"]["root_id"] == made["root_id"]


def test_a_client_that_is_cut_before_its_first_event_knows_where_to_go_on(room: Room) -> None:
    with _stream(room) as stream:
        waited = room.say(room.people.ben, "sent while it was away")
        stream.next_event()
        position = stream.opened_at
    with _stream(room, headers={"Last-Event-ID": position}) as stream:
        assert json.loads(stream.next_event().data)["payload"]["root_id"] == waited["root_id"]
        assert stream.opened_at == position


def test_an_answer_reaches_the_stream(room: Room, run_jobs: Callable[[], int]) -> None:
    with _stream(room) as stream:
        room.say(room.people.ben, "Hello there", role=None)
        run_jobs()
        found = stream.events_until("message.done")
    deltas = [json.loads(event.data)["payload"] for event in found if event.event == "message.delta"]
    assert "".join(delta["choices"][0]["delta"]["content"] for delta in deltas) == "Echo: Hello there"
    assert json.loads(found[-1].data)["payload"]["finish_reason"] == "stop"


def test_a_position_that_is_no_longer_kept_gets_reset_first(room: Room, frozen_clock: FrozenClock) -> None:
    frozen_clock.advance(3600)
    assert events.prune(int(frozen_clock.seconds * 1000) - 1000) > 0
    with _stream(room, query={"since": 1}) as stream:
        first = stream.next_event()
    assert (first.event, json.loads(first.data)) == (
        "reset",
        {"type": "reset", "payload": {"conversation_id": room.id}},
    )


def test_a_removed_participants_stream_ends_within_a_second(room: Room) -> None:
    with _stream(room, person=room.people.ben) as stream:
        room.say(room.people.ada, "still here")
        stream.next_event()
        gevent.sleep(0.1)  # the first look at the epoch judges every stream: it must not be what ends this one
        path = {"conversation_id": room.id, "user_id": room.people.ben.user_id}
        assert room.call("participants_remove", path=path).status == 204
        with gevent.Timeout(1.5):
            stream.rest()


def test_a_stream_ends_within_two_seconds_of_the_time_its_caller_set(room: Room) -> None:
    ben = room.people.ben.by_token()
    end = datetime.now(UTC) + timedelta(seconds=2)
    assert ben.token is not None
    ben.token = narrow(ben.token, f"check if time($t), $t < {end.strftime('%Y-%m-%dT%H:%M:%SZ')};")
    with _stream(room, person=ben) as stream:
        room.say(room.people.ada, "still here")
        assert stream.next_event().event == "thread.new"
        with gevent.Timeout(4):
            stream.rest()
    assert end - timedelta(seconds=1) <= datetime.now(UTC) < end + timedelta(seconds=1.5)


def test_a_changed_role_is_told(room: Room) -> None:
    with _stream(room) as stream:
        room.add(room.people.ben, "viewer")
        payload = json.loads(stream.events_until("membership.changed")[-1].data)["payload"]
    assert (payload["user_id"], payload["role"], payload["action"]) == (
        room.people.ben.user_id,
        "viewer",
        "role_updated",
    )


def test_a_foreign_stream_is_answered_like_a_missing_one(room: Room) -> None:
    foreign = room.call("streams_open_conversation", room.people.cyn, path={"conversation_id": room.id})
    missing = room.call("streams_open_conversation", room.people.cyn, path={"conversation_id": MISSING})
    assert foreign.status == missing.status == 404
    assert foreign.text.replace(room.id, "") == missing.text.replace(MISSING, "")
    assert room.client.call("streams_open_conversation", path={"conversation_id": room.id}).status == 401


@pytest.mark.parametrize("value", ["x", "1:2:3:4", f"{MISSING}:{MISSING}:-1:-5"], ids=["text", "digits", "negative"])
def test_a_bad_last_event_id_is_refused(room: Room, value: str) -> None:
    answer = room.call("streams_open_conversation", path={"conversation_id": room.id}, headers={"Last-Event-ID": value})
    assert answer.status == 422
