"""Statements written out: values of every kind come through alike on both databases, one by one and together."""

from __future__ import annotations

from contextlib import suppress

import pytest

from core.kernel import ids
from core.kernel.settings import Settings
from models import statements
from models.database import database as door
from models.database import write, write_joined
from models.statements import Statement, as_uuid

_INSERT = Statement(
    "INSERT INTO things (id, text, data, is_good, count) VALUES (:id, :text, :data, :is_good, CAST(:count AS BIGINT) + 0)"
)
_ALL = Statement("SELECT id, text, data, is_good, count FROM things WHERE text LIKE '%' ORDER BY count")
_ODD_TEXT = "100 % of %(it)s; :text ' \" \\ é 🎉"


@pytest.fixture
def things(empty_database: Settings, backend: str) -> None:
    with write():
        kind = "BLOB" if backend == "sqlite" else "BYTEA"
        door.execute_sql(f"CREATE TABLE things (id CHAR(32), text TEXT, data {kind}, is_good BOOLEAN, count BIGINT)")


@pytest.mark.usefixtures("things")
def test_values_come_back_as_they_went_when_statements_run_together() -> None:
    first, second = ids.new_uuid(), ids.new_uuid()
    with write():
        statements.run(
            [
                _INSERT.bind(id=first, text=_ODD_TEXT, data=b"\x00%'\xff", is_good=True, count=2**40),
                _INSERT.bind(id=second, text="", data=b"", is_good=False, count=2**41),
            ]
        )
        rows = [(as_uuid(row[0]), row[1], bytes(row[2]), bool(row[3]), row[4]) for row in _ALL.rows()]
    assert rows == [(first, _ODD_TEXT, b"\x00%'\xff", True, 2**40), (second, "", b"", False, 2**41)]


def _swallow_a_failure() -> None:
    with write():
        statements.run([_INSERT.bind(id=ids.new_uuid(), text="whole", data=b"", is_good=True, count=1)])
        with suppress(KeyError), write_joined():
            raise KeyError("stop")


@pytest.mark.usefixtures("things")
def test_nothing_is_kept_when_a_joined_part_failed_and_nobody_said_so() -> None:
    with pytest.raises(RuntimeError, match="swallowed"):
        _swallow_a_failure()
    with write():
        assert _ALL.rows() == []


@pytest.mark.usefixtures("things")
def test_a_joined_part_opens_a_transaction_when_there_is_none() -> None:
    with write_joined():
        statements.run([_INSERT.bind(id=ids.new_uuid(), text="kept", data=b"", is_good=True, count=1)])
    with write():
        assert [row[1] for row in _ALL.rows()] == ["kept"]
