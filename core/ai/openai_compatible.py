"""The provider behind any OpenAI-compatible endpoint, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from core.ai.provider import Answer, CompletionRequest, End, ProviderFailed, ProviderTimeout, Text, Usage

_CONNECT_TIMEOUT_SECONDS = 10.0
_DETAIL_CHARACTERS = 500


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Content(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Content | None = None
    delta: _Content | None = None
    finish_reason: str | None = None


class _Reply(msgspec.Struct):
    """A completion or a chunk of one; error replaces both in a stream that fails midway."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


_decoder = msgspec.json.Decoder(_Reply)


class OpenAICompatibleProvider:
    """Answers from `base_url`/chat/completions; timeout_seconds is the longest silence it may keep."""

    name = "openai_compatible"
    can_resume = False

    def __init__(self, *, base_url: str, api_key: str | None, timeout_seconds: float) -> None:
        connect_seconds = min(_CONNECT_TIMEOUT_SECONDS, timeout_seconds)
        self._client = httpx.Client(
            base_url=base_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_seconds, connect=connect_seconds),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
        )

    def complete(self, request: CompletionRequest) -> Answer:
        """Ask for the whole answer."""
        with self._asked(request, is_stream=False) as response, _typed_errors():
            reply = _decode(response.read())
        if not reply.choices or reply.choices[0].message is None:
            raise ProviderFailed("the provider answered without a choice")
        choice, usage = reply.choices[0], reply.usage or _Usage()
        return Answer(
            text=(choice.message.content if choice.message else None) or "",
            finish_reason=choice.finish_reason or "stop",
            usage=_counted(usage),
        )

    def stream(self, request: CompletionRequest, *, written: str = "") -> Iterator[Text | End]:
        """Ask for a streamed answer and give its pieces as they arrive."""
        finish_reason: str | None = None
        usage: Usage | None = None
        with self._asked(request, is_stream=True) as response, _typed_errors():
            for data in _data_lines(response):
                reply = _decode(data)
                usage = _counted(reply.usage) if reply.usage else usage
                for choice in reply.choices[:1]:
                    finish_reason = choice.finish_reason or finish_reason
                    if choice.delta and choice.delta.content:
                        yield Text(choice.delta.content)
        if finish_reason is None:
            raise ProviderFailed("the provider's answer was cut off")
        yield End(finish_reason=finish_reason, usage=usage)

    @contextmanager
    def _asked(self, request: CompletionRequest, *, is_stream: bool) -> Iterator[httpx.Response]:
        body = {**request.options, "model": request.model, "messages": list(request.messages), "stream": is_stream}
        if is_stream:
            body["stream_options"] = {"include_usage": True}
        with _typed_errors(), self._client.stream("POST", "chat/completions", json=body) as response:
            if response.status_code != httpx.codes.OK:
                detail = response.read().decode(errors="replace")[:_DETAIL_CHARACTERS]
                raise ProviderFailed(f"the provider answered {response.status_code}: {detail}")
            yield response


def _data_lines(response: httpx.Response) -> Iterator[str]:
    """Give the data of each event until [DONE] or the end."""
    for line in response.iter_lines():
        if line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                return
            yield data


def _decode(data: str | bytes) -> _Reply:
    try:
        reply = _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ProviderFailed(f"the provider sent what cannot be read: {error}") from error
    if reply.error is not None:
        raise ProviderFailed(f"the provider failed: {str(reply.error)[:_DETAIL_CHARACTERS]}")
    return reply


def _counted(usage: _Usage) -> Usage:
    return Usage(prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens)


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise ProviderTimeout("the provider was silent for too long") from error
    except (httpx.HTTPError, httpx.StreamError, UnicodeDecodeError) as error:
        raise ProviderFailed(f"the provider cannot be reached or broke off: {type(error).__name__}") from error
