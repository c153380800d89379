"""Chat completions in OpenAI's shape: at once, or streamed from a durable channel that a job writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from core.ai import generation, registry
from core.ai.provider import Answer, CompletionRequest, End, ProviderError, ProviderFailed, Text, Usage
from core.kernel import clock, ids
from core.kernel.call import EventStream
from core.kernel.durable import Job
from core.kernel.principal import Principal
from core.kernel.problems import InsufficientScope, Unavailable
from core.system import events, jobs
from models.contract import chat
from models.database import read, write
from models.tables.events import EventRow

COMPLETION_JOB = "chat.completion"
MAX_ATTEMPTS = 5
_CHUNK, _LAST = "chunk", "last"
_OPTIONS = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "stop",
    "response_format",
    "max_tokens",
    "max_completion_tokens",
)
_encoder = msgspec.json.Encoder()


class ProviderUnavailable(Unavailable):
    code, title = "provider_unavailable", "The model's provider did not answer"


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a completion job; created in Unix seconds."""

    completion_id: UUID
    created: int
    includes_usage: bool
    request: CompletionRequest

    @property
    def channel(self) -> str:
        return f"completion:{self.completion_id}"


def complete(principal: Principal, body: chat.CompletionCreate) -> chat.Completion:
    """Return a whole completion; slow, and never inside a transaction.

    Raises:
        ModelNotFound: nothing serves the model.
        InsufficientScope: the caller's API key does not cover it.
        ProviderUnavailable: the provider failed or was silent for too long.
    """
    check_model(principal, body.model)
    provider, task = registry.get_provider(body.model), _task(body)
    try:
        answer = provider.complete(task.request)
    except ProviderError as error:
        raise ProviderUnavailable(retry_after_seconds=1, cause=str(error)) from error
    return _completion(task, answer)


def do_start_stream(principal: Principal, body: chat.CompletionCreate) -> EventStream:
    """Start a completion as a durable job and return its stream.

    Raises:
        ModelNotFound, InsufficientScope: see `complete`.
    """
    check_model(principal, body.model)
    registry.get_provider(body.model)
    task = _task(body)
    with write():
        jobs.enqueue(COMPLETION_JOB, _encoder.encode(task), subject=task.channel)
    return EventStream(
        channel=task.channel,
        after=0,
        is_current=lambda: True,
        named=False,
        last_types=frozenset({_LAST}),
        closing=b"data: [DONE]\n\n",
        failure_event=(_LAST, _encoder.encode(_failing_chunk(task, "A piece could not be sent.", "response_mismatch"))),
    )


def check_model(principal: Principal, model: str) -> None:
    """Ask of an API key the scope of the model that it wants.

    Raises:
        InsufficientScope: the key lacks it.
    """
    if principal.kind == "api_key" and not principal.holds(f"model:{model}"):
        raise InsufficientScope(f"The API key lacks the scope model:{model[:64]}.")


class CompletionSink:
    """Writes a completion's chunks as events of its channel."""

    def __init__(self, job: Job, task: _Task) -> None:
        self.job = job
        self.channel = task.channel
        self._task = task

    def write(self, text: str, end: End | None) -> None:
        """Store a piece, and the end with it, inside the shared transaction."""
        is_first = events.head(self.channel) == 0
        chunks = [_chunk(self._task, text=text, is_first=is_first)] if text or is_first else []
        chunks += _closing(self._task, end) if end else []
        types = [_CHUNK] * (len(chunks) - 1) + [_LAST if end else _CHUNK]
        new = [events.NewEvent(kind, _encoder.encode(chunk)) for kind, chunk in zip(types, chunks, strict=True)]
        events.append_all(self.channel, new)
        if end is not None:
            jobs.finish(self.job)


def run(job: Job) -> None:
    """Write the completion that a chat.completion job describes, to its end.

    Raises:
        LeaseLost: another worker has the job.
    """
    task = msgspec.json.decode(job.payload, type=_Task)
    with read():
        pieces = _pieces(job, task)
    generation.run(CompletionSink(job, task), pieces)


def _pieces(job: Job, task: _Task) -> Iterator[Text | End]:
    provider = registry.find_provider(task.request.model)
    written = _stored_text(task.channel)
    if provider is None or job.attempt > MAX_ATTEMPTS or (written and not provider.can_resume):
        return _failing("the answer cannot be continued")
    return provider.stream(task.request, written=written)


def _failing(reason: str) -> Iterator[Text | End]:
    yield from ()
    raise ProviderFailed(reason)


def _stored_text(channel: str) -> str:
    rows = EventRow.select(EventRow.data).where(EventRow.channel == channel).order_by(EventRow.seq)
    chunks = [msgspec.json.decode(bytes(row.data), type=chat.CompletionChunk) for row in rows]
    contents = [choice.delta.content for chunk in chunks for choice in chunk.choices]
    return "".join(content for content in contents if isinstance(content, str))


def _task(body: chat.CompletionCreate) -> _Task:
    data: dict[str, Any] = msgspec.to_builtins(body)
    options = {name: data[name] for name in _OPTIONS if data.get(name) is not None}
    wanted: dict[str, Any] = data.get("stream_options") or {}
    return _Task(
        completion_id=ids.new_uuid(),
        created=clock.now_ms() // 1000,
        includes_usage=bool(wanted.get("include_usage")),
        request=CompletionRequest(model=body.model, messages=data["messages"], options=options),
    )


def _completion(task: _Task, answer: Answer) -> chat.Completion:
    finish_reason: Any = answer.finish_reason
    message = chat.CompletionAnswer(role="assistant", content=answer.text)
    return chat.Completion(
        id=_id(task),
        object="chat.completion",
        created=task.created,
        model=task.request.model,
        choices=[chat.CompletionChoice(index=0, message=message, finish_reason=finish_reason)],
        usage=_usage(answer.usage),
    )


def _id(task: _Task) -> str:
    return f"chatcmpl-{task.completion_id.hex}"


def _usage(usage: Usage) -> chat.CompletionUsage:
    return chat.CompletionUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
    )


def _chunk(
    task: _Task, *, text: str = "", is_first: bool = False, finish_reason: str | None = None, **more: Any
) -> Any:
    role: Any = {"role": "assistant"} if is_first else {}
    content: Any = {"content": text} if text or is_first else {}
    choice = chat.CompletionChunkChoice(
        index=0, delta=chat.CompletionDelta(**role, **content), finish_reason=finish_reason
    )
    return chat.CompletionChunk(
        id=_id(task),
        object="chat.completion.chunk",
        created=task.created,
        model=task.request.model,
        choices=more.pop("choices", [choice]),
        **more,
    )


def _closing(task: _Task, end: End) -> list[chat.CompletionChunk]:
    """Build the chunks of the end: the finish reason or the failure, then the usage when it was asked for."""
    if end.finish_reason in {"timeout", "error"}:
        message = "The model's provider did not finish its answer."
        return [_failing_chunk(task, message, f"provider_{end.finish_reason}")]
    chunks = [_chunk(task, finish_reason=end.finish_reason)]
    if task.includes_usage and end.usage is not None:
        chunks.append(_chunk(task, choices=[], usage=_usage(end.usage)))
    return chunks


def _failing_chunk(task: _Task, message: str, code: str) -> chat.CompletionChunk:
    failure = chat.CompletionFailure(message=message, type="server_error", param=None, code=code)
    chunk: chat.CompletionChunk = _chunk(task, choices=[], error=failure)
    return chunk
