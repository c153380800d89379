"""When the schema may be changed by a start, and when it must be by `accord migrate`."""

from __future__ import annotations

from core.kernel.settings import Settings
from models import database, migrate


class SchemaBehind(Exception):
    """The database lacks migrations that this build needs, and a start may not apply them."""


def prepare(settings: Settings) -> None:
    """Bring the schema up to date before serving, where a start may: on SQLite, and in dev.

    Raises:
        SchemaBehind: PostgreSQL in production, where several machines share the schema and an operator decides when.
        Unavailable: the database cannot be reached.
    """
    database.bind(settings)
    if settings.is_sqlite or settings.is_dev:
        migrate.apply()
    elif missing := migrate.pending():
        raise SchemaBehind(f"the database lacks {', '.join(missing)}; run `accord migrate`")


def apply(settings: Settings) -> list[str]:
    """Apply what is pending and return its names.

    Raises:
        Unavailable: the database cannot be reached.
    """
    database.bind(settings)
    return migrate.apply()


def pending(settings: Settings) -> list[str]:
    """Return the names of what is not applied yet.

    Raises:
        Unavailable: the database cannot be reached.
    """
    database.bind(settings)
    return migrate.pending()
