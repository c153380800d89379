"""The in-process rate limiter."""

from __future__ import annotations

from core.kernel.exchange import RateProfile
from core.limits.local import LocalRateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _limiter(clock: Clock) -> LocalRateLimiter:
    return LocalRateLimiter({"default": RateProfile(limit=3, window_seconds=6)}, clock=clock)


def _take(
    limiter: LocalRateLimiter, caller: str = "ada", profile: str | None = "default"
) -> tuple[bool, int, int, int]:
    decision = limiter.take(
        operation_id="x", method="GET", path="/", profile=profile, caller=caller, client_address="10.0.0.1"
    )
    assert decision is not None
    return decision.is_admitted, decision.remaining, decision.reset_seconds, decision.retry_after_seconds


def test_a_burst_up_to_the_limit_is_admitted_and_one_more_is_not() -> None:
    limiter = _limiter(Clock())
    assert [_take(limiter) for _ in range(4)] == [(True, 2, 2, 0), (True, 1, 4, 0), (True, 0, 6, 0), (False, 0, 6, 2)]


def test_one_request_comes_back_with_every_interval() -> None:
    clock = Clock()
    limiter = _limiter(clock)
    for _ in range(3):
        _take(limiter)
    clock.now += 2
    assert _take(limiter)[0]
    assert not _take(limiter)[0]
    clock.now += 6
    assert [_take(limiter)[0] for _ in range(4)] == [True, True, True, False]


def test_callers_are_counted_apart_and_nobody_by_address() -> None:
    limiter = _limiter(Clock())
    for _ in range(3):
        _take(limiter)
    assert _take(limiter, "ben")[0]
    assert _take(limiter, "")[1] == 2


def test_an_unknown_profile_is_not_limited() -> None:
    limiter = _limiter(Clock())
    for profile in (None, "other"):
        assert (
            limiter.take(operation_id="x", method="GET", path="/", profile=profile, caller="a", client_address="b")
            is None
        )
