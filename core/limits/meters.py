"""The three ways to meter requests, as plain arithmetic over one stored pair of numbers.

gcra           (at, 0): the virtual time at which the bucket is whole again (ITU-T I.371); each request moves it one step on
token_bucket   (tokens, at): whole tokens, and the time that they were counted for; one comes back with every step
fixed_window   (count, end): requests counted in the window that ends then; it begins with its first request

All times are Unix microseconds; a step is the window divided by the limit, rounded up, so that no rate is exceeded by
rounding. What is stored may come from before a limit was lowered or a clock was set back: it is brought within bounds.
The counter stores on PostgreSQL and Redis repeat `admit` in their own language; tests/unit/core/limits hold them together.
"""

from __future__ import annotations

from typing import NamedTuple

from core.kernel.exchange import Algorithm

State = tuple[int, int]
"""What a store keeps of one bucket; see the module."""


class Charge(NamedTuple):
    """One bucket that a request draws on.

    window_us: the time in which `limit` requests are admitted. end_us: of a fixed window whose end the calendar gives, else 0;
    such a window is a key of its own, so its end is part of the key.
    """

    key: str
    algorithm: Algorithm
    limit: int
    window_us: int
    end_us: int = 0


class Admission(NamedTuple):
    """Whether a bucket has room for one more request; state and expires_us: what to store if it is admitted."""

    is_admitted: bool
    state: State
    expires_us: int


class Standing(NamedTuple):
    """How a bucket stands: requests left now, when it is whole again, and how long until the next one is admitted."""

    remaining: int
    reset_us: int
    wait_us: int


def admit(charge: Charge, state: State | None, now_us: int) -> Admission:
    """Judge one more request."""
    _, algorithm, limit, window_us, _ = charge
    step = -(-window_us // limit)
    if algorithm == "gcra":
        after = _full_at(step * limit, state, now_us) + step
        return Admission(after - now_us <= step * limit, (after, 0), after)
    if algorithm == "token_bucket":
        tokens, at = _tokens(limit, step, state, now_us)
        return Admission(tokens >= 1, (tokens - 1, at), at + (limit - tokens + 1) * step)
    count, end = _window(charge, state, now_us)
    return Admission(count < limit, (count + 1, end), end)


def stand(charge: Charge, state: State | None, now_us: int) -> Standing:
    """Tell how a bucket stands, counting nothing."""
    _, algorithm, limit, window_us, _ = charge
    step = -(-window_us // limit)
    if algorithm == "gcra":
        filled = _full_at(step * limit, state, now_us) - now_us
        left = (step * limit - filled) // step
        return Standing(left, filled, 0 if left else filled + step - step * limit)
    if algorithm == "token_bucket":
        tokens, at = _tokens(limit, step, state, now_us)
        reset = max(0, at + (limit - tokens) * step - now_us) if tokens < limit else 0
        return Standing(tokens, reset, 0 if tokens else at + step - now_us)
    count, end = _window(charge, state, now_us)
    left = max(0, limit - count)
    return Standing(left, max(0, end - now_us) if count else 0, 0 if left else max(0, end - now_us))


def _full_at(whole_us: int, state: State | None, now_us: int) -> int:
    """Return when the bucket is whole; whole_us: how long an empty one takes."""
    if state is None or state[0] <= now_us:
        return now_us
    return min(state[0], now_us + whole_us)


def _tokens(limit: int, step_us: int, state: State | None, now_us: int) -> State:
    """Return the tokens that are there now, and the time that they are counted for."""
    if state is None:
        return limit, now_us
    held, at = state[0], min(state[1], now_us)
    back = (now_us - at) // step_us
    if held + back >= limit:
        return limit, now_us
    return held + back, at + back * step_us


def _window(charge: Charge, state: State | None, now_us: int) -> State:
    """Return the count and the end of the window that holds now."""
    if charge.end_us:
        return (0 if state is None else state[0]), charge.end_us
    if state is None or state[1] <= now_us:
        return 0, now_us + charge.window_us
    return state[0], min(state[1], now_us + charge.window_us)
