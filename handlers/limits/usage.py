"""A tenant's usage."""

from __future__ import annotations

from core.kernel.call import Call
from core.limits import usage
from models.contract import limits


def usage_get(call: Call[None, None]) -> limits.UsageAnswer:
    """Show what the caller's tenant has used."""
    found = usage.get_usage(call.principal, call.context.client_address)
    minute, day = found.minute, found.day
    data = limits.Usage(
        plan=found.plan,
        requests=_meter(found.requests),
        tokens=_meter(found.tokens),
        rate_limit=limits.UsageRate(
            limit=minute.limit, used=minute.used, remaining=minute.remaining, reset_at=minute.reset_at
        ),
        daily=limits.UsageDaily(used=day.used, limit=day.limit, reset_at=day.reset_at),
        period_start=found.period.start,
        reset_at=found.period.end,
    )
    return limits.UsageAnswer(success=True, data=data)


def _meter(meter: usage.Meter) -> limits.UsageMeter:
    return limits.UsageMeter(
        used=meter.used, limit=meter.limit, remaining=meter.remaining, percent_used=meter.percent_used
    )
