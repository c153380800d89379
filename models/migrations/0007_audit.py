"""The audit trail, and triggers that let nobody change or delete what it holds."""

from __future__ import annotations

from typing import Any

import peewee

from models.tables.fields import InstantField


class Table(peewee.Model):
    class Meta:
        legacy_table_names = False


class AuditEntry(Table):
    id = peewee.UUIDField(primary_key=True)
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
    entry_id = peewee.UUIDField(primary_key=True)

    class Meta:
        table_name = "audit_waiting"


class AuditSeal(Table):
    seq = peewee.BigIntegerField(primary_key=True)
    entry_id = peewee.UUIDField(unique=True)
    key_id = peewee.CharField(max_length=16)
    mac = peewee.CharField(max_length=64)

    class Meta:
        table_name = "audit_seals"


class AuditHead(Table):
    id = peewee.IntegerField(primary_key=True)
    seq = peewee.BigIntegerField()
    last = peewee.CharField(max_length=64)
    key_id = peewee.CharField(max_length=16)
    mac = peewee.CharField(max_length=64)

    class Meta:
        table_name = "audit_head"


_TABLES = (AuditEntry, AuditWaiting, AuditSeal, AuditHead)
_KEPT = ("audit_entries", "audit_seals")
_REFUSE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is only added to'; END $$
"""


def up(migrator: Any, db: Any) -> None:
    """Make the tables, the head of an empty chain, and the triggers."""
    with db.bind_ctx(_TABLES, bind_refs=False, bind_backrefs=False):
        db.create_tables(_TABLES)
        AuditHead.insert(id=1, seq=0, last="", key_id="", mac="").execute()
    if isinstance(db, peewee.SqliteDatabase):
        _guard_sqlite(db)
    else:
        _guard_postgresql(db)


def _guard_sqlite(db: Any) -> None:
    for table in _KEPT:
        for event in ("UPDATE", "DELETE"):
            db.execute_sql(
                f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END"
            )


def _guard_postgresql(db: Any) -> None:
    db.execute_sql(_REFUSE)
    for table in _KEPT:
        db.execute_sql(
            f"CREATE TRIGGER {table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
        )
