"""Whose address nothing proves: users note the tenant that they registered."""

from __future__ import annotations

from typing import Any

import peewee
from playhouse.migrate import migrate

_ROOT_TENANT = "0" * 32
# Who registered until now: makers of a key of that name who nobody has met otherwise (no password, no provider, no place
# in the root workspace).
_REGISTERED = """
UPDATE users SET registered_tenant_id = (
    SELECT k.tenant_id FROM api_keys k
    WHERE k.maker_id = users.id AND k.name = 'registration' ORDER BY k.created_at LIMIT 1
)
WHERE password_hash IS NULL
    AND id IN (SELECT maker_id FROM api_keys WHERE name = 'registration')
    AND id NOT IN (SELECT user_id FROM federated_identities)
    AND id NOT IN (SELECT user_id FROM memberships WHERE tenant_id = '%s')
"""


def up(migrator: Any, db: Any) -> None:
    """Add the column, and fill it for those who registered before."""
    migrate(migrator.add_column("users", "registered_tenant_id", peewee.UUIDField(null=True)))
    db.execute_sql(_REGISTERED % _ROOT_TENANT)
