"""Generated answers in conversations: a durable job that writes chunks and their events until message.done.

It goes on when its readers leave and when its worker dies: the next worker continues behind the stored text where the
provider can (echo), and otherwise ends the answer with what there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
import peewee

from core.ai import generation, metering, registry
from core.ai.provider import CompletionRequest, End, Text
from core.chat import paths
from core.chat.announcements import Announcements, channel_of
from core.kernel import clock
from core.kernel.durable import Job
from core.limits import ledger
from core.system import events, jobs
from models.contract import chat
from models.database import read, write
from models.tables.chat import Message, MessageChunk

_FAILURES = frozenset({"timeout", "error"})
_FINISH_REASONS = frozenset({"stop", "length", "cancelled", "timeout", "error"})


class ReplySink:
    """Writes one answer: chunk rows, their deltas, and the end of the message."""

    def __init__(self, job: Job, message: Message, request: CompletionRequest) -> None:
        self.job = job
        self.channel = channel_of(message.conversation_id)
        self._message = message
        self._request = request

    def write(self, pieces: Sequence[Text], end: End | None) -> None:
        """Store the pieces, and the end with them, inside the shared transaction."""
        text = "".join(piece.text for piece in pieces)
        announcements = Announcements(events.advance(self.channel, 1, clock=True))
        if text:
            self._write_chunk(text, announcements)
        if end is not None:
            self._write_end(end, announcements)
        announcements.flush(self.channel)

    def _write_chunk(self, text: str, announcements: Announcements) -> None:
        message = self._message
        last: Any = MessageChunk.select(peewee.fn.MAX(MessageChunk.idx)).where(MessageChunk.message == message.id)
        newest = last.scalar()
        idx = 0 if newest is None else newest + 1
        MessageChunk.create(
            message=message.id, idx=idx, tenant_id=message.tenant_id, content=text, created_at=clock.now()
        )
        announcements.add(_delta(message, idx, text), root=message.root_id, message=message.id, chunk=idx)

    def _write_end(self, end: End, announcements: Announcements) -> None:
        message = self._message
        finish_reason: Any = end.finish_reason if end.finish_reason in _FINISH_REASONS else "stop"
        text = stored_text(message.id)
        content = message.content + text
        ended = {"content": content, "finish_reason": finish_reason, "is_streaming": False}
        Message.update(ended).where(Message.id == message.id).execute()
        done = chat.MessageDonePayload(
            message_id=message.id,
            root_id=message.root_id,
            conversation_id=message.conversation_id,
            finish_reason=finish_reason,
            usage=chat.MessageUsage(**end.usage.counts) if end.usage else msgspec.UNSET,
        )
        announcements.add(done, root=message.root_id, message=message.id)
        if finish_reason in _FAILURES:
            announcements.add(_failure(message, finish_reason), root=message.root_id, message=message.id)
        ledger.settle(message.tenant_id, self.job.id, metering.cost(self._request, end, lambda: text))
        jobs.finish(self.job)


def run(job: Job) -> None:
    """Write the answer that a chat.reply job names, to its end.

    Raises:
        LeaseLost: another worker has the job.
    """
    message_id = msgspec.json.decode(job.payload, type=UUID)
    with read():
        message = Message.get_or_none(Message.id == message_id)
        if message is not None and message.is_streaming:
            request = CompletionRequest(model=registry.assistant_model(), messages=_history(message))
            pieces = _pieces(job, message, request)
    if message is None or not message.is_streaming:
        with write():
            ledger.release(job.id)
            jobs.finish(job)
        return
    generation.run(ReplySink(job, message, request), pieces)


def stored_text(message_id: UUID) -> str:
    """Return the chunks of a message, joined."""
    chunks = MessageChunk.select(MessageChunk.content).where(MessageChunk.message == message_id)
    return "".join(row.content for row in chunks.order_by(MessageChunk.idx))


def _pieces(job: Job, message: Message, request: CompletionRequest) -> Iterator[Text | End]:
    written = stored_text(message.id)
    return generation.begin(
        registry.find_provider(request.model),
        request,
        attempt=job.attempt,
        is_begun=bool(written),
        written=written,
        given=message.content,
    )


def _history(message: Message) -> list[dict[str, str]]:
    """Return the messages from the root down to the answer, without deleted ones; its own text only if it has some."""
    above = paths.ancestors(message.path)
    rows = (
        Message.select(Message.role, Message.content)
        .where(Message.root == message.root_id, Message.path.in_(above), Message.deleted_at.is_null())
        .order_by(Message.path)
    )
    return [{"role": row.role, "content": row.content} for row in rows if row.content] or [
        {"role": "user", "content": ""}
    ]


def _delta(message: Message, idx: int, text: str) -> chat.MessageDeltaPayload:
    delta = chat.MessageDeltaText(role="assistant", content=text) if idx == 0 else chat.MessageDeltaText(content=text)
    return chat.MessageDeltaPayload(
        id=f"{message.id}:{idx}",
        object="chat.completion.chunk",
        root_id=message.root_id,
        message_id=message.id,
        conversation_id=message.conversation_id,
        parent_id=message.parent_id,
        depth=message.depth,
        choices=[chat.MessageDeltaChoice(index=0, delta=delta, finish_reason=None)],
    )


def _failure(message: Message, finish_reason: str) -> chat.StreamErrorPayload:
    is_timeout = finish_reason == "timeout"
    return chat.StreamErrorPayload(
        code="assistant_timeout" if is_timeout else "assistant_stream_error",
        message="The assistant did not answer in time." if is_timeout else "The assistant's answer broke off.",
        root_id=message.root_id,
        message_id=message.id,
    )
