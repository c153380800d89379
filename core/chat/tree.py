"""A thread as a tree: slices in depth-first order, read from the index of paths alone."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from core.chat import paths
from core.chat.access import access_thread
from core.chat.threads import message_id_of
from core.kernel.principal import Principal
from core.kernel.problems import NotFound
from models.contract import chat
from models.database import read
from models.tables.chat import Message, MessageChunk

SLICE_CHARACTERS = 1_000_000
"""Paths of deep messages are long: a slice ends early when its paths and contents together are."""
CURSOR_LABELS = 62


class Slice(NamedTuple):
    """Messages in depth-first order; next_cursor is None at the thread's end."""

    messages: list[chat.Message]
    next_cursor: str | None


def get_slice(principal: Principal, root_id: UUID, *, cursor_path: str | None, limit: int) -> Slice:
    """Return the messages behind `cursor_path`, at most `limit`.

    Raises:
        NotFound: there is no such thread for the caller, or no message of it at the cursor.
    """
    with read():
        access_thread(principal, root_id)
        behind = _path_at(root_id, cursor_path)
        rows = _rows(root_id, behind, limit + 1)
        texts = _streamed([row for row in rows if row.is_streaming])
        labels = _ancestor_labels(root_id, rows[0].path) if rows else {}
    messages = _shown(rows[:limit], labels, texts)
    if len(messages) == len(rows):
        return Slice(messages, None)
    return Slice(messages, ".".join(messages[-1].path.split(".")[-CURSOR_LABELS:]))


def _path_at(root_id: UUID, cursor_path: str | None) -> bytes:
    if cursor_path is None:
        return b""
    found = Message.get_or_none(Message.id == message_id_of(cursor_path), Message.root == root_id)
    if found is None:
        raise NotFound
    return bytes(found.path)


def _rows(root_id: UUID, behind: bytes, limit: int) -> list[Any]:
    slice_ = Message.select().where(Message.root == root_id, Message.path > behind)
    return list(slice_.order_by(Message.path).limit(limit))


def _ancestor_labels(root_id: UUID, path: bytes) -> dict[bytes, str]:
    """Return path → published path for the ancestors of the slice's first message."""
    above = paths.ancestors(path)[:-1]
    query: Any = Message.select(Message.path, Message.id).where(Message.root == root_id, Message.path.in_(above))
    ids = {bytes(row.path): row.id for row in query}
    labels: dict[bytes, str] = {}
    for ancestor in above:
        labels[ancestor] = _labelled(labels, ancestor, ids[ancestor])
    return labels


def _labelled(labels: dict[bytes, str], path: bytes, message_id: UUID) -> str:
    above = paths.parent(path)
    label = f"m{message_id.hex}"
    return f"{labels[above]}.{label}" if above else label


def _streamed(rows: list[Any]) -> dict[UUID, str]:
    """Return what has been generated of the messages that are still being written."""
    if not rows:
        return {}
    query: Any = (
        MessageChunk.select(MessageChunk.message, MessageChunk.content)
        .where(MessageChunk.message.in_([row.id for row in rows]))
        .order_by(MessageChunk.message, MessageChunk.idx)
        .tuples()
    )
    texts: dict[UUID, str] = {}
    for message_id, content in query:
        texts[message_id] = texts.get(message_id, "") + content
    return texts


def _shown(rows: list[Any], labels: dict[bytes, str], texts: dict[UUID, str]) -> list[chat.Message]:
    """Build the answer; in depth-first order a parent is an ancestor of the first row or among those before."""
    shown: list[chat.Message] = []
    size = 0
    for row in rows:
        labels[row.path] = path = _labelled(labels, row.path, row.id)
        content = "" if row.deleted_at else row.content + texts.get(row.id, "")
        size += len(path) + len(content)
        if shown and size > SLICE_CHARACTERS:
            break
        shown.append(_message(row, path, content))
    return shown


def _message(row: Any, path: str, content: str) -> chat.Message:
    return chat.Message(
        id=row.id,
        root_id=row.root_id,
        parent_id=row.parent_id,
        conversation_id=row.conversation_id,
        author_user_id=row.author_user_id,
        role=row.role,
        content=content,
        path=path,
        depth=row.depth,
        created_at=row.created_at,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
        finish_reason=row.finish_reason,
        is_streaming=row.is_streaming,
    )
