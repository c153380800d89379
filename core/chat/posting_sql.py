"""The statements that write a message, for both databases; why they are text: models.statements.

All but FIND_CONVERSATION run inside the conversation's lock.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from models.contract.chat import Role
from models.statements import Statement

FIND_CONVERSATION = Statement(
    """
    SELECT m.conversation_id
    FROM messages m
    JOIN participants p ON p.conversation_id = m.conversation_id
    JOIN conversations c ON c.id = m.conversation_id
    WHERE m.id = :message AND p.user_id = :user AND c.tenant_id = :tenant
    """
)
"""Name the conversation of a message that the caller may see."""


class Taken(NamedTuple):
    """A row of TAKE_PLACE. role: the caller's, or None when the caller may not see the message. seen_at: in ms."""

    tenant_id: Any
    conversation_id: Any
    root_id: Any
    path: bytes
    depth: int
    child_count: int
    deleted_at: int | None
    role: Role | None
    has_written: bool
    is_typing: bool
    seen_at: int | None


TAKE_PLACE = Statement(
    """
    UPDATE messages SET child_count = child_count + 1 WHERE id = :message
    RETURNING tenant_id, conversation_id, root_id, path, depth, child_count, deleted_at,
        (SELECT p.role
         FROM participants p
         JOIN conversations c ON c.id = p.conversation_id
         WHERE p.conversation_id = messages.conversation_id AND p.user_id = :user AND c.tenant_id = :tenant),
        EXISTS (SELECT 1 FROM thread_authors a WHERE a.root_id = messages.root_id AND a.user_id = :user),
        EXISTS (SELECT 1 FROM typing t WHERE t.root_id = messages.root_id AND t.user_id = :user),
        (SELECT s.last_seen_at FROM presence s WHERE s.user_id = :user AND s.status = 'online')
    """
)
"""Count one more child of a message and read, as of now, all that decides whether and how it is written."""

INSERT_MESSAGE = Statement(
    """
    INSERT INTO messages (id, tenant_id, conversation_id, root_id, parent_id, author_user_id, role, content, path, depth,
        child_count, clock, created_at, is_streaming)
    VALUES (:id, :tenant, :conversation, :root, :parent, :author, :role, :content, :path, :depth,
        :child_count, :clock, :now, :is_streaming)
    """
)
INSERT_AUTHOR = Statement("INSERT INTO thread_authors (root_id, user_id) VALUES (:root, :user)")
COUNT_MESSAGES = Statement(
    """
    UPDATE threads SET last_activity = :at, message_count = message_count + :messages,
        author_count = author_count + :authors
    WHERE root_id = :root
    """
)
MOVE_MARK = Statement(
    """
    INSERT INTO read_marks (root_id, user_id, tenant_id, clock) VALUES (:root, :user, :tenant, :clock)
    ON CONFLICT (root_id, user_id) DO UPDATE SET clock = excluded.clock WHERE read_marks.clock < excluded.clock
    """
)
"""Set a user's read mark of a thread, unless it stands further already."""

END_TYPING = Statement("DELETE FROM typing WHERE root_id = :root AND user_id = :user")
NOTE_PRESENCE = Statement(
    """
    INSERT INTO presence (user_id, tenant_id, status, last_seen_at) VALUES (:user, :tenant, 'online', :now)
    ON CONFLICT (user_id) DO UPDATE SET tenant_id = excluded.tenant_id, status = 'online', last_seen_at = excluded.last_seen_at
    """
)
