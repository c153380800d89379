"""Rate profiles that limit nothing are no longer shipped: auth_login and tenant.hour."""

from __future__ import annotations

from typing import Any

_NAMES = "('auth_login', 'tenant.hour')"


def up(migrator: Any, db: Any) -> None:
    """Delete them; one that an administrator has assigned stays, as if the administrator had made it."""
    db.execute_sql(f"UPDATE rate_profiles SET is_shipped = {db.param} WHERE name IN {_NAMES}", (False,))
    db.execute_sql(
        f"DELETE FROM rate_profiles WHERE name IN {_NAMES} AND id NOT IN (SELECT profile_id FROM rate_assignments)"
    )
