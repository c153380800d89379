"""A conversation that everyone has left goes, in small steps, and only then."""

from __future__ import annotations

from uuid import UUID

import gevent
import pytest

from core.ai import registry
from core.ai.provider import End, Text
from core.chat import clearing, conversations, invites, participants
from core.kernel.principal import Principal
from core.kernel.problems import Gone
from core.system import jobs
from models.database import is_sqlite, read, write
from models.tables.chat import Conversation, Message, MessageChunk, MessageEdit, Thread
from models.tables.events import Channel, EventRow
from tests.conftest import FrozenClock
from tests.unit.core.chat.conftest import add, reply, say, work
from tests.unit.core.chat.test_replies import ScriptedProvider

TABLES = (Conversation, Message, MessageChunk, MessageEdit, Thread, Channel, EventRow)


def _leave(principal: Principal) -> None:
    with write():
        participants.leave_all(principal.user_id)


def _counts() -> list[int]:
    with read():
        return [table.select().count() for table in TABLES]


@pytest.mark.usefixtures("echo")
def test_a_conversation_goes_with_all_that_it_held_when_the_last_one_leaves(
    ada: Principal, ben: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clearing, "_BATCH", 2)
    add(ada, conversation_id, ben)
    root = say(ben, conversation_id, "How are you?", role=None)
    for _ in range(3):
        reply(ada, root)
    work()
    _leave(ada)
    assert work() == 0
    assert _counts()[:2] == [1, 5]
    _leave(ben)
    assert work() == 1
    assert _counts() == [0] * len(TABLES)


def test_stopping_answers_waits_for_no_heartbeat_that_waits_for_it(ada: Principal, conversation_id: UUID) -> None:
    """A heartbeat locks all jobs of its worker in the order of their ids, in which the clearing comes behind the answers."""
    if is_sqlite():
        pytest.skip("SQLite has one writer")
    say(ada, conversation_id, role=None)
    _leave(ada)
    answer, clear = jobs.SqlJobQueue().claim("worker", 10)

    def beat() -> None:
        with write():
            jobs.check_leases([answer])
            gevent.sleep(0.3)  # until the clearing waits for the answer
            jobs.check_leases([clear])

    beating = gevent.spawn(beat)
    gevent.sleep(0.1)  # it has locked the answer
    try:
        assert clearing._stop_answers(clear, conversation_id)
    finally:
        beating.join(5)
    beating.get()


def test_others_stay(ada: Principal, ben: Principal, conversation_id: UUID) -> None:
    say(ada, conversation_id)
    other = _other(ben)
    _leave(ada)
    work()
    with read():
        assert [row.id for row in Conversation.select()] == [other]
        assert Message.select().count() == Thread.select().count() == 1


def _other(owner: Principal) -> UUID:
    made: UUID = conversations.do_create_conversation(owner, "Other plans", is_group=False)
    say(owner, made)
    return made


def test_an_open_invite_ends_with_the_conversation(ada: Principal, eve: Principal, conversation_id: UUID) -> None:
    made = invites.do_create_invite(ada, conversation_id, email="eve@example.com", role="member", ttl_seconds=60)
    _leave(ada)
    with pytest.raises(Gone):
        invites.do_accept_invite(eve, made.token)
    work()
    assert _counts() == [0] * len(TABLES)


def test_an_answer_under_way_is_cancelled_first(
    ada: Principal, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ScriptedProvider(Text("Half"), 30.0, End(finish_reason="stop"))
    monkeypatch.setattr(registry, "_providers", {"gpt-4": provider})
    say(ada, conversation_id, "How are you?", role=None)
    (answer,) = jobs.SqlJobQueue().claim("one", 1)
    running = gevent.spawn(jobs.SqlJobQueue().run, answer)
    gevent.sleep(0.3)
    _leave(ada)
    with gevent.Timeout(10):
        assert work("two") == 1
    assert running.successful()
    assert _counts() == [0] * len(TABLES)


def test_a_fenced_worker_deletes_nothing_more(ada: Principal, conversation_id: UUID, frozen_clock: FrozenClock) -> None:
    say(ada, conversation_id)
    _leave(ada)
    queue = jobs.SqlJobQueue()
    (stale,) = queue.claim("stale", 1)
    frozen_clock.advance(jobs.LEASE_MS / 1000 + 1)
    (again,) = queue.claim("alive", 1)
    with pytest.raises(jobs.LeaseLost):
        clearing.run(stale)
    assert _counts()[:2] == [1, 1]
    clearing.run(again)
    assert _counts()[:2] == [0, 0]
