"""A tenant's use of its quota: requests with the counters, LLM tokens from the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from core.kernel import clock
from core.kernel.exchange import UsageStanding
from core.kernel.principal import Principal
from core.kernel.problems import NotFound
from core.limits import ledger, periods, plans
from core.limits.counters import Counters
from core.limits.meters import Charge, State, stand
from core.limits.rules import Rules

_OPERATION = "usage_get"
_BUDGET_SECONDS = 0.5
_BUDGETS_KEPT = 10_000


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
    """Everything about a tenant's quota; minute: where the caller stands with the rate profile of usage itself."""

    plan: str
    requests: Meter
    tokens: Meter
    day: Meter
    minute: Meter
    period: periods.Period


class Budget(NamedTuple):
    """What a tenant's requests draw on today, worked out once: the calendar costs more than the counting."""

    terms: plans.Terms
    charges: tuple[Charge, Charge]
    day: periods.Period
    month: periods.Period


class UsageReader:
    """Reads quotas."""

    def __init__(self, counters: Counters, rules: Rules) -> None:
        self._counters = counters
        self._rules = rules
        self._budgets: dict[UUID, tuple[float, Budget]] = {}

    def budget_of(self, tenant_id: UUID) -> Budget:
        """Return a tenant's budget of this day, by terms at most half a second old.

        Raises:
            NotFound: there is no such tenant.
        """
        now, found = clock.now(), self._budgets.get(tenant_id)
        if found is not None and time.monotonic() < found[0] and found[1].day.start <= now < found[1].day.end:
            return found[1]
        if len(self._budgets) >= _BUDGETS_KEPT:
            self._budgets.clear()
        terms = plans.find_recent_terms(tenant_id)
        day, month = periods.day_of(now), periods.month_of(now, terms.anchor_day)
        budget = Budget(terms, request_charges(tenant_id, terms, now), day, month)
        self._budgets[tenant_id] = (time.monotonic() + _BUDGET_SECONDS, budget)
        return budget

    def standing(self, tenant_id: UUID, budget: Budget, requests_used: int) -> UsageStanding:
        """Return what the headers of a reply say."""
        month, quota = budget.month, budget.terms.quota
        requests = Meter(used=requests_used, limit=quota.requests_per_month, reset_at=month.end)
        tokens = Meter(used=ledger.get_used(tenant_id, month), limit=quota.tokens_per_month, reset_at=month.end)
        return UsageStanding(
            requests_remaining=requests.remaining,
            requests_percent=requests.percent_used,
            tokens_remaining=tokens.remaining,
            tokens_percent=tokens.percent_used,
        )

    def read(self, principal: Principal, client_address: str) -> Usage:
        """Return the whole, with the bucket of the rate profile by which usage itself is limited.

        Raises:
            NotFound: there is no such tenant.
        """
        rule = self._rules.find(_OPERATION)
        if rule is None:
            raise NotFound("Usage has no rate profile.")
        terms, requests, _, month = self.budget_of(principal.tenant_id)
        charges = (*requests, rule.charge(principal, client_address))
        taken = self._counters.look(charges)
        tokens = ledger.get_used(principal.tenant_id, month)
        standing = stand(charges[2], taken.states[2], taken.now_us)
        reset_at = clock.from_ms((taken.now_us + standing.reset_us) // 1000)
        return Usage(
            plan=terms.plan,
            requests=_meter(charges[1], taken.states[1]),
            tokens=Meter(used=tokens, limit=terms.quota.tokens_per_month, reset_at=month.end),
            day=_meter(charges[0], taken.states[0]),
            minute=Meter(used=rule.limit - standing.remaining, limit=rule.limit, reset_at=reset_at),
            period=month,
        )


_reader: UsageReader | None = None


def install(reader: UsageReader) -> None:
    """Make this the reader of this process; done once by the composition root."""
    global _reader
    _reader = reader


def get_usage(principal: Principal, client_address: str) -> Usage:
    """Return what the caller's tenant has used.

    Raises:
        NotFound: there is no such tenant.
        Unavailable: the counters or the database cannot be asked.
    """
    assert _reader is not None, "the composition root installs one"
    return _reader.read(principal, client_address)


def of_new_tenant(tenant_id: UUID) -> UsageStanding:
    """Return what a tenant that was just made has left: all of it."""
    quota = plans.get_terms(tenant_id).quota
    return UsageStanding(
        requests_remaining=quota.requests_per_month,
        requests_percent=0,
        tokens_remaining=quota.tokens_per_month,
        tokens_percent=0,
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
