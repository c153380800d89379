"""Conversations, their people, their threads of messages, and what people see of each other."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import peewee

from core.kernel import ids
from models.tables.fields import InstantField
from models.tables.identity import User
from models.tables.table import Table


class PathField(peewee.BlobField):
    """A materialised path as bytes, which both databases compare byte by byte."""

    def python_value(self, value: Any) -> bytes:
        return bytes(value)


class Conversation(Table):
    """A conversation of one tenant; who takes part is in participants."""

    id = peewee.UUIDField(primary_key=True, default=ids.new_uuid)
    tenant_id = peewee.UUIDField()
    title = peewee.CharField(max_length=200)
    is_group = peewee.BooleanField(default=False)
    created_by = peewee.UUIDField()
    created_at = InstantField()

    class Meta:
        table_name = "conversations"


class Participant(Table):
    """role: owner, admin, member or viewer."""

    conversation_id: UUID
    conversation = peewee.ForeignKeyField(Conversation, on_delete="CASCADE", index=False)
    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    tenant_id = peewee.UUIDField()
    role: Any = peewee.CharField(max_length=16)
    joined_at = InstantField()

    class Meta:
        table_name = "participants"
        primary_key = peewee.CompositeKey("conversation", "user")
        indexes = ((("user", "conversation"), False),)


class Invite(Table):
    """token_hash: SHA-256 of the token, which itself is shown once and not kept."""

    id = peewee.UUIDField(primary_key=True, default=ids.new_uuid)
    tenant_id = peewee.UUIDField()
    conversation_id: UUID
    conversation = peewee.ForeignKeyField(Conversation, on_delete="CASCADE", index=False)
    email = peewee.CharField(max_length=254)
    role: Any = peewee.CharField(max_length=16)
    token_hash = peewee.CharField(max_length=64, unique=True)
    created_by = peewee.UUIDField()
    created_at = InstantField()
    expires_at = InstantField()
    revoked_at = InstantField(null=True)
    accepted_at = InstantField(null=True)
    accepted_by = peewee.UUIDField(null=True)

    class Meta:
        table_name = "invites"
        indexes = ((("conversation", "email", "role"), False),)


class Thread(Table):
    """One thread, by the id of its first message.

    begun and last_activity are positions of the conversation's event clock: milliseconds that never repeat in it.
    """

    root_id = peewee.UUIDField(primary_key=True)
    tenant_id = peewee.UUIDField()
    conversation_id: UUID
    conversation = peewee.ForeignKeyField(Conversation, on_delete="CASCADE", index=False)
    begun = peewee.BigIntegerField()
    last_activity = peewee.BigIntegerField()
    message_count = peewee.IntegerField(default=0)
    author_count = peewee.IntegerField(default=0)

    class Meta:
        table_name = "threads"
        indexes = ((("conversation", "last_activity"), False),)


class ThreadAuthor(Table):
    """A user who wrote in a thread; counted once in Thread.author_count."""

    root_id: UUID
    root = peewee.ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    user_id = peewee.UUIDField()

    class Meta:
        table_name = "thread_authors"
        primary_key = peewee.CompositeKey("root", "user_id")


class Message(Table):
    """One message.

    path: depth-first order (core.chat.paths). clock: the conversation's event clock when it was written.
    content: while is_streaming, the text that was there before; what is generated stands in message_chunks.
    finish_reason: null for what was not generated and while it is being generated.
    """

    id = peewee.UUIDField(primary_key=True, default=ids.new_uuid)
    tenant_id = peewee.UUIDField()
    conversation_id: UUID
    conversation = peewee.ForeignKeyField(Conversation, on_delete="CASCADE")
    root_id: UUID
    root = peewee.ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    parent_id = peewee.UUIDField(null=True)
    author_user_id = peewee.UUIDField(null=True)
    role: Any = peewee.CharField(max_length=16)
    content = peewee.TextField()
    path = PathField()
    depth = peewee.IntegerField()
    child_count = peewee.IntegerField(default=0)
    clock = peewee.BigIntegerField()
    created_at = InstantField()
    edited_at = InstantField(null=True)
    deleted_at = InstantField(null=True)
    deleted_by = peewee.UUIDField(null=True)
    deleted_reason = peewee.CharField(max_length=500, null=True)
    is_streaming = peewee.BooleanField(default=False)
    finish_reason: Any = peewee.CharField(max_length=16, null=True)

    class Meta:
        table_name = "messages"
        indexes = ((("root", "path"), True), (("root", "clock"), False))


class MessageEdit(Table):
    """The content that an edit replaced."""

    id = peewee.UUIDField(primary_key=True, default=ids.new_uuid)
    message_id: UUID
    message = peewee.ForeignKeyField(Message, on_delete="CASCADE")
    tenant_id = peewee.UUIDField()
    content = peewee.TextField()
    edited_by = peewee.UUIDField()
    edited_at = InstantField()
    reason = peewee.CharField(max_length=500, null=True)

    class Meta:
        table_name = "message_edits"


class MessageChunk(Table):
    """One stored piece of a generated message; idx counts from 0 without gaps."""

    message_id: UUID
    message = peewee.ForeignKeyField(Message, on_delete="CASCADE", index=False)
    idx = peewee.IntegerField()
    tenant_id = peewee.UUIDField()
    content = peewee.TextField()
    created_at = InstantField()

    class Meta:
        table_name = "message_chunks"
        primary_key = peewee.CompositeKey("message", "idx")


class ReadMark(Table):
    """clock: the newest message that the user has read in the thread; never moves back."""

    root_id: UUID
    root = peewee.ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    tenant_id = peewee.UUIDField()
    clock = peewee.BigIntegerField()

    class Meta:
        table_name = "read_marks"
        primary_key = peewee.CompositeKey("root", "user")


class Presence(Table):
    """status: online, away or offline, as of the last heartbeat."""

    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    tenant_id = peewee.UUIDField()
    status: Any = peewee.CharField(max_length=16)
    last_seen_at = InstantField()

    class Meta:
        table_name = "presence"


Presence.add_index(Presence.last_seen_at, where=peewee.SQL("status <> 'offline'"), name="presence_heard_of")


class Typing(Table):
    """A user who is typing in a thread until expires_at."""

    root_id: UUID
    root = peewee.ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    user_id: UUID
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    tenant_id = peewee.UUIDField()
    expires_at = InstantField()

    class Meta:
        table_name = "typing"
        primary_key = peewee.CompositeKey("root", "user")


TABLES = (
    Conversation,
    Participant,
    Invite,
    Thread,
    ThreadAuthor,
    Message,
    MessageEdit,
    MessageChunk,
    ReadMark,
    Presence,
    Typing,
)
