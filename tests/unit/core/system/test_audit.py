"""The audit trail: entries that nobody changes, and a chain that shows it when somebody with the database does."""

from __future__ import annotations

from contextlib import suppress
from uuid import uuid4

import gevent
import msgspec
import peewee
import pytest

from core.kernel import settings as kernel_settings
from core.kernel.exchange import Deed
from core.kernel.problems import Unavailable
from core.kernel.settings import Settings
from core.system import audit, audit_chain
from models.database import database as door
from models.database import is_sqlite, noting_writes, read, write, write_relaxed
from models.tables.audit import AuditEntry, AuditHead, AuditSeal, AuditWaiting
from tests.conftest import FrozenClock

KEPT = (AuditEntry, AuditSeal)


def _deed(number: int = 0, **changes: object) -> Deed:
    values = {
        "operation_id": f"things_make{number}",
        "status": 201,
        "code": None,
        "user_id": uuid4(),
        "tenant_id": uuid4(),
        "credential_kind": "token",
        "credential_id": "a/b",
        "client_address": "192.0.2.1",
        "request_id": "r",
        "objects": {"b": "2", "a": "1"},
    }
    return Deed(**(values | changes))


@pytest.fixture
def trail(database: Settings, frozen_clock: FrozenClock) -> audit.SqlAuditTrail:
    """Give a trail of five entries, three of them sealed."""
    trail = audit.SqlAuditTrail()
    for number in range(5):
        frozen_clock.advance(1)
        with write():
            trail.record(_deed(number))
        if number == 2:
            assert audit_chain.seal_some() == 3
    return trail


def _unguarded(statement: str) -> None:
    """Do as somebody would who owns the database: take the triggers away, then change what they guard."""
    with write():
        for table in KEPT:
            name = table._meta.table_name
            if is_sqlite():
                for event in ("update", "delete"):
                    door.execute_sql(f"DROP TRIGGER IF EXISTS {name}_no_{event}")
            else:
                door.execute_sql(f"DROP TRIGGER IF EXISTS {name}_kept ON {name}")
        door.execute_sql(statement)


def test_chain_holds_and_counts_what_waits(trail: audit.SqlAuditTrail) -> None:
    verdict = audit_chain.verify()
    assert (verdict.sealed, verdict.waiting, verdict.broken) == (3, 2, None)
    assert audit_chain.seal_some() == 2
    assert audit_chain.seal_some() == 0
    verdict = audit_chain.verify()
    assert (verdict.sealed, verdict.waiting, verdict.broken) == (5, 0, None)


def test_empty_trail_holds(database: Settings) -> None:
    assert audit_chain.verify() == (0, 0, "", None)


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_database_refuses_to_change_and_to_delete(trail: audit.SqlAuditTrail, table: type, verb: str) -> None:
    name = table._meta.table_name
    statement = f"DELETE FROM {name}" if verb == "delete" else f"UPDATE {name} SET entry_id = entry_id"
    if verb == "update" and table is AuditEntry:
        statement = f"UPDATE {name} SET status = 200"
    with pytest.raises(peewee.DatabaseError, match="only added to"), write():
        door.execute_sql(statement)


TAMPERING = {
    "an entry is changed": ("UPDATE audit_entries SET status = 500 WHERE operation = 'things_make1'", 2),
    "its time is changed": ("UPDATE audit_entries SET at = at + 1 WHERE operation = 'things_make0'", 1),
    "an entry is removed": ("DELETE FROM audit_entries WHERE operation = 'things_make1'", 2),
    "a seal is removed": ("DELETE FROM audit_seals WHERE seq = 2", 3),
    "the last seal is removed": ("DELETE FROM audit_seals WHERE seq = 3", 0),
    "the end is cut off and the head moved back": (
        "UPDATE audit_head SET seq = 2, last = (SELECT mac FROM audit_seals WHERE seq = 2)",
        0,
    ),
    "all seals are removed": ("DELETE FROM audit_seals", 0),
    "a mac is changed": ("UPDATE audit_seals SET mac = 'f00' WHERE seq = 1", 1),
    "two entries change places": (
        "UPDATE audit_seals SET entry_id = (SELECT id FROM audit_entries WHERE operation = 'things_make4') WHERE seq = 2",
        2,
    ),
    "an entry no longer waits": ("DELETE FROM audit_waiting", 0),
    "the head is emptied": ("UPDATE audit_head SET seq = 0, last = '', mac = ''", 0),
}


@pytest.mark.parametrize(("statement", "seq"), TAMPERING.values(), ids=TAMPERING)
def test_chain_is_found_broken_where_it_is(trail: audit.SqlAuditTrail, statement: str, seq: int) -> None:
    _unguarded(statement)
    broken = audit_chain.verify().broken
    assert broken is not None
    assert broken.seq == seq


def test_order_of_two_sealed_entries_cannot_be_exchanged(trail: audit.SqlAuditTrail) -> None:
    with read():
        first, second = (AuditSeal.get_by_id(seq).entry_id for seq in (1, 2))
    _unguarded(f"DELETE FROM audit_seals WHERE seq = 1 AND entry_id = {_literal(first)}")
    with write():
        AuditSeal.update(entry_id=first).where(AuditSeal.seq == 2).execute()
        mac, key_id = AuditSeal.get_by_id(3).mac, AuditSeal.get_by_id(3).key_id
        AuditSeal.create(seq=1, entry_id=second, key_id=key_id, mac=mac)
    broken = audit_chain.verify().broken
    assert broken is not None
    assert (broken.seq, broken.entry_id) == (1, second)


def _literal(value: object) -> str:
    return f"'{value.hex if is_sqlite() else value}'"


def test_chain_made_anew_under_another_key_is_refused(trail: audit.SqlAuditTrail, database: Settings) -> None:
    kernel_settings.install(msgspec.structs.replace(database, secret_keys=("another-secret-of-thirty-two-letters",)))
    broken = audit_chain.verify().broken
    assert broken is not None
    assert "ACCORD_SECRET_KEYS" in broken.reason


def test_former_key_still_verifies_after_a_rotation(trail: audit.SqlAuditTrail, database: Settings) -> None:
    rotated = ("a-new-secret-that-signs-from-now-on", *database.secret_keys)
    kernel_settings.install(msgspec.structs.replace(database, secret_keys=rotated))
    assert audit_chain.seal_some() == 2
    verdict = audit_chain.verify()
    assert (verdict.sealed, verdict.broken) == (5, None)
    with read():
        assert AuditHead.get().key_id != AuditSeal.get_by_id(1).key_id


def test_entry_goes_with_the_transaction_of_its_effect(trail: audit.SqlAuditTrail) -> None:
    with suppress(ZeroDivisionError), write():
        trail.record(_deed(9))
        raise ZeroDivisionError
    with read():
        assert AuditEntry.select().count() == 5
        assert AuditWaiting.select().count() == 2


def test_refusals_are_bounded(trail: audit.SqlAuditTrail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit.time, "monotonic", lambda: 1000.0)
    fresh = audit.SqlAuditTrail()
    written = [fresh.refuse(_deed(status=403, code="forbidden")) for _ in range(audit.REFUSALS_AT_ONCE + 20)]
    assert written.count(True) == audit.REFUSALS_AT_ONCE
    assert written[-20:] == [False] * 20
    monkeypatch.setattr(audit.time, "monotonic", lambda: 1001.0)
    assert [fresh.refuse(_deed()) for _ in range(6)].count(True) == audit.REFUSALS_PER_SECOND


def test_entries_are_listed_the_newest_last(trail: audit.SqlAuditTrail) -> None:
    assert [entry.operation for entry in audit.list_entries(limit=2)] == ["things_make3", "things_make4"]
    last = audit.list_entries(limit=1)[0]
    assert [entry.id for entry in audit.list_entries(limit=9, user_id=last.user_id)] == [last.id]
    assert [entry.id for entry in audit.list_entries(limit=9, operation="things_make4")] == [last.id]
    assert [entry.id for entry in audit.list_entries(limit=9, since=last.at)] == [last.id]


def test_entries_that_wait_together_share_a_commit(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[int] = []
    monkeypatch.setattr(
        audit, "_commit", lambda group, commit=audit._commit: (commits.append(len(group)), commit(group))
    )
    trail = audit.SqlAuditTrail()
    waiting = [gevent.spawn(trail.follow, _deed(number), is_durable=True) for number in range(8)]
    gevent.joinall(waiting, raise_error=True)
    trail.follow(_deed(8), is_durable=False)
    assert commits == [8, 1]
    assert {entry.operation for entry in audit.list_entries(limit=20)} == {
        f"things_make{number}" for number in range(9)
    }
    assert audit_chain.seal_some() == 9


def test_all_who_wait_are_refused_when_their_commit_fails_and_the_next_are_not(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(group: object) -> None:
        raise peewee.OperationalError("disk I/O error")

    trail = audit.SqlAuditTrail()
    with monkeypatch.context() as patch:
        patch.setattr(audit, "_commit", fail)
        waiting = [gevent.spawn(trail.follow, _deed(number), is_durable=True) for number in range(3)]
        gevent.joinall(waiting)
    kinds = [type(greenlet.exception) for greenlet in waiting]
    assert kinds == [peewee.OperationalError, Unavailable, Unavailable]
    trail.follow(_deed(3), is_durable=True)
    assert [entry.operation for entry in audit.list_entries(limit=20)] == ["things_make3"]


def test_writes_are_noted_that_waited_for_the_disk(database: Settings) -> None:
    with noting_writes() as has_written:
        with read():
            pass
        with write_relaxed():
            pass
        assert not has_written()
        with write():
            pass
    assert has_written()
    with noting_writes() as has_written:
        pass
    assert not has_written()
