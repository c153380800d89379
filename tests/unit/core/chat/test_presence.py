"""Presence without heartbeats: silence is noted once, told to every conversation, and never against a fresher sign."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import gevent
import pytest
from msgspec import structs

from core.chat import conversations, presence
from core.kernel import clock
from core.kernel.principal import ROOT_TENANT_ID, Principal
from core.kernel.settings import Settings
from models.database import database as door
from models.database import is_sqlite, read, write
from models.tables.chat import Presence
from models.tables.identity import User
from tests.conftest import FrozenClock
from tests.unit.core.chat.conftest import add, payloads, say


def _statuses(conversation_id: UUID, user: Principal) -> list[str]:
    told = payloads(conversation_id, "presence.update")
    return [one["status"] for one in told if one["user_id"] == str(user.user_id)]


def _status(user: Principal) -> str:
    with read():
        return str(Presence.get(Presence.user == user.user_id).status)


@pytest.mark.parametrize("status", ["online", "away"])
def test_who_is_silent_for_a_minute_is_offline_in_every_conversation(
    ada: Principal, ben: Principal, conversation_id: UUID, frozen_clock: FrozenClock, status: str
) -> None:
    other = conversations.do_create_conversation(ben, "Other plans", is_group=False)
    add(ada, conversation_id, ben)
    presence.do_send_heartbeat(ben, status)
    seen = clock.now()
    frozen_clock.advance(59)
    assert presence.do_note_silence() == 0
    frozen_clock.advance(1)
    assert presence.do_note_silence() == 1
    assert presence.do_note_silence() == 0
    assert _status(ben) == "offline"
    for each in (conversation_id, other):
        assert _statuses(each, ben)[-2:] == [status, "offline"]
    last = payloads(other, "presence.update")[-1]
    assert last["last_seen_at"].replace("Z", "+00:00") == seen.isoformat()


@pytest.mark.parametrize("sign", ["heartbeat", "message"])
def test_silence_is_told_where_one_was_heard_of_last(
    ada: Principal, ben: Principal, conversation_id: UUID, frozen_clock: FrozenClock, sign: str
) -> None:
    add(ada, conversation_id, ben)
    elsewhere = structs.replace(ben, tenant_id=uuid4())
    presence.do_send_heartbeat(elsewhere, "online")
    frozen_clock.advance(11)
    if sign == "heartbeat":
        presence.do_send_heartbeat(ben, "online")
    else:
        say(ben, conversation_id)
    frozen_clock.advance(60)
    assert presence.do_note_silence() == 1
    assert _statuses(conversation_id, ben)[-1:] == ["offline"]


def test_a_sign_of_life_keeps_from_going_offline_and_brings_back(
    ada: Principal, conversation_id: UUID, frozen_clock: FrozenClock
) -> None:
    presence.do_send_heartbeat(ada, "online")
    frozen_clock.advance(40)
    say(ada, conversation_id)
    frozen_clock.advance(40)
    assert presence.do_note_silence() == 0
    frozen_clock.advance(30)
    assert presence.do_note_silence() == 1
    presence.do_send_heartbeat(ada, "online")
    assert _statuses(conversation_id, ada)[-2:] == ["offline", "online"]


def test_silence_is_told_once_whichever_worker_finds_it(
    ada: Principal, conversation_id: UUID, frozen_clock: FrozenClock
) -> None:
    presence.do_send_heartbeat(ada, "online")
    frozen_clock.advance(61)
    with read():
        stale = Presence.get(Presence.user == ada.user_id)
    gevent.joinall([gevent.spawn(presence.do_note_silence) for _ in range(4)], raise_error=True)
    assert _statuses(conversation_id, ada).count("offline") == 1
    presence.do_send_heartbeat(ada, "online")
    with pytest.raises(presence._HeardOf):
        presence._go_offline(stale)
    assert _statuses(conversation_id, ada)[-1] == "online"
    assert _status(ada) == "online"


def test_who_fell_silent_is_found_by_the_index_of_those_who_are_not_offline(database: Settings) -> None:
    now = clock.now()
    users = [{"id": uuid4(), "email": f"{number}@example.com", "created_at": now} for number in range(3000)]
    rows = [
        {"user": user["id"], "tenant_id": ROOT_TENANT_ID, "status": status, "last_seen_at": now - timedelta(hours=1)}
        for user, status in zip(users, ["online", "away"] + ["offline"] * 2998, strict=True)
    ]
    with write():
        for start in range(0, len(users), 500):
            User.insert_many(users[start : start + 500]).execute()
            Presence.insert_many(rows[start : start + 500]).execute()
        if not is_sqlite():
            door.execute_sql("ANALYZE presence")
    with read():
        sql, parameters = presence._silent().sql()
        explain = "EXPLAIN QUERY PLAN" if is_sqlite() else "EXPLAIN"
        plan = " ".join(str(row) for row in door.execute_sql(f"{explain} {sql}", parameters).fetchall())
        assert {row.status for row in presence._silent()} == {"online", "away"}
    assert "presence_heard_of" in plan
    assert "TEMP B-TREE" not in plan
