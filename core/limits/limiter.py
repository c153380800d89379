"""The server's RateLimiter: one atomic charge per request on everything that limits it, and slots for open streams."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.kernel import clock
from core.kernel.exchange import RateDecision, RateStanding, UsageStanding
from core.kernel.ids import new_secret
from core.kernel.operation import Operation
from core.kernel.principal import Principal
from core.kernel.problems import DailyLimitExceeded, QuotaExceeded, RateLimited, TooManyStreams
from core.kernel.settings import Settings
from core.limits.counters import Counters, Taken
from core.limits.meters import Charge, admit, stand
from core.limits.operations import is_metered
from core.limits.rules import Rule, Rules
from core.limits.usage import Budget, UsageReader, count_of

SLOT_SECONDS = 15.0
"""How long a slot outlives the worker that held it."""


class ExactRateLimiter:
    """Counts across all workers; each worker has its own, over the one store."""

    def __init__(self, settings: Settings, operations: Sequence[Operation], counters: Counters) -> None:
        self._counters = counters
        self._rules = Rules(operations)
        self._metered = frozenset(operation.id for operation in operations if is_metered(operation))
        self._caps = {
            operation.id: (operation.error_style, settings.stream_caps[operation.error_style])
            for operation in operations
            if operation.is_stream and operation.error_style in settings.stream_caps
        }
        self._held: set[tuple[str, str]] = set()
        self.usage = UsageReader(counters, self._rules)

    def take(self, operation_id: str, principal: Principal, client_address: str) -> RateDecision | None:
        """Count one request; None when nothing limits it.

        Raises:
            Unavailable: it cannot be counted.
        """
        rule = self._rules.find(operation_id)
        charges = [] if rule is None else [rule.charge(principal, client_address)]
        budget = self._budget(operation_id, principal)
        if budget is not None:
            charges += budget.charges
        if not charges:
            return None
        taken = self._counters.take(charges)
        return RateDecision(
            rate=None if rule is None else _rate_standing(rule, charges[0], taken),
            usage=None if budget is None else self._usage_standing(principal, budget, taken),
            refusal=None if taken.is_admitted else _refusal(charges, taken),
        )

    def look(self, operation_id: str, principal: Principal) -> UsageStanding | None:
        """Return the usage of a caller whose request was not counted; None when the operation counts for no quota."""
        budget = self._budget(operation_id, principal)
        if budget is None:
            return None
        used = count_of(self._counters.look(budget.charges).states)[-1]
        return self.usage.standing(principal.tenant_id, budget, used)

    def enter(self, operation_id: str, principal: Principal, client_address: str) -> tuple[str, str] | None:
        """Hold a slot for a stream that is about to be opened; None where streams are not capped.

        Raises:
            TooManyStreams: the caller holds as many as the surface allows.
        """
        capped = self._caps.get(operation_id)
        if capped is None:
            return None
        style, cap = capped
        slot = (f"{style}:{client_address if principal.is_anonymous else principal.key}", new_secret(12))
        if not self._counters.enter(*slot, cap=cap, seconds=SLOT_SECONDS):
            raise TooManyStreams(
                f"This caller holds {cap} open streams, as many as are allowed.", retry_after_seconds=1
            )
        self._held.add(slot)
        return slot

    def leave(self, slot: tuple[str, str]) -> None:
        """Give the slot of a stream back.

        Raises:
            Unavailable: it cannot be given back now, and lapses.
        """
        self._held.discard(slot)
        self._counters.leave(*slot)

    def keep(self) -> None:
        """Hold this worker's slots on, and forget some of what is over; called every few seconds."""
        if self._held:
            self._counters.keep(list(self._held), seconds=SLOT_SECONDS)
        self._counters.sweep()

    def _budget(self, operation_id: str, principal: Principal) -> Budget | None:
        if operation_id not in self._metered or principal.is_anonymous:
            return None
        return self.usage.budget_of(principal.tenant_id)

    def _usage_standing(self, principal: Principal, budget: Budget, taken: Taken) -> UsageStanding:
        used = count_of(taken.states)[-1] + taken.is_admitted
        return self.usage.standing(principal.tenant_id, budget, used)


def _rate_standing(rule: Rule, charge: Charge, taken: Taken) -> RateStanding:
    state = taken.states[0]
    if taken.is_admitted:
        state = admit(charge, state, taken.now_us).state
    standing = stand(charge, state, taken.now_us)
    return RateStanding(
        profile=rule.profile,
        limit=rule.limit,
        remaining=standing.remaining,
        reset_seconds=math.ceil(standing.reset_us / 1_000_000),
    )


def _refusal(charges: Sequence[Charge], taken: Taken) -> RateLimited:
    """Name the first that has no room; a fixed window is waited for whole, as page 004 has it, a quota to its end."""
    for charge, state in zip(charges, taken.states, strict=True):
        standing = stand(charge, state, taken.now_us)
        if standing.remaining:
            continue
        if charge.key.startswith("quota:"):
            kind = DailyLimitExceeded if charge.key.startswith("quota:day:") else QuotaExceeded
            return kind(
                f"The quota of {charge.limit} requests is used up.",
                retry_after_seconds=max(1, math.ceil((charge.end_us - clock.now_us()) / 1_000_000)),
            )
        wait_us = charge.window_us if charge.algorithm == "fixed_window" else standing.wait_us
        return RateLimited(
            f"The limit of {charge.limit} requests is used up.",
            retry_after_seconds=max(1, math.ceil(wait_us / 1_000_000)),
        )
    raise AssertionError("refused, and every bucket has room")
