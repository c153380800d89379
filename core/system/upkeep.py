"""What is cleared away for good: events no stream may resume behind, and rows whose time is over; and audit's seals.

Every worker asks for a turn now and then; one row of the database says whose it is, so that a turn is taken once a minute
in all. A turn deletes in small transactions until nothing is left or its time is over; what is left waits for the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import gevent
import peewee

from core.identity import throttling
from core.kernel import clock, settings
from core.limits import ledger
from core.system import audit_chain, events
from models.database import read, write
from models.tables.chat import Invite, Typing
from models.tables.events import Channel
from models.tables.federation import LoginFlow
from models.tables.identity import RevokedBlock, Session, Successor, Token, TokenFamily
from models.tables.jobs import JobRow
from models.tables.limits import UsageReservation
from models.tables.system import IdempotencyRecord, UpkeepTurn
from models.tables.throttling import LoginOrigin, LoginThrottle

INTERVAL = timedelta(seconds=60)
INVITE_MEMORY = timedelta(days=30)
"""For so long the holder of an expired invite is told that it has expired."""
TOKEN_MEMORY = timedelta(days=1)
"""No token lives longer, so a narrowed one that was revoked before then is over by itself."""
_TURN_SECONDS = 20.0
_BATCH = 500
_ROW_ID = 1
_OF_COMPLETIONS = "completion:"


class _Rule(NamedTuple):
    """Rows of `table` that are outdated at a time; `kept_until` is given it and says which."""

    table: type[peewee.Model]
    outdated: Callable[[datetime], Any]


def _retention_start(now: datetime) -> datetime:
    """Return since when events are kept: as long as streams resume, and as a repeated Idempotency-Key replays one."""
    kept = settings.current()
    return now - timedelta(hours=max(kept.event_retention_hours, kept.idempotency_hours))


_RULES = (
    _Rule(IdempotencyRecord, lambda now: IdempotencyRecord.expires_at <= now),
    _Rule(Successor, lambda now: Successor.expires_at <= now),
    _Rule(LoginFlow, lambda now: LoginFlow.expires_at <= now),
    _Rule(LoginThrottle, lambda now: LoginThrottle.full_at <= now),
    _Rule(LoginOrigin, lambda now: LoginOrigin.seen_at <= now - throttling.MEMORY),
    _Rule(
        Session,
        lambda now: (Session.ended_at <= now) | (Session.expires_at <= now) | (Session.absolute_expires_at <= now),
    ),
    _Rule(Token, lambda now: Token.expires_at <= now),
    _Rule(TokenFamily, lambda now: (TokenFamily.expires_at <= now) | (TokenFamily.revoked_at <= now)),
    _Rule(RevokedBlock, lambda now: RevokedBlock.revoked_at <= now - TOKEN_MEMORY),
    _Rule(UsageReservation, lambda now: UsageReservation.expires_at <= now),
    _Rule(Typing, lambda now: Typing.expires_at <= now),
    _Rule(Invite, lambda now: Invite.expires_at <= now - INVITE_MEMORY),
    _Rule(JobRow, lambda now: (JobRow.state == "done") & (JobRow.finished_at <= _retention_start(now))),
    # A completion is followed by its caller alone, once: without events its channel is of no more use.
    _Rule(Channel, lambda now: Channel.name.startswith(_OF_COMPLETIONS) & (Channel.pruned >= Channel.seq)),
)


class SqlUpkeep:
    """The Upkeep port over the product's tables; steps: what else is done whenever a turn is offered, each bounded."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        self._steps = steps

    def run(self) -> None:
        """Take the steps, and clear away what is outdated, if it is time for a turn and no other worker has taken it."""
        for step in self._steps:
            step()
        with read():
            if not _is_due().exists():
                return
        with write():
            taken = UpkeepTurn.update(next_at=clock.now() + INTERVAL).where(UpkeepTurn.next_at <= clock.now()).execute()
        if taken:
            clear(clock.now())


def clear(now: datetime) -> int:
    """Delete what is outdated at `now`, for as long as a turn may take, and return how many rows went."""
    deadline = time.monotonic() + _TURN_SECONDS
    count = _exhaust(lambda: events.prune(clock.to_ms(_retention_start(now))), deadline)
    count += _exhaust(lambda: _forget_secrets(now), deadline)
    _exhaust(audit_chain.seal_some, deadline)
    count += _exhaust(lambda: ledger.roll_up(now), deadline)
    for rule in _RULES:
        count += _exhaust(partial(_delete_some, rule, now), deadline)
    return count


def _is_due() -> Any:
    return UpkeepTurn.select().where(UpkeepTurn.id == _ROW_ID, UpkeepTurn.next_at <= clock.now())


def _exhaust(step: Callable[[], int], deadline: float) -> int:
    """Repeat a step until it finds nothing, letting requests pass in between."""
    count = 0
    while time.monotonic() < deadline and (found := step()):
        count += found
        gevent.sleep(0)
    return count


def _delete_some(rule: _Rule, now: datetime) -> int:
    """Delete a batch; nothing is written where nothing is outdated."""
    key: Any = rule.table._meta.primary_key
    names = key.field_names if isinstance(key, peewee.CompositeKey) else (key.name,)
    columns = [getattr(rule.table, name) for name in names]
    some = rule.table.select(*columns).where(rule.outdated(now)).limit(_BATCH)
    with read():
        if not some.exists():
            return 0
    with write():
        return int(rule.table.delete().where(peewee.Tuple(*columns).in_(some)).execute())


def _forget_secrets(now: datetime) -> int:
    """Empty the answers that held a secret and are replayed no more; their keys stay taken."""
    over = (IdempotencyRecord.replay_until <= now) & (peewee.fn.LENGTH(IdempotencyRecord.answer) > 0)
    some = IdempotencyRecord.select(IdempotencyRecord.id).where(IdempotencyRecord.is_secret, over).limit(_BATCH)
    with read():
        if not some.exists():
            return 0
    with write():
        return int(IdempotencyRecord.update(answer=b"").where(IdempotencyRecord.id.in_(some)).execute())
