# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from typing import Literal, Protocol

from core.kernel.call import Call, EventStream, Reply
from models.contract import chat
from models.contract.parameters import chat as chat_parameters


class CompletionsCreate(Protocol):
    """POST /v1/chat/completions (spec/paths/chat/completions.yaml:3)."""

    def __call__(self, call: Call[None, chat.CompletionCreate], /) -> chat.Completion | Reply[chat.Completion, Literal[200]] | EventStream: ...


class ConversationsCreate(Protocol):
    """POST /api/conversations (spec/paths/chat/conversations.yaml:51)."""

    def __call__(self, call: Call[None, chat.ConversationCreate], /) -> chat.ConversationCreated | Reply[chat.ConversationCreated, Literal[201]]: ...


class ConversationsGet(Protocol):
    """GET /api/conversations/{conversation_id} (spec/paths/chat/conversations.yaml:112)."""

    def __call__(self, call: Call[chat_parameters.ConversationsGetParameters, None], /) -> chat.Conversation | Reply[chat.Conversation, Literal[200]]: ...


class ConversationsList(Protocol):
    """GET /api/conversations (spec/paths/chat/conversations.yaml:3)."""

    def __call__(self, call: Call[chat_parameters.ConversationsListParameters, None], /) -> chat.ConversationPage | Reply[chat.ConversationPage, Literal[200]]: ...


class InvitesAccept(Protocol):
    """POST /api/invites/accept (spec/paths/chat/invites.yaml:61)."""

    def __call__(self, call: Call[None, chat.InviteAccept], /) -> chat.InviteAccepted | Reply[chat.InviteAccepted, Literal[200]]: ...


class InvitesCreate(Protocol):
    """POST /api/conversations/{conversation_id}/invites (spec/paths/chat/invites.yaml:3)."""

    def __call__(self, call: Call[chat_parameters.InvitesCreateParameters, chat.InviteCreate], /) -> chat.InviteCreated | Reply[chat.InviteCreated, Literal[200]]: ...


class InvitesRevoke(Protocol):
    """POST /api/invites/{token}/revoke (spec/paths/chat/invites.yaml:109)."""

    def __call__(self, call: Call[chat_parameters.InvitesRevokeParameters, None], /) -> None | Reply[None, Literal[204]]: ...


class MessagesCancel(Protocol):
    """POST /api/messages/{message_id}/cancel (spec/paths/chat/messages.yaml:234)."""

    def __call__(self, call: Call[chat_parameters.MessagesCancelParameters, None], /) -> chat.MessageCancelled | Reply[chat.MessageCancelled, Literal[202]]: ...


class MessagesDelete(Protocol):
    """POST /api/messages/{message_id}/delete (spec/paths/chat/messages.yaml:113)."""

    def __call__(self, call: Call[chat_parameters.MessagesDeleteParameters, chat.MessageDelete | None], /) -> None | Reply[None, Literal[204]]: ...


class MessagesEdit(Protocol):
    """POST /api/messages/{message_id}/edit (spec/paths/chat/messages.yaml:191)."""

    def __call__(self, call: Call[chat_parameters.MessagesEditParameters, chat.MessageEdit], /) -> None | Reply[None, Literal[204]]: ...


class MessagesListChunks(Protocol):
    """GET /api/messages/{message_id}/chunks (spec/paths/chat/messages.yaml:69)."""

    def __call__(self, call: Call[chat_parameters.MessagesListChunksParameters, None], /) -> chat.MessageChunks | Reply[chat.MessageChunks, Literal[200]]: ...


class MessagesReply(Protocol):
    """POST /api/messages/{parent_id}/reply (spec/paths/chat/messages.yaml:3)."""

    def __call__(self, call: Call[chat_parameters.MessagesReplyParameters, chat.MessageCreate], /) -> chat.MessageCreated | Reply[chat.MessageCreated, Literal[201]]: ...


class MessagesRestore(Protocol):
    """POST /api/messages/{message_id}/restore (spec/paths/chat/messages.yaml:157)."""

    def __call__(self, call: Call[chat_parameters.MessagesRestoreParameters, None], /) -> None | Reply[None, Literal[204]]: ...


class ModelsList(Protocol):
    """GET /v1/models (spec/paths/chat/models.yaml:3)."""

    def __call__(self, call: Call[None, None], /) -> chat.ModelList | Reply[chat.ModelList, Literal[200]]: ...


class ParticipantsAdd(Protocol):
    """POST /api/conversations/{conversation_id}/participants (spec/paths/chat/participants.yaml:3)."""

    def __call__(self, call: Call[chat_parameters.ParticipantsAddParameters, chat.ParticipantAdd], /) -> None | Reply[None, Literal[204]]: ...


class ParticipantsRemove(Protocol):
    """DELETE /api/conversations/{conversation_id}/participants/{user_id} (spec/paths/chat/participants.yaml:48)."""

    def __call__(self, call: Call[chat_parameters.ParticipantsRemoveParameters, None], /) -> None | Reply[None, Literal[204]]: ...


class PresenceSendHeartbeat(Protocol):
    """POST /api/presence/heartbeat (spec/paths/chat/presence.yaml:42)."""

    def __call__(self, call: Call[None, chat.PresenceHeartbeat | None], /) -> None | Reply[None, Literal[204]]: ...


class PresenceSetTyping(Protocol):
    """POST /api/typing (spec/paths/chat/presence.yaml:3)."""

    def __call__(self, call: Call[None, chat.TypingSet], /) -> None | Reply[None, Literal[204]]: ...


class StreamsOpenConversation(Protocol):
    """GET /api/stream/conversations/{conversation_id} (spec/paths/chat/streams.yaml:3)."""

    def __call__(self, call: Call[chat_parameters.StreamsOpenConversationParameters, None], /) -> EventStream: ...


class ThreadsCreate(Protocol):
    """POST /api/threads/{conversation_id}/root (spec/paths/chat/threads.yaml:162)."""

    def __call__(self, call: Call[chat_parameters.ThreadsCreateParameters, chat.MessageCreate], /) -> chat.ThreadCreated | Reply[chat.ThreadCreated, Literal[201]]: ...


class ThreadsGetTree(Protocol):
    """GET /api/threads/{root_id}/tree (spec/paths/chat/threads.yaml:98)."""

    def __call__(self, call: Call[chat_parameters.ThreadsGetTreeParameters, None], /) -> chat.ThreadTree | Reply[chat.ThreadTree, Literal[200]]: ...


class ThreadsList(Protocol):
    """GET /api/conversations/{conversation_id}/threads (spec/paths/chat/threads.yaml:3)."""

    def __call__(self, call: Call[chat_parameters.ThreadsListParameters, None], /) -> chat.ThreadPage | Reply[chat.ThreadPage, Literal[200]]: ...


class ThreadsListUnread(Protocol):
    """GET /api/conversations/{conversation_id}/unread (spec/paths/chat/threads.yaml:63)."""

    def __call__(self, call: Call[chat_parameters.ThreadsListUnreadParameters, None], /) -> chat.UnreadCounts | Reply[chat.UnreadCounts, Literal[200]]: ...


class ThreadsMarkRead(Protocol):
    """POST /api/threads/{root_id}/read (spec/paths/chat/threads.yaml:246)."""

    def __call__(self, call: Call[chat_parameters.ThreadsMarkReadParameters, chat.ThreadMarkRead | None], /) -> None | Reply[None, Literal[204]]: ...
