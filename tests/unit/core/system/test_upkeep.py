"""Upkeep: what is outdated goes, the rest stays, and one of many workers has the turn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from core.identity import biscuits, sessions, tokens
from core.kernel import clock
from core.kernel.durable import Job
from core.kernel.exchange import Replay
from core.kernel.principal import ROOT_TENANT_ID
from core.kernel.problems import AnswerExpired
from core.kernel.settings import Settings, install
from core.system import events, jobs, upkeep
from core.system.idempotency import SqlIdempotencyStore
from handlers.service import build
from models.database import read, write
from models.tables.chat import Presence
from models.tables.events import Channel, EventRow
from models.tables.identity import RevokedBlock, Session, Successor, Token, TokenFamily, User
from models.tables.jobs import JobRow
from models.tables.system import IdempotencyRecord
from tests.conftest import FrozenClock
from tests.factories.tokens import narrow
from tests.unit.core.world import make_administrator, make_member, race, verified

DAY = 86_400


@pytest.fixture
def user(database: Settings) -> User:
    make_administrator()
    return make_member()


def _count(table) -> int:
    with read():
        return table.select().count()


def _pass(frozen_clock: FrozenClock, seconds: float) -> int:
    frozen_clock.advance(seconds)
    return upkeep.clear(clock.now())


def _finish(job: Job) -> None:
    with write():
        jobs.finish(job)


def test_old_events_and_finished_jobs_go(
    user: User, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_functions", {"test": _finish})
    queue = jobs.SqlJobQueue()
    with write():
        events.append("a", "note", b"1")
        events.append("completion:1", "note", b"1")
        jobs.enqueue("test", b"", subject="done")
    for job in queue.claim("one", 10):
        queue.run(job)
    with write():
        jobs.enqueue("test", b"", subject="waiting")
    assert _pass(frozen_clock, 47 * 3600) == 0
    with write():
        events.append("a", "note", b"2")
    _pass(frozen_clock, 2 * 3600)
    with read():
        assert [(row.channel, row.seq) for row in EventRow.select()] == [("a", 2)]
        assert [row.name for row in Channel.select()] == ["a"]
        assert [row.subject for row in JobRow.select()] == ["waiting"]


def test_events_stay_while_a_repeated_key_may_replay_them(
    user: User, database: Settings, frozen_clock: FrozenClock
) -> None:
    install(msgspec.structs.replace(database, event_retention_hours=1, idempotency_hours=3))
    with write():
        events.append("completion:1", "last", b"1")
    _pass(frozen_clock, 2 * 3600)
    assert _count(EventRow) == 1
    _pass(frozen_clock, 2 * 3600)
    assert (_count(EventRow), _count(Channel)) == (0, 0)


@pytest.mark.parametrize("end", [lambda opened: sessions.do_end_session(opened.session.id), lambda opened: None])
def test_ended_and_outlived_sessions_go(
    user: User, frozen_clock: FrozenClock, end: Callable[[sessions.OpenSession], None]
) -> None:
    opened = sessions.do_open_session(verified(user), client_address="", user_agent="")
    sessions.do_rotate_session(opened.secret)
    assert _pass(frozen_clock, 9) == 0
    assert _pass(frozen_clock, 1) == 1
    assert (_count(Successor), _count(Session)) == (0, 1)
    end(opened)
    _pass(frozen_clock, sessions.IDLE.total_seconds())
    assert _count(Session) == 0
    sessions.do_touch_session(opened.session.id)


def test_outlived_tokens_go_while_their_family_is_refreshed(user: User, frozen_clock: FrozenClock) -> None:
    issued = tokens.do_issue_token(verified(user), None)
    presented = biscuits.present(narrow(issued.token, "check if true;"))
    assert presented is not None
    with read():
        family_id = TokenFamily.get().id
    tokens.do_revoke_token(f"{family_id}/{presented.revocation_ids[-1]}")
    assert _pass(frozen_clock, DAY - 60) == 0
    tokens.do_refresh_token(issued.token)
    _pass(frozen_clock, 60)
    assert (_count(Token), _count(TokenFamily), _count(RevokedBlock)) == (1, 1, 0)
    tokens.do_revoke_token(str(family_id))
    _pass(frozen_clock, 0)
    assert (_count(Token), _count(TokenFamily)) == (0, 0)


def test_secret_answers_are_emptied_before_their_keys_go(
    user: User, database: Settings, frozen_clock: FrozenClock
) -> None:
    store, names = SqlIdempotencyStore(database), {"caller": "a", "operation_id": "b", "key": "c"}
    lease = clock.now() + timedelta(seconds=60)
    replay = Replay(status=200, headers=(), body=b"secret")
    with write():
        store.begin(**names, fingerprint=b"x", lease_until=lease, is_secret=True)
        store.store(**names, lease_until=lease, replay=replay, is_secret=True)
    assert _pass(frozen_clock, 599) == 0
    assert _pass(frozen_clock, 1) == 1
    assert _pass(frozen_clock, 0) == 0
    with write():
        assert bytes(IdempotencyRecord.get().answer) == b""
        with pytest.raises(AnswerExpired):
            store.begin(**names, fingerprint=b"x", lease_until=lease, is_secret=True)
    _pass(frozen_clock, DAY)
    assert _count(IdempotencyRecord) == 0


def test_more_than_a_batch_goes_in_one_turn(user: User, frozen_clock: FrozenClock) -> None:
    rows = [{"digest": str(number), "sealed": b"", "expires_at": clock.now()} for number in range(upkeep._BATCH + 1)]
    with write():
        for start in range(0, len(rows), 100):
            Successor.insert_many(rows[start : start + 100]).execute()
    assert _pass(frozen_clock, 0) == upkeep._BATCH + 1
    assert _count(Successor) == 0


def test_turn_is_taken_once_a_minute_in_all(
    user: User, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[object] = []
    monkeypatch.setattr(upkeep, "clear", taken.append)
    assert race(40, upkeep.SqlUpkeep().run) == [None] * 40
    assert len(taken) == 1
    frozen_clock.advance(59)
    upkeep.SqlUpkeep().run()
    assert len(taken) == 1
    frozen_clock.advance(1)
    upkeep.SqlUpkeep().run()
    assert len(taken) == 2


def test_the_products_upkeep_notes_silence_whenever_a_turn_is_offered(
    user: User, database: Settings, frozen_clock: FrozenClock
) -> None:
    with write():
        Presence.create(user=user, tenant_id=ROOT_TENANT_ID, status="online", last_seen_at=clock.now())
    offered = build(database).ports.upkeep
    assert offered is not None
    offered.run()
    frozen_clock.advance(30)
    offered.run()
    assert Presence.get().status == "online"
    frozen_clock.advance(30)
    offered.run()  # though nobody has a turn before a minute is over
    assert Presence.get().status == "offline"
