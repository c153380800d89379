"""First answers of idempotent requests, kept in the transaction of their effect.

What is stored cannot be read or guessed from the database: the row's id is a hash of caller, operation and key, the
fingerprint an HMAC under the key, and an answer that carries a secret is encrypted under the key.
On PostgreSQL a concurrent duplicate is told so at once (an advisory lock of the transaction); SQLite has one writer, so a
duplicate waits its turn there and is then given the first answer.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

import msgspec
import peewee

from core.kernel import clock
from core.kernel.exchange import Replay
from core.kernel.problems import AnswerExpired, IdempotencyKeyReused, RequestInProgress
from core.kernel.sealing import derive, seal, unseal
from core.kernel.settings import Settings
from models.database import database, is_sqlite
from models.tables.system import IdempotencyRecord

SECRET_REPLAY = timedelta(minutes=10)
_PURPOSE = "accord idempotent answer"


class SqlIdempotencyStore:
    """The server's IdempotencyStore. Every method is called inside `models.database.write()`."""

    def __init__(self, settings: Settings) -> None:
        self._retention = timedelta(hours=settings.idempotency_hours)

    def begin(
        self,
        *,
        caller: str,
        operation_id: str,
        key: str,
        fingerprint: bytes,
        lease_until: datetime,
        is_secret: bool,
    ) -> Replay | None:
        """Claim the key, or return what the first request was answered.

        Raises:
            IdempotencyKeyReused: the key belongs to another request.
            RequestInProgress: the first request has not ended, or its secret answer may no longer be replayed.
        """
        row_id, protected = _identify(caller, operation_id, key), _protect(fingerprint, key)
        _lock(row_id)
        row = IdempotencyRecord.get_or_none(IdempotencyRecord.id == row_id)
        if row is not None and _is_abandoned(row):
            row.delete_instance()
            row = None
        if row is None:
            self._claim(row_id, protected, lease_until, is_secret)
            return None
        if not hmac.compare_digest(bytes(row.fingerprint), protected):
            raise IdempotencyKeyReused
        return _replay(row, key)

    def store(
        self, *, caller: str, operation_id: str, key: str, lease_until: datetime, replay: Replay, is_secret: bool
    ) -> None:
        """Keep the answer of a claimed key.

        Raises:
            RequestInProgress: the claim has lapsed and another request holds the key.
        """
        plain = msgspec.msgpack.encode(replay)
        answer = seal(plain, secret=key, purpose=_PURPOSE) if is_secret else plain
        replay_until = clock.now() + (SECRET_REPLAY if is_secret else self._retention)
        changes = IdempotencyRecord.update(answer=answer, replay_until=replay_until)
        if not changes.where(*_held(_identify(caller, operation_id, key), lease_until)).execute():
            raise RequestInProgress("Another request has taken this Idempotency-Key over.")

    def renew(
        self, *, caller: str, operation_id: str, key: str, lease_until: datetime, renewed_until: datetime
    ) -> bool:
        """Give a claim a new lease; False when it has lapsed and another request holds the key."""
        held = _held(_identify(caller, operation_id, key), lease_until)
        return bool(IdempotencyRecord.update(replay_until=renewed_until).where(*held).execute())

    def release(self, *, caller: str, operation_id: str, key: str, lease_until: datetime) -> None:
        """Give up a claimed key unanswered."""
        IdempotencyRecord.delete().where(*_held(_identify(caller, operation_id, key), lease_until)).execute()

    def _claim(self, row_id: str, fingerprint: bytes, lease_until: datetime, is_secret: bool) -> None:
        try:
            IdempotencyRecord.create(
                id=row_id,
                fingerprint=fingerprint,
                is_secret=is_secret,
                replay_until=lease_until,
                expires_at=clock.now() + self._retention,
            )
        except peewee.IntegrityError as error:  # a duplicate was answered behind this transaction's snapshot
            raise RequestInProgress from error


def _held(row_id: str, lease_until: datetime) -> tuple[peewee.Expression, ...]:
    """Return the condition that the key is still this claim's."""
    row = IdempotencyRecord
    return (row.id == row_id, row.answer.is_null(), row.replay_until == lease_until)


def _is_abandoned(row: IdempotencyRecord) -> bool:
    """Say whether the worker that claimed the key died before it answered, or the answer's time is over."""
    now = clock.now()
    return row.expires_at <= now or (row.answer is None and row.replay_until <= now)


def _replay(row: IdempotencyRecord, key: str) -> Replay:
    if row.answer is None:
        raise RequestInProgress
    if row.replay_until <= clock.now():
        raise AnswerExpired("The request was carried out; ask for what it made, or make another with a new key.")
    answer = bytes(row.answer)
    plain = unseal(answer, secret=key, purpose=_PURPOSE) if row.is_secret else answer
    return msgspec.msgpack.decode(plain, type=Replay)


def _identify(caller: str, operation_id: str, key: str) -> str:
    return hashlib.sha256("\0".join((caller, operation_id, key)).encode()).hexdigest()


def _protect(fingerprint: bytes, key: str) -> bytes:
    return hmac.digest(derive(key, "accord idempotent fingerprint"), fingerprint, "sha256")


def _lock(row_id: str) -> None:
    if is_sqlite():
        return
    number = int.from_bytes(bytes.fromhex(row_id)[:8], "big", signed=True)
    if not database.execute_sql("SELECT pg_try_advisory_xact_lock(%s)", (number,)).fetchone()[0]:
        raise RequestInProgress
