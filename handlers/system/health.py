"""Probes."""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

from msgspec import UNSET

from core.kernel.call import Call, Reply
from core.system import health
from models import migrate
from models.contract import system

Ready = Reply[system.Readiness, Literal[200]]
Unready = Reply[system.Unreadiness, Literal[503]]
Passed = Reply[system.DependencyReport, Literal[200]]
Failed = Reply[system.DependencyReport, Literal[503]]


def health_check_liveness(call: Call[None, None]) -> system.Liveness:
    """Say that the process answers."""
    return system.Liveness(status="ok")


def health_check_readiness(call: Call[None, None]) -> Ready | Unready:
    """Say whether requests can be served."""
    missing = health.find_missing(migrate.pending)
    unready: Unready = Reply(system.Unreadiness(ready=False, missing=missing), 503)
    ready: Ready = Reply(system.Readiness(ready=True), 200)
    return unready if missing else ready


def health_report(call: Call[None, None]) -> system.HealthReport:
    """Report the state of this process."""
    memory = health.get_memory()
    return system.HealthReport(
        status=health.get_status(),
        version=version("accord"),
        uptime=health.get_uptime_seconds(),
        memory=system.HealthReportMemory(heap_used=memory.used_mb, heap_total=memory.peak_mb),
    )


def health_check_dependencies(call: Call[None, None]) -> Passed | Failed:
    """Check each dependency."""
    checks = health.get_checks()
    report = system.DependencyReport(
        status="ready" if checks.is_ready else "not_ready",
        checks=system.DependencyChecks(
            database=_check(checks.database), redis=_check(checks.redis), gemini=_check(checks.ai)
        ),
        total_latency_ms=checks.total_latency_ms,
        timestamp=checks.checked_at,
    )
    passed: Passed = Reply(report, 200)
    failed: Failed = Reply(report, 503)
    return passed if checks.is_ready else failed


def _check(check: health.Check) -> system.DependencyCheck:
    return system.DependencyCheck(status=check.status, latency_ms=check.latency_ms, error=check.error or UNSET)
