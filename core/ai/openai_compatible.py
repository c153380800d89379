"""The provider behind any OpenAI-compatible endpoint, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from core.ai.provider import (
    Answer,
    CompletionRequest,
    End,
    ProviderBusy,
    ProviderError,
    ProviderFailed,
    ProviderRefused,
    ProviderTimeout,
    Text,
    Usage,
    estimate_tokens,
)

_CONNECT_TIMEOUT_SECONDS = 10.0
_DETAIL_CHARACTERS = 500
_RETRY_AFTER_LIMIT_SECONDS = 86_400
_FAULTS_OF_THE_REQUEST = frozenset({400, 404, 413, 422})
"""401 and 403 are not among them: the key they judge is the operator's, not the caller's."""
_ANSWER_BYTES = 64 * 1024 * 1024
_LINE_BYTES = 4 * 1024 * 1024

_OWN_MEMBERS = frozenset({"index", "delta", "finish_reason"})
_COUNTS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


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
    """What must hold of a completion or a chunk of one; error replaces both in a stream that fails midway."""

    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


class _Error(msgspec.Struct):
    message: str


class _ErrorBody(msgspec.Struct):
    error: _Error


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
            reply, raw = _decode(b"".join(_bounded(response)))
        if not reply.choices or reply.choices[0].message is None:
            raise ProviderFailed("the provider answered without a choice")
        choice = reply.choices[0]
        return Answer(
            text=(choice.message.content if choice.message else None) or "",
            finish_reason=choice.finish_reason or "stop",
            usage=_counted(reply.usage or _Usage(), raw.get("usage")),
            reply=raw,
        )

    def stream(self, request: CompletionRequest, *, written: str = "") -> Iterator[Text | End]:
        """Ask for a streamed answer and give its pieces as they arrive."""
        finish_reason: str | None = None
        usage: Usage | None = None
        with self._asked(request, is_stream=True) as response, _typed_errors():
            for data in _data_lines(response):
                reply, raw = _decode(data)
                usage = _counted(reply.usage, raw.get("usage")) if reply.usage else usage
                for choice in reply.choices[:1]:
                    finish_reason = choice.finish_reason or finish_reason
                    yield from _pieces(choice, raw["choices"][0])
        if finish_reason is None:
            raise ProviderFailed("the provider's answer was cut off")
        yield End(finish_reason=finish_reason, usage=usage)

    def count_tokens(self, text: str) -> int:
        """Estimate: which tokenizer the endpoint has is not known here."""
        return estimate_tokens(text)

    @contextmanager
    def _asked(self, request: CompletionRequest, *, is_stream: bool) -> Iterator[httpx.Response]:
        body = {**request.options, "model": request.model, "messages": list(request.messages), "stream": is_stream}
        if is_stream:
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        with _typed_errors(), self._client.stream("POST", "chat/completions", json=body) as response:
            if response.status_code != httpx.codes.OK:
                raise _refusal(response, b"".join(_bounded(response)))
            yield response


def _refusal(response: httpx.Response, body: bytes) -> ProviderError:
    """Build the error for an answer that is none."""
    detail = body.decode(errors="replace")[:_DETAIL_CHARACTERS]
    text = f"the provider answered {response.status_code}: {detail}"
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return ProviderBusy(text, retry_after_seconds=_retry_after_seconds(response.headers.get("Retry-After", "")))
    if response.status_code in _FAULTS_OF_THE_REQUEST:
        return ProviderRefused(text, message=_message(body) or "The provider refused the request.")
    return ProviderFailed(text)


def _retry_after_seconds(text: str) -> int:
    is_number = text.isascii() and text.isdigit()  # a date is as good as nothing: our clocks may differ
    return min(max(1, int(text[:9])), _RETRY_AFTER_LIMIT_SECONDS) if is_number else 1


def _message(body: bytes) -> str:
    """Return the message of an OpenAI error body, or "" where there is none."""
    try:
        return msgspec.json.decode(body, type=_ErrorBody).error.message[:_DETAIL_CHARACTERS]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def _pieces(choice: _Choice, raw: dict[str, Any]) -> Iterator[Text]:
    """Give the choice's piece: its text alone, or the whole choice where that says more."""
    text = ((choice.delta and choice.delta.content) or "").replace("\0", "")  # PostgreSQL's text holds no NUL
    delta = {name: value for name, value in (raw.get("delta") or {}).items() if value is not None}
    more = {name: value for name, value in raw.items() if name not in _OWN_MEMBERS and value is not None}
    if more or delta.keys() - {"role", "content"}:
        yield Text(text, {**more, "delta": {name: value for name, value in delta.items() if name != "role"}})
    elif text:
        yield Text(text)


def _data_lines(response: httpx.Response) -> Iterator[str]:
    """Give the data of each event until [DONE] or the end."""
    for line in _lines(response):
        if line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                return
            yield data


def _lines(response: httpx.Response) -> Iterator[str]:
    rest = b""
    for part in _bounded(response):
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > _LINE_BYTES:
            raise ProviderFailed(f"the provider sent a line of more than {_LINE_BYTES} bytes")
        yield from (line.decode() for line in lines)
    yield rest.decode()


def _bounded(response: httpx.Response) -> Iterator[bytes]:
    """Give the bytes of an answer; one that does not end fills no memory."""
    room = _ANSWER_BYTES
    for part in response.iter_bytes():
        room -= len(part)
        if room < 0:
            raise ProviderFailed(f"the provider sent more than {_ANSWER_BYTES} bytes")
        yield part


def _decode(data: str | bytes) -> tuple[_Reply, dict[str, Any]]:
    """Return what is known of a reply, and the whole of it."""
    try:
        raw = msgspec.json.decode(data)
        reply = msgspec.convert(raw, _Reply)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProviderFailed(f"the provider sent what cannot be read: {error}") from error
    if reply.error is not None:
        raise ProviderFailed(f"the provider failed: {str(reply.error)[:_DETAIL_CHARACTERS]}")
    return reply, raw


def _counted(usage: _Usage, raw: dict[str, Any] | None) -> Usage:
    details = {name: value for name, value in (raw or {}).items() if name not in _COUNTS}
    return Usage(prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens, details=details)


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise ProviderTimeout("the provider was silent for too long") from error
    except (httpx.HTTPError, httpx.StreamError, UnicodeDecodeError) as error:
        raise ProviderFailed(f"the provider cannot be reached or broke off: {type(error).__name__}") from error
