"""The provider over HTTP against a fake endpoint on a real socket: normal, slow, broken and cut."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from core.ai.openai_compatible import OpenAICompatibleProvider
from core.ai.provider import CompletionRequest, End, ProviderFailed, ProviderTimeout, Text, Usage

ASK = CompletionRequest(model="m", messages=[{"role": "user", "content": "Hi"}], options={"temperature": 0.5})
Step = bytes | float
Serve = Callable[..., OpenAICompatibleProvider]


class _Endpoint(ThreadingHTTPServer):
    """Answers with a status and then, step by step, bytes or pauses in seconds."""

    daemon_threads = True
    status = 200
    steps: tuple[Step, ...] = ()
    asked: list[dict[str, Any]]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append({"path": self.path, "key": self.headers["Authorization"], "body": body})
        self.send_response(server.status)
        self.end_headers()
        for step in server.steps:
            if isinstance(step, float):
                time.sleep(step)
            else:
                self.wfile.write(step)
                self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def endpoint() -> Iterator[_Endpoint]:
    server = _Endpoint(("127.0.0.1", 0), _Handler)
    server.asked = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def serve(endpoint: _Endpoint) -> Serve:
    def build(*steps: Step, status: int = 200) -> OpenAICompatibleProvider:
        endpoint.steps, endpoint.status = steps, status
        url = f"http://127.0.0.1:{endpoint.server_port}/v1"
        return OpenAICompatibleProvider(base_url=url, api_key="key", timeout_seconds=0.5)

    return build


def _chunk(text: str | None = None, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'
DONE = b"data: [DONE]\n\n"


def _texts(pieces: Iterator[Text | End]) -> tuple[list[str], list[End]]:
    found = list(pieces)
    return [p.text for p in found if isinstance(p, Text)], [p for p in found if isinstance(p, End)]


def test_a_stream_gives_its_pieces_and_its_end(serve: Serve, endpoint: _Endpoint) -> None:
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


def test_a_refusal_is_a_failure(serve: Serve) -> None:
    with pytest.raises(ProviderFailed, match="429"):
        list(serve(b"too many", status=429).stream(ASK))


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
