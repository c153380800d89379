"""FastAPI with SQLAlchemy 2 (asyncpg) on PostgreSQL: a reply to a message and a page of conversations, as the product does them.

A reply is one transaction with the product's effects, in fewer statements: find the conversation, take the channel's next
numbers under its row lock, read parent, role and presence, count the child, insert the message, bring thread, authors, read
mark and typing up to date, and presence when it was noted more than ten seconds ago, insert three events, notify. The security epoch is read once a request, on its own session.
Served by uvicorn with uvloop and httptools; engine, session dependency and models as SQLAlchemy's and FastAPI's guides show them.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import BigInteger, ForeignKey, Text, delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.bench.peers import callers
from tests.bench.peers.observed import Observed

_SEEN_MS = 10_000
_bearer = HTTPBearer()
_callers = callers.from_environment()
_engine = create_async_engine(
    os.environ["BENCH_DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=20, max_overflow=0
)
_sessions = async_sessionmaker(_engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Epoch(Base):
    __tablename__ = "peer_epoch"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class Conversation(Base):
    __tablename__ = "peer_conversations"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    is_group: Mapped[bool]
    created_at: Mapped[int] = mapped_column(BigInteger)


class Participant(Base):
    __tablename__ = "peer_participants"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("peer_conversations.id"), primary_key=True)
    role: Mapped[str] = mapped_column(Text)


class Message(Base):
    __tablename__ = "peer_messages"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    root_id: Mapped[uuid.UUID] = mapped_column(index=True)
    parent_id: Mapped[uuid.UUID | None]
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("peer_conversations.id"))
    author_user_id: Mapped[uuid.UUID]
    role: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    depth: Mapped[int]
    child_count: Mapped[int]
    created_at: Mapped[int] = mapped_column(BigInteger)


class Thread(Base):
    __tablename__ = "peer_threads"
    root_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    last_activity: Mapped[int] = mapped_column(BigInteger)
    message_count: Mapped[int]
    author_count: Mapped[int]


class ThreadAuthor(Base):
    __tablename__ = "peer_thread_authors"
    root_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class ReadMark(Base):
    __tablename__ = "peer_read_marks"
    root_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    clock: Mapped[int] = mapped_column(BigInteger)


class Presence(Base):
    __tablename__ = "peer_presence"
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(Text)
    last_seen_at: Mapped[int] = mapped_column(BigInteger)


class Typing(Base):
    __tablename__ = "peer_typing"
    root_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class Channel(Base):
    __tablename__ = "peer_channels"
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)


class Event(Base):
    __tablename__ = "peer_events"
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    type: Mapped[str] = mapped_column(Text)
    data: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MessageCreate(Closed):
    content: Annotated[str, Field(min_length=1, max_length=100_000, pattern=r"^[^\x00]*$")]
    role: Literal["user", "assistant", "system", "tool"] = "user"


class MessageCreated(Closed):
    message_id: uuid.UUID
    root_id: uuid.UUID
    conversation_id: uuid.UUID
    parent_id: uuid.UUID
    depth: int
    assistant_message_id: uuid.UUID | None


class ConversationSummary(Closed):
    conversation_id: uuid.UUID
    title: str
    is_group: bool
    role: Literal["owner", "admin", "member", "viewer"]
    created_at: datetime


class ConversationPage(Closed):
    conversations: list[ConversationSummary]
    next_cursor: uuid.UUID | None


async def open_session() -> AsyncIterator[AsyncSession]:
    """Hold a session for one request."""
    async with _sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]


async def find_caller(
    session: Session, credentials: Annotated[HTTPAuthorizationCredentials, Depends(_bearer)]
) -> callers.Caller:
    """Resolve the bearer token against the epoch in the database, or refuse."""
    epoch = await session.scalar(select(Epoch.value).where(Epoch.id == 1))
    caller = _callers.find_at(credentials.credentials, epoch or 0)
    if caller is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return caller


Caller = Annotated[callers.Caller, Depends(find_caller)]
api = FastAPI()


@api.post("/api/messages/{parent_id}/reply", status_code=201)
async def messages_reply(parent_id: uuid.UUID, body: MessageCreate, caller: Caller, session: Session) -> MessageCreated:
    """Reply to a message."""
    author = uuid.UUID(caller.user_id)
    conversation_id = await session.scalar(select(Message.conversation_id).where(Message.id == parent_id))
    if conversation_id is None:
        raise HTTPException(404)
    seq = await _lock(session, conversation_id)
    found = (
        await session.execute(
            select(
                Message.root_id,
                Message.conversation_id,
                Message.path,
                Message.depth,
                Participant.role,
                Presence.last_seen_at,
            )
            .join(Participant, Participant.conversation_id == Message.conversation_id)
            .outerjoin(Presence, (Presence.user_id == Participant.user_id) & (Presence.status == "online"))
            .where(Message.id == parent_id, Participant.user_id == author)
        )
    ).one_or_none()
    if found is None:
        raise HTTPException(404)
    if found.role == "viewer":
        raise HTTPException(403)
    message = MessageCreated(
        message_id=uuid.uuid4(),
        root_id=found.root_id,
        conversation_id=found.conversation_id,
        parent_id=parent_id,
        depth=found.depth + 1,
        assistant_message_id=None,
    )
    await _insert(session, message, body, author, f"{found.path}.m{message.message_id.hex}")
    await _count(session, message.root_id, author, seq)
    await _announce(session, message, seq)
    await _note_presence(session, author, found.last_seen_at or 0)
    await session.commit()
    return message


async def _lock(session: AsyncSession, conversation_id: uuid.UUID) -> int:
    """Take the next three numbers of the channel, holding its row, and return the first."""
    channel = update(Channel).where(Channel.name == f"conversation:{conversation_id}")
    seq = await session.scalar(channel.values(seq=Channel.seq + 3).returning(Channel.seq))
    return (seq or 0) - 2


async def _insert(
    session: AsyncSession, made: MessageCreated, body: MessageCreate, author: uuid.UUID, path: str
) -> None:
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    row = {
        "id": made.message_id,
        "root_id": made.root_id,
        "parent_id": made.parent_id,
        "conversation_id": made.conversation_id,
        "author_user_id": author,
        "role": body.role,
        "content": body.content,
        "path": path,
        "depth": made.depth,
        "child_count": 0,
        "created_at": now_ms,
    }
    raised = update(Message).where(Message.id == made.parent_id).values(child_count=Message.child_count + 1)
    await session.execute(raised)
    await session.execute(insert(Message).values(row))


async def _count(session: AsyncSession, root_id: uuid.UUID, author: uuid.UUID, seq: int) -> None:
    """Bring the thread, its authors, the author's read mark and typing up to date."""
    key = {"root_id": root_id, "user_id": author}
    known = await session.get(ThreadAuthor, key)
    if known is None:
        await session.execute(insert(ThreadAuthor).values(key))
    counts = {"message_count": Thread.message_count + 1, "author_count": Thread.author_count + int(known is None)}
    await session.execute(update(Thread).where(Thread.root_id == root_id).values(last_activity=seq, **counts))
    mark = upsert(ReadMark).values(**key, clock=seq)
    await session.execute(
        mark.on_conflict_do_update(index_elements=list(key), set_={"clock": seq}, where=ReadMark.clock < seq)
    )
    await session.execute(delete(Typing).where(Typing.root_id == root_id, Typing.user_id == author))


async def _note_presence(session: AsyncSession, author: uuid.UUID, seen_at: int) -> None:
    """Note that the author is there, unless that was done just before: everything a user writes meets at this row."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    if now_ms - seen_at >= _SEEN_MS:
        seen = {"status": "online", "last_seen_at": now_ms}
        presence = upsert(Presence).values(user_id=author, **seen)
        await session.execute(presence.on_conflict_do_update(index_elements=["user_id"], set_=seen))


async def _announce(session: AsyncSession, made: MessageCreated, seq: int) -> None:
    """Write the three events of a reply and wake whoever listens."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    data = json.dumps({"root_id": str(made.root_id), "last_activity_at": now_ms})
    common = {"channel": f"conversation:{made.conversation_id}", "data": data, "created_at": now_ms}
    types = ("thread.activity", "presence.update", "unread.update")
    events = [{**common, "seq": seq + index, "type": type} for index, type in enumerate(types)]
    await session.execute(insert(Event), events)
    await session.execute(text("SELECT pg_notify('peer_events', '')"))


@api.get("/api/conversations")
async def conversations_list(
    caller: Caller,
    session: Session,
    cursor: uuid.UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ConversationPage:
    """Give one page of the caller's conversations, newest first."""
    statement = (
        select(Conversation.id, Conversation.title, Conversation.is_group, Participant.role, Conversation.created_at)
        .join(Participant, Participant.conversation_id == Conversation.id)
        .where(Participant.user_id == uuid.UUID(caller.user_id))
        .order_by(Conversation.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        statement = statement.where(Conversation.id < cursor)
    rows = (await session.execute(statement)).all()
    page = [
        ConversationSummary(
            conversation_id=row.id,
            title=row.title,
            is_group=row.is_group,
            role=row.role,
            created_at=datetime.fromtimestamp(row.created_at / 1000, UTC),
        )
        for row in rows[:limit]
    ]
    return ConversationPage(conversations=page, next_cursor=page[-1].conversation_id if len(rows) > limit else None)


async def fill(user_id: uuid.UUID, conversations: int) -> list[uuid.UUID]:
    """Make the tables and `conversations` with one thread each; return the roots' ids."""
    roots = []
    async with _engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(Epoch).values(id=1, value=1))
        for index in range(conversations):
            ids = (uuid.uuid4(), uuid.uuid4())
            roots.append(ids[1])
            now_ms = int(datetime.now(UTC).timestamp() * 1000)
            conversation = {"id": ids[0], "title": f"Conversation {index}", "is_group": False, "created_at": now_ms}
            await connection.execute(insert(Conversation).values(conversation))
            await connection.execute(insert(Participant).values(user_id=user_id, conversation_id=ids[0], role="owner"))
            await connection.execute(insert(Channel).values(name=f"conversation:{ids[0]}", seq=0))
            root = {"id": ids[1], "root_id": ids[1], "conversation_id": ids[0], "author_user_id": user_id}
            root |= {
                "role": "system",
                "content": "Root",
                "path": f"m{ids[1].hex}",
                "depth": 1,
                "child_count": 0,
                "created_at": now_ms,
            }
            await connection.execute(insert(Message).values(root))
            thread = {"root_id": ids[1], "last_activity": 0, "message_count": 1, "author_count": 1}
            await connection.execute(insert(Thread).values(thread))
            await connection.execute(insert(ThreadAuthor).values(root_id=ids[1], user_id=user_id))
        await connection.execute(text("ANALYZE"))
    await _engine.dispose()
    return roots


app = Observed(api)
