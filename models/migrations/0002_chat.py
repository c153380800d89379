"""Event channels, jobs, and conversations with their people, threads and messages."""

from __future__ import annotations

from typing import Any

import peewee

from models.tables.fields import InstantField


class Table(peewee.Model):
    class Meta:
        legacy_table_names = False


class User(Table):
    id = peewee.UUIDField(primary_key=True)

    class Meta:
        table_name = "users"


class Channel(Table):
    name = peewee.CharField(max_length=64, primary_key=True)
    seq = peewee.BigIntegerField(default=0)
    pruned = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "channels"


class EventRow(Table):
    channel = peewee.CharField(max_length=64)
    seq = peewee.BigIntegerField()
    type = peewee.CharField(max_length=64)
    event_id = peewee.CharField(max_length=128)
    data = peewee.BlobField()
    created_at = InstantField(index=True)

    class Meta:
        table_name = "events"
        primary_key = peewee.CompositeKey("channel", "seq")


class JobRow(Table):
    id = peewee.UUIDField(primary_key=True)
    kind = peewee.CharField(max_length=64)
    subject = peewee.CharField(max_length=128, index=True)
    payload = peewee.BlobField()
    state = peewee.CharField(max_length=16)
    fence = peewee.IntegerField(default=0)
    attempts = peewee.IntegerField(default=0)
    worker = peewee.CharField(max_length=128, null=True)
    due_at = InstantField()
    is_cancel_requested = peewee.BooleanField(default=False)
    created_at = InstantField()
    finished_at = InstantField(null=True)

    class Meta:
        table_name = "jobs"
        indexes = ((("state", "due_at"), False),)


class Conversation(Table):
    id = peewee.UUIDField(primary_key=True)
    tenant_id = peewee.UUIDField()
    title = peewee.CharField(max_length=200)
    is_group = peewee.BooleanField(default=False)
    created_by = peewee.UUIDField()
    created_at = InstantField()

    class Meta:
        table_name = "conversations"


class Participant(Table):
    conversation = peewee.ForeignKeyField(Conversation, on_delete="CASCADE", index=False)
    user = peewee.ForeignKeyField(User, on_delete="CASCADE", index=False)
    tenant_id = peewee.UUIDField()
    role = peewee.CharField(max_length=16)
    joined_at = InstantField()

    class Meta:
        table_name = "participants"
        primary_key = peewee.CompositeKey("conversation", "user")
        indexes = ((("user", "conversation"), False),)


class Invite(Table):
    id = peewee.UUIDField(primary_key=True)
    tenant_id = peewee.UUIDField()
    conversation = peewee.ForeignKeyField(Conversation, on_delete="CASCADE", index=False)
    email = peewee.CharField(max_length=254)
    role = peewee.CharField(max_length=16)
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
    root_id = peewee.UUIDField(primary_key=True)
    tenant_id = peewee.UUIDField()
    conversation = peewee.ForeignKeyField(Conversation, on_delete="CASCADE", index=False)
    begun = peewee.BigIntegerField()
    last_activity = peewee.BigIntegerField()
    message_count = peewee.IntegerField(default=0)
    author_count = peewee.IntegerField(default=0)

    class Meta:
        table_name = "threads"
        indexes = ((("conversation", "last_activity"), False),)


class ThreadAuthor(Table):
    root = peewee.ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    user_id = peewee.UUIDField()

    class Meta:
        table_name = "thread_authors"
        primary_key = peewee.CompositeKey("root", "user_id")


class Message(Table):
    id = peewee.UUIDField(primary_key=True)
    tenant_id = peewee.UUIDField()
    conversation = peewee.ForeignKeyField(Conversation, on_delete="CASCADE")
    root = peewee.ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    parent_id = peewee.UUIDField(null=True)
    author_user_id = peewee.UUIDField(null=True)
    role = peewee.CharField(max_length=16)
    content = peewee.TextField()
    path = peewee.BlobField()
    depth = peewee.IntegerField()
    child_count = peewee.IntegerField(default=0)
    clock = peewee.BigIntegerField()
    created_at = InstantField()
    edited_at = InstantField(null=True)
    deleted_at = InstantField(null=True)
    deleted_by = peewee.UUIDField(null=True)
    deleted_reason = peewee.CharField(max_length=500, null=True)
    is_streaming = peewee.BooleanField(default=False)
    finish_reason = peewee.CharField(max_length=16, null=True)

    class Meta:
        table_name = "messages"
        indexes = ((("root", "path"), True), (("root", "clock"), False))


class MessageEdit(Table):
    id = peewee.UUIDField(primary_key=True)
    message = peewee.ForeignKeyField(Message, on_delete="CASCADE")
    tenant_id = peewee.UUIDField()
    content = peewee.TextField()
    edited_by = peewee.UUIDField()
    edited_at = InstantField()
    reason = peewee.CharField(max_length=500, null=True)

    class Meta:
        table_name = "message_edits"


class MessageChunk(Table):
    message = peewee.ForeignKeyField(Message, on_delete="CASCADE", index=False)
    idx = peewee.IntegerField()
    tenant_id = peewee.UUIDField()
    content = peewee.TextField()
    created_at = InstantField()

    class Meta:
        table_name = "message_chunks"
        primary_key = peewee.CompositeKey("message", "idx")


class ReadMark(Table):
    root = peewee.ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    tenant_id = peewee.UUIDField()
    clock = peewee.BigIntegerField()

    class Meta:
        table_name = "read_marks"
        primary_key = peewee.CompositeKey("root", "user")


class Presence(Table):
    user = peewee.ForeignKeyField(User, on_delete="CASCADE", primary_key=True)
    tenant_id = peewee.UUIDField()
    status = peewee.CharField(max_length=16)
    last_seen_at = InstantField()

    class Meta:
        table_name = "presence"


class Typing(Table):
    root = peewee.ForeignKeyField(Thread, on_delete="CASCADE", index=False)
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    tenant_id = peewee.UUIDField()
    expires_at = InstantField()

    class Meta:
        table_name = "typing"
        primary_key = peewee.CompositeKey("root", "user")


_TABLES = (
    Channel,
    EventRow,
    JobRow,
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


def up(migrator: Any, db: Any) -> None:
    """Make the tables."""
    with db.bind_ctx((User, *_TABLES), bind_refs=False, bind_backrefs=False):
        db.create_tables(_TABLES)
