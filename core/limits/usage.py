"""A tenant's use of its quota: requests with the counters, LLM tokens from the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from core.kernel import clock
from core.kernel.exchange import UsageStanding
from core.limits import ledger, periods, plans
from core.limits.counters import Counters
from core.limits.meters import Charge, State, stand
from core.limits.rules import Rules

_TERMS_SECONDS = 0.5
_TERMS_KEPT = 10_000


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """One quota; reset_at: when it is whole again."""

    used: int
    limit: int
    reset_at: datetime

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def percent_used(self) -> int:
        """Return 0 to 100, rounded down; 100 only when nothing is left."""
        return min(100, self.used * 100 // self.limit)


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a tenant's quota; minute: None where the surface has no limit by the minute."""

    plan: str
    requests: Meter
    tokens: Meter
    day: Meter
    minute: Meter | None
    period: periods.Period


class UsageReader:
    """Reads quotas; each worker asks for a tenant's terms at most twice a second."""

    def __init__(self, counters: Counters, rules: Rules) -> None:
        self._counters = counters
        self._rules = rules
        self._terms: dict[UUID, tuple[float, plans.Terms]] = {}

    def terms_of(self, tenant_id: UUID) -> plans.Terms:
        """Return a tenant's terms.

        Raises:
            NotFound: there is no such tenant.
        """
        found = self._terms.get(tenant_id)
        if found is not None and time.monotonic() < found[0]:
            return found[1]
        if len(self._terms) >= _TERMS_KEPT:
            self._terms.clear()
        terms = plans.get_terms(tenant_id)
        self._terms[tenant_id] = (time.monotonic() + _TERMS_SECONDS, terms)
        return terms

    def standing(self, tenant_id: UUID, terms: plans.Terms, requests_used: int) -> UsageStanding:
        """Return what the headers of a reply say."""
        month = periods.month_of(clock.now(), terms.anchor_day)
        quota = terms.quota
        requests = Meter(used=requests_used, limit=quota.requests_per_month, reset_at=month.end)
        tokens = Meter(used=ledger.get_used(tenant_id, month), limit=quota.tokens_per_month, reset_at=month.end)
        return UsageStanding(
            requests_remaining=requests.remaining,
            requests_percent=requests.percent_used,
            tokens_remaining=tokens.remaining,
            tokens_percent=tokens.percent_used,
        )

    def read(self, tenant_id: UUID, profile: str) -> Usage:
        """Return the whole, with the tenant's bucket of a rate profile.

        Raises:
            NotFound: there is no such tenant.
        """
        terms, now = plans.get_terms(tenant_id), clock.now()
        day, month = request_charges(tenant_id, terms, now)
        period = periods.month_of(now, terms.anchor_day)
        taken = self._counters.look([day, month])
        return Usage(
            plan=terms.plan,
            requests=_meter(month, taken.states[1]),
            tokens=Meter(
                used=ledger.get_used(tenant_id, period), limit=terms.quota.tokens_per_month, reset_at=period.end
            ),
            day=_meter(day, taken.states[0]),
            minute=self._minute(tenant_id, profile),
            period=period,
        )

    def _minute(self, tenant_id: UUID, profile: str) -> Meter | None:
        rule = self._rules.find_profile(profile)
        if rule is None:
            return None
        charge = rule.charge_of_tenant(tenant_id)
        taken = self._counters.look([charge])
        standing = stand(charge, taken.states[0], taken.now_us)
        return Meter(
            used=charge.limit - standing.remaining,
            limit=charge.limit,
            reset_at=clock.from_ms((taken.now_us + standing.reset_us) // 1000),
        )


def request_charges(tenant_id: UUID, terms: plans.Terms, now: datetime) -> tuple[Charge, Charge]:
    """Return what a request draws on: the tenant's day and its billing month."""
    day, month = periods.day_of(now), periods.month_of(now, terms.anchor_day)
    return (
        _charge("day", tenant_id, day, terms.quota.requests_per_day),
        _charge("month", tenant_id, month, terms.quota.requests_per_month),
    )


def count_of(states: Sequence[State | None]) -> list[int]:
    """Return what calendar windows have counted."""
    return [0 if state is None else state[0] for state in states]


def _charge(name: str, tenant_id: UUID, period: periods.Period, limit: int) -> Charge:
    end_us = clock.to_ms(period.end) * 1000
    span_us = end_us - clock.to_ms(period.start) * 1000
    return Charge(f"quota:{name}:{tenant_id.hex}:{period.end:%Y%m%d}", "fixed_window", limit, span_us, end_us)


def _meter(charge: Charge, state: State | None) -> Meter:
    (used,) = count_of([state])
    return Meter(used=used, limit=charge.limit, reset_at=clock.from_ms(charge.end_us // 1000))
