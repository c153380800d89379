"""Answers share a writer and a transaction, and do not share their faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import gevent
import peewee
import pytest

from core.ai import generation
from core.ai.echo import EchoProvider
from core.ai.provider import Answer, CompletionRequest, End, Provider, ProviderFailed, Text
from core.kernel.durable import Job
from core.system import events, jobs
from core.system.events import SqlEventLog
from core.system.jobs import SqlJobQueue
from models.database import database, is_sqlite, write

KIND = "test.answer"
PATIENCE_SECONDS = 20
END = End(finish_reason="stop")


class Sink:
    """Writes what it is given to a channel of its own; `fault` is raised when that is "bad"."""

    def __init__(self, job: Job, fault: Callable[[], BaseException] | None = None) -> None:
        self.job = job
        self.channel = f"answer:{job.id}"
        self._fault = fault

    @property
    def written(self) -> str:
        """Return what has been committed; "." is the end."""
        return b"".join(event.data for event in SqlEventLog().read({self.channel: 0}, 100)).decode()

    def write(self, pieces: Sequence[Text], end: End | None) -> None:
        """See core.ai.generation.Sink."""
        if self._fault is not None and any(piece.text == "bad" for piece in pieces):
            raise self._fault()
        text = "".join(piece.text for piece in pieces) + ("." if end else "")
        events.append(self.channel, "piece", text.encode())
        if end is not None:
            jobs.finish(self.job)


@pytest.fixture
def claimed(database: object) -> list[Job]:
    """Give two jobs that this process holds."""
    jobs.register(KIND, lambda job: None)
    with write():
        for subject in ("a", "b"):
            jobs.enqueue(KIND, b"{}", subject=subject)
    return list(SqlJobQueue().claim("w", 2))


def _pieces(*texts: str) -> Iterator[Text | End]:
    for text in texts:
        gevent.sleep(0.01)
        yield Text(text)
    yield END


def test_answer_ends_well_when_another_one_cannot_be_written(claimed: list[Job]) -> None:
    good, bad = Sink(claimed[0]), Sink(claimed[1], lambda: ValueError("a NUL"))
    runs = [
        gevent.spawn(generation.run, good, _pieces("one ", "two")),
        gevent.spawn(generation.run, bad, _pieces("bad")),
    ]
    gevent.joinall(runs, timeout=PATIENCE_SECONDS)
    assert good.written == "one two."
    assert isinstance(runs[1].exception, ValueError)


@pytest.mark.parametrize("error", [peewee.OperationalError, peewee.InterfaceError])
def test_nothing_is_lost_when_the_database_goes_away_in_mid_transaction(
    claimed: list[Job], error: type[Exception]
) -> None:
    failures = [error("server closed the connection")]
    sink = Sink(claimed[0])
    write_through = sink.write

    def fail_once(pieces: Sequence[Text], end: End | None) -> None:
        if failures:
            raise failures.pop()
        write_through(pieces, end)

    sink.write = fail_once
    run = gevent.spawn(generation.run, sink, _pieces("all ", "of it"))
    run.get(timeout=PATIENCE_SECONDS)
    assert (sink.written, failures) == ("all of it.", [])


def test_nothing_is_written_twice_when_the_connection_is_lost_behind_a_commit(
    claimed: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_sqlite():
        pytest.skip("a file says how a commit went")
    commit, commits = database.obj.commit, []
    words = [f"{number} " for number in range(30)]

    def lose_the_answer() -> None:
        commit()
        commits.append(sink.written)
        if len(commits) % 2:
            raise peewee.OperationalError("server closed the connection")

    sink = Sink(claimed[0])
    with monkeypatch.context() as patched:
        patched.setattr(database.obj, "commit", lose_the_answer)
        run = gevent.spawn(generation.run, sink, _pieces(*words))
        run.get(timeout=PATIENCE_SECONDS)
    assert sink.written == "".join(words) + "."
    assert len(commits) > 1


class Remote:
    """A provider that cannot continue what it began."""

    name = "remote"
    can_resume = False

    def complete(self, request: CompletionRequest) -> Answer:
        raise ProviderFailed("only streams")

    def stream(self, request: CompletionRequest, *, written: str = "") -> Iterator[Text | End]:
        assert written == ""
        yield Text("anew")


HELLO = CompletionRequest(model="m", messages=[{"role": "user", "content": "Hello"}])


def _begun(provider: Provider | None, *, attempt: int = 1, is_begun: bool = False, written: str = "") -> str:
    pieces = generation.begin(provider, HELLO, attempt=attempt, is_begun=is_begun, written=written)
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


def test_an_answer_goes_on_behind_its_text_where_the_provider_can() -> None:
    assert _begun(EchoProvider(delay_ms=0)) == "Echo: Hello"
    assert _begun(EchoProvider(delay_ms=0), attempt=2, is_begun=True, written="Echo: ") == "Hello"
    assert _begun(Remote(), attempt=generation.MAX_ATTEMPTS) == "anew"


@pytest.mark.parametrize(
    ("provider", "attempt", "is_begun", "reason"),
    [
        (None, 1, False, "not served"),
        (Remote(), 2, True, "stopped"),
        (Remote(), generation.MAX_ATTEMPTS + 1, False, "too often"),
        (EchoProvider(delay_ms=0), generation.MAX_ATTEMPTS + 1, True, "too often"),
    ],
)
def test_an_answer_fails_when_nothing_can_go_on_with_it(
    provider: Provider | None, attempt: int, is_begun: bool, reason: str
) -> None:
    with pytest.raises(ProviderFailed, match=reason):
        _begun(provider, attempt=attempt, is_begun=is_begun)
