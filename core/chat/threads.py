"""Threads of a conversation: their list, what is unread, and read marks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import peewee

from core.chat.access import access_conversation, access_thread
from core.chat.announcements import announcing, channel_of
from core.chat.posting import EXCERPT_CHARACTERS
from core.chat.posting_sql import MOVE_MARK
from core.kernel import clock
from core.kernel.page import Page
from core.kernel.principal import Principal
from core.kernel.problems import Invalid, NotFound, Violation
from core.system import events
from models import statements
from models.contract import chat
from models.database import read
from models.tables.chat import Message, ReadMark, Thread

_MOST_UNREAD = 1000
_LATEST = 2**53


class _Cursor(NamedTuple):
    """before: continue behind the thread of this activity. as_of: the conversation's clock at the first page."""

    before: int
    as_of: int


def list_threads(
    principal: Principal, conversation_id: UUID, *, after: str | None, limit: int
) -> Page[chat.ThreadSummary]:
    """Return threads, latest activity first as of the first page.

    A thread that has moved since then is placed by the activity that it had: its newest message of that time.

    Raises:
        NotFound: there is no such conversation for the caller.
        Invalid: `after` is no cursor and no time.
    """
    with read():
        access_conversation(principal, conversation_id)
        cursor = _cursor(after, events.head(channel_of(conversation_id)))
        rows = _resting(conversation_id, cursor, limit + 1) + _moved(conversation_id, cursor, limit + 1)
        rows.sort(key=lambda row: row[1], reverse=True)
        page = rows[:limit]
        summaries = _summaries([row[0] for row in page])
    more = f"{page[-1][1]}.{cursor.as_of}" if len(rows) > limit else None
    return Page(summaries, more)


def list_unread(principal: Principal, conversation_id: UUID) -> list[chat.UnreadCount]:
    """Return the threads with messages that the caller has not read, latest activity first.

    Raises:
        NotFound: there is no such conversation for the caller.
    """
    mine = (ReadMark.root == Thread.root_id) & (ReadMark.user == principal.user_id)
    marked = peewee.fn.COALESCE(ReadMark.clock, 0)
    query: Any = (
        Thread.select(Thread.root_id, _unread(principal.user_id, Thread.root_id, marked))
        .join(ReadMark, peewee.JOIN.LEFT_OUTER, on=mine)
        .where(Thread.conversation == conversation_id, Thread.last_activity > marked)
        .order_by(Thread.last_activity.desc())
        .limit(_MOST_UNREAD)
        .tuples()
    )
    with read():
        access_conversation(principal, conversation_id)
        return [chat.UnreadCount(root_id=root_id, unread=unread) for root_id, unread in query if unread]


def do_mark_read(principal: Principal, root_id: UUID, *, path: str | None) -> None:
    """Move the caller's read mark up to the message at `path`, or to the newest; never back.

    Raises:
        NotFound: there is no such thread for the caller, or no such message in it.
    """
    _, thread = access_thread(principal, root_id)
    with announcing(thread.conversation_id) as announcements:
        access_thread(principal, root_id)
        at = _clock_at(root_id, path)
        statements.run([MOVE_MARK.bind(root=root_id, user=principal.user_id, tenant=principal.tenant_id, clock=at)])
        mark = ReadMark.get(ReadMark.root == root_id, ReadMark.user == principal.user_id)
        unread = Message.select(_unread(principal.user_id, root_id, mark.clock)).limit(1).scalar()
        payload = chat.UnreadUpdatePayload(root_id=root_id, user_id=principal.user_id, unread=unread)
        announcements.add(payload, root=root_id)


def message_id_of(path: str) -> UUID:
    """Return the id in a path's last label (m and 32 hexadecimal digits)."""
    return UUID(path.rpartition(".")[2][1:])


def _unread(user_id: UUID, root_id: Any, mark: Any) -> Any:
    """Build the count of messages behind a mark that are others' and not deleted."""
    others = Message.author_user_id.is_null() | (Message.author_user_id != user_id)
    counted = (Message.root == root_id) & (Message.clock > mark) & others & Message.deleted_at.is_null()
    return Message.select(peewee.fn.COUNT(Message.id)).where(counted)


def _clock_at(root_id: UUID, path: str | None) -> int:
    if path is None:
        return int(Thread.select(Thread.last_activity).where(Thread.root_id == root_id).scalar())
    found = Message.select(Message.clock).where(Message.id == message_id_of(path), Message.root == root_id).scalar()
    if found is None:
        raise NotFound
    return int(found)


def _cursor(after: str | None, head: int) -> _Cursor:
    if after is None:
        return _Cursor(_LATEST, head)
    if "-" not in after:
        before, as_of = after.split(".")
        return _Cursor(int(before), int(as_of))
    try:
        moment = datetime.fromisoformat(after.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the offset may carry a first or last year out of the calendar
        violation = Violation(pointer="/after", location="query", rule="format", message=str(error))
        raise Invalid(errors=[violation]) from error
    return _Cursor(clock.to_ms(moment), head)


def _resting(conversation_id: UUID, cursor: _Cursor, limit: int) -> list[tuple[UUID, int]]:
    """Return threads without activity since the first page, with their place."""
    here = (Thread.conversation == conversation_id) & (Thread.last_activity < cursor.before)
    query: Any = (
        Thread.select(Thread.root_id, Thread.last_activity)
        .where(here, Thread.last_activity <= cursor.as_of)
        .order_by(Thread.last_activity.desc())
        .limit(limit)
        .tuples()
    )
    return list(query)


def _moved(conversation_id: UUID, cursor: _Cursor, limit: int) -> list[tuple[UUID, int]]:
    """Return threads of the first page's time with activity since, with the place that they had."""
    then: Any = Message.select(peewee.fn.MAX(Message.clock)).where(
        Message.root == Thread.root_id, Message.clock <= cursor.as_of
    )
    moved = (Thread.last_activity > cursor.as_of) & (Thread.begun <= cursor.as_of)
    query: Any = (
        Thread.select(Thread.root_id, then.alias("place"))
        .where(Thread.conversation == conversation_id, moved, then < cursor.before)
        .order_by(peewee.SQL("place").desc())
        .limit(limit)
        .tuples()
    )
    return list(query)


def _summaries(root_ids: list[UUID]) -> list[chat.ThreadSummary]:
    excerpt = peewee.fn.SUBSTR(Message.content, 1, EXCERPT_CHARACTERS)
    query: Any = (
        Thread.select(Thread, Message.author_user_id, Message.deleted_at, excerpt.alias("excerpt"))
        .join(Message, on=(Message.id == Thread.root_id))
        .where(Thread.root_id.in_(root_ids))
        .dicts()
    )
    found = {row["root_id"]: row for row in query}
    return [_summary(found[root_id]) for root_id in root_ids]


def _summary(row: dict[str, Any]) -> chat.ThreadSummary:
    return chat.ThreadSummary(
        root_id=row["root_id"],
        root_excerpt="" if row["deleted_at"] else row["excerpt"],
        root_author=row["author_user_id"],
        created_at=clock.from_ms(row["begun"]),
        last_activity_at=clock.from_ms(row["last_activity"]),
        message_count=row["message_count"],
        participant_count=row["author_count"],
    )
