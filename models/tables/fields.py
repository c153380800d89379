"""Column types that both databases store alike."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import peewee

from core.kernel import clock


class InstantField(peewee.BigIntegerField):
    """An aware UTC datetime, stored as Unix milliseconds, so that order and precision are the same on both databases."""

    def db_value(self, value: Any) -> int | None:
        return clock.to_ms(value) if isinstance(value, datetime) else value

    def python_value(self, value: Any) -> datetime | None:
        return None if value is None else clock.from_ms(value)
