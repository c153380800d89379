"""Messages: reply, read chunks, delete, restore, edit, cancel."""

from __future__ import annotations

from msgspec import UNSET

from core.chat import messages, posting
from core.kernel.call import Call
from models.contract import chat
from models.contract.parameters.chat import (
    MessagesCancelParameters,
    MessagesDeleteParameters,
    MessagesEditParameters,
    MessagesListChunksParameters,
    MessagesReplyParameters,
    MessagesRestoreParameters,
)


def messages_reply(call: Call[MessagesReplyParameters, chat.MessageCreate]) -> chat.MessageCreated:
    """Reply to a message."""
    role = None if call.body.role is UNSET else call.body.role
    posted = posting.do_reply(call.principal, call.parameters.parent_id, call.body.content, role)
    return chat.MessageCreated(
        message_id=posted.message.id,
        root_id=posted.message.root_id,
        conversation_id=posted.message.conversation_id,
        parent_id=call.parameters.parent_id,
        depth=posted.message.depth,
        assistant_message_id=posted.assistant_message_id,
    )


def messages_list_chunks(call: Call[MessagesListChunksParameters, None]) -> chat.MessageChunks:
    """List the stored chunks of a generated answer."""
    wanted = call.parameters
    return messages.list_chunks(call.principal, wanted.message_id, start=wanted.from_, limit=wanted.limit)


def messages_delete(call: Call[MessagesDeleteParameters, chat.MessageDelete | None]) -> None:
    """Delete a message."""
    reason = None if call.body is None or call.body.reason is UNSET else call.body.reason
    messages.do_delete_message(call.principal, call.parameters.message_id, reason=reason)


def messages_restore(call: Call[MessagesRestoreParameters, None]) -> None:
    """Restore a deleted message."""
    messages.do_restore_message(call.principal, call.parameters.message_id)


def messages_edit(call: Call[MessagesEditParameters, chat.MessageEdit]) -> None:
    """Replace a message's content."""
    reason = None if call.body.reason is UNSET else call.body.reason
    messages.do_edit_message(call.principal, call.parameters.message_id, content=call.body.content, reason=reason)


def messages_cancel(call: Call[MessagesCancelParameters, None]) -> chat.MessageCancelled:
    """Cancel a generated answer."""
    status = messages.do_cancel_message(call.principal, call.parameters.message_id)
    return chat.MessageCancelled(message_id=call.parameters.message_id, status=status)
