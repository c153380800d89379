"""Plans: what a tenant may use, and from which day its months count."""

from __future__ import annotations

import time
from collections.abc import Mapping
from uuid import UUID

import msgspec

from core.kernel import clock, settings
from core.kernel.exchange import UsagePlan
from core.kernel.problems import NotFound
from models.database import read
from models.statements import Statement

SHIPPED: Mapping[str, UsagePlan] = {
    "free": UsagePlan(requests_per_day=10_000, requests_per_month=100_000, tokens_per_month=10_000_000),
    "unlimited": UsagePlan(),
}
_DEFAULT = "free"
_RECENT_SECONDS = 0.5
_RECENT_KEPT = 10_000
_SELECT = Statement("SELECT plan, billing_anchor_day, created_at FROM tenants WHERE id = :tenant")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one tenant."""

    plan: str
    quota: UsagePlan
    anchor_day: int


_recent: dict[UUID, tuple[float, Terms]] = {}
_recent_settings: object = None


def find_recent_terms(tenant_id: UUID) -> Terms:
    """Return a tenant's terms as they were at most half a second ago; asked by every request that is metered.

    Raises:
        NotFound: there is no such tenant.
    """
    global _recent_settings
    if _recent_settings is not settings.current() or len(_recent) >= _RECENT_KEPT:
        _recent.clear()
        _recent_settings = settings.current()
    found = _recent.get(tenant_id)
    if found is not None and time.monotonic() < found[0]:
        return found[1]
    terms = get_terms(tenant_id)
    _recent[tenant_id] = (time.monotonic() + _RECENT_SECONDS, terms)
    return terms


def get_terms(tenant_id: UUID) -> Terms:
    """Return a tenant's terms; a plan that nobody has described is taken for the free one.

    Raises:
        NotFound: there is no such tenant.
    """
    with read():
        rows = _SELECT.rows(tenant=tenant_id)
    if not rows:
        raise NotFound("No such tenant.")
    ((plan, anchor_day, created_at),) = rows
    described = {**SHIPPED, **settings.current().usage_plans}
    return Terms(
        plan=plan,
        quota=described.get(plan) or described[_DEFAULT],
        anchor_day=anchor_day or clock.from_ms(created_at).day,
    )
