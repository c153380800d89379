"""Tree slices of a thread of 100,000 messages: only the page is read."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from psycopg2.extras import execute_batch

from core.chat import paths, posting, tree
from core.chat.access import access_thread
from core.kernel import clock
from core.kernel.principal import Principal
from models.database import database as door
from models.database import is_sqlite, read, write
from models.tables.chat import Message
from tests.unit.core.chat.conftest import reply, say

COUNT = 100_000


def _fill(principal: Principal, root_id: UUID) -> None:
    _, thread = access_thread(principal, root_id)
    now, root = clock.now_ms(), paths.root_path()
    first = {"id": uuid4(), "path": paths.child_path(root, 0)}
    common: dict[str, Any] = {
        "tenant_id": principal.tenant_id,
        "conversation": thread.conversation_id,
        "root": root_id,
        "parent_id": root_id,
        "role": "system",
        "content": "x",
        "depth": 2,
        "clock": now,
        "created_at": now,
    }
    sql, written = Message.insert({**common, **first}).sql()
    id_at = written.index(Message.id.db_value(first["id"]))
    path_at = next(at for at, value in enumerate(written) if isinstance(value, type(Message.path.db_value(root))))

    def row(number: int) -> list[Any]:
        values = list(written)
        values[id_at], values[path_at] = (
            Message.id.db_value(uuid4()),
            Message.path.db_value(paths.child_path(root, number)),
        )
        return values

    rows = map(row, range(COUNT))
    with write():
        if is_sqlite():
            door.cursor().executemany(sql, rows)
        else:
            execute_batch(door.cursor(), sql, rows, page_size=1000)
            door.execute_sql("ANALYZE messages")


def test_a_slice_is_read_from_the_index_of_paths(ada: Principal, conversation_id: UUID) -> None:
    root_id = say(ada, conversation_id)
    _fill(ada, root_id)
    middle = paths.child_path(paths.root_path(), COUNT // 2)
    with read():
        query = Message.select().where(Message.root == root_id, Message.path > middle)
        sql, parameters = query.order_by(Message.path).limit(200).sql()
        if is_sqlite():
            plan = " ".join(str(row) for row in door.execute_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall())
            assert "USING INDEX message_root_id_path (root_id=? AND path>?)" in plan.replace("messages_", "message_")
            assert "TEMP B-TREE" not in plan
        else:
            (found,) = door.execute_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters).fetchone()
            node = found[0]["Plan"]["Plans"][0]
            assert (node["Node Type"], node["Actual Rows"]) == ("Index Scan", 200)
        middle_id = Message.get(Message.root == root_id, Message.path == middle).id
    page = tree.get_slice(ada, root_id, cursor_path=f"m{middle_id.hex}", limit=200)
    assert len(page.messages) == 200
    assert page.next_cursor is not None


def test_a_deep_thread_is_cut_into_slices_by_size_and_refuses_at_its_limit(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "MAX_DEPTH", 40)
    monkeypatch.setattr(tree, "SLICE_CHARACTERS", 5000)
    root_id = parent = say(ada, conversation_id)
    for _ in range(39):
        parent = reply(ada, parent)
    with pytest.raises(posting.ThreadTooDeep):
        reply(ada, parent)
    found: list[int] = []
    cursor = None
    while cursor is not None or not found:
        page = tree.get_slice(ada, root_id, cursor_path=cursor, limit=500)
        assert len(page.messages) < 40
        found += [message.depth for message in page.messages]
        cursor = page.next_cursor
    assert found == list(range(1, 41))
