"""Tables of the limits area: rate profiles and where they apply, their generation, and the ledger of LLM tokens.

The counters themselves are not here: they are kept where no disk is waited for (core/limits/counters.py).
"""

from __future__ import annotations

from uuid import UUID

import peewee

from core.kernel.ids import new_uuid
from models.tables.fields import InstantField
from models.tables.identity import Tenant
from models.tables.table import Table


class RateProfileRow(Table):
    """A rate profile. burst requests in window_us; bucket_key: whose requests are counted together (user, tenant, address).

    is_shipped: the contract names it, so it cannot be deleted.
    """

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    name = peewee.CharField(max_length=64, unique=True)
    algorithm = peewee.CharField(max_length=16)
    bucket_key = peewee.CharField(max_length=16)
    burst = peewee.BigIntegerField()
    window_us = peewee.BigIntegerField()
    description = peewee.CharField(max_length=500, null=True)
    is_shipped = peewee.BooleanField(default=False)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "rate_profiles"


class RateAssignment(Table):
    """A profile in place of the contract's for the operations of a method and a path pattern."""

    id = peewee.UUIDField(primary_key=True, default=new_uuid)
    profile_id: UUID
    profile = peewee.ForeignKeyField(RateProfileRow, on_delete="RESTRICT")
    method = peewee.CharField(max_length=8)
    path_pattern = peewee.CharField(max_length=500)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "rate_assignments"
        indexes = ((("method", "path_pattern"), True),)


class LimitsGeneration(Table):
    """One row, made by migration; `value` grows with every change of profiles and assignments."""

    id = peewee.IntegerField(primary_key=True)
    value = peewee.BigIntegerField()

    class Meta:
        table_name = "limits_generation"


class UsageEntry(Table):
    """The LLM tokens of one finished piece of work; subject: what it was (a message, a completion), counted once."""

    subject = peewee.CharField(max_length=64, primary_key=True)
    tenant_id: UUID
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE", index=False)
    prompt_tokens = peewee.BigIntegerField()
    completion_tokens = peewee.BigIntegerField()
    created_at = InstantField()

    class Meta:
        table_name = "usage_entries"
        indexes = ((("tenant", "created_at"), False),)


class UsageDay(Table):
    """The sum of a tenant's older entries of one day (UTC); day_at: its midnight."""

    tenant_id: UUID
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE", index=False)
    day_at = InstantField()
    prompt_tokens = peewee.BigIntegerField()
    completion_tokens = peewee.BigIntegerField()

    class Meta:
        table_name = "usage_days"
        primary_key = peewee.CompositeKey("tenant", "day_at")


class UsageReservation(Table):
    """LLM tokens that work under way may use, of a tenant whose plan limits them. expires_at: null while a job sees to it."""

    subject = peewee.CharField(max_length=64, primary_key=True)
    tenant_id: UUID
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE")
    tokens = peewee.BigIntegerField()
    expires_at = InstantField(null=True, index=True)

    class Meta:
        table_name = "usage_reservations"
