"""A PostgreSQL that says nothing, and locks that are not given up: nobody waits for them without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import gevent
import msgspec
import psycopg2
import pytest

from core.kernel.settings import Settings
from core.system import events
from models import migrate
from models.database import AWAY, bind, database, give_up_silent, read, write
from tests.links import Link

TIMEOUT_SECONDS = 0.3
SILENCE_SECONDS = 3 * TIMEOUT_SECONDS
SLACK_SECONDS = 1.5


@pytest.fixture
def postgresql(database: Settings) -> Settings:
    """Bind the one backend that is reached over a network, with little patience."""
    if database.is_sqlite:
        pytest.skip("SQLite is a file")
    impatient = msgspec.structs.replace(database, database_timeout_seconds=TIMEOUT_SECONDS)
    bind(impatient)
    return impatient


@pytest.fixture
def link(postgresql: Settings) -> Iterator[Link]:
    """Bind it behind a link, and do what every worker does about once a second."""
    found = Link(postgresql.database_url)
    bind(msgspec.structs.replace(postgresql, database_url=found.url, database_pool_size=2))
    sweeper = gevent.spawn(_sweep)
    yield found
    sweeper.kill()
    found.close()


def _sweep() -> None:
    while True:
        gevent.sleep(0.1)
        give_up_silent()


@contextmanager
def _given_up(seconds: float) -> Iterator[None]:
    """Expect the block to end by an error of the database's absence, within so many seconds."""
    began = time.monotonic()
    with gevent.Timeout(30, AssertionError("it waits without end")), pytest.raises(AWAY):
        yield
    assert time.monotonic() - began < seconds + SLACK_SECONDS


def _ask() -> int:
    with read():
        return int(database.execute_sql("SELECT 1").fetchone()[0])


def test_statement_is_given_up_when_its_connection_falls_silent(link: Link) -> None:
    assert _ask() == 1
    with link.silent():
        with _given_up(SILENCE_SECONDS):
            _ask()
        with _given_up(TIMEOUT_SECONDS):  # a new connection, which is not even made
            _ask()
    assert _ask() == 1


def test_write_is_given_up_when_its_connection_falls_silent(link: Link) -> None:
    with _given_up(SILENCE_SECONDS), write():
        events.append("a", "note", b"1")
        with link.silent():
            events.append("a", "note", b"2")
    with write():
        events.append("a", "note", b"3")
    assert [event.data for event in events.SqlEventLog().read({"a": 0}, 10)] == [b"3"]


def test_listener_hears_again_when_its_connection_fell_silent(link: Link) -> None:
    woken, is_over = gevent.event.Event(), []
    with link.silent():
        listener = gevent.spawn(events.SqlEventLog().listen, woken.set, lambda: bool(is_over))
        gevent.sleep(SILENCE_SECONDS / 2)
    assert woken.wait(SILENCE_SECONDS + SLACK_SECONDS), "it still waits for the connection that says nothing"
    is_over.append(True)
    listener.join(SLACK_SECONDS)
    assert listener.ready()


def test_sweep_goes_on_when_a_connection_was_closed_by_others(
    postgresql: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, open_ = (psycopg2.connect(postgresql.database_url) for _ in range(2))
    closed.close()
    monkeypatch.setattr("models.postgresql._waiting_since", {closed: 0.0, open_: 0.0})
    give_up_silent()
    with pytest.raises(psycopg2.OperationalError):
        open_.cursor().execute("SELECT 1")


def test_connection_that_is_long_in_the_making_holds_up_nobody_who_has_one(link: Link) -> None:
    slow: list[float] = []

    def ask_in_vain() -> None:
        began = time.monotonic()
        with pytest.raises(AWAY):
            _ask()
        slow.append(time.monotonic() - began)

    assert _ask() == 1
    with link.silent_to_newcomers():
        with read():
            newcomer = threading.Thread(target=ask_in_vain)
            newcomer.start()
            time.sleep(0.1)  # it is connecting by now
            began = time.monotonic()
        for _ in range(5):
            assert _ask() == 1
        took = time.monotonic() - began
        newcomer.join(10)
    assert took < slow[0] / 2, "they waited for the connection that another makes"


def test_place_in_the_pool_is_free_again_when_no_connection_came_of_it(link: Link) -> None:
    with link.silent_to_newcomers():
        for _ in range(3):  # more than there are places
            with _given_up(TIMEOUT_SECONDS):
                _ask()
    assert _ask() == 1


def test_row_lock_is_waited_for_as_long_as_the_setting_says(postgresql: Settings) -> None:
    with write():
        events.append("a", "note", b"1")
    with closing(psycopg2.connect(postgresql.database_url)) as other:
        other.cursor().execute("UPDATE channels SET seq = seq")
        with _given_up(TIMEOUT_SECONDS), write():
            events.append("a", "note", b"2")
        other.rollback()
    with write():
        assert events.append("a", "note", b"3").seq == 2


def test_locks_are_given_back_when_a_transaction_goes_on_without_a_word(postgresql: Settings) -> None:
    with _given_up(SILENCE_SECONDS), write():
        events.append("a", "note", b"1")
        gevent.sleep(SILENCE_SECONDS + 0.5)
        events.append("a", "note", b"2")
    assert events.SqlEventLog().state("a").head == 0


def test_killed_greenlet_ends_by_being_killed(postgresql: Settings) -> None:
    def sleep() -> None:
        with write(), write():
            database.execute_sql("SELECT pg_sleep(20)")

    greenlet = gevent.spawn(sleep)
    gevent.sleep(0.2)
    greenlet.kill(timeout=5)
    assert isinstance(greenlet.value, gevent.GreenletExit), repr(greenlet.exception)
    assert _ask() == 1


def test_migration_waits_for_another_longer_than_for_any_lock(postgresql: Settings) -> None:
    with closing(psycopg2.connect(postgresql.database_url)) as other:
        other.autocommit = True
        other.cursor().execute("SELECT pg_advisory_lock(%s)", (migrate._ADVISORY_LOCK,))
        release = threading.Timer(SILENCE_SECONDS + 0.5, other.close)
        release.start()
        began = time.monotonic()
        assert migrate.apply() == []
        assert time.monotonic() - began > SILENCE_SECONDS
        release.join()
    with read():
        assert database.execute_sql("SHOW lock_timeout").fetchone()[0] == "300ms"
