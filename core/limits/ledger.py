"""The ledger of LLM tokens: reserved before work begins, entered in the transaction in which the work ends.

An entry is only ever inserted, so that transactions which end many pieces of work never wait for each other; older entries
are summed up by day. What ends twice (its worker died in between) is entered once: an entry's key is what the work was.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from core.kernel import clock
from core.kernel.exchange import UNLIMITED
from core.kernel.problems import QuotaExceeded
from core.limits import periods, plans
from models.database import is_sqlite, read, write
from models.statements import Statement, run
from models.tables.limits import UsageDay, UsageEntry, UsageReservation

ROLL_UP_AFTER = timedelta(hours=1)
_BATCH = 500
_USED = Statement(
    "SELECT COALESCE(SUM(tokens), 0) FROM ("
    " SELECT SUM(prompt_tokens + completion_tokens) AS tokens FROM usage_entries"
    "  WHERE tenant_id = :tenant AND created_at >= :start AND created_at < :stop"
    " UNION ALL"
    " SELECT SUM(prompt_tokens + completion_tokens) FROM usage_days"
    "  WHERE tenant_id = :tenant AND day_at >= :start AND day_at < :stop"
    ") AS sums"
)
_RESERVED = Statement(
    "SELECT COALESCE(SUM(tokens), 0) FROM usage_reservations"
    " WHERE tenant_id = :tenant AND (expires_at IS NULL OR expires_at > :now)"
)
_ENTER = Statement(
    "INSERT INTO usage_entries (subject, tenant_id, prompt_tokens, completion_tokens, created_at)"
    " VALUES (:subject, :tenant, :prompt, :completion, :now) ON CONFLICT (subject) DO NOTHING RETURNING subject"
)
_HOLD = Statement("SELECT id FROM tenants WHERE id = :tenant FOR NO KEY UPDATE")
_RELEASE = Statement("DELETE FROM usage_reservations WHERE subject = :subject RETURNING subject")


class Tokens(NamedTuple):
    """What a piece of work cost."""

    prompt: int
    completion: int


def do_reserve(
    tenant_id: UUID, subject: str, estimate: Callable[[], int], *, expires_at: datetime | None = None
) -> None:
    """Set tokens aside for work that is about to begin, where the tenant's plan limits them.

    Tenants' reservations follow each other: the tenant's row is held to the end of the transaction. estimate: gives how many,
    asked only then. expires_at: when the reservation lapses by itself; None for work that a job sees to its end.

    Raises:
        QuotaExceeded: not so many are left in this billing month.
    """
    terms = plans.find_recent_terms(tenant_id)
    limit = terms.quota.tokens_per_month
    if limit == UNLIMITED:
        return
    month, tokens = periods.month_of(clock.now(), terms.anchor_day), estimate()
    with write():
        if not is_sqlite():
            _HOLD.rows(tenant=tenant_id)
        if get_used(tenant_id, month) + _reserved(tenant_id) + tokens > limit:
            wait = month.end - clock.now()
            raise QuotaExceeded(
                f"The plan's {limit} tokens of this month are used up.",
                retry_after_seconds=int(wait.total_seconds()) + 1,
            )
        UsageReservation.create(subject=subject, tenant=tenant_id, tokens=tokens, expires_at=expires_at)


def settle(tenant_id: UUID, subject: str, tokens: Tokens) -> None:
    """Enter what the work cost and end its reservation, inside the write transaction of its end."""
    now = clock.now_ms()
    entry = _ENTER.bind(subject=subject, tenant=tenant_id, prompt=tokens.prompt, completion=tokens.completion, now=now)
    run([entry, _RELEASE.bind(subject=subject)] if any(tokens) else [_RELEASE.bind(subject=subject)])


def release(subject: str) -> None:
    """End a reservation of work that came to nothing, inside a write transaction."""
    run([_RELEASE.bind(subject=subject)])


def get_used(tenant_id: UUID, period: periods.Period) -> int:
    """Return the tokens entered in a period that begins and ends at midnights."""
    start, stop = clock.to_ms(period.start), clock.to_ms(period.end)
    with read():
        return int(_USED.rows(tenant=tenant_id, start=start, stop=stop)[0][0])


def roll_up(now: datetime) -> int:
    """Add a batch of older entries to the sums of their days, and return how many there were."""
    old = UsageEntry.created_at <= now - ROLL_UP_AFTER
    with read():
        if not UsageEntry.select().where(old).exists():
            return 0
    with write():
        chosen = UsageEntry.select(UsageEntry.subject).where(old).order_by(UsageEntry.created_at).limit(_BATCH)
        rows = list(UsageEntry.delete().where(UsageEntry.subject.in_(chosen)).returning(UsageEntry).execute())
        for row in rows:
            _add(row)
    return len(rows)


def _add(row: UsageEntry) -> None:
    sums = {UsageDay.prompt_tokens: row.prompt_tokens, UsageDay.completion_tokens: row.completion_tokens}
    UsageDay.insert(
        tenant=row.tenant_id, day_at=periods.day_of(row.created_at).start, **{f.name: v for f, v in sums.items()}
    ).on_conflict(
        conflict_target=(UsageDay.tenant, UsageDay.day_at),
        update={field: field + value for field, value in sums.items()},
    ).execute()


def _reserved(tenant_id: UUID) -> int:
    return int(_RESERVED.rows(tenant=tenant_id, now=clock.now_ms())[0][0])
