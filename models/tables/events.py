"""Durable event channels: what streams are read from.

A channel belongs to what it is named after (`conversation:<uuid>`), which carries the tenant; access is checked there.
"""

from __future__ import annotations

import peewee

from models.tables.fields import InstantField
from models.tables.table import Table


class Channel(Table):
    """seq: newest event's position, taken under this row's lock. pruned: events up to here are gone."""

    name = peewee.CharField(max_length=64, primary_key=True)
    seq = peewee.BigIntegerField(default=0)
    pruned = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "channels"


class EventRow(Table):
    """One event; written in the transaction of the data it tells of, never changed."""

    channel = peewee.CharField(max_length=64)
    seq = peewee.BigIntegerField()
    type = peewee.CharField(max_length=64)
    event_id = peewee.CharField(max_length=128)
    data = peewee.BlobField()
    created_at = InstantField(index=True)

    class Meta:
        table_name = "events"
        primary_key = peewee.CompositeKey("channel", "seq")


TABLES = (Channel, EventRow)
