"""The three meters as arithmetic: what they admit over time, and what callers are told."""

from __future__ import annotations

import random

import pytest

from core.kernel.exchange import Algorithm
from core.limits.meters import Charge, Standing, State, admit, stand
from tests.unit.core.limits.counter_rules import ALGORITHMS, NOW_US, SECOND_US, charge


def _run(row: Charge, times: list[int]) -> list[bool]:
    state: State | None = None
    verdicts = []
    for now in times:
        admission = admit(row, state, now)
        verdicts.append(admission.is_admitted)
        state = admission.state if admission.is_admitted else state
    return verdicts


@pytest.mark.parametrize("seed", range(20))
def test_gcra_and_a_token_bucket_admit_the_same(seed: int) -> None:
    chance, now = random.Random(seed), NOW_US
    times = [now := now + chance.choice((0, 1, chance.randrange(4 * SECOND_US))) for _ in range(500)]
    window = chance.randrange(1, 9) * SECOND_US + chance.randrange(1000)
    limit = chance.randrange(1, 9)
    verdicts = [_run(charge("x", kind, limit=limit, window_us=window), times) for kind in ("gcra", "token_bucket")]
    assert verdicts[0] == verdicts[1]
    assert {True, False} <= set(verdicts[0])


@pytest.mark.parametrize("seed", range(10))
def test_no_span_admits_more_than_its_rate_and_one_burst(seed: int) -> None:
    chance, now = random.Random(seed), NOW_US
    row = charge("x", limit=7, window_us=10 * SECOND_US)
    times = [now := now + chance.randrange(SECOND_US) for _ in range(400)]
    admitted = [at for at, verdict in zip(times, _run(row, times), strict=True) if verdict]
    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            span = admitted[last] - admitted[first]
            assert last - first + 1 <= row.limit + span / row.window_us * row.limit


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_wait_that_is_told_is_the_shortest_that_helps(algorithm: Algorithm) -> None:
    row, state = charge("x", algorithm), None
    for late in range(3):
        state = admit(row, state, NOW_US + late).state
    now = NOW_US + SECOND_US
    standing = stand(row, state, now)
    assert standing.remaining == 0
    assert not admit(row, state, now + standing.wait_us - 1).is_admitted
    assert admit(row, state, now + standing.wait_us).is_admitted
    assert stand(row, state, now + standing.reset_us).remaining == row.limit
    assert stand(row, state, now + standing.reset_us - 1).remaining < row.limit


# algorithm → what a caller is told after one request of three in six seconds
TOLD: dict[Algorithm, Standing] = {
    "gcra": Standing(2, 2 * SECOND_US, 0),
    "token_bucket": Standing(2, 2 * SECOND_US, 0),
    "fixed_window": Standing(2, 6 * SECOND_US, 0),
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_caller_is_told_what_is_left(algorithm: Algorithm) -> None:
    row = charge("x", algorithm)
    assert stand(row, None, NOW_US) == Standing(3, 0, 0)
    assert stand(row, admit(row, None, NOW_US).state, NOW_US) == TOLD[algorithm]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_clock_that_is_set_back_locks_nobody_out_for_longer_than_the_window(algorithm: Algorithm) -> None:
    row, state = charge("x", algorithm), None
    for _ in range(3):
        state = admit(row, state, NOW_US).state
    back = NOW_US - 86_400 * SECOND_US
    assert stand(row, state, back).wait_us <= row.window_us


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_lowered_limit_holds_at_once(algorithm: Algorithm) -> None:
    wide, narrow = charge("x", algorithm, limit=100), charge("x", algorithm, limit=2)
    state = admit(wide, None, NOW_US).state
    admitted = 0
    for _ in range(5):
        admission = admit(narrow, state, NOW_US)
        if admission.is_admitted:
            admitted, state = admitted + 1, admission.state
    assert admitted <= 2
