# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET, Struct, UnsetType


class ConversationsGetParameters(Struct, kw_only=True, frozen=True):
    """Parameters of conversations_get."""

    conversation_id: UUID


class ConversationsListParameters(Struct, kw_only=True, frozen=True):
    """Parameters of conversations_list."""

    cursor: UUID | UnsetType = UNSET
    limit: int = 50


class InvitesCreateParameters(Struct, kw_only=True, frozen=True):
    """Parameters of invites_create."""

    conversation_id: UUID


class InvitesRevokeParameters(Struct, kw_only=True, frozen=True):
    """Parameters of invites_revoke."""

    token: str


class MessagesCancelParameters(Struct, kw_only=True, frozen=True):
    """Parameters of messages_cancel."""

    message_id: UUID


class MessagesDeleteParameters(Struct, kw_only=True, frozen=True):
    """Parameters of messages_delete."""

    message_id: UUID


class MessagesEditParameters(Struct, kw_only=True, frozen=True):
    """Parameters of messages_edit."""

    message_id: UUID


class MessagesListChunksParameters(Struct, kw_only=True, frozen=True):
    """Parameters of messages_list_chunks."""

    message_id: UUID
    from_: int = 0
    limit: int = 500


class MessagesReplyParameters(Struct, kw_only=True, frozen=True):
    """Parameters of messages_reply."""

    parent_id: UUID


class MessagesRestoreParameters(Struct, kw_only=True, frozen=True):
    """Parameters of messages_restore."""

    message_id: UUID


class ParticipantsAddParameters(Struct, kw_only=True, frozen=True):
    """Parameters of participants_add."""

    conversation_id: UUID


class ParticipantsRemoveParameters(Struct, kw_only=True, frozen=True):
    """Parameters of participants_remove."""

    conversation_id: UUID
    user_id: UUID


class StreamsOpenConversationParameters(Struct, kw_only=True, frozen=True):
    """Parameters of streams_open_conversation."""

    conversation_id: UUID
    since: int | UnsetType = UNSET
    last_event_id: str | UnsetType = UNSET


class ThreadsCreateParameters(Struct, kw_only=True, frozen=True):
    """Parameters of threads_create."""

    conversation_id: UUID


class ThreadsGetTreeParameters(Struct, kw_only=True, frozen=True):
    """Parameters of threads_get_tree."""

    root_id: UUID
    cursor_path: str | UnsetType = UNSET
    limit: int = 200


class ThreadsListParameters(Struct, kw_only=True, frozen=True):
    """Parameters of threads_list."""

    conversation_id: UUID
    after: str | UnsetType = UNSET
    limit: int = 50


class ThreadsListUnreadParameters(Struct, kw_only=True, frozen=True):
    """Parameters of threads_list_unread."""

    conversation_id: UUID


class ThreadsMarkReadParameters(Struct, kw_only=True, frozen=True):
    """Parameters of threads_mark_read."""

    root_id: UUID
