"""A rate limiter of one process: smooth (GCRA, ITU-T I.371), in memory.

Each worker counts for itself, so a machine admits the profile times its workers. Counters that are exact across
workers, and profiles that administrators assign to routes, take its place behind the same port.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from core.kernel.exchange import RateDecision, RateProfile

_KEYS_MAX = 100_000


class LocalRateLimiter:
    """Count per caller and profile; without a caller, per client address."""

    def __init__(self, profiles: Mapping[str, RateProfile], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._profiles = profiles
        self._clock = clock
        self._full_at: dict[tuple[str, str], float] = {}

    def take(
        self, *, operation_id: str, method: str, path: str, profile: str | None, caller: str, client_address: str
    ) -> RateDecision | None:
        """Count one request; None when the operation names no profile that is known here."""
        row = self._profiles.get(profile) if profile is not None else None
        if row is None or profile is None:
            return None
        now = self._clock()
        key = (profile, caller or client_address)
        interval = row.window_seconds / row.limit
        # The virtual time at which this caller's bucket is whole again; each request pushes it one interval on.
        full_at = max(self._full_at.get(key, now), now)
        after = full_at + interval
        if after - now > row.window_seconds + interval / 1000:
            return self._refused(profile, row, wait=after - now - row.window_seconds, reset=full_at - now)
        self._keep(key, after, now)
        left = int((row.window_seconds - (after - now)) / interval + 0.001)
        return RateDecision(
            is_admitted=True, profile=profile, limit=row.limit, remaining=left, reset_seconds=math.ceil(after - now)
        )

    def _refused(self, profile: str, row: RateProfile, *, wait: float, reset: float) -> RateDecision:
        return RateDecision(
            is_admitted=False,
            profile=profile,
            limit=row.limit,
            remaining=0,
            reset_seconds=math.ceil(reset),
            retry_after_seconds=max(1, math.ceil(wait)),
        )

    def _keep(self, key: tuple[str, str], after: float, now: float) -> None:
        """Remember; when there are too many keys, forget those whose bucket is whole, which changes no decision."""
        self._full_at[key] = after
        if len(self._full_at) > _KEYS_MAX:
            self._full_at = {known: at for known, at in self._full_at.items() if at > now}
