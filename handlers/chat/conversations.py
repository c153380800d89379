"""Conversations: create, list, get."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET

from core.chat import conversations
from core.kernel.call import Call
from models.contract import chat
from models.contract.parameters.chat import ConversationsGetParameters, ConversationsListParameters


def conversations_create(call: Call[None, chat.ConversationCreate]) -> chat.ConversationCreated:
    """Create a conversation."""
    conversation_id = conversations.do_create_conversation(call.principal, call.body.title, is_group=call.body.is_group)
    return chat.ConversationCreated(conversation_id=conversation_id)


def conversations_list(call: Call[ConversationsListParameters, None]) -> chat.ConversationPage:
    """List the caller's conversations."""
    before = None if call.parameters.cursor is UNSET else call.parameters.cursor
    page = conversations.list_conversations(call.principal, before=before, limit=call.parameters.limit)
    next_cursor = UUID(page.next_cursor) if page.next_cursor else None
    return chat.ConversationPage(conversations=page.items, next_cursor=next_cursor)


def conversations_get(call: Call[ConversationsGetParameters, None]) -> chat.Conversation:
    """Get one conversation with its participants."""
    return conversations.get_conversation(call.principal, call.parameters.conversation_id)
