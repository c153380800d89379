"""The three counter stores keep the same promises; what each does besides is tested with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis as driver

from core.kernel.settings import Settings
from core.limits.counters import Counters, choose
from core.limits.redis_counters import RedisCounters
from tests import redis
from tests.unit.core.limits.counter_rules import NOW_US, CounterRules, charge


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis.running() as url:
        yield url


class TestDatabaseCounters(CounterRules):
    """The files of its own on SQLite, the UNLOGGED tables on PostgreSQL."""

    @pytest.fixture
    def counters(self, database: Settings) -> Counters:
        return choose(database)

    def test_what_is_over_is_swept(self, counters: Counters, database: Settings) -> None:
        for number in range(5):
            counters.take([charge(f"old:{number}")], now_us=NOW_US - 10**15)
        counters.take([charge("new", window_us=10**12)])
        assert counters.sweep() == (0 if database.is_sqlite else 5)  # a mapped table's are written over instead
        assert counters.sweep() == 0
        assert counters.look([charge("new")]).states[0] is not None


class TestRedisCounters(CounterRules):
    """A server of its own, Debian's or the wheel's."""

    @pytest.fixture
    def counters(self, redis_url: str) -> Counters:
        with driver.Redis.from_url(redis_url) as client:
            client.flushdb()
        return RedisCounters(redis_url)


class TestWheelOfRedis:
    """What a machine without Debian's Redis uses."""

    def test_the_wheel_brings_a_server(self) -> None:
        (binary,) = redis.wheel_binaries()
        with redis.running(binary) as url:
            RedisCounters(url).ping()
