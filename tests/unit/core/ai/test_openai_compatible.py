"""The provider over HTTP against a fake endpoint on a real socket: normal, slow, broken and cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from core.ai import openai_compatible
from core.ai.openai_compatible import OpenAICompatibleProvider
from core.ai.provider import (
    CompletionRequest,
    End,
    ProviderBusy,
    ProviderFailed,
    ProviderRefused,
    ProviderTimeout,
    Text,
    Usage,
)
from tests.endpoint import DONE, Endpoint, Step, chunk, serving

ASK = CompletionRequest(model="m", messages=[{"role": "user", "content": "Hi"}], options={"temperature": 0.5})
Serve = Callable[..., OpenAICompatibleProvider]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as server:
        yield server


@pytest.fixture
def serve(endpoint: Endpoint) -> Serve:
    def build(*steps: Step, status: int = 200, **headers: str) -> OpenAICompatibleProvider:
        endpoint.answer(*steps, status=status, **headers)
        return OpenAICompatibleProvider(base_url=endpoint.url, api_key="key", timeout_seconds=0.5)

    return build


def _chunk(text: str | None = None, finish_reason: str | None = None) -> bytes:
    return chunk(finish_reason=finish_reason, **({"content": text} if text else {}))


USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'


def _texts(pieces: Iterator[Text | End]) -> tuple[list[str], list[End]]:
    found = list(pieces)
    return [p.text for p in found if isinstance(p, Text)], [p for p in found if isinstance(p, End)]


def test_a_stream_gives_its_pieces_and_its_end(serve: Serve, endpoint: Endpoint) -> None:
    provider = serve(b": ping\n\n", _chunk("Hel"), _chunk("lo"), _chunk(finish_reason="stop"), USAGE, DONE)
    assert _texts(provider.stream(ASK)) == (
        ["Hel", "lo"],
        [End(finish_reason="stop", usage=Usage(prompt_tokens=3, completion_tokens=2))],
    )
    (asked,) = endpoint.asked
    assert (asked["path"], asked["key"]) == ("/v1/chat/completions", "Bearer key")
    assert asked["body"] == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_a_slow_stream_is_waited_for_while_it_speaks(serve: Serve) -> None:
    provider = serve(_chunk("a"), 0.3, _chunk("b"), 0.3, _chunk(finish_reason="stop"), DONE)
    assert _texts(provider.stream(ASK))[0] == ["a", "b"]


def test_a_silent_stream_is_a_timeout_behind_what_it_gave(serve: Serve) -> None:
    pieces = serve(_chunk("a"), 1.5).stream(ASK)
    assert next(pieces) == Text("a")
    with pytest.raises(ProviderTimeout):
        next(pieces)


def test_a_stream_that_is_cut_is_a_failure(serve: Serve) -> None:
    pieces = serve(_chunk("a")).stream(ASK)
    assert next(pieces) == Text("a")
    with pytest.raises(ProviderFailed, match="cut off"):
        next(pieces)


@pytest.mark.parametrize(
    "data", [b"data: {oops\n\n", b'data: {"choices": 3}\n\n', b'data: {"error": {"message": "x"}}\n\n']
)
def test_a_broken_stream_is_a_failure(serve: Serve, data: bytes) -> None:
    with pytest.raises(ProviderFailed):
        list(serve(_chunk("a"), data, DONE).stream(ASK))


def test_a_line_without_an_end_is_a_failure(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_compatible, "_LINE_BYTES", 1000)
    with pytest.raises(ProviderFailed, match="a line of more than 1000 bytes"):
        list(serve(*[b"data: " + b"a" * 200] * 10, 3.0).stream(ASK))


def test_an_answer_without_an_end_is_a_failure(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_compatible, "_ANSWER_BYTES", 1000)
    with pytest.raises(ProviderFailed, match="more than 1000 bytes"):
        list(serve(*[_chunk("a")] * 50, DONE).stream(ASK))
    with pytest.raises(ProviderFailed, match="more than 1000 bytes"):
        serve(b" " * 2000).complete(ASK)
    with pytest.raises(ProviderFailed, match="more than 1000 bytes"):
        serve(b"a" * 2000, status=500).complete(ASK)


def test_lines_that_arrive_in_parts_are_put_together(serve: Serve) -> None:
    whole = _chunk("Grüße") + _chunk(finish_reason="stop").replace(b"\n", b"\r\n") + DONE
    parts = [whole[at : at + 7] for at in range(0, len(whole), 7)]
    assert _texts(serve(*parts).stream(ASK))[0] == ["Grüße"]


def test_more_than_text_arrives_as_the_providers_choice(serve: Serve) -> None:
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    provider = serve(
        chunk(role="assistant", content=None, tool_calls=[call]),
        chunk(content="a", more={"logprobs": {"content": []}}),
        chunk(content="b", role="assistant", tool_calls=None, more={"logprobs": None}),
        chunk(finish_reason="tool_calls"),
        DONE,
    )
    assert list(provider.stream(ASK)) == [
        Text("", {"delta": {"tool_calls": [call]}}),
        Text("a", {"logprobs": {"content": []}, "delta": {"content": "a"}}),
        Text("b"),
        End(finish_reason="tool_calls"),
    ]


def test_a_limit_is_busy_with_the_providers_advice(serve: Serve) -> None:
    for sent, understood in (("7", 7), ("0", 1), ("Wed, 21 Oct 2026 07:28:00 GMT", 1), ("99999999999", 86400)):
        with pytest.raises(ProviderBusy, match="429") as busy:
            list(serve(b"too many", status=429, Retry_After=sent).stream(ASK))
        assert busy.value.retry_after_seconds == understood


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_fault_found_with_the_request_is_a_refusal(serve: Serve, status: int) -> None:
    with pytest.raises(ProviderRefused) as refused:
        serve(b'{"error": {"message": "no tools here"}}', status=status).complete(ASK)
    assert refused.value.message == "no tools here"
    with pytest.raises(ProviderRefused) as refused:
        serve(b"<html>", status=status).complete(ASK)
    assert refused.value.message == "The provider refused the request."


@pytest.mark.parametrize("status", [401, 403, 500, 502, 503])
def test_any_other_status_is_a_failure(serve: Serve, status: int) -> None:
    with pytest.raises(ProviderFailed, match=str(status)):
        serve(b'{"error": {"message": "x"}}', status=status).complete(ASK)


def test_an_endpoint_that_is_not_there_is_a_failure() -> None:
    provider = OpenAICompatibleProvider(base_url="http://127.0.0.1:9/v1", api_key=None, timeout_seconds=0.5)
    with pytest.raises(ProviderFailed):
        provider.complete(ASK)


def test_a_whole_answer(serve: Serve) -> None:
    body = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "length"}], "usage": {"prompt_tokens": 1}}
    answer = serve(json.dumps(body).encode()).complete(ASK)
    assert (answer.text, answer.finish_reason, answer.usage.prompt_tokens) == ("Hello", "length", 1)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"choices": []}', b'{"choices": [{}]}'])
def test_a_broken_answer_is_a_failure(serve: Serve, body: bytes) -> None:
    with pytest.raises(ProviderFailed):
        serve(body).complete(ASK)


def test_a_silent_endpoint_is_a_timeout(serve: Serve) -> None:
    with pytest.raises(ProviderTimeout):
        serve(1.5).complete(ASK)
