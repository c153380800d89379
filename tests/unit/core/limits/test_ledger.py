"""The ledger of LLM tokens: reserved, entered once, summed up by days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from core.kernel import clock
from core.kernel.exchange import UsagePlan
from core.kernel.ids import new_uuid
from core.kernel.problems import QuotaExceeded
from core.kernel.settings import Settings, install
from core.limits import ledger, periods, plans
from core.limits.ledger import Tokens
from models.database import write
from models.tables.identity import Tenant
from models.tables.limits import UsageDay, UsageEntry, UsageReservation
from tests.conftest import FrozenClock

LIMITED = '{"small": {"tokens_per_month": 100}}'


@pytest.fixture
def tenant(database: Settings, frozen_clock: FrozenClock) -> UUID:
    """Make a tenant of a plan of 100 tokens a month, at noon of 20 May 2026."""
    install(database)
    frozen_clock.seconds = datetime(2026, 5, 20, 12, tzinfo=UTC).timestamp()
    with write():
        made: Tenant = Tenant.create(id=new_uuid(), name="Small", plan="small", created_at=clock.now())
    return made.id


def _used(tenant_id: UUID) -> int:
    month = periods.month_of(clock.now(), plans.get_terms(tenant_id).anchor_day)
    return ledger.get_used(tenant_id, month)


def _reserve(tenant_id: UUID, subject: str, tokens: int, *, expires_at: datetime | None = None) -> None:
    ledger.do_reserve(tenant_id, subject, lambda: tokens, expires_at=expires_at)


def _settle(tenant_id: UUID, subject: str, prompt: int, completion: int) -> None:
    with write():
        ledger.settle(tenant_id, subject, Tokens(prompt, completion))


@pytest.mark.settings(usage_plans=LIMITED)
def test_what_is_reserved_is_not_given_twice(tenant: UUID) -> None:
    _reserve(tenant, "a", 60)
    with pytest.raises(QuotaExceeded) as caught:
        _reserve(tenant, "b", 41)
    assert caught.value.retry_after_seconds == 30 * 86_400 + 43_200 + 1
    _reserve(tenant, "b", 40)
    _settle(tenant, "a", 5, 5)
    _reserve(tenant, "c", 50)
    assert _used(tenant) == 10


@pytest.mark.settings(usage_plans=LIMITED)
def test_work_that_came_to_nothing_gives_its_reservation_back(tenant: UUID) -> None:
    _reserve(tenant, "a", 100)
    with write():
        ledger.release("a")
    _reserve(tenant, "b", 100)
    _settle(tenant, "b", 0, 0)
    _reserve(tenant, "c", 100)
    assert _used(tenant) == 0


@pytest.mark.settings(usage_plans=LIMITED)
def test_a_reservation_whose_worker_died_lapses(tenant: UUID, frozen_clock: FrozenClock) -> None:
    _reserve(tenant, "a", 100, expires_at=clock.now() + timedelta(minutes=15))
    with pytest.raises(QuotaExceeded):
        _reserve(tenant, "b", 1)
    frozen_clock.advance(901)
    _reserve(tenant, "b", 100)


def test_a_plan_without_a_limit_reserves_nothing(tenant: UUID) -> None:
    with write():
        Tenant.update(plan="unlimited").where(Tenant.id == tenant).execute()
        _reserve(tenant, "a", 10**12)
        assert UsageReservation.select().count() == 0


def test_one_piece_of_work_is_entered_once(tenant: UUID) -> None:
    for _ in range(2):
        _settle(tenant, "a", 3, 4)
    assert _used(tenant) == 7


def test_a_month_counts_its_own_days_alone(tenant: UUID, frozen_clock: FrozenClock) -> None:
    _settle(tenant, "a", 3, 4)
    frozen_clock.seconds = datetime(2026, 6, 20, tzinfo=UTC).timestamp()
    assert _used(tenant) == 0
    _settle(tenant, "b", 1, 1)
    assert _used(tenant) == 2


def test_older_entries_are_summed_up_by_day_and_nothing_changes(tenant: UUID, frozen_clock: FrozenClock) -> None:
    for number in range(6):
        _settle(tenant, f"a{number}", number, 10)
        frozen_clock.advance(5 * 3600)
    before = _used(tenant)
    rolled = 0
    while found := ledger.roll_up(clock.now()):
        rolled += found
    with write():
        assert (rolled, UsageEntry.select().count(), UsageDay.select().count()) == (6, 0, 2)
    assert _used(tenant) == before == 60 + 15


def test_recent_entries_stay(tenant: UUID) -> None:
    _settle(tenant, "a", 1, 1)
    assert ledger.roll_up(clock.now() + timedelta(minutes=59)) == 0


@pytest.mark.settings(usage_plans=LIMITED)
def test_terms_come_from_the_plan_and_the_day_the_tenant_was_made(tenant: UUID) -> None:
    terms = plans.get_terms(tenant)
    assert (terms.plan, terms.anchor_day, terms.quota) == ("small", 20, UsagePlan(tokens_per_month=100))
    with write():
        Tenant.update(plan="unheard of", billing_anchor_day=5).where(Tenant.id == tenant).execute()
    terms = plans.get_terms(tenant)
    assert (terms.anchor_day, terms.quota) == (5, plans.SHIPPED["free"])
