"""Threads: list, count unread, read as a tree, begin, mark as read."""

from __future__ import annotations

from msgspec import UNSET

from core.chat import posting, threads, tree
from core.kernel.call import Call
from models.contract import chat
from models.contract.parameters.chat import (
    ThreadsCreateParameters,
    ThreadsGetTreeParameters,
    ThreadsListParameters,
    ThreadsListUnreadParameters,
    ThreadsMarkReadParameters,
)


def threads_list(call: Call[ThreadsListParameters, None]) -> chat.ThreadPage:
    """List the threads of a conversation."""
    wanted = call.parameters
    after = None if wanted.after is UNSET else wanted.after
    page = threads.list_threads(call.principal, wanted.conversation_id, after=after, limit=wanted.limit)
    return chat.ThreadPage(threads=page.items, next_after=page.next_cursor)


def threads_list_unread(call: Call[ThreadsListUnreadParameters, None]) -> chat.UnreadCounts:
    """Count the caller's unread messages per thread."""
    return chat.UnreadCounts(threads=threads.list_unread(call.principal, call.parameters.conversation_id))


def threads_get_tree(call: Call[ThreadsGetTreeParameters, None]) -> chat.ThreadTree:
    """Get a slice of a thread, depth first."""
    wanted = call.parameters
    cursor_path = None if wanted.cursor_path is UNSET else wanted.cursor_path
    found = tree.get_slice(call.principal, wanted.root_id, cursor_path=cursor_path, limit=wanted.limit)
    return chat.ThreadTree(root_id=wanted.root_id, messages=found.messages, next_cursor=found.next_cursor)


def threads_create(call: Call[ThreadsCreateParameters, chat.MessageCreate]) -> chat.ThreadCreated:
    """Begin a thread."""
    role = None if call.body.role is UNSET else call.body.role
    posted = posting.do_create_thread(call.principal, call.parameters.conversation_id, call.body.content, role)
    return chat.ThreadCreated(
        message_id=posted.message.id,
        root_id=posted.message.root_id,
        conversation_id=posted.message.conversation_id,
        depth=posted.message.depth,
        assistant_message_id=posted.assistant_message_id,
    )


def threads_mark_read(call: Call[ThreadsMarkReadParameters, chat.ThreadMarkRead | None]) -> None:
    """Mark a thread as read."""
    path = None if call.body is None or call.body.path is UNSET else call.body.path
    threads.do_mark_read(call.principal, call.parameters.root_id, path=path)
