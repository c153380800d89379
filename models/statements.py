"""SQL written out, for what runs on every request: peewee takes longer to build such a statement than a database to run it.

The text must mean the same to both databases. Parameters are written :name; ids and booleans are given as peewee stores
them. Statements whose rows nobody waits for are run together, on PostgreSQL in one round trip.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from models.database import database, is_sqlite

_NAME = re.compile(r"(?<!:):([a-z_0-9]+)")
_STORED: dict[type, Callable[[Any], Any]] = {UUID: lambda value: value.hex}


class Bound(NamedTuple):
    """A statement with its values."""

    text: str
    values: dict[str, Any]


class Statement:
    """One statement; its text is translated for PostgreSQL's driver once."""

    def __init__(self, text: str) -> None:
        self._sqlite = text
        self._postgresql = _NAME.sub(r"%(\1)s", text.replace("%", "%%"))

    def bind(self, **values: Any) -> Bound:
        """Return the statement with values, to be run with others."""
        stored = {name: _STORED.get(type(value), _unchanged)(value) for name, value in values.items()}
        return Bound(self._sqlite if is_sqlite() else self._postgresql, stored)

    def rows(self, **values: Any) -> list[tuple[Any, ...]]:
        """Run it and return its rows, inside the caller's scope; ids come as `as_uuid` takes them."""
        found: list[tuple[Any, ...]] = database.execute_sql(*self.bind(**values)).fetchall()
        return found


def run(statements: Sequence[Bound]) -> None:
    """Run statements in their order, inside the caller's scope, and drop their rows."""
    if is_sqlite():
        for statement in statements:
            database.execute_sql(*statement).fetchall()
        return
    if not statements:
        return
    mogrify = database.cursor().mogrify
    whole = b";".join(mogrify(*statement) for statement in statements)
    database.execute_sql("%(whole)s", {"whole": _Text(whole)})


def as_uuid(value: Any) -> UUID:
    """Return an id as it came from either database."""
    return value if isinstance(value, UUID) else UUID(value)


class _Text:
    """Text that psycopg2 takes as it is: it is quoted already, and a per cent sign in it is one."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    def __conform__(self, protocol: object) -> _Text:
        return self

    def getquoted(self) -> bytes:
        """Return it (psycopg2's ISQLQuote protocol)."""
        return self._text


def _unchanged(value: Any) -> Any:
    return value
