"""What every counter store promises: a class to inherit, with a fixture `counters` that gives the store."""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

import pytest

from core.kernel.exchange import Algorithm
from core.limits.counters import Counters
from core.limits.meters import Charge, State, admit, stand

ALGORITHMS: tuple[Algorithm, ...] = ("gcra", "token_bucket", "fixed_window")
NOW_US = 1_800_000_000_123_457
SECOND_US = 1_000_000


def charge(key: str, algorithm: Algorithm = "gcra", *, limit: int = 3, window_us: int = 6 * SECOND_US) -> Charge:
    """Return a charge on a bucket of 3 requests in 6 s."""
    return Charge(key, algorithm, limit, window_us)


class ReferenceStore:
    """The rules over a dict, for comparison."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}

    def take(self, charges: Sequence[Charge], now_us: int) -> tuple[bool, list[State | None]]:
        before = [self.states.get(row.key) for row in charges]
        admissions = [admit(row, state, now_us) for row, state in zip(charges, before, strict=True)]
        is_admitted = all(admission.is_admitted for admission in admissions)
        if is_admitted:
            self.states.update({row.key: a.state for row, a in zip(charges, admissions, strict=True)})
        return is_admitted, before


class CounterRules(ABC):
    """The shared tests."""

    @pytest.fixture
    @abstractmethod
    def counters(self) -> Counters: ...

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_exactly_the_limit_is_admitted_at_one_time(self, counters: Counters, algorithm: Algorithm) -> None:
        row = charge(f"exact:{algorithm}", algorithm, limit=7)
        verdicts = [counters.take([row], now_us=NOW_US).is_admitted for _ in range(10)]
        assert verdicts == [True] * 7 + [False] * 3

    @pytest.mark.parametrize("algorithm", ["gcra", "token_bucket"])
    def test_requests_come_back_one_by_one(self, counters: Counters, algorithm: Algorithm) -> None:
        row = charge(f"back:{algorithm}", algorithm)
        for _ in range(3):
            assert counters.take([row], now_us=NOW_US).is_admitted
        assert not counters.take([row], now_us=NOW_US + 2 * SECOND_US - 1).is_admitted
        assert counters.take([row], now_us=NOW_US + 2 * SECOND_US).is_admitted
        assert not counters.take([row], now_us=NOW_US + 2 * SECOND_US).is_admitted

    def test_a_fixed_window_comes_back_whole(self, counters: Counters) -> None:
        row = charge("window", "fixed_window")
        for late in (0, 1, 2):
            assert counters.take([row], now_us=NOW_US + late * SECOND_US).is_admitted
        assert not counters.take([row], now_us=NOW_US + 6 * SECOND_US - 1).is_admitted
        verdicts = [counters.take([row], now_us=NOW_US + 6 * SECOND_US).is_admitted for _ in range(4)]
        assert verdicts == [True, True, True, False]

    def test_a_window_of_the_calendar_never_begins_anew_by_itself(self, counters: Counters) -> None:
        row = Charge("day", "fixed_window", 2, 86_400 * SECOND_US, NOW_US)
        late_us = NOW_US + SECOND_US  # a worker's clock may run behind the store's
        assert [counters.take([row], now_us=late_us).is_admitted for _ in range(3)] == [True, True, False]

    def test_all_buckets_are_charged_or_none(self, counters: Counters) -> None:
        wide, narrow = charge("wide", limit=5), charge("narrow", "fixed_window", limit=2)
        verdicts = [counters.take([wide, narrow], now_us=NOW_US).is_admitted for _ in range(5)]
        assert verdicts == [True, True, False, False, False]
        standing = stand(wide, counters.look([wide], now_us=NOW_US).states[0], NOW_US)
        assert standing.remaining == 3

    def test_states_come_in_the_order_of_the_charges(self, counters: Counters) -> None:
        b, a = charge("order:b", "fixed_window"), charge("order:a", "fixed_window")
        assert counters.take([b], now_us=NOW_US).states == [None]
        taken = counters.take([b, a], now_us=NOW_US)
        assert [state and state[0] for state in taken.states] == [1, None]

    def test_looking_counts_nothing(self, counters: Counters) -> None:
        row = charge("look", limit=1)
        assert list(counters.look([row], now_us=NOW_US).states) == [None]
        assert counters.take([row], now_us=NOW_US).is_admitted
        assert counters.look([row], now_us=NOW_US).states[0] is not None

    @pytest.mark.parametrize("seed", range(3))
    def test_a_random_history_is_judged_as_the_rules_say(self, counters: Counters, seed: int) -> None:
        chance, reference, now = random.Random(seed), ReferenceStore(), NOW_US
        for _ in range(150):
            now += chance.choice((0, 1, 999, SECOND_US, 7 * SECOND_US, -2 * SECOND_US))
            charges = [
                charge(f"{seed}:{n}:{algorithm}", algorithm, limit=chance.choice((3, 4)), window_us=7 * SECOND_US)
                for n, algorithm in chance.sample(list(enumerate(ALGORITHMS)), chance.randint(1, 3))
            ]
            taken = counters.take(charges, now_us=now)
            assert (taken.is_admitted, list(taken.states)) == reference.take(charges, now)
            assert taken.now_us == now

    def test_its_own_clock_is_the_present(self, counters: Counters) -> None:
        taken = counters.take([charge("clock")])
        assert abs(taken.now_us - time.time() * SECOND_US) < 5 * SECOND_US
        assert abs(counters.look([charge("clock")]).now_us - time.time() * SECOND_US) < 5 * SECOND_US

    def test_slots_are_held_up_to_the_cap(self, counters: Counters) -> None:
        assert [counters.enter("cap", f"s{n}", cap=2, seconds=60) for n in range(3)] == [True, True, False]
        assert counters.enter("another caller", "s0", cap=2, seconds=60)
        counters.leave("cap", "s0")
        assert counters.enter("cap", "s3", cap=2, seconds=60)

    def test_a_slot_that_nobody_keeps_is_free_again(self, counters: Counters) -> None:
        assert counters.enter("lapse", "dead", cap=1, seconds=0.2)
        assert counters.enter("kept", "alive", cap=1, seconds=0.2)
        counters.keep([("kept", "alive")], seconds=60)
        time.sleep(0.3)  # the stores go by clocks of their own
        assert counters.enter("lapse", "next", cap=1, seconds=60)
        assert not counters.enter("kept", "next", cap=1, seconds=60)

    def test_it_answers(self, counters: Counters) -> None:
        counters.ping()
