"""Writing messages: a thread's first one, replies, and the generated answers that they start."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from core.chat import paths
from core.chat.access import WRITERS, Access, access_conversation, access_message, reread
from core.chat.announcements import Announcements, announcing
from core.kernel import clock, ids
from core.kernel.principal import Principal
from core.kernel.problems import Conflict
from core.system import jobs
from models.contract import chat
from models.tables.chat import Message, Presence, ReadMark, Thread, ThreadAuthor, Typing

REPLY_JOB = "chat.reply"
EXCERPT_CHARACTERS = 240


class MessageDeleted(Conflict):
    code, title = "message_deleted", "The message is deleted"


class ThreadTooDeep(Conflict):
    code, title = "thread_too_deep", "The thread is as deep as it may be"


class Posted(NamedTuple):
    """A new message; assistant_message_id is the answer that is being generated, or None."""

    message: Message
    assistant_message_id: UUID | None


class _Place(NamedTuple):
    """Where a message goes."""

    conversation_id: UUID
    tenant_id: UUID
    root_id: UUID
    parent_id: UUID | None
    path: bytes
    depth: int


def subject_of(message_id: UUID) -> str:
    """Return the job subject of a generated message."""
    return f"message:{message_id}"


def do_create_thread(
    principal: Principal, conversation_id: UUID, content: str, role: chat.MessageRole | None
) -> Posted:
    """Begin a thread.

    Raises:
        NotFound: there is no such conversation for the caller.
        Forbidden: the caller is a viewer.
    """
    with announcing(conversation_id) as announcements:
        access = access_conversation(principal, conversation_id, WRITERS)
        root_id = ids.new_uuid()
        place = _Place(conversation_id, principal.tenant_id, root_id, None, paths.root_path(), depth=1)
        Thread.create(
            root_id=root_id,
            tenant_id=principal.tenant_id,
            conversation=conversation_id,
            begun=announcements.clock,
            last_activity=announcements.clock,
        )
        summary = content[:EXCERPT_CHARACTERS]
        payload = chat.ThreadNewPayload(conversation_id=conversation_id, root_id=root_id, summary=summary)
        announcements.add(payload, root=root_id, message=root_id)
        return _post(access, place, content, role, announcements)


def do_reply(principal: Principal, parent_id: UUID, content: str, role: chat.MessageRole | None) -> Posted:
    """Answer a message.

    Raises:
        NotFound: there is no such message for the caller.
        Forbidden: the caller is a viewer.
        MessageDeleted, ThreadTooDeep: see the classes.
    """
    _, known = access_message(principal, parent_id)
    with announcing(known.conversation_id) as announcements:
        access, _ = access_message(principal, parent_id, WRITERS)
        parent = reread(known)
        if parent.deleted_at is not None:
            raise MessageDeleted
        return _post(access, _below(parent), content, role, announcements)


def _below(parent: Message) -> _Place:
    """Take the next place below a message, whose row is locked."""
    path = paths.child_path(parent.path, parent.child_count)
    if parent.depth >= paths.MAX_DEPTH or len(path) > paths.MAX_PATH_BYTES:
        raise ThreadTooDeep
    Message.update(child_count=Message.child_count + 1).where(Message.id == parent.id).execute()
    return _Place(parent.conversation_id, parent.tenant_id, parent.root_id, parent.id, path, parent.depth + 1)


def _post(
    access: Access, place: _Place, content: str, role: chat.MessageRole | None, announcements: Announcements
) -> Posted:
    is_continued = role == "assistant"
    message = _insert(
        place, announcements.clock, author=access.user_id, role=role or "user", content=content, streams=is_continued
    )
    answer = message if is_continued else None
    if role in (None, "user"):
        answer = _insert(
            _below(message), announcements.clock + 1, author=None, role="assistant", content="", streams=True
        )
    if answer is not None:
        jobs.enqueue(REPLY_JOB, msgspec.json.encode(answer.id), subject=subject_of(answer.id))
    written = 1 if answer is None or answer is message else 2
    _count(place, access.user_id, announcements.clock, written=written)
    _announce(access, place, announcements, unread=written - 1)
    return Posted(message, answer.id if answer else None)


def _insert(
    place: _Place, at: int, *, author: UUID | None, role: chat.MessageRole, content: str, streams: bool
) -> Message:
    message_id = place.root_id if place.parent_id is None else ids.new_uuid()
    return Message.create(
        id=message_id,
        tenant_id=place.tenant_id,
        conversation=place.conversation_id,
        root=place.root_id,
        parent_id=place.parent_id,
        author_user_id=author,
        role=role,
        content=content,
        path=place.path,
        depth=place.depth,
        clock=at,
        created_at=clock.now(),
        is_streaming=streams,
    )


def _count(place: _Place, author: UUID, at: int, *, written: int) -> None:
    author_row: Any = {"root": place.root_id, "user_id": author}
    is_new = (
        not ThreadAuthor.select().where(ThreadAuthor.root == place.root_id, ThreadAuthor.user_id == author).exists()
    )
    if is_new:
        ThreadAuthor.insert(author_row).execute()
    Thread.update(
        last_activity=at + written - 1,
        message_count=Thread.message_count + written,
        author_count=Thread.author_count + int(is_new),
    ).where(Thread.root_id == place.root_id).execute()
    move_mark(place.root_id, author, place.tenant_id, at)


def move_mark(root_id: UUID, user_id: UUID, tenant_id: UUID, at: int) -> None:
    """Set a user's read mark of a thread, unless it stands further already; inside the conversation's lock."""
    ReadMark.insert(root=root_id, user=user_id, tenant_id=tenant_id, clock=at).on_conflict(
        conflict_target=[ReadMark.root, ReadMark.user], update={ReadMark.clock: at}, where=ReadMark.clock < at
    ).execute()


def _announce(access: Access, place: _Place, announcements: Announcements, *, unread: int) -> None:
    """Tell of the activity, and of its author: there, no longer typing, nothing unread but the answer."""
    root_id, user_id, now = place.root_id, access.user_id, clock.now()
    activity = chat.ThreadActivityPayload(root_id=root_id, last_activity_at=clock.from_ms(announcements.clock))
    announcements.add(activity, root=root_id)
    announcements.add(chat.PresenceUpdatePayload(user_id=user_id, status="online", last_seen_at=now))
    _note_presence(user_id, place.tenant_id, now)
    if Typing.delete().where(Typing.root == root_id, Typing.user == user_id).execute():
        ended = chat.TypingUpdatePayload(
            conversation_id=place.conversation_id, root_id=root_id, user_id=user_id, expires_at=now
        )
        announcements.add(ended, root=root_id)
    announcements.add(chat.UnreadUpdatePayload(root_id=root_id, user_id=user_id, unread=unread), root=root_id)


def _note_presence(user_id: UUID, tenant_id: UUID, now: datetime) -> None:
    seen = {Presence.status: "online", Presence.last_seen_at: now}
    Presence.insert(user=user_id, tenant_id=tenant_id, status="online", last_seen_at=now).on_conflict(
        conflict_target=[Presence.user], update=seen
    ).execute()
