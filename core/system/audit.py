"""The audit trail: who did what to which object, when, from where, with which credential.

An entry is written in the transaction of its effect and takes no lock that others want; `core.system.audit_chain` seals
entries afterwards. An operation that has committed by itself is answered once its entry is committed too: entries that wait at
the same time share a commit. What told of nothing durable, refusals among it, does not wait for the disk: kill -9 loses none of
that, a loss of power may. A worker writes no more refusals than a budget lets it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import gevent
import msgspec
from gevent.event import AsyncResult

from core.kernel import clock
from core.kernel.exchange import Deed
from core.kernel.ids import new_uuid
from core.kernel.problems import Unavailable
from models.database import AWAY, read, write, write_relaxed
from models.statements import Bound, Statement, run
from models.tables.audit import AuditEntry

REFUSALS_AT_ONCE = 100
REFUSALS_PER_SECOND = 5.0
_ENTER = Statement(
    "INSERT INTO audit_entries (id, at, operation, status, code, user_id, tenant_id, credential_kind, credential_id,"
    " client_address, request_id, objects) VALUES (:id, :at, :operation, :status, :code, :user, :tenant, :kind, :credential,"
    " :address, :request, :objects)"
)
_WAIT = Statement("INSERT INTO audit_waiting (entry_id) VALUES (:id)")


class _Follower(NamedTuple):
    """An entry that waits for its commit; the first of those that wait commits them all."""

    deed: Deed
    is_durable: bool
    committed: AsyncResult


def _commit(group: Sequence[_Follower]) -> None:
    is_durable = any(follower.is_durable for follower in group)
    with write() if is_durable else write_relaxed():
        run([statement for follower in group for statement in _statements(follower.deed)])


def _statements(deed: Deed) -> list[Bound]:
    """Return what writes an entry; run together, since nobody waits for a row of theirs."""
    entry_id = new_uuid()
    entry = _ENTER.bind(
        id=entry_id,
        at=clock.now_ms(),
        operation=deed.operation_id,
        status=deed.status,
        code=deed.code,
        user=deed.user_id,
        tenant=deed.tenant_id,
        kind=deed.credential_kind,
        credential=deed.credential_id,
        address=deed.client_address[:64],
        request=deed.request_id,
        objects=msgspec.json.encode(deed.objects, order="sorted").decode(),
    )
    return [entry, _WAIT.bind(id=entry_id)]


class SqlAuditTrail:
    """The AuditTrail port over the product's tables."""

    def __init__(self) -> None:
        self._budget, self._filled_at = float(REFUSALS_AT_ONCE), time.monotonic()
        self._group: list[_Follower] = []

    def record(self, deed: Deed) -> None:
        """Write an entry inside the caller's write transaction."""
        run(_statements(deed))

    def follow(self, deed: Deed, *, is_durable: bool) -> None:
        """Commit an entry, together with those of other greenlets that wait for the same; is_durable: its effect was."""
        group, committed = self._group, AsyncResult()
        group.append(_Follower(deed, is_durable, committed))
        if len(group) == 1:
            self._lead(group)
        else:
            committed.get()

    def _lead(self, group: list[_Follower]) -> None:
        """Commit what a group waits for, and tell the others."""
        try:
            try:
                gevent.sleep(0)  # whoever can run now may come along
            finally:
                self._group = []
            _commit(group)
        except BaseException as error:
            away = Unavailable("The audit trail cannot be written.", retry_after_seconds=1, cause=repr(error))
            for other in group[1:]:
                other.committed.set_exception(away)
            raise
        for other in group[1:]:
            other.committed.set(None)

    def refuse(self, deed: Deed) -> bool:
        """Write a refusal's entry; False when the budget is used up or the database is away."""
        if not self._may_write():
            return False
        try:
            with write_relaxed():
                self.record(deed)
        except AWAY:
            return False  # the caller has been refused; that it is not written down is counted, and changes nothing
        return True

    def _may_write(self) -> bool:
        now = time.monotonic()
        filled = self._budget + (now - self._filled_at) * REFUSALS_PER_SECOND
        self._budget, self._filled_at = min(filled, float(REFUSALS_AT_ONCE)), now
        if self._budget < 1:
            return False
        self._budget -= 1
        return True


def list_entries(
    *, limit: int, user_id: UUID | None = None, operation: str | None = None, since: datetime | None = None
) -> list[AuditEntry]:
    """Return the newest entries, the oldest of them first."""
    query: Any = AuditEntry.select().order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)
    if user_id is not None:
        query = query.where(AuditEntry.user_id == user_id)
    if operation is not None:
        query = query.where(AuditEntry.operation == operation)
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    with read():
        return list(reversed(list(query)))
