"""Writing messages: a thread's first one, replies, and the generated answers that they start."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from core.ai import metering, registry
from core.ai.provider import CompletionRequest
from core.chat import paths
from core.chat.access import WRITERS, access_conversation, check_role
from core.chat.announcements import Announcements, announcing
from core.chat.posting_sql import (
    COUNT_MESSAGES,
    END_TYPING,
    FIND_CONVERSATION,
    INSERT_AUTHOR,
    INSERT_MESSAGE,
    MOVE_MARK,
    NOTE_PRESENCE,
    TAKE_PLACE,
    Taken,
)
from core.kernel import clock, ids
from core.kernel.principal import Principal
from core.kernel.problems import Conflict, NotFound
from core.limits import ledger
from core.system import jobs
from models.contract import chat
from models.statements import Bound, as_uuid
from models.tables.chat import Thread

REPLY_JOB = "chat.reply"
EXCERPT_CHARACTERS = 240
_SEEN_MS = 10_000
"""How long a noted presence is good: all that a user writes meets at that one row, so it is written seldom."""


class MessageDeleted(Conflict):
    code, title = "message_deleted", "The message is deleted"


class ThreadTooDeep(Conflict):
    code, title = "thread_too_deep", "The thread is as deep as it may be"


class Written(NamedTuple):
    """A message that was just written."""

    id: UUID
    root_id: UUID
    conversation_id: UUID
    depth: int


class Posted(NamedTuple):
    """A new message; assistant_message_id is the answer that is being generated, or None."""

    message: Written
    assistant_message_id: UUID | None


class _Place(NamedTuple):
    """Where a message goes."""

    conversation_id: UUID
    tenant_id: UUID
    root_id: UUID
    parent_id: UUID | None
    path: bytes
    depth: int


class _Author(NamedTuple):
    """Who writes. has_written, is_typing: in this thread. seen_at: when presence was noted online, in ms, 0 for never."""

    user_id: UUID
    has_written: bool = False
    is_typing: bool = False
    seen_at: int = 0


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
    with announcing(conversation_id, expected=4) as announcements:
        access_conversation(principal, conversation_id, WRITERS)
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
        return _post(_Author(principal.user_id), place, content, role, announcements)


def do_reply(principal: Principal, parent_id: UUID, content: str, role: chat.MessageRole | None) -> Posted:
    """Answer a message.

    Raises:
        NotFound: there is no such message for the caller.
        Forbidden: the caller is a viewer.
        MessageDeleted, ThreadTooDeep: see the classes.
    """
    who = {"user": principal.user_id, "tenant": principal.tenant_id}
    conversations = FIND_CONVERSATION.rows(message=parent_id, **who)
    if not conversations:
        raise NotFound
    with announcing(as_uuid(conversations[0][0]), expected=3) as announcements:
        found = TAKE_PLACE.rows(message=parent_id, **who)
        if not found:
            raise NotFound
        place, author = _taken(principal, parent_id, Taken(*found[0]))
        return _post(author, place, content, role, announcements)


def _taken(principal: Principal, parent_id: UUID, taken: Taken) -> tuple[_Place, _Author]:
    """Judge what was read with the parent's row, now that the conversation's lock is held; a refusal undoes the taking."""
    if taken.role is None:
        raise NotFound
    check_role(taken.role, WRITERS)
    if taken.deleted_at is not None:
        raise MessageDeleted
    parent = _Place(
        as_uuid(taken.conversation_id),
        as_uuid(taken.tenant_id),
        as_uuid(taken.root_id),
        parent_id,
        bytes(taken.path),
        taken.depth,
    )
    author = _Author(principal.user_id, bool(taken.has_written), bool(taken.is_typing), taken.seen_at or 0)
    return _below(parent, parent_id, number=taken.child_count - 1), author


def _below(above: _Place, parent_id: UUID, *, number: int) -> _Place:
    """Return the place of a message's child that has `number` elder siblings."""
    path = paths.child_path(above.path, number)
    if above.depth >= paths.MAX_DEPTH or len(path) > paths.MAX_PATH_BYTES:
        raise ThreadTooDeep
    return above._replace(parent_id=parent_id, path=path, depth=above.depth + 1)


def _post(
    author: _Author, place: _Place, content: str, role: chat.MessageRole | None, announcements: Announcements
) -> Posted:
    is_continued, is_answered = role == "assistant", role in (None, "user")
    message_id = place.root_id if place.parent_id is None else ids.new_uuid()
    written: dict[str, Any] = {"content": content, "clock": announcements.clock, "is_streaming": is_continued}
    written |= {"id": message_id, "author": author.user_id, "role": role or "user", "child_count": int(is_answered)}
    announcements.write(_inserted(place, written))
    answer_id = message_id if is_continued else None
    if is_answered:
        answer_id = ids.new_uuid()
        answer: dict[str, Any] = {"content": "", "clock": announcements.clock + 1, "is_streaming": True}
        answer |= {"id": answer_id, "author": None, "role": "assistant", "child_count": 0}
        announcements.write(_inserted(_below(place, message_id, number=0), answer))
    if answer_id is not None:
        job_id = jobs.enqueue(REPLY_JOB, msgspec.json.encode(answer_id), subject=subject_of(answer_id))
        ledger.do_reserve(place.tenant_id, job_id, lambda: metering.reserve(_question(content)))
    _count(place, author, announcements, written=1 + int(is_answered))
    _announce(author, place, announcements, unread=int(is_answered))
    return Posted(Written(message_id, place.root_id, place.conversation_id, place.depth), answer_id)


def _question(content: str) -> CompletionRequest:
    """Return what will be asked at least; the messages above it are read when the answer is begun."""
    return CompletionRequest(model=registry.assistant_model(), messages=[{"role": "user", "content": content}])


def _inserted(place: _Place, written: dict[str, Any]) -> Bound:
    return INSERT_MESSAGE.bind(
        tenant=place.tenant_id,
        conversation=place.conversation_id,
        root=place.root_id,
        parent=place.parent_id,
        path=place.path,
        depth=place.depth,
        now=clock.now_ms(),
        **written,
    )


def _count(place: _Place, author: _Author, announcements: Announcements, *, written: int) -> None:
    root_id, user_id, at = place.root_id, author.user_id, announcements.clock
    if not author.has_written:
        announcements.write(INSERT_AUTHOR.bind(root=root_id, user=user_id))
    announcements.write(
        COUNT_MESSAGES.bind(root=root_id, at=at + written - 1, messages=written, authors=int(not author.has_written)),
        MOVE_MARK.bind(root=root_id, user=user_id, tenant=place.tenant_id, clock=at),
    )


def _announce(author: _Author, place: _Place, announcements: Announcements, *, unread: int) -> None:
    """Tell of the activity, and of its author: there, no longer typing, nothing unread but the answer."""
    root_id, user_id, now = place.root_id, author.user_id, clock.now()
    activity = chat.ThreadActivityPayload(root_id=root_id, last_activity_at=clock.from_ms(announcements.clock))
    announcements.add(activity, root=root_id)
    announcements.add(chat.PresenceUpdatePayload(user_id=user_id, status="online", last_seen_at=now))
    if author.is_typing:
        announcements.write(END_TYPING.bind(root=root_id, user=user_id))
        ended = chat.TypingUpdatePayload(
            conversation_id=place.conversation_id, root_id=root_id, user_id=user_id, expires_at=now
        )
        announcements.add(ended, root=root_id)
    announcements.add(chat.UnreadUpdatePayload(root_id=root_id, user_id=user_id, unread=unread), root=root_id)
    if not 0 <= clock.to_ms(now) - author.seen_at < _SEEN_MS:
        announcements.write(NOTE_PRESENCE.bind(user=user_id, tenant=place.tenant_id, now=clock.to_ms(now)))
