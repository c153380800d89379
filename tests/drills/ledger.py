"""The database of a running server, looked at from outside: plain SQL on a connection of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple
from uuid import UUID

import psycopg2

from tests.oracle import SentEvent


class Written(NamedTuple):
    """A generated answer as it is stored; chunks: its pieces, in order."""

    content: str
    finish_reason: str | None
    is_streaming: bool
    chunks: list[str]


class Ledger:
    """Ask the tables of the database at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_sqlite = url.startswith("sqlite")

    def events(self, channel: str) -> list[SentEvent]:
        """Return every event of a channel as a client should have received it, in order."""
        rows = self._rows("SELECT type, event_id, data FROM events WHERE channel = ? ORDER BY seq", channel)
        return [SentEvent(event=type_, id=event_id, data=bytes(data).decode()) for type_, event_id, data in rows]

    def answer(self, message_id: str) -> Written:
        """Return a generated message."""
        key = self._id(message_id)
        ((content, reason, streams),) = self._rows(
            "SELECT content, finish_reason, is_streaming FROM messages WHERE id = ?", key
        )
        chunks = self._rows("SELECT content FROM message_chunks WHERE message_id = ? ORDER BY idx", key)
        return Written(content, reason, bool(streams), [text for (text,) in chunks])

    def count(self, table: str, column: str, value: str) -> int:
        """Count the rows of a table whose column is `value`."""
        ((count,),) = self._rows(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", value)
        return int(count)

    def unfinished_jobs(self) -> int:
        """Count the jobs that are neither done nor failed."""
        ((count,),) = self._rows("SELECT COUNT(*) FROM jobs WHERE state <> ?", "done")
        return int(count)

    def usage(self) -> list[tuple[int, int]]:
        """Return the LLM tokens of every entry of the ledger: of the prompt, of the answer."""
        rows = self._rows("SELECT prompt_tokens, completion_tokens FROM usage_entries")
        return [(int(prompt), int(completion)) for prompt, completion in rows]

    def reservations(self) -> int:
        """Count what is reserved for work under way."""
        ((count,),) = self._rows("SELECT COUNT(*) FROM usage_reservations")
        return int(count)

    def content(self, message_id: str) -> str:
        """Return the text of a message."""
        ((content,),) = self._rows("SELECT content FROM messages WHERE id = ?", self._id(message_id))
        return str(content)

    def worker_of(self, message_id: str) -> int | None:
        """Return the pid of the worker that writes an answer now, or None."""
        subject = f"message:{message_id}"
        for (worker,) in self._rows("SELECT worker FROM jobs WHERE subject = ? AND state = 'running'", subject):
            return int(worker.split(":")[1])
        return None

    def _id(self, value: str) -> str:
        """Return an id as the database holds it: 32 hexadecimal digits where it has no type for ids."""
        return UUID(value).hex if self._is_sqlite else value

    def _rows(self, query: str, *values: str) -> list[Any]:
        return list(self._read(query, values))

    def _read(self, query: str, values: tuple[str, ...]) -> Iterator[Any]:
        if self._is_sqlite:
            with closing(sqlite3.connect(self._url.removeprefix("sqlite:///"), timeout=30)) as connection:
                yield from connection.execute(query, values)
            return
        with closing(psycopg2.connect(self._url)) as server, server.cursor() as cursor:
            cursor.execute(query.replace("?", "%s"), values)
            yield from cursor.fetchall()
