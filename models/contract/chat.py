# Generated from the contract by `accord generate`. Do not edit: change the contract or the generator.

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

Completion: TypeAlias = dict[str, Any]


CompletionAnswer: TypeAlias = dict[str, Any]


CompletionChoice: TypeAlias = dict[str, Any]


CompletionChunkChoice: TypeAlias = dict[str, Any]


CompletionCreate: TypeAlias = dict[str, Any]


CompletionDelta: TypeAlias = dict[str, Any]


class CompletionFailure(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    message: str
    type: str
    param: str | None
    code: str | None


class CompletionFrame(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One server-sent event; the last one's data is the text [DONE] instead of a chunk."""

    data: Any
    event: Literal["message"] | UnsetType = UNSET


CompletionMessage: TypeAlias = dict[str, Any]


CompletionPart: TypeAlias = dict[str, Any]


CompletionTool: TypeAlias = dict[str, Any]


CompletionUsage: TypeAlias = dict[str, Any]


class ConversationCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    title: str
    is_group: bool = False


class ConversationCreated(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversation_id: UUID


EventId: TypeAlias = str


FinishReason: TypeAlias = Literal["stop", "length", "cancelled", "timeout", "error"]


class InviteAccept(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    token: str


class InviteAccepted(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversation_id: UUID


class InviteCreated(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    token: str
    expires_at: datetime


class MembershipChangedFrame(Struct, kw_only=True, tag_field="event", tag="membership.changed", frozen=True, forbid_unknown_fields=True):
    id: EventId
    data: str


class MessageCancelled(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    message_id: UUID
    status: Literal["cancelled", "timed_out", "completed", "not_tracked"]


class MessageChunk(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    message_id: UUID
    idx: int
    content: str
    created_at: datetime


MessageChunks: TypeAlias = list[MessageChunk]


class MessageCreated(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    message_id: UUID
    root_id: UUID
    conversation_id: UUID
    parent_id: UUID
    depth: int
    assistant_message_id: UUID | None


class MessageDelete(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    reason: str | UnsetType = UNSET


class MessageDeltaFrame(Struct, kw_only=True, tag_field="event", tag="message.delta", frozen=True, forbid_unknown_fields=True):
    id: EventId
    data: str


class MessageDeltaText(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType = UNSET


class MessageDoneFrame(Struct, kw_only=True, tag_field="event", tag="message.done", frozen=True, forbid_unknown_fields=True):
    id: EventId
    data: str


class MessageEdit(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    content: str
    reason: str | UnsetType = UNSET


MessageRole: TypeAlias = Literal["user", "assistant", "system", "tool"]


class MessageUsage(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Model(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelEntry(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: str
    name: str
    model_type: Literal["chat"]


class ModelList(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    object: Literal["list"]
    data: list[Model]
    models: list[ModelEntry]


PresenceStatus: TypeAlias = Literal["online", "away", "offline"]


class PresenceUpdateFrame(Struct, kw_only=True, tag_field="event", tag="presence.update", frozen=True, forbid_unknown_fields=True):
    id: EventId
    data: str


class PresenceUpdatePayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    user_id: UUID
    status: PresenceStatus
    last_seen_at: datetime


Role: TypeAlias = Literal["owner", "admin", "member", "viewer"]


class StreamErrorFrame(Struct, kw_only=True, tag_field="event", tag="error", frozen=True, forbid_unknown_fields=True):
    id: EventId
    data: str


class StreamErrorPayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What failed. `root_id` and `message_id` name the assistant's message; they are absent when the stream itself failed."""

    code: Literal["assistant_timeout", "assistant_stream_error", "response_mismatch"]
    message: str
    root_id: UUID | UnsetType = UNSET
    message_id: UUID | UnsetType = UNSET


StreamOptions: TypeAlias = dict[str, Any]


class StreamResetFrame(Struct, kw_only=True, tag_field="event", tag="reset", frozen=True, forbid_unknown_fields=True):
    data: str
    id: EventId | UnsetType = UNSET


class StreamResetPayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversation_id: UUID


class ThreadActivityFrame(Struct, kw_only=True, tag_field="event", tag="thread.activity", frozen=True, forbid_unknown_fields=True):
    id: EventId
    data: str


class ThreadActivityPayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    root_id: UUID
    last_activity_at: datetime


class ThreadCreated(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    message_id: UUID
    root_id: UUID
    conversation_id: UUID
    depth: int
    assistant_message_id: UUID | None


class ThreadMarkRead(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    path: str | UnsetType = UNSET


class ThreadNewFrame(Struct, kw_only=True, tag_field="event", tag="thread.new", frozen=True, forbid_unknown_fields=True):
    id: EventId
    data: str


class ThreadNewPayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversation_id: UUID
    root_id: UUID
    summary: str


class ThreadSummary(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    root_id: UUID
    root_excerpt: str
    root_author: UUID | None
    created_at: datetime
    last_activity_at: datetime
    message_count: int
    participant_count: int


ToolCall: TypeAlias = dict[str, Any]


class TypingSet(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversation_id: UUID
    root_id: UUID
    seconds: int


class TypingUpdateFrame(Struct, kw_only=True, tag_field="event", tag="typing.update", frozen=True, forbid_unknown_fields=True):
    id: EventId
    data: str


class TypingUpdatePayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversation_id: UUID
    root_id: UUID
    user_id: UUID
    expires_at: datetime


class UnreadCount(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    root_id: UUID
    unread: int


class UnreadCounts(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    threads: list[UnreadCount]


class UnreadUpdateFrame(Struct, kw_only=True, tag_field="event", tag="unread.update", frozen=True, forbid_unknown_fields=True):
    id: EventId
    data: str


class UnreadUpdatePayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    root_id: UUID
    user_id: UUID
    unread: int


class CompletionChunk(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One piece of a streamed completion. `usage` is in the last one when asked for; `error` ends a stream whose provider failed."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[CompletionChunkChoice]
    usage: CompletionUsage | UnsetType = UNSET
    error: CompletionFailure | UnsetType = UNSET


ConversationFrame: TypeAlias = ThreadNewFrame | ThreadActivityFrame | MessageDeltaFrame | MessageDoneFrame | PresenceUpdateFrame | TypingUpdateFrame | UnreadUpdateFrame | MembershipChangedFrame | StreamErrorFrame | StreamResetFrame


class ConversationSummary(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversation_id: UUID
    title: str
    is_group: bool
    role: Role
    created_at: datetime


class InviteCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    email: str
    role: Role
    ttl_seconds: int = 86400


class MembershipChangedPayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversation_id: UUID
    user_id: UUID
    role: Role | None
    action: Literal["added", "removed", "role_updated"]


class Message(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: UUID
    root_id: UUID
    parent_id: UUID | None
    conversation_id: UUID
    author_user_id: UUID | None
    role: MessageRole
    content: str
    path: str
    depth: int
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    finish_reason: Literal["stop", "length", "cancelled", "timeout", "error"] | None
    is_streaming: bool


class MessageCreate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    content: str
    role: MessageRole | UnsetType = UNSET


class MessageDeltaChoice(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    index: int
    delta: MessageDeltaText
    finish_reason: None


class MessageDeltaPayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    id: str
    object: Literal["chat.completion.chunk"]
    root_id: UUID
    message_id: UUID
    conversation_id: UUID
    parent_id: UUID | None
    depth: int
    choices: list[MessageDeltaChoice]


class MessageDonePayload(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    message_id: UUID
    root_id: UUID
    conversation_id: UUID
    finish_reason: FinishReason
    usage: MessageUsage | UnsetType = UNSET


class Participant(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    user_id: UUID
    role: Role
    joined_at: datetime


class ParticipantAdd(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    user_id: UUID
    role: Role


class PresenceHeartbeat(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    status: PresenceStatus = "online"


class PresenceUpdate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["presence.update"]
    payload: PresenceUpdatePayload


class StreamError(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["error"]
    payload: StreamErrorPayload


class StreamReset(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["reset"]
    payload: StreamResetPayload


class ThreadActivity(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["thread.activity"]
    payload: ThreadActivityPayload


class ThreadNew(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["thread.new"]
    payload: ThreadNewPayload


class ThreadPage(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    threads: list[ThreadSummary]
    next_after: str | None


class ThreadTree(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    root_id: UUID
    messages: list[Message]
    next_cursor: str | None


class TypingUpdate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["typing.update"]
    payload: TypingUpdatePayload


class UnreadUpdate(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["unread.update"]
    payload: UnreadUpdatePayload


class Conversation(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversation_id: UUID
    title: str
    is_group: bool
    role: Role
    created_at: datetime
    participants: list[Participant]


class ConversationPage(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    conversations: list[ConversationSummary]
    next_cursor: UUID | None


class MembershipChanged(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["membership.changed"]
    payload: MembershipChangedPayload


class MessageDelta(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["message.delta"]
    payload: MessageDeltaPayload


class MessageDone(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    type: Literal["message.done"]
    payload: MessageDonePayload
