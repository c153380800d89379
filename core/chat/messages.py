"""What happens to a message after it was written: edited, deleted, restored, cancelled, read in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import UUID

from core.chat.access import MANAGERS, WRITERS, Access, access_message, reread
from core.chat.announcements import Announcements, announcing
from core.chat.posting import MessageDeleted, subject_of
from core.kernel import clock
from core.kernel.principal import Principal
from core.kernel.problems import BadRequest, Conflict, Forbidden
from core.system import jobs
from models.contract import chat
from models.database import read, write
from models.tables.chat import Message, MessageChunk, MessageEdit, Thread

CancelStatus = Literal["cancelled", "timed_out", "completed", "not_tracked"]


class MessageStreaming(Conflict):
    code, title = "message_streaming", "The answer is still being written"


class NotAnAssistantMessage(BadRequest):
    code, title = "cancel_role", "Only an assistant's message can be cancelled"


def do_edit_message(principal: Principal, message_id: UUID, *, content: str, reason: str | None) -> None:
    """Replace a message's content and keep the former one.

    Raises:
        NotFound: there is no such message for the caller.
        Forbidden: the caller is neither its author nor, for a generated one, a manager.
        MessageDeleted, MessageStreaming: see the classes.
    """
    with _changing(principal, message_id) as (access, message, announcements):
        if message.author_user_id != access.user_id:
            _check_generated(message)
            access.check_role(MANAGERS)
        if message.deleted_at is not None:
            raise MessageDeleted
        if message.is_streaming:
            raise MessageStreaming
        now = clock.now()
        MessageEdit.create(
            message=message,
            tenant_id=message.tenant_id,
            content=message.content,
            edited_by=access.user_id,
            edited_at=now,
            reason=reason,
        )
        Message.update(content=content, edited_at=now).where(Message.id == message.id).execute()
        _announce(announcements, message)


def do_delete_message(principal: Principal, message_id: UUID, *, reason: str | None) -> None:
    """Hide a message's content; its place and its replies stay, and a running answer is cancelled.

    Raises:
        NotFound: there is no such message for the caller.
        Forbidden: the caller is neither its author nor a manager.
    """
    with write():
        jobs.request_cancel([subject_of(message_id)])  # before the conversation's lock: jobs are locked before channels
        _do_delete(principal, message_id, reason)


def _do_delete(principal: Principal, message_id: UUID, reason: str | None) -> None:
    with _changing(principal, message_id) as (access, message, announcements):
        if message.author_user_id != access.user_id:
            access.check_role(MANAGERS)
        if message.deleted_at is None:
            deleted = {"deleted_at": clock.now(), "deleted_by": access.user_id, "deleted_reason": reason}
            Message.update(deleted).where(Message.id == message.id).execute()
            _announce(announcements, message)


def do_restore_message(principal: Principal, message_id: UUID) -> None:
    """Show a deleted message again.

    Raises:
        NotFound: there is no such message for the caller.
        Forbidden: the caller is not a manager.
    """
    with _changing(principal, message_id) as (access, message, announcements):
        access.check_role(MANAGERS)
        if message.deleted_at is not None:
            restored = {"deleted_at": None, "deleted_by": None, "deleted_reason": None}
            Message.update(restored).where(Message.id == message.id).execute()
            _announce(announcements, message)


def do_cancel_message(principal: Principal, message_id: UUID) -> CancelStatus:
    """Ask a generated answer to end, whichever worker writes it; it ends within a second.

    Raises:
        NotFound: there is no such message for the caller.
        Forbidden: the caller is a viewer.
        NotAnAssistantMessage: somebody wrote it.
    """
    with write():
        _, message = access_message(principal, message_id, WRITERS)
        if message.role != "assistant":
            raise NotAnAssistantMessage
        if jobs.request_cancel([subject_of(message_id)]):
            return "cancelled"
    return _past(message.finish_reason)


def list_chunks(principal: Principal, message_id: UUID, *, start: int, limit: int) -> list[chat.MessageChunk]:
    """Return the stored chunks of a generated message from index `start`; none of a deleted one.

    Raises:
        NotFound: there is no such message for the caller.
    """
    with read():
        _, message = access_message(principal, message_id)
        if message.deleted_at is not None:
            return []
        rows = list(
            MessageChunk.select()
            .where(MessageChunk.message == message_id, MessageChunk.idx >= start)
            .order_by(MessageChunk.idx)
            .limit(limit)
        )
    return [
        chat.MessageChunk(message_id=message_id, idx=row.idx, content=row.content, created_at=row.created_at)
        for row in rows
    ]


@contextmanager
def _changing(principal: Principal, message_id: UUID) -> Iterator[tuple[Access, Message, Announcements]]:
    """Hold the conversation's lock around a change of a message by somebody who may write there."""
    _, known = access_message(principal, message_id, WRITERS)
    with announcing(known.conversation_id) as announcements:
        access, _ = access_message(principal, message_id, WRITERS)
        yield access, reread(known), announcements


def _check_generated(message: Message) -> None:
    if message.author_user_id is not None:
        raise Forbidden("Only its author may edit a message.")


def _announce(announcements: Announcements, message: Message) -> None:
    """Have readers fetch the thread again: no event carries a message's content but the deltas of an answer."""
    last = Thread.select(Thread.last_activity).where(Thread.root_id == message.root_id).scalar()
    payload = chat.ThreadActivityPayload(root_id=message.root_id, last_activity_at=clock.from_ms(int(last)))
    announcements.add(payload, root=message.root_id, message=message.id)


def _past(finish_reason: str | None) -> CancelStatus:
    if finish_reason is None:
        return "not_tracked"
    if finish_reason == "timeout":
        return "timed_out"
    return "cancelled" if finish_reason == "cancelled" else "completed"
