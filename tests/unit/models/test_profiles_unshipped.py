"""Migration 0011: what limited nothing is gone, and what an administrator has assigned since stays."""

from __future__ import annotations

from importlib import import_module

from core.kernel import clock
from core.kernel.settings import Settings
from models.database import database as door
from models.database import read, write
from models.tables.limits import RateAssignment, RateProfileRow

migration = import_module("models.migrations.0011_profiles")


def test_an_assigned_profile_stays_as_the_administrators_own(database: Settings) -> None:
    now = clock.now()
    row = {"algorithm": "gcra", "bucket_key": "user", "burst": 1, "window_us": 1, "is_shipped": True}
    with write():
        for name in ("auth_login", "tenant.hour"):
            RateProfileRow.create(name=name, created_at=now, updated_at=now, **row)
        assigned = RateProfileRow.get(RateProfileRow.name == "tenant.hour")
        RateAssignment.create(profile=assigned, method="GET", path_pattern="*", created_at=now, updated_at=now)
        migration.up(None, door)
    with read():
        assert not RateProfileRow.select().where(RateProfileRow.name == "auth_login").exists()
        assert not RateProfileRow.get(RateProfileRow.name == "tenant.hour").is_shipped
