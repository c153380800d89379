"""Chat completions in OpenAI's shape: at once, or streamed from a durable channel that a job writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec

from core.ai import generation, metering, registry
from core.ai.provider import (
    Answer,
    CompletionRequest,
    End,
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    Text,
)
from core.kernel import clock, ids
from core.kernel.call import EventStream
from core.kernel.durable import Job
from core.kernel.principal import Principal
from core.kernel.problems import BadRequest, InsufficientScope, Problem, RateLimited, Unavailable
from core.limits import ledger
from core.system import events, jobs
from models.contract import chat
from models.database import read, write
from models.tables.events import EventRow

COMPLETION_JOB = "chat.completion"
_RESERVED_FOR = timedelta(minutes=15)
"""How long a whole completion may take before its reservation lapses; its worker may have died."""
_CHUNK, _LAST = "chunk", "last"
_OWN_MEMBERS = frozenset({"model", "messages", "stream"})
_encoder = msgspec.json.Encoder()


class ProviderUnavailable(Unavailable):
    code, title = "provider_unavailable", "The model's provider did not answer"


class ProviderSilent(Unavailable):
    code, title = "provider_timeout", "The model's provider did not answer in time"


class ProviderLimited(RateLimited):
    code, title = "provider_rate_limited", "The model's provider admits no more requests for now"


class RequestRefused(BadRequest):
    code, title = "provider_refused", "The model's provider refused the request"


class _Task(msgspec.Struct, frozen=True, kw_only=True):
    """The payload of a completion job; created in Unix seconds."""

    completion_id: UUID
    tenant_id: UUID
    created: int
    includes_usage: bool
    request: CompletionRequest

    @property
    def channel(self) -> str:
        return f"completion:{self.completion_id}"

    @property
    def subject(self) -> str:
        """Return the id that callers know the completion by."""
        return f"chatcmpl-{self.completion_id.hex}"


def complete(principal: Principal, body: chat.CompletionCreate) -> chat.Completion:
    """Return a whole completion; slow, and never inside a transaction.

    Raises:
        ModelNotFound: nothing serves the model.
        InsufficientScope: the caller's API key does not cover it.
        ProviderUnavailable, ProviderSilent: the provider failed, or was silent for too long.
        ProviderLimited, RequestRefused: it admits no more requests, or finds fault with this one.
    """
    check_model(principal, body["model"])
    provider, task = registry.get_provider(body["model"]), _task(principal, body)
    lapses_at = clock.now() + _RESERVED_FOR
    ledger.do_reserve(task.tenant_id, task.subject, lambda: metering.reserve(task.request), expires_at=lapses_at)
    try:
        answer = provider.complete(task.request)
    except ProviderError as error:
        with write():
            ledger.release(task.subject)
        raise _problem(error) from error
    return _completion(task, answer)


def do_settle(principal: Principal, completion: chat.Completion) -> chat.Completion:
    """Enter what a whole completion cost, in the transaction in which it is kept, and return it."""
    usage = completion["usage"]
    with write():
        tokens = ledger.Tokens(usage["prompt_tokens"], usage["completion_tokens"])
        ledger.settle(principal.tenant_id, completion["id"], tokens)
    return completion


def _problem(error: ProviderError) -> Problem:
    """Return what the caller is told; a provider's 401 is the operator's affair and looks like any other failure."""
    cause = str(error)
    if isinstance(error, ProviderRefused):
        return RequestRefused(error.message, cause=cause)
    if isinstance(error, ProviderBusy):
        return ProviderLimited(retry_after_seconds=error.retry_after_seconds, cause=cause)
    if isinstance(error, ProviderTimeout):
        return ProviderSilent(retry_after_seconds=1, cause=cause)
    return ProviderUnavailable(retry_after_seconds=1, cause=cause)


def do_start_stream(principal: Principal, body: chat.CompletionCreate) -> EventStream:
    """Start a completion as a durable job and return its stream.

    Raises:
        ModelNotFound, InsufficientScope: see `complete`.
    """
    check_model(principal, body["model"])
    registry.get_provider(body["model"])
    task = _task(principal, body)
    with write():
        job_id = jobs.enqueue(COMPLETION_JOB, _encoder.encode(task), subject=task.channel)
        ledger.do_reserve(task.tenant_id, job_id, lambda: metering.reserve(task.request))
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

    def write(self, pieces: Sequence[Text], end: End | None) -> None:
        """Store the pieces, and the end with them, inside the shared transaction."""
        choices = _joined(pieces)
        if events.head(self.channel) == 0:
            choices = _begun(choices)
        chunks = [_chunk(self._task, [_open_choice(choice)]) for choice in choices]
        chunks += _closing(self._task, end) if end else []
        types = [_CHUNK] * (len(chunks) - 1) + [_LAST if end else _CHUNK]
        new = [events.NewEvent(kind, _encoder.encode(chunk)) for kind, chunk in zip(types, chunks, strict=True)]
        events.append_all(self.channel, new)
        if end is not None:
            tokens = metering.cost(self._task.request, end, lambda: _stored_text(self.channel))
            ledger.settle(self._task.tenant_id, self.job.id, tokens)
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
    return generation.begin(
        registry.find_provider(task.request.model),
        task.request,
        attempt=job.attempt,
        is_begun=events.head(task.channel) > 0,
        written=_stored_text(task.channel),
    )


def _stored_text(channel: str) -> str:
    rows = EventRow.select(EventRow.data).where(EventRow.channel == channel).order_by(EventRow.seq)
    chunks = [msgspec.json.decode(bytes(row.data)) for row in rows]
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def _task(principal: Principal, body: chat.CompletionCreate) -> _Task:
    options = {name: value for name, value in body.items() if name not in _OWN_MEMBERS}
    wanted = options.get("stream_options") or {}
    return _Task(
        completion_id=ids.new_uuid(),
        tenant_id=principal.tenant_id,
        created=clock.now_ms() // 1000,
        includes_usage=bool(wanted.get("include_usage")),
        request=CompletionRequest(model=body["model"], messages=body["messages"], options=options),
    )


def _completion(task: _Task, answer: Answer) -> chat.Completion:
    """Build the answer from the provider's own, where it sent one; identity, model and counts are ours."""
    (choice, *_) = answer.reply.get("choices") or [{}]
    said = {"content": answer.text, **choice.get("message", {}), "role": "assistant"}
    finished = {**choice, "index": 0, "message": said, "finish_reason": answer.finish_reason}
    return {
        **answer.reply,
        **_identity(task, "chat.completion"),
        "choices": [finished],
        "usage": {**answer.usage.details, **answer.usage.counts},
    }


def _identity(task: _Task, kind: str) -> dict[str, Any]:
    return {
        "id": task.subject,
        "object": kind,
        "created": task.created,
        "model": task.request.model,
    }


def _joined(pieces: Sequence[Text]) -> list[dict[str, Any]]:
    """Return the pieces as choices; neighbours that are mere text become one."""
    choices: list[dict[str, Any]] = []
    for is_text, group in groupby(pieces, key=lambda piece: piece.choice is None):
        if is_text:
            choices.append({"delta": {"content": "".join(piece.text for piece in group)}})
        else:
            choices += [dict(piece.choice or {}) for piece in group]
    return choices


def _begun(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the first choice its role, as OpenAI's first chunk has it; without any, make one."""
    first, *rest = choices or [{"delta": {"content": ""}}]
    return [{**first, "delta": {"role": "assistant", **first["delta"]}}, *rest]


def _open_choice(choice: dict[str, Any]) -> chat.CompletionChunkChoice:
    return {**choice, "index": 0, "finish_reason": None}


def _chunk(task: _Task, choices: list[chat.CompletionChunkChoice], **more: Any) -> chat.CompletionChunk:
    identity = _identity(task, "chat.completion.chunk")
    return chat.CompletionChunk(**identity, choices=choices, **more)


def _closing(task: _Task, end: End) -> list[chat.CompletionChunk]:
    """Build the chunks of the end: the finish reason or the failure, then the usage when it was asked for."""
    if end.finish_reason in {"timeout", "error"}:
        message = "The model's provider did not finish its answer."
        return [_failing_chunk(task, message, end.error_code)]
    chunks = [_chunk(task, [{"index": 0, "delta": {}, "finish_reason": end.finish_reason}])]
    if task.includes_usage and end.usage is not None:
        chunks.append(_chunk(task, [], usage={**end.usage.details, **end.usage.counts}))
    return chunks


def _failing_chunk(task: _Task, message: str, code: str) -> chat.CompletionChunk:
    kind = "rate_limit_error" if code == ProviderBusy.code else "server_error"
    return _chunk(task, [], error=chat.CompletionFailure(message=message, type=kind, param=None, code=code))
