"""Event channels: order, positions, reading, pruning and wake-ups, on both databases."""

from __future__ import annotations

from contextlib import suppress

import gevent
import pytest

from core.kernel.call import Event
from core.kernel.settings import Settings
from core.system import events
from models.database import write
from tests.conftest import FrozenClock

pytestmark = pytest.mark.usefixtures("database")


def _append(channel: str, *datas: bytes, clock: bool = False) -> list[Event]:
    with write():
        return [events.append(channel, "note", data, clock=clock) for data in datas]


def test_positions_count_from_one_when_the_channel_has_no_clock() -> None:
    assert [event.seq for event in _append("a", b"1", b"2")] == [1, 2]
    assert [event.seq for event in _append("a", b"3")] == [3]


def test_positions_follow_the_clock_and_never_repeat(frozen_clock: FrozenClock) -> None:
    start = int(frozen_clock.seconds * 1000)
    first = [event.seq for event in _append("a", b"1", b"2", clock=True)]
    frozen_clock.advance(-5)
    second = [event.seq for event in _append("a", b"3", clock=True)]
    frozen_clock.advance(10)
    third = [event.seq for event in _append("a", b"4", clock=True)]
    assert first == [start, start + 1]
    assert second == [start + 2]
    assert third == [start + 5000]


def test_ids_are_built_from_positions() -> None:
    with write():
        event = events.append("a", "note", b"{}", id=lambda seq: f"x:{seq}")
    assert event.id == "x:1"
    assert events.SqlEventLog().read({"a": 0}, 10) == [event]


def test_read_gives_each_channel_behind_its_own_position() -> None:
    _append("a", b"1", b"2", b"3")
    _append("b", b"4", b"5")
    _append("c", b"6")
    found = events.SqlEventLog().read({"a": 1, "b": 2, "c": 0, "none": 0}, 10)
    assert [(event.channel, event.seq, event.data) for event in sorted(found, key=lambda e: (e.channel, e.seq))] == [
        ("a", 2, b"2"),
        ("a", 3, b"3"),
        ("c", 1, b"6"),
    ]


def test_read_stops_at_its_limit() -> None:
    _append("a", b"1", b"2", b"3")
    assert [event.seq for event in events.SqlEventLog().read({"a": 0}, 2)] == [1, 2]


def test_nothing_is_written_when_the_transaction_fails() -> None:
    with suppress(RuntimeError), write():
        events.append("a", "note", b"1")
        raise RuntimeError
    assert events.SqlEventLog().state("a").head == 0


def test_pruned_events_are_marked(frozen_clock: FrozenClock) -> None:
    _append("a", b"1", b"2")
    frozen_clock.advance(3600)
    _append("a", b"3")
    assert events.prune(int(frozen_clock.seconds * 1000) - 1000) == 2
    state = events.SqlEventLog().state("a")
    assert (state.head, state.pruned) == (3, 2)
    assert [event.seq for event in events.SqlEventLog().read({"a": 0}, 10)] == [3]


def test_a_bounded_number_of_events_is_pruned_at_a_time(frozen_clock: FrozenClock) -> None:
    _append("a", *[b"x"] * 700)
    _append("b", *[b"x"] * 700)
    frozen_clock.advance(3600)
    before = int(frozen_clock.seconds * 1000)
    log, counts = events.SqlEventLog(), []
    while count := events.prune(before):
        counts.append(count)
        for channel in ("a", "b"):
            state, left = log.state(channel), log.read({channel: 0}, 1000)
            assert state.pruned == 700 - len(left), "what is gone and what is marked differ"
    assert sum(counts) == 1400
    assert max(counts) <= 500


def test_a_listener_is_woken_by_another_connections_commit(database: Settings) -> None:
    woken, seen = gevent.event.Event(), []
    listener = gevent.spawn(events.SqlEventLog().listen, woken.set, lambda: bool(seen))
    gevent.sleep(0.3)
    woken.clear()
    events._wakers.clear()
    _append("a", b"1")
    assert woken.wait(2)
    seen.append(True)
    listener.join(2)
    assert listener.successful()
