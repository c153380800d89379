"""Durable jobs with leases."""

from __future__ import annotations

import peewee

from core.kernel import ids
from models.tables.fields import InstantField
from models.tables.table import Table


class JobRow(Table):
    """state: queued, running or done. fence: grows with every claim; every write of the job must present it.

    subject: what the job works on (`message:<uuid>`), by which it is found and cancelled.
    """

    id = peewee.UUIDField(primary_key=True, default=ids.new_uuid)
    kind = peewee.CharField(max_length=64)
    subject = peewee.CharField(max_length=128, index=True)
    payload = peewee.BlobField()
    state = peewee.CharField(max_length=16, default="queued")
    fence = peewee.IntegerField(default=0)
    attempts = peewee.IntegerField(default=0)
    worker = peewee.CharField(max_length=128, null=True)
    due_at = InstantField()
    is_cancel_requested = peewee.BooleanField(default=False)
    created_at = InstantField()
    finished_at = InstantField(null=True)

    class Meta:
        table_name = "jobs"
        indexes = ((("state", "due_at"), False),)


TABLES = (JobRow,)
