"""Completions of an OpenAI-compatible endpoint, asked for by the unmodified openai client over running workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.endpoint import DONE, Endpoint, Step, chunk, serving
from tests.live import Launcher

QUESTION: Any = [{"role": "user", "content": "How warm is it in Oslo?"}]
TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}, "strict": True}]
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "prompt_tokens_details": {"cached_tokens": 1}}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    """Hold the endpoint that the server of this module asks."""
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def theirs(endpoint: Endpoint, launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """Give their client of a server whose model `m` is the endpoint's."""
    settings = {"ai_base_url": endpoint.url, "ai_api_key": "key", "ai_models": "m", "ai_timeout_seconds": "0.5"}
    with launcher.launched(tmp_path_factory.mktemp("endpoint"), workers=1, **settings) as live:
        yield openai.OpenAI(api_key=live.people.ben.token, base_url=f"{live.server.url}/v1", max_retries=0)


def _whole(message: dict[str, Any], finish_reason: str = "stop") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish_reason, "logprobs": None}
    return json.dumps({"id": "theirs", "system_fingerprint": "fp", "choices": [choice], "usage": USAGE}).encode()


def test_every_member_of_the_request_reaches_the_endpoint(theirs: openai.OpenAI, endpoint: Endpoint) -> None:
    endpoint.answer(_whole({"content": "Hi"}))
    asked: Any = {
        "temperature": 0.5,
        "tools": TOOLS,
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
        "stop": ["x"],
        "seed": 7,
        "max_tokens": 9,
        "top_p": 0.5,
        "logit_bias": {"5": 1},
        "metadata": {"a": "b"},
        "reasoning_effort": "low",
    }
    messages = [
        *QUESTION,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "4"},
    ]
    theirs.chat.completions.create(model="m", messages=messages, **asked, extra_body={"top_k": 5})
    assert endpoint.asked[-1]["key"] == "Bearer key"
    assert endpoint.asked[-1]["body"] == {"model": "m", "messages": messages, **asked, "top_k": 5, "stream": False}


def test_what_the_endpoint_answers_comes_back_whole(theirs: openai.OpenAI, endpoint: Endpoint) -> None:
    endpoint.answer(_whole({"content": None, "tool_calls": [CALL], "reasoning_content": "hm"}, "tool_calls"))
    answer = theirs.chat.completions.create(model="m", messages=QUESTION, tools=TOOLS)
    (choice,) = answer.choices
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls is not None
    assert choice.message.tool_calls[0].model_dump() == CALL
    assert (answer.system_fingerprint, answer.id[:9], answer.model) == ("fp", "chatcmpl-", "m")
    assert choice.message.to_dict()["reasoning_content"] == "hm"
    assert answer.usage is not None
    assert answer.usage.to_dict() == USAGE


def test_a_streamed_tool_call_comes_back_piece_by_piece(theirs: openai.OpenAI, endpoint: Endpoint) -> None:
    begun = CALL | {"index": 0, "function": {"name": "weather", "arguments": ""}}
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in ('{"city":', ' "Oslo"}')]
    steps = [chunk(content="Let me "), chunk(content="see."), chunk(role="assistant", content=None, tool_calls=[begun])]
    steps += [chunk(tool_calls=[piece]) for piece in rest]
    usage = b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n"
    endpoint.answer(*steps, chunk(finish_reason="tool_calls"), usage, DONE)
    stream = theirs.chat.completions.create(
        model="m", messages=QUESTION, tools=TOOLS, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    deltas = [choice.delta for piece in chunks for choice in piece.choices]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == "Let me see."
    calls = [call.to_dict() for delta in deltas for call in delta.tool_calls or ()]
    assert calls == [begun, *rest]
    assert [choice.finish_reason for piece in chunks for choice in piece.choices][-1] == "tool_calls"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.to_dict() == USAGE
    assert endpoint.asked[-1]["body"]["stream_options"] == {"include_usage": True}


FAILURES: list[tuple[list[Step], int, type[openai.APIStatusError], str]] = [
    ([b"{}"], 401, openai.InternalServerError, "provider_unavailable"),
    ([b"{}"], 500, openai.InternalServerError, "provider_unavailable"),
    ([b'{"error": {"message": "no tools here"}}'], 400, openai.BadRequestError, "provider_refused"),
    ([b"{}"], 429, openai.RateLimitError, "provider_rate_limited"),
    ([1.5], 200, openai.InternalServerError, "provider_timeout"),
    ([b'{"choices": '], 200, openai.InternalServerError, "provider_unavailable"),
]


@pytest.mark.parametrize(("steps", "status", "error", "code"), FAILURES)
def test_a_failing_endpoint_is_an_error_of_its_class(
    theirs: openai.OpenAI, endpoint: Endpoint, steps: list[Step], status: int, *, error: Any, code: str
) -> None:
    endpoint.answer(*steps, status=status, Retry_After="7")
    with pytest.raises(error) as raised:
        theirs.chat.completions.create(model="m", messages=QUESTION)
    assert raised.value.code == code
    if status == 429:
        assert raised.value.response.headers["Retry-After"] == "7"
    assert ("no tools here" in str(raised.value)) is (status == 400)


def _read(stream: openai.Stream[Any], said: list[str]) -> None:
    for piece in stream:
        said.append(piece.choices[0].delta.content or "")


@pytest.mark.parametrize(
    ("steps", "status", "code", "text"),
    [
        ([b"{}"], 401, "provider_error", ""),
        ([b"{}"], 429, "provider_rate_limited", ""),
        ([b"{}"], 400, "provider_refused", ""),
        ([chunk(content="Hel"), 1.5], 200, "provider_timeout", "Hel"),
        ([chunk(content="Hel")], 200, "provider_error", "Hel"),
    ],
)
def test_a_stream_that_fails_ends_with_an_error(
    theirs: openai.OpenAI, endpoint: Endpoint, steps: list[Step], status: int, *, code: str, text: str
) -> None:
    endpoint.answer(*steps, status=status)
    said: list[str] = []
    with pytest.raises(openai.APIError) as raised:
        _read(theirs.chat.completions.create(model="m", messages=QUESTION, stream=True), said)
    assert (raised.value.code, "".join(said)) == (code, text)
