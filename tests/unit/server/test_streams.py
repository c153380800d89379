"""Event streams: no gap, no repeat, bounded queues, an end for everyone who may no longer listen."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import gevent
import msgspec
import peewee
import pytest

from core.kernel import clock
from core.kernel.call import Event, EventStream
from core.kernel.principal import Principal
from core.kernel.problems import Unavailable
from core.kernel.settings import Settings
from server.frames import encode
from server.streams import EventCheck, Streams
from tests.databases import read_settings
from tests.unit.server.fakes import MemoryEvents, OpenVerifier, Recorder

PATIENCE_SECONDS = 20


class Listener:
    """A client that reads its response in a greenlet."""

    def __init__(self, response: Any) -> None:
        self.text = ""
        self.pause_seconds = 0.0
        self._iterable = response.response
        self.greenlet = gevent.spawn(self._read)

    def _read(self) -> None:
        try:
            for frame in self._iterable:
                self.text += frame.decode()
                gevent.sleep(self.pause_seconds)
        finally:
            self._iterable.close()

    @property
    def ids(self) -> list[int]:
        return [int(line[4:]) for line in self.text.splitlines() if line.startswith("id: ")]

    def wait(self, condition: Callable[[Listener], bool]) -> None:
        """Wait until the condition holds; fails when it never does."""
        with gevent.Timeout(PATIENCE_SECONDS):
            while not condition(self):
                gevent.sleep(0.005)

    def ended(self) -> bool:
        """Wait for the end of the stream."""
        self.greenlet.join(PATIENCE_SECONDS)
        return bool(self.greenlet.ready())


class Bed:
    """Streams over an event log in memory."""

    def __init__(self, settings: Settings) -> None:
        self.events = MemoryEvents()
        self.verifier = OpenVerifier()
        self.observer = Recorder()
        self.streams = Streams(self.events, self.verifier, settings, self.observer)

    def open(
        self,
        *,
        after: int | None = None,
        credential: str = "a",
        principal: Principal | None = None,
        channel: str = "c",
        check: EventCheck | None = None,
        on_close: Callable[[], None] | None = None,
        **options: Any,
    ) -> Any:
        """Answer with a stream."""
        principal = principal or Principal(
            kind="token", user_id=uuid4(), tenant_id=uuid4(), credential_id=credential, scopes=frozenset()
        )
        options = {"is_current": lambda: True, **options}
        return self.streams.open(
            EventStream(channel=channel, after=after, **options),
            principal=principal,
            operation_id="stream_open",
            check=check,
            on_close=on_close,
        )

    def listen(self, **options: Any) -> Listener:
        """Open a stream and read it."""
        return Listener(self.open(**options))

    def say(self, count: int = 1) -> None:
        """Write events to the channel."""
        for _ in range(count):
            self.events.append("c", "said", b'{"n":1}')


@pytest.fixture
def small_settings(tmp_path: Path) -> Settings:
    return msgspec.structs.replace(read_settings(tmp_path), heartbeat_seconds=0.5, stream_queue_events=50)


@pytest.fixture
def bed(small_settings: Settings) -> Iterator[Bed]:
    bed = Bed(small_settings)
    yield bed
    bed.streams.stop()


def test_stream_begins_with_a_retry_hint_and_its_preamble(bed: Bed) -> None:
    listener = bed.listen(preamble=b": hello\n\n")
    listener.wait(lambda each: "hello" in each.text)
    assert listener.text == "retry: 1000\n\n: hello\n\n"


def test_stream_begins_with_its_position_where_it_has_an_id(bed: Bed) -> None:
    bed.say(4)
    listener = bed.listen(id_at=lambda seq: f"at-{seq}")
    listener.wait(lambda each: "at-" in each.text)
    assert listener.text == "retry: 1000\n\nid: at-4\n\n"


def test_reset_alone_has_the_position_when_it_comes_first(bed: Bed) -> None:
    bed.say(10)
    bed.events.prune("c", 6)
    listener = bed.listen(after=3, reset_event=("reset", b"{}"), id_at=lambda seq: f"at-{seq}")
    listener.wait(lambda each: "reset" in each.text)
    assert listener.text == "retry: 1000\n\nid: at-10\nevent: reset\ndata: {}\n\n"


def test_only_later_events_come_when_the_stream_names_no_cursor(bed: Bed) -> None:
    bed.say(3)
    listener = bed.listen()
    listener.wait(lambda each: "retry" in each.text)
    bed.say(2)
    listener.wait(lambda each: len(each.ids) == 2)
    assert listener.ids == [4, 5]
    assert 'id: 5\nevent: said\ndata: {"n":1}\n\n' in listener.text


def test_stream_has_no_gap_and_no_repeat_when_it_resumes_while_events_are_written(bed: Bed) -> None:
    source = random.Random(7)
    bed.events.switch = lambda: gevent.sleep(source.choice([0, 0.001, 0.003]))
    bed.say(450)
    listeners = []
    for _ in range(40):
        head = bed.events.state("c").head
        after = source.randrange(max(0, head - 450), head)
        listeners.append((after, bed.listen(after=after)))
        bed.say(source.randrange(4))
        gevent.sleep(source.choice([0, 0.001, 0.002]))
    bed.say(3)
    head = bed.events.state("c").head
    for after, listener in listeners:
        listener.wait(lambda each: bool(each.ids) and each.ids[-1] == head)
        assert listener.ids == list(range(after + 1, head + 1))


def test_reset_comes_first_when_the_cursor_is_older_than_what_is_kept(bed: Bed) -> None:
    bed.say(10)
    bed.events.prune("c", 6)
    listener = bed.listen(after=3, reset_event=("reset", b'{"latest":"10"}'))
    listener.wait(lambda each: "reset" in each.text)
    bed.say()
    listener.wait(lambda each: each.ids == [11])
    assert 'event: reset\ndata: {"latest":"10"}\n\nid: 11\n' in listener.text


def test_reset_comes_first_when_the_cursor_is_newer_than_the_channel(bed: Bed) -> None:
    bed.say(2)
    listener = bed.listen(after=99, reset_event=("reset", b"{}"))
    listener.wait(lambda each: "event: reset" in each.text)


def test_no_reset_comes_when_the_cursor_is_the_last_pruned_event(bed: Bed) -> None:
    bed.say(10)
    bed.events.prune("c", 6)
    listener = bed.listen(after=6, reset_event=("reset", b"{}"))
    listener.wait(lambda each: each.ids == [7, 8, 9, 10])
    assert "reset" not in listener.text


def test_data_only_frames_and_closing_words_are_sent_when_the_stream_is_unnamed(bed: Bed) -> None:
    listener = bed.listen(named=False, last_types=frozenset({"said"}), closing=b"data: [DONE]\n\n")
    listener.wait(lambda each: each.text != "")
    bed.say(2)
    assert listener.ended()
    assert listener.text == ':\n\ndata: {"n":1}\n\ndata: [DONE]\n\n'
    assert bed.observer.closed == ["done"]


def test_slow_client_is_cut_and_others_go_on(bed: Bed) -> None:
    slow, fast = bed.listen(), bed.listen()
    for listener in (slow, fast):
        listener.wait(lambda each: "\n:\n" in each.text)  # both are live
    slow.pause_seconds = 2.0
    for _ in range(30):
        bed.say(5)
        gevent.sleep(0.01)
    fast.wait(lambda each: len(each.ids) == 150)
    assert slow.ended()
    assert len(slow.ids) < 150
    assert bed.observer.closed == ["slow"]


def test_heartbeat_comes_when_nothing_else_does(bed: Bed) -> None:
    listener = bed.listen()
    listener.wait(lambda each: each.text.endswith("\n\n:\n\n:\n\n"))


def test_stream_ends_when_its_credential_is_revoked_and_others_go_on(bed: Bed) -> None:
    revoked, other = bed.listen(credential="a"), bed.listen(credential="b")
    bed.verifier.revoke("a")
    assert revoked.ended()
    bed.say()
    other.wait(lambda each: each.ids == [1])
    assert bed.observer.closed == ["revoked"]


def test_stream_ends_when_it_is_no_longer_current(bed: Bed) -> None:
    members = {"a"}
    listener = bed.listen(is_current=lambda: "a" in members)
    listener.wait(lambda each: "retry" in each.text)
    members.clear()
    bed.verifier.number += 1
    assert listener.ended()
    assert bed.observer.closed == ["revoked"]


def test_one_question_is_asked_for_all_streams_of_a_caller_in_a_channel(bed: Bed) -> None:
    caller = Principal(kind="token", user_id=uuid4(), tenant_id=uuid4(), credential_id="a", scopes=frozenset())
    asked: list[str] = []
    listeners = [
        bed.listen(principal=caller, channel=channel, is_current=lambda channel=channel: asked.append(channel))
        for channel in ("c", "c", "d", "c", "d")
    ]
    for listener in listeners:
        listener.wait(lambda each: "retry" in each.text)
    bed.verifier.revoke("nobody")
    assert all(listener.ended() for listener in listeners)
    assert sorted(asked) == ["c", "d"]


def test_revocation_is_still_found_when_the_first_check_failed(bed: Bed) -> None:
    listener = bed.listen(credential="a")
    listener.wait(lambda each: "retry" in each.text)
    bed.verifier.failures = 1
    bed.verifier.revoke("a")
    assert listener.ended()
    assert bed.observer.failures == ["streams.epoch"]


def test_stream_ends_with_the_error_event_when_an_event_breaks_the_contract(bed: Bed) -> None:
    listener = bed.listen(check=lambda event: event.seq != 2, failure_event=("error", b"{}"))
    listener.wait(lambda each: "retry" in each.text)
    bed.say(3)
    assert listener.ended()
    assert listener.text.endswith("id: 2\nevent: error\ndata: {}\n\n")
    assert bed.observer.closed == ["mismatch"]
    resumed = bed.listen(check=lambda event: event.seq != 2, after=2)
    resumed.wait(lambda each: each.ids == [3])


def test_stream_just_ends_when_it_has_no_error_event(bed: Bed) -> None:
    listener = bed.listen(check=lambda event: event.seq < 2)
    listener.wait(lambda each: "retry" in each.text)
    bed.say(3)
    assert listener.ended()
    assert listener.ids == [1]
    assert listener.text.endswith('data: {"n":1}\n\n')


def test_streams_end_with_a_retry_hint_when_the_worker_stops(bed: Bed) -> None:
    listener = bed.listen()
    listener.wait(lambda each: "retry" in each.text)
    bed.streams.stop()
    assert listener.ended()
    assert listener.text.count("retry: ") == 2
    assert bed.listen().ended()


def test_nothing_is_kept_of_a_stream_when_its_client_is_gone(bed: Bed) -> None:
    listener = bed.listen()
    listener.wait(lambda each: "retry" in each.text)
    listener.greenlet.kill()
    bed.open().response.close()  # before its first frame
    reads = bed.events.reads
    bed.say()
    gevent.sleep(0.05)
    assert bed.observer.open == 0
    assert bed.events.reads == reads


def test_frames_are_one_event_whatever_the_data(bed: Bed) -> None:
    event = Event(channel="c", seq=1, type="t", id="1:2", data=b'{\n"a":\r1}')
    assert encode(event, True) == b'id: 1:2\nevent: t\ndata: {\ndata: "a":1}\n\n'


def test_event_is_delivered_when_the_log_could_not_be_read_at_its_wake_up(bed: Bed) -> None:
    listener = bed.listen()
    bed.say()
    listener.wait(lambda each: len(each.ids) == 1)
    read, failures = bed.events.read, [Unavailable("The database is away.")]

    def fail_once(positions: Mapping[str, int], limit: int) -> list[Event]:
        if failures:
            raise failures.pop()
        return read(positions, limit)

    bed.events.read = fail_once
    bed.say()
    listener.wait(lambda each: len(each.ids) == 2)
    assert not failures


@pytest.mark.parametrize("lost", [Unavailable("It is away."), peewee.OperationalError("in the midst of a query")])
def test_stream_says_when_to_come_back_when_the_log_is_lost_while_it_catches_up(bed: Bed, lost: Exception) -> None:
    def fail(positions: Mapping[str, int], limit: int) -> list[Event]:
        raise lost

    bed.events.read = fail
    listener = bed.listen()
    listener.greenlet.join(PATIENCE_SECONDS)
    assert listener.greenlet.successful()
    assert listener.text.count("retry:") == 2, "the hint that it begins with, and the last words"
    assert "streams.catch_up" in bed.observer.failures


def test_event_is_delivered_when_no_wake_up_tells_of_it(bed: Bed) -> None:
    listener = bed.listen()
    bed.say()
    listener.wait(lambda each: len(each.ids) == 1)
    bed.events.silence()
    bed.say()
    listener.wait(lambda each: len(each.ids) == 2)


def test_stream_ends_when_its_credential_is_refused_though_nothing_told_of_it(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.revocation._ASK_AGAIN_SECONDS", 0.5)
    listener = bed.listen(credential="short")
    listener.wait(lambda each: "retry" in each.text)
    bed.verifier.refused.add("short")
    assert listener.ended()


def _until(seconds: float, credential_id: str) -> Principal:
    return Principal(
        kind="token",
        user_id=uuid4(),
        tenant_id=uuid4(),
        credential_id=credential_id,
        scopes=frozenset(),
        expires_at=clock.now() + timedelta(seconds=seconds),
    )


def test_stream_ends_at_a_time_that_was_set_after_it_began(bed: Bed) -> None:
    listener = bed.listen(credential="rotated")
    listener.wait(lambda each: "retry" in each.text)
    gevent.sleep(0.1)
    bed.verifier.renewed = {"rotated": clock.now() + timedelta(seconds=1)}
    bed.verifier.number += 1
    began = time.monotonic()
    assert listener.ended()
    assert 0.9 < time.monotonic() - began < 2


def test_stream_ends_within_a_second_when_its_credential_runs_out(bed: Bed) -> None:
    began = time.monotonic()
    short, renewed, endless = (bed.listen(principal=_until(1.0, name)) for name in ("short", "renewed", "endless"))
    gevent.sleep(0.3)  # they are looked at once before, as they are by their first times
    bed.verifier.renewed = {"renewed": clock.now() + timedelta(seconds=1.9), "endless": None}
    assert short.ended()
    assert 0.9 < time.monotonic() - began < 2
    assert not renewed.greenlet.ready()
    assert renewed.ended()
    assert 2.1 < time.monotonic() - began < 3.2
    assert not endless.greenlet.ready()
    assert bed.observer.closed == ["revoked", "revoked"]


def test_whoever_asked_is_told_once_that_a_stream_is_closed(bed: Bed) -> None:
    told: list[str] = []
    response = bed.open(on_close=lambda: told.append("closed"))
    assert told == []
    response.response.close()
    response.response.close()
    assert told == ["closed"]
