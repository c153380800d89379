"""FastAPI with SQLAlchemy 2 (asyncpg) on PostgreSQL: a reply to a message and a page of conversations, as the product does them.

A reply is one transaction: find the parent and the caller's role, take the channel's next number under its row lock,
insert the message, insert its event. The security epoch is read once a request, on the request's own session.
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
from sqlalchemy import BigInteger, ForeignKey, Text, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tests.bench.peers import callers
from tests.bench.peers.observed import Observed

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
    created_at: Mapped[int] = mapped_column(BigInteger)


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
    found = (
        await session.execute(
            select(Message.root_id, Message.conversation_id, Message.path, Message.depth, Participant.role)
            .join(Participant, Participant.conversation_id == Message.conversation_id)
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
    await session.commit()
    return message


async def _insert(
    session: AsyncSession, made: MessageCreated, body: MessageCreate, author: uuid.UUID, path: str
) -> None:
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    channel = f"conversation:{made.conversation_id}"
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
        "created_at": now_ms,
    }
    await session.execute(insert(Message).values(row))
    seq = await session.scalar(
        update(Channel).where(Channel.name == channel).values(seq=Channel.seq + 1).returning(Channel.seq)
    )
    data = json.dumps(row | {"id": str(row["id"])}, default=str)
    event = {"channel": channel, "seq": seq, "type": "message.created", "data": data, "created_at": now_ms}
    await session.execute(insert(Event).values(event))


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
            root |= {"role": "system", "content": "Root", "path": f"m{ids[1].hex}", "depth": 1, "created_at": now_ms}
            await connection.execute(insert(Message).values(root))
        await connection.execute(text("ANALYZE"))
    await _engine.dispose()
    return roots


app = Observed(api)
