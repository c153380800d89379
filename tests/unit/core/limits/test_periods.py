"""Billing months: from the anchor day, or a shorter month's last day, to the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.limits.periods import day_of, month_of

# now, anchor day, start, end
MONTHS = [
    ("2026-05-17", 1, "2026-05-01", "2026-06-01"),
    ("2026-05-17", 17, "2026-05-17", "2026-06-17"),
    ("2026-05-17", 18, "2026-04-18", "2026-05-18"),
    ("2026-02-27", 31, "2026-01-31", "2026-02-28"),
    ("2026-02-28", 31, "2026-02-28", "2026-03-31"),
    ("2028-02-29", 30, "2028-02-29", "2028-03-30"),
    ("2026-01-05", 10, "2025-12-10", "2026-01-10"),
    ("2026-12-31", 15, "2026-12-15", "2027-01-15"),
]


@pytest.mark.parametrize(("now", "anchor", "start", "end"), MONTHS)
def test_a_month_begins_on_its_anchor_day(now: str, anchor: int, start: str, end: str) -> None:
    for hour in (0, 23):
        found = month_of(datetime.fromisoformat(now).replace(hour=hour, tzinfo=UTC), anchor)
        assert (f"{found.start:%Y-%m-%d}", f"{found.end:%Y-%m-%d}") == (start, end)


@pytest.mark.parametrize("anchor", range(1, 32))
def test_months_follow_each_other_without_gap_or_overlap(anchor: int) -> None:
    now = datetime(2027, 12, 1, tzinfo=UTC)
    period = month_of(now, anchor)
    while now < datetime(2029, 1, 1, tzinfo=UTC):
        found = month_of(now, anchor)
        assert found.start <= now < found.end
        assert found in {period, found if found.start == period.end else period}
        period, now = found, now + timedelta(hours=12)


def test_a_day_is_utc() -> None:
    late = datetime(2026, 5, 17, 23, 30, tzinfo=UTC)
    assert day_of(late).end - late == timedelta(minutes=30)
