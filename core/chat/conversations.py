"""Conversations: made by a caller who becomes the owner, seen by those who take part."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.chat.access import access_conversation
from core.kernel import clock, ids
from core.kernel.page import Page
from core.kernel.principal import Principal
from models.contract import chat
from models.database import read, write
from models.tables.chat import Conversation, Participant


def do_create_conversation(principal: Principal, title: str, *, is_group: bool) -> UUID:
    """Make a conversation that the caller owns and return its id."""
    now = clock.now()
    with write():
        conversation = Conversation.create(
            id=ids.new_uuid(),
            tenant_id=principal.tenant_id,
            title=title,
            is_group=is_group,
            created_by=principal.user_id,
            created_at=now,
        )
        Participant.create(
            conversation=conversation,
            user=principal.user_id,
            tenant_id=principal.tenant_id,
            role="owner",
            joined_at=now,
        )
    return UUID(str(conversation.id))


def list_conversations(principal: Principal, *, before: UUID | None, limit: int) -> Page[chat.ConversationSummary]:
    """Return the caller's conversations, newest first, made before the one called `before`."""
    query = (
        Participant.select(
            Conversation.id, Conversation.title, Conversation.is_group, Participant.role, Conversation.created_at
        )
        .join(Conversation)
        .where(Participant.user == principal.user_id, Conversation.tenant_id == principal.tenant_id)
        .order_by(Participant.conversation.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(Participant.conversation < before)
    with read():
        rows: list[Any] = list(query.tuples())
    items = [
        chat.ConversationSummary(
            conversation_id=conversation_id, title=title, is_group=is_group, role=role, created_at=created_at
        )
        for conversation_id, title, is_group, role, created_at in rows[:limit]
    ]
    return Page(items, str(items[-1].conversation_id) if len(rows) > limit else None)


def get_conversation(principal: Principal, conversation_id: UUID) -> chat.Conversation:
    """Return a conversation with its people.

    Raises:
        NotFound: there is none that the caller takes part in.
    """
    with read():
        access = access_conversation(principal, conversation_id)
        people = list(
            Participant.select()
            .where(Participant.conversation == conversation_id)
            .order_by(Participant.joined_at, Participant.user)
        )
    return chat.Conversation(
        conversation_id=access.conversation.id,
        title=access.conversation.title,
        is_group=access.conversation.is_group,
        role=access.role,
        created_at=access.conversation.created_at,
        participants=[chat.Participant(user_id=p.user_id, role=p.role, joined_at=p.joined_at) for p in people],
    )
