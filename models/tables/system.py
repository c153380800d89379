"""Tables of the system area: the set-up's guard, the security epoch, first answers of idempotent requests, upkeep's turn."""

from __future__ import annotations

import peewee

from models.tables.fields import InstantField
from models.tables.table import Table


class SetupGuard(Table):
    """One row, made by migration; whoever sets `closed_at` first has made the first administrator."""

    id = peewee.IntegerField(primary_key=True)
    closed_at = InstantField(null=True)

    class Meta:
        table_name = "setup_guard"


class SecurityEpoch(Table):
    """One row, made by migration; `value` grows whenever a credential, role or membership is revoked or narrowed."""

    id = peewee.IntegerField(primary_key=True)
    value = peewee.BigIntegerField()

    class Meta:
        table_name = "security_epoch"


class IdempotencyRecord(Table):
    """The first answer of one caller, operation and Idempotency-Key.

    id: SHA-256 of the three, so that the key itself is not kept. fingerprint: HMAC of the request under the key, so that
    a password in the request cannot be guessed from it. answer: a Replay, encrypted under the key when it holds a secret;
    null while the request runs, and then replay_until is when its claim is given up.
    """

    id = peewee.CharField(max_length=64, primary_key=True)
    fingerprint = peewee.BlobField()
    is_secret = peewee.BooleanField()
    answer = peewee.BlobField(null=True)
    replay_until = InstantField()
    expires_at = InstantField(index=True)

    class Meta:
        table_name = "idempotency_records"


class UpkeepTurn(Table):
    """One row, made by migration; whoever moves `next_at` on has taken the turn."""

    id = peewee.IntegerField(primary_key=True)
    next_at = InstantField()

    class Meta:
        table_name = "upkeep_turn"
