"""Generated answers: chunks, deltas and ends; continued, cancelled, failed and fenced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import gevent
import pytest

from core.ai import generation, registry
from core.ai.echo import EchoProvider
from core.ai.provider import Answer, CompletionRequest, End, ProviderFailed, ProviderTimeout, Text
from core.chat import messages, posting, replies, tree
from core.kernel.principal import Principal
from core.system import jobs
from models.database import read
from models.tables.chat import Message
from tests.conftest import FrozenClock
from tests.unit.core.chat.conftest import payloads, told, work


class ScriptedProvider:
    """Gives the pieces it was made with; an exception among them is raised, a number is a pause in seconds."""

    name = "scripted"
    can_resume = False

    def __init__(self, *script: Any) -> None:
        self._script = script

    def complete(self, request: CompletionRequest) -> Answer:
        raise ProviderFailed("only streams")

    def stream(self, request: CompletionRequest, *, written: str = "") -> Iterator[Text | End]:
        for step in self._script:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, float):
                gevent.sleep(step)
            else:
                yield step

    def count_tokens(self, text: str) -> int:
        return len(text)


def _serve(monkeypatch: pytest.MonkeyPatch, provider: Any) -> None:
    monkeypatch.setattr(registry, "_providers", {"gpt-4": provider})


def _ask(principal: Principal, conversation_id: UUID, content: str = "How are you?", role: Any = None) -> UUID:
    answer = posting.do_create_thread(principal, conversation_id, content, role).assistant_message_id
    assert answer is not None
    return answer


def _message(message_id: UUID) -> Message:
    with read():
        found = Message.get_by_id(message_id)
    assert isinstance(found, Message)
    return found


@pytest.mark.usefixtures("echo")
def test_an_answer_is_streamed_and_stored(ada: Principal, conversation_id: UUID) -> None:
    answer = _ask(ada, conversation_id, "How are you?")
    assert work() == 1
    stored = _message(answer)
    assert (stored.content, stored.finish_reason, stored.is_streaming) == ("Echo: How are you?", "stop", False)
    deltas = payloads(conversation_id, "message.delta")
    assert "".join(delta["choices"][0]["delta"]["content"] for delta in deltas) == stored.content
    assert [delta["id"] for delta in deltas] == [f"{answer}:{index}" for index in range(len(deltas))]
    assert deltas[0]["choices"][0]["delta"]["role"] == "assistant"
    (done,) = payloads(conversation_id, "message.done")
    assert done["finish_reason"] == "stop"
    assert done["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    chunks = messages.list_chunks(ada, answer, start=0, limit=500)
    assert "".join(chunk.content for chunk in chunks) == stored.content
    assert told(conversation_id)[-1].type == "message.done"


@pytest.mark.usefixtures("echo")
def test_delta_ids_have_four_parts_with_the_chunk(ada: Principal, conversation_id: UUID) -> None:
    answer = _ask(ada, conversation_id)
    work()
    delta = next(event for event in told(conversation_id) if event.type == "message.delta")
    assert delta.id == f"{_message(answer).root_id}:{answer}:0:{delta.seq}"


@pytest.mark.usefixtures("echo")
def test_an_assistants_message_is_continued(ada: Principal, conversation_id: UUID) -> None:
    answer = _ask(ada, conversation_id, "Dear team,", role="assistant")
    work()
    assert _message(answer).content == "Dear team,Echo: Dear team,"
    assert messages.list_chunks(ada, answer, start=0, limit=1)[0].content.startswith("Echo:")


@pytest.mark.usefixtures("echo")
@pytest.mark.parametrize("room", [20, 16, 10])
def test_an_answer_ends_where_its_message_is_full(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(generation, "MESSAGE_CHARACTERS", room)
    answer = _ask(ada, conversation_id, "Dear team,", role="assistant")
    work()
    stored = _message(answer)
    assert (stored.content, stored.finish_reason) == ("Dear team,Echo: Dear"[:room], "length")


def test_the_end_is_error_when_the_provider_fails(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve(monkeypatch, ScriptedProvider(Text("Half"), ProviderFailed("cut")))
    answer = _ask(ada, conversation_id)
    work()
    assert (_message(answer).content, _message(answer).finish_reason) == ("Half", "error")
    assert [event.type for event in told(conversation_id)][-2:] == ["message.done", "error"]
    assert payloads(conversation_id, "error")[0]["code"] == "assistant_stream_error"


def test_the_end_is_timeout_when_the_provider_is_silent(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve(monkeypatch, ScriptedProvider(ProviderTimeout("silent")))
    answer = _ask(ada, conversation_id)
    work()
    assert _message(answer).finish_reason == "timeout"
    assert payloads(conversation_id, "error")[0]["code"] == "assistant_timeout"
    assert messages.do_cancel_message(ada, answer) == "timed_out"


def test_an_answer_without_a_served_model_ends_with_error(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_providers", {})
    answer = _ask(ada, conversation_id)
    work()
    assert _message(answer).finish_reason == "error"


def test_a_cancelled_answer_keeps_its_text_and_ends_within_a_second(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve(monkeypatch, ScriptedProvider(Text("Half"), 30.0, End(finish_reason="stop")))
    answer = _ask(ada, conversation_id)
    running = gevent.spawn(work)
    gevent.sleep(0.3)
    assert messages.do_cancel_message(ada, answer) == "cancelled"
    running.join(1.5)
    assert running.ready()
    assert (_message(answer).content, _message(answer).finish_reason) == ("Half", "cancelled")
    assert messages.do_cancel_message(ada, answer) == "cancelled"


@pytest.mark.usefixtures("echo")
def test_an_answer_that_is_cancelled_before_it_began_ends(ada: Principal, conversation_id: UUID) -> None:
    _serve_slow = EchoProvider(delay_ms=1000)
    registry.register("gpt-4", _serve_slow)
    answer = _ask(ada, conversation_id, "one two three four")
    assert messages.do_cancel_message(ada, answer) == "cancelled"
    with gevent.Timeout(2.5):
        work()
    assert _message(answer).finish_reason == "cancelled"


def test_the_next_worker_continues_an_echo_behind_what_is_stored(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch, frozen_clock: FrozenClock
) -> None:
    _serve(monkeypatch, EchoProvider(delay_ms=100))
    text = "one two three four five six seven"
    answer = _ask(ada, conversation_id, text)
    (job,) = jobs.SqlJobQueue().claim("dead", 1)
    running = gevent.spawn(replies.run, job)
    gevent.sleep(0.4)
    running.kill()
    written = messages.list_chunks(ada, answer, start=0, limit=500)
    assert 0 < sum(len(chunk.content) for chunk in written) < len(text)
    frozen_clock.advance(jobs.LEASE_MS / 1000 + 1)
    assert work("alive") == 1
    assert (_message(answer).content, _message(answer).finish_reason) == (f"Echo: {text}", "stop")
    deltas = payloads(conversation_id, "message.delta")
    assert "".join(delta["choices"][0]["delta"]["content"] for delta in deltas) == f"Echo: {text}"


def test_the_next_worker_ends_what_a_remote_provider_had_begun(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch, frozen_clock: FrozenClock
) -> None:
    _serve(monkeypatch, ScriptedProvider(Text("Half"), 30.0, End(finish_reason="stop")))
    answer = _ask(ada, conversation_id)
    (job,) = jobs.SqlJobQueue().claim("dead", 1)
    running = gevent.spawn(replies.run, job)
    gevent.sleep(0.3)
    running.kill()
    frozen_clock.advance(jobs.LEASE_MS / 1000 + 1)
    work("alive")
    assert (_message(answer).content, _message(answer).finish_reason) == ("Half", "error")


def test_a_fenced_worker_writes_nothing_more(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch, frozen_clock: FrozenClock
) -> None:
    _serve(monkeypatch, EchoProvider(delay_ms=150))
    answer = _ask(ada, conversation_id, "one two three four five six seven")
    queue = jobs.SqlJobQueue()
    (job,) = queue.claim("stale", 1)
    stale = gevent.spawn(replies.run, job)
    gevent.sleep(0.4)
    frozen_clock.advance(jobs.LEASE_MS / 1000 + 1)
    (again,) = queue.claim("alive", 1)
    before = len(told(conversation_id))
    stale.join(1.5)
    assert isinstance(stale.exception, jobs.LeaseLost)
    assert len(told(conversation_id)) == before
    queue.run(again)
    assert _message(answer).finish_reason == "stop"


def test_answers_share_commits(ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    _serve(monkeypatch, EchoProvider(delay_ms=20))
    answers = [_ask(ada, conversation_id, "one two three four five six") for _ in range(8)]
    commits: list[int] = []
    check_leases = jobs.check_leases
    monkeypatch.setattr(jobs, "check_leases", lambda held: commits.append(len(held)) or check_leases(held))
    claimed = jobs.SqlJobQueue().claim("worker", 10)
    gevent.joinall([gevent.spawn(replies.run, job) for job in claimed], raise_error=True)
    assert all(_message(answer).finish_reason == "stop" for answer in answers)
    assert max(commits) == 8
    assert len(commits) <= 10


def test_no_greenlet_runs_while_an_answer_is_written_on_sqlite(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    if backend != "sqlite":
        pytest.skip("PostgreSQL may switch: its transactions do not hold the whole database")
    _serve(monkeypatch, EchoProvider(delay_ms=1))
    inside, others = [False], [0]
    original = replies.ReplySink.write

    def write(self: replies.ReplySink, text: str, end: End | None) -> None:
        inside[0] = True
        original(self, text, end)
        inside[0] = False

    def watch() -> None:
        while True:
            others[0] += inside[0]
            gevent.sleep(0)

    monkeypatch.setattr(replies.ReplySink, "write", write)
    watcher = gevent.spawn(watch)
    _ask(ada, conversation_id, "word " * 50)
    work()
    watcher.kill()
    assert others[0] == 0


@pytest.mark.usefixtures("echo")
def test_a_running_answer_shows_its_text_in_the_tree(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    _serve(monkeypatch, ScriptedProvider(Text("Half"), 30.0))
    answer = _ask(ada, conversation_id)
    running = gevent.spawn(work)
    gevent.sleep(0.3)
    shown = tree.get_slice(ada, _message(answer).root_id, cursor_path=None, limit=10).messages[-1]
    running.kill()
    assert (shown.content, shown.is_streaming, shown.finish_reason) == ("Half", True, None)
