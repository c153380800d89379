"""Rate profiles and assignments, the ledger of LLM tokens, and on PostgreSQL the counters with their functions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import peewee
from playhouse.migrate import migrate

from core.kernel import clock
from models.tables.fields import InstantField

_ROOT_TENANT = UUID(int=0)
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
# name, algorithm, whose requests are counted together, requests, in microseconds, what for
_PROFILES = (
    ("default", "gcra", "user", 60_000, _MINUTE, "Operations that state nothing else."),
    ("conversation.post", "gcra", "user", 10, 2 * _SECOND, "Messages: 5 a second, 10 at once (page 001)."),
    ("auth_login", "gcra", "address", 10, _MINUTE, "For doors where people sign in (page 001); assigned to none."),
    ("projects.default", "gcra", "user", 60, _MINUTE, "Projects and runs (page 003)."),
    ("runs.start", "gcra", "user", 6, _MINUTE, "Starting runs (page 003)."),
    ("settings.write", "gcra", "user", 20, _MINUTE, "Writing settings (page 003)."),
    ("asset.password", "fixed_window", "tenant", 5, 15 * _MINUTE, "Setting the asset password (page 004)."),
    ("tenant.minute", "fixed_window", "tenant", 100, _MINUTE, "The tenant surface (page 004)."),
    (
        "tenant.hour",
        "fixed_window",
        "tenant",
        1000,
        60 * _MINUTE,
        "The tenant surface by the hour (page 004); assigned to none.",
    ),
)
_COUNTERS = """
CREATE SCHEMA IF NOT EXISTS counters;
CREATE UNLOGGED TABLE counters.buckets (
    key text COLLATE "C" PRIMARY KEY, a bigint NOT NULL, b bigint NOT NULL, expires_us bigint NOT NULL
) WITH (fillfactor = 50);
CREATE UNLOGGED TABLE counters.slots (
    key text COLLATE "C", slot text COLLATE "C", expires_at timestamptz NOT NULL, PRIMARY KEY (key, slot)
);

-- Charge each bucket with one request, or none when one has no room; keys come sorted, so that callers cannot deadlock.
-- Returned are the states from before, null for a bucket that was not there. The rules: core/limits/meters.py.
CREATE FUNCTION counters.take(
    keys text[], algorithms text[], limits bigint[], windows bigint[], ends bigint[], given_us bigint,
    OUT is_admitted boolean, OUT now_us bigint, OUT a bigint[], OUT b bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
    x bigint; y bigint; step bigint; back bigint; expires bigint[]; new_a bigint[]; new_b bigint[];
BEGIN
    FOR i IN 1 .. cardinality(keys) LOOP
        LOOP
            SELECT held.a, held.b INTO x, y FROM counters.buckets held WHERE held.key = keys[i] FOR UPDATE;
            EXIT WHEN FOUND;
            INSERT INTO counters.buckets VALUES (keys[i], -1, 0, 0) ON CONFLICT DO NOTHING;
        END LOOP;
        a[i] := nullif(x, -1);
        b[i] := y;
    END LOOP;
    now_us := coalesce(given_us, floor(extract(epoch FROM clock_timestamp()) * 1000000));
    is_admitted := true;
    FOR i IN 1 .. cardinality(keys) LOOP
        step := (windows[i] + limits[i] - 1) / limits[i];
        x := a[i];
        y := b[i];
        IF algorithms[i] = 'gcra' THEN
            x := coalesce(least(greatest(x, now_us), now_us + step * limits[i]), now_us) + step;
            is_admitted := is_admitted AND x - now_us <= step * limits[i];
            new_a[i] := x;
            new_b[i] := 0;
            expires[i] := x;
        ELSIF algorithms[i] = 'token_bucket' THEN
            IF x IS NULL THEN
                x := limits[i];
                y := now_us;
            ELSE
                y := least(y, now_us);
                back := (now_us - y) / step;
                IF x + back >= limits[i] THEN
                    x := limits[i];
                    y := now_us;
                ELSE
                    x := x + back;
                    y := y + back * step;
                END IF;
            END IF;
            is_admitted := is_admitted AND x >= 1;
            new_a[i] := x - 1;
            new_b[i] := y;
            expires[i] := y + (limits[i] - x + 1) * step;
        ELSE
            IF ends[i] <> 0 THEN
                x := coalesce(x, 0);
                y := ends[i];
            ELSIF x IS NULL OR y <= now_us THEN
                x := 0;
                y := now_us + windows[i];
            ELSE
                y := least(y, now_us + windows[i]);
            END IF;
            is_admitted := is_admitted AND x < limits[i];
            new_a[i] := x + 1;
            new_b[i] := y;
            expires[i] := y;
        END IF;
    END LOOP;
    IF is_admitted THEN
        FOR i IN 1 .. cardinality(keys) LOOP
            UPDATE counters.buckets held SET a = new_a[i], b = new_b[i], expires_us = expires[i] WHERE held.key = keys[i];
        END LOOP;
    END IF;
END
$$;

-- Hold a slot of a key for some seconds, unless `cap` of them are held.
CREATE FUNCTION counters.enter(the_key text, the_slot text, cap bigint, seconds double precision) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('counters.slots:' || the_key, 0));
    DELETE FROM counters.slots WHERE key = the_key AND expires_at <= clock_timestamp();
    IF (SELECT count(*) FROM counters.slots WHERE key = the_key) >= cap THEN
        RETURN false;
    END IF;
    INSERT INTO counters.slots VALUES (the_key, the_slot, clock_timestamp() + seconds * interval '1 second');
    RETURN true;
END
$$;
"""


class Tenant(peewee.Model):
    id = peewee.UUIDField(primary_key=True)

    class Meta:
        table_name = "tenants"


class Table(peewee.Model):
    class Meta:
        legacy_table_names = False


class RateProfileRow(Table):
    id = peewee.UUIDField(primary_key=True)
    name = peewee.CharField(max_length=64, unique=True)
    algorithm = peewee.CharField(max_length=16)
    bucket_key = peewee.CharField(max_length=16)
    burst = peewee.BigIntegerField()
    window_us = peewee.BigIntegerField()
    description = peewee.CharField(max_length=500, null=True)
    is_shipped = peewee.BooleanField()
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "rate_profiles"


class RateAssignment(Table):
    id = peewee.UUIDField(primary_key=True)
    profile = peewee.ForeignKeyField(RateProfileRow, on_delete="RESTRICT")
    method = peewee.CharField(max_length=8)
    path_pattern = peewee.CharField(max_length=500)
    created_at = InstantField()
    updated_at = InstantField()

    class Meta:
        table_name = "rate_assignments"
        indexes = ((("method", "path_pattern"), True),)


class LimitsGeneration(Table):
    id = peewee.IntegerField(primary_key=True)
    value = peewee.BigIntegerField()

    class Meta:
        table_name = "limits_generation"


class UsageEntry(Table):
    subject = peewee.CharField(max_length=64, primary_key=True)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE", index=False)
    prompt_tokens = peewee.BigIntegerField()
    completion_tokens = peewee.BigIntegerField()
    created_at = InstantField()

    class Meta:
        table_name = "usage_entries"
        indexes = ((("tenant", "created_at"), False),)


class UsageDay(Table):
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE", index=False)
    day_at = InstantField()
    prompt_tokens = peewee.BigIntegerField()
    completion_tokens = peewee.BigIntegerField()

    class Meta:
        table_name = "usage_days"
        primary_key = peewee.CompositeKey("tenant", "day_at")


class UsageReservation(Table):
    subject = peewee.CharField(max_length=64, primary_key=True)
    tenant = peewee.ForeignKeyField(Tenant, on_delete="CASCADE")
    tokens = peewee.BigIntegerField()
    expires_at = InstantField(null=True, index=True)

    class Meta:
        table_name = "usage_reservations"


_TABLES = (RateProfileRow, RateAssignment, LimitsGeneration, UsageEntry, UsageDay, UsageReservation)


def up(migrator: Any, db: Any) -> None:
    """Make the tables, the shipped profiles, and on PostgreSQL the counters in a schema of their own."""
    with db.bind_ctx((*_TABLES, Tenant), bind_refs=False, bind_backrefs=False):
        db.create_tables(_TABLES)
        LimitsGeneration.insert(id=1, value=1).execute()
        now = clock.now()
        for number, (name, algorithm, key, burst, window_us, description) in enumerate(_PROFILES, 1):
            RateProfileRow.insert(
                id=UUID(int=0x5000_8000 << 48 | number),
                name=name,
                algorithm=algorithm,
                bucket_key=key,
                burst=burst,
                window_us=window_us,
                description=description,
                is_shipped=True,
                created_at=now,
                updated_at=now,
            ).execute()
    # The day of the month on which a tenant's quota begins anew; null: the day on which the tenant was made.
    migrate(migrator.add_column("tenants", "billing_anchor_day", peewee.IntegerField(null=True)))
    db.execute_sql(f"UPDATE tenants SET plan = 'unlimited' WHERE id = '{_ROOT_TENANT.hex}'")
    if not isinstance(db, peewee.SqliteDatabase):
        db.execute_sql(_COUNTERS)
