"""The calendar of quotas: days by UTC, months from the tenant's billing anchor day."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from typing import NamedTuple


class Period(NamedTuple):
    """From start up to, not including, end."""

    start: datetime
    end: datetime


def day_of(now: datetime) -> Period:
    """Return the day, midnight to midnight UTC."""
    start = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Period(start, start + timedelta(days=1))


def month_of(now: datetime, anchor_day: int) -> Period:
    """Return the billing month: from midnight of the anchor day, or of a shorter month's last day, to the next such day."""
    today = day_of(now).start
    start = _anchored(today.year, today.month, anchor_day)
    if start > today:
        start = _anchored(*_shifted(today.year, today.month, -1), anchor_day)
    return Period(start, _anchored(*_shifted(start.year, start.month, 1), anchor_day))


def _anchored(year: int, month: int, anchor_day: int) -> datetime:
    return datetime(year, month, min(anchor_day, calendar.monthrange(year, month)[1]), tzinfo=UTC)


def _shifted(year: int, month: int, months: int) -> tuple[int, int]:
    index = year * 12 + month - 1 + months
    return index // 12, index % 12 + 1
