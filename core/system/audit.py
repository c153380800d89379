"""The audit trail: who did what to which object, when, from where, with which credential.

An entry is written in the transaction of its effect and takes no lock that others want; `core.system.audit_chain` seals
entries afterwards. Refusals have transactions of their own, and a worker writes no more of them than a budget lets it.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import peewee

from core.kernel import clock
from core.kernel.exchange import Deed
from core.kernel.ids import new_uuid
from core.kernel.problems import Unavailable
from models.database import read, write
from models.tables.audit import AuditEntry, AuditWaiting

REFUSALS_AT_ONCE = 100
REFUSALS_PER_SECOND = 5.0


class SqlAuditTrail:
    """The AuditTrail port over the product's tables."""

    def __init__(self) -> None:
        self._budget, self._filled_at = float(REFUSALS_AT_ONCE), time.monotonic()

    def record(self, deed: Deed) -> None:
        """Write an entry inside the caller's write transaction."""
        with write():
            entry = AuditEntry.create(
                id=new_uuid(),
                at=clock.now(),
                operation=deed.operation_id,
                status=deed.status,
                code=deed.code,
                user_id=deed.user_id,
                tenant_id=deed.tenant_id,
                credential_kind=deed.credential_kind,
                credential_id=deed.credential_id,
                client_address=deed.client_address[:64],
                request_id=deed.request_id,
                objects=msgspec.json.encode(deed.objects, order="sorted").decode(),
            )
            AuditWaiting.insert(entry_id=entry.id).execute()

    def refuse(self, deed: Deed) -> bool:
        """Write a refusal's entry; False when the budget is used up or the database is away."""
        if not self._may_write():
            return False
        try:
            self.record(deed)
        except (Unavailable, peewee.OperationalError, peewee.InterfaceError):
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
