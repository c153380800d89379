"""Tables of the audit trail: what was done, what waits to be sealed, the chain of seals, and its head.

Entries and seals are only ever added: triggers of both databases refuse to change or delete one. They refer to nothing
by foreign key, since they outlive what they tell of.
"""

from __future__ import annotations

import peewee

from core.kernel.ids import new_uuid
from models.tables.fields import InstantField
from models.tables.table import Table


class AuditEntry(Table):
    """One deed. code: of a refusal, else null. credential: kind and id. objects: JSON object of what the request named."""

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    at = InstantField(index=True)
    operation = peewee.CharField(max_length=64)
    status = peewee.SmallIntegerField()
    code = peewee.CharField(max_length=64, null=True)
    user_id = peewee.UUIDField(null=True, index=True)
    tenant_id = peewee.UUIDField(null=True)
    credential_kind = peewee.CharField(max_length=16)
    credential_id = peewee.TextField()
    client_address = peewee.CharField(max_length=64)
    request_id = peewee.CharField(max_length=128)
    objects = peewee.TextField()

    class Meta:
        table_name = "audit_entries"


class AuditWaiting(Table):
    """An entry that has no seal yet."""

    entry_id = peewee.UUIDField(primary_key=True)

    class Meta:
        table_name = "audit_waiting"


class AuditSeal(Table):
    """One link: mac covers the former link's mac and the entry, under the key called key_id."""

    seq = peewee.BigIntegerField(primary_key=True)
    entry_id = peewee.UUIDField(unique=True)
    key_id = peewee.CharField(max_length=16)
    mac = peewee.CharField(max_length=64)

    class Meta:
        table_name = "audit_seals"


class AuditHead(Table):
    """One row, made by migration: how long the chain is and its last mac, so that a missing end is seen; mac covers both."""

    id = peewee.IntegerField(primary_key=True)
    seq = peewee.BigIntegerField()
    last = peewee.CharField(max_length=64)
    key_id = peewee.CharField(max_length=16)
    mac = peewee.CharField(max_length=64)

    class Meta:
        table_name = "audit_head"
