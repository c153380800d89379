"""Completions over HTTP: at once, streamed, and by the unmodified openai client."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import gevent
import openai
import pytest

from core.ai import registry
from core.ai.echo import EchoProvider
from core.ai.provider import Answer as ProviderAnswer
from core.ai.provider import CompletionRequest, ProviderFailed
from tests.client import Answer, Client
from tests.factories.people import People
from tests.live import Live

HELLO: dict[str, Any] = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello there"}]}


def _ask(client: Client, people: People, **more: Any) -> Answer:
    return client.call("completions_create", body=HELLO | more, as_=people.ben)


def test_a_completion_is_answered_in_openais_shape(client: Client, people: People) -> None:
    answer = _ask(client, people)
    assert answer.status == 200
    (choice,) = answer.json["choices"]
    assert choice == {
        "index": 0,
        "message": {"role": "assistant", "content": "Echo: Hello there"},
        "finish_reason": "stop",
    }
    assert answer.json["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}


def test_a_limit_ends_with_length(client: Client, people: People) -> None:
    choice = _ask(client, people, max_tokens=2).json["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Echo: Hello", "length")


def test_parts_and_unlisted_members_are_taken(client: Client, people: People) -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, {"type": "input_audio", "input_audio": {}}]}
    ]
    answer = _ask(client, people, messages=messages, logit_bias={"50256": -100}, temperature=1)
    assert answer.json["choices"][0]["message"]["content"] == "Echo: Hi"


class Patient(EchoProvider):
    """Thinks for long; asked: how often it was."""

    def __init__(self, seconds: float) -> None:
        super().__init__(delay_ms=0)
        self.asked = 0
        self._seconds = seconds

    def complete(self, request: CompletionRequest) -> ProviderAnswer:
        self.asked += 1
        gevent.sleep(self._seconds)
        return super().complete(request)


@pytest.fixture
def quick_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a claim lapse after a moment, and renew it four times as often."""
    monkeypatch.setattr("server.idempotency._CLAIM_LEASE", timedelta(seconds=0.8))
    monkeypatch.setattr("server.idempotency._RENEW_SECONDS", 0.2)


@pytest.mark.usefixtures("quick_leases")
def test_a_provider_is_asked_once_however_long_it_takes(
    client: Client, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Patient(2.0)
    monkeypatch.setattr(registry, "_providers", {"gpt-4": provider})
    asked = {"body": HELLO, "as_": people.ben, "headers": {"Idempotency-Key": "slow"}}
    first = gevent.spawn(client.call, "completions_create", **asked)
    gevent.sleep(1.5)  # nearly twice the lease
    duplicate = client.call("completions_create", **asked)
    assert (duplicate.status, duplicate.json["error"]["code"]) == (409, "request_in_progress")
    answer = first.get(timeout=20)
    assert answer.status == 200
    again = client.call("completions_create", **asked)
    assert (again.headers["Idempotency-Replayed"], again.json) == ("true", answer.json)
    assert provider.asked == 1


@pytest.mark.usefixtures("quick_leases")
def test_a_key_is_free_at_once_when_its_request_is_killed(
    client: Client, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_providers", {"gpt-4": Patient(30)})
    asked = {"body": HELLO, "as_": people.ben, "headers": {"Idempotency-Key": "killed"}}
    first = gevent.spawn(client.call, "completions_create", **asked)
    gevent.sleep(0.3)
    first.kill()
    provider = Patient(0)
    monkeypatch.setattr(registry, "_providers", {"gpt-4": provider})
    assert client.call("completions_create", **asked).status == 200
    assert provider.asked == 1


def test_an_unknown_model_is_404(client: Client, people: People) -> None:
    for more in ({"model": "gpt-9"}, {"model": "gpt-9", "stream": True}):
        answer = _ask(client, people, **more)
        assert (answer.status, answer.json["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("more", [{"messages": []}, {"model": ""}, {"temperature": 3}, {"n": 2}, {"stream": "yes"}])
def test_a_bad_request_is_400_in_openais_style(client: Client, people: People, more: dict[str, Any]) -> None:
    answer = _ask(client, people, **more)
    assert answer.status == 400
    assert answer.json["error"]["type"] == "invalid_request_error"


def test_nobody_is_answered_without_a_credential(client: Client) -> None:
    assert client.call("completions_create", body=HELLO).status == 401


def test_a_failing_provider_is_503(client: Client, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        name, can_resume = "failing", False

        def complete(self, request: object) -> None:
            raise ProviderFailed("secret cause")

    monkeypatch.setitem(registry._providers, "gpt-4", Failing())
    answer = _ask(client, people)
    assert (answer.status, answer.json["error"]["code"]) == (503, "provider_unavailable")
    assert "secret" not in answer.text


def test_a_streamed_completion_ends_with_usage_and_done(live: Live) -> None:
    body = HELLO | {"stream": True, "stream_options": {"include_usage": True}}
    with live.client.stream("completions_create", body=body, as_=live.people.ben) as stream:
        found = stream.rest()
    assert found[-1].data == "[DONE]"
    chunks = [json.loads(event.data) for event in found[:-1]]
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    texts = [choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]]
    assert "".join(texts) == "Echo: Hello there"
    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]][-1] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] == 5


def _streamed(client: Client, people: People, key: str) -> tuple[str | None, list[str]]:
    """Return whether the stream is a replay, and the data of its events."""
    headers = {"Idempotency-Key": key}
    with client.stream("completions_create", body=HELLO | {"stream": True}, as_=people.ben, headers=headers) as stream:
        return stream.headers.get("Idempotency-Replayed"), [event.data for event in stream.rest()]


def test_a_repeat_with_the_same_key_replays_the_stream(live: Live) -> None:
    first, again, other = [_streamed(live.client, live.people, key) for key in ("one", "one", "two")]
    assert (first[0], again[0], other[0]) == (None, "true", None)
    assert first[1] == again[1]
    assert json.loads(first[1][0])["id"] != json.loads(other[1][0])["id"]
    body = HELLO | {"stream": True, "seed": 1}
    headers = {"Idempotency-Key": "one"}
    assert live.client.call("completions_create", body=body, as_=live.people.ben, headers=headers).status == 422


def test_repeats_at_once_start_one_completion(live: Live) -> None:
    def ask(_number: int) -> list[str] | None:
        try:
            return _streamed(live.client, live.people, "at-once")[1]
        except AssertionError as refused:
            if "completions_create: 409" not in str(refused):
                raise
            return None

    with ThreadPoolExecutor(8) as pool:
        streams = [stream for stream in pool.map(ask, range(8)) if stream is not None]
    assert streams
    assert all(stream == streams[0] for stream in streams)


def test_a_repeat_joins_the_stream_that_is_running(live: Live) -> None:
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "word " * 100}], "stream": True}
    asked: Any = {"body": body, "as_": live.people.ben, "headers": {"Idempotency-Key": "joined"}}
    with live.client.stream("completions_create", **asked) as first:
        begun = first.next_event()
        with live.client.stream("completions_create", **asked) as second:
            joined = second.next_event()
            assert joined.data == begun.data
            assert [event.data for event in second.rest()] == [event.data for event in first.rest()]


def test_the_openai_client_lists_models_and_streams(live: Live) -> None:
    theirs = openai.OpenAI(api_key=live.people.ben.token, base_url=f"{live.server.url}/v1", max_retries=0)
    assert [model.id for model in theirs.models.list()] == ["gpt-4", "gpt-3.5"]
    question: Any = [{"role": "user", "content": "one two three"}]
    whole = theirs.chat.completions.create(model="gpt-4", messages=question)
    assert whole.choices[0].message.content == "Echo: one two three"
    assert whole.usage is not None
    pieces = theirs.chat.completions.create(model="gpt-4", messages=question, stream=True)
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == "Echo: one two three"
    with pytest.raises(openai.NotFoundError):
        theirs.chat.completions.create(model="gpt-9", messages=question)
