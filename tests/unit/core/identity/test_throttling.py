"""Wrong passwords are slowed down where they come from, and whom the password belongs to gets in."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from core.identity import logins, throttling
from core.identity.throttling import ACCOUNT, ACCOUNT_AND_ORIGIN, ADDRESS, LoginThrottled, Origin, attempt
from core.kernel.problems import InvalidCredentials, Unavailable
from core.kernel.settings import Settings
from models.database import read
from models.tables.identity import User
from models.tables.throttling import LoginOrigin, LoginThrottle
from tests.conftest import FrozenClock
from tests.unit.core.world import PASSWORD, make_administrator, make_member, race

HOME, ATTACKER = Origin("192.0.2.1"), Origin("198.51.100.7")
DEVICE = "d" * 43


@pytest.fixture
def user(database: Settings, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> User:
    """Give Ben; a hot account waits no time that anybody would notice."""
    monkeypatch.setattr(throttling, "HOT_ACCOUNT_SECONDS", 0.1)
    make_administrator()
    return make_member()


def _guess(user: User | None, origin: Origin, name: str = "ben@example.com") -> str:
    """Try a wrong password without the cost of hashing it."""
    try:
        with attempt(name, user, origin):
            raise InvalidCredentials
    except LoginThrottled:
        return "throttled"
    except InvalidCredentials:
        return "wrong"


def _enter(user: User, origin: Origin) -> None:
    with attempt(user.email, user, origin):
        pass


def test_the_eleventh_wrong_password_waits_a_minute(user: User, frozen_clock: FrozenClock) -> None:
    assert [_guess(user, ATTACKER) for _ in range(12)] == ["wrong"] * 10 + ["throttled"] * 2
    with pytest.raises(LoginThrottled) as refused, attempt(user.email, user, ATTACKER):
        pass
    assert refused.value.retry_after_seconds == 60
    frozen_clock.advance(60)
    assert [_guess(user, ATTACKER) for _ in range(2)] == ["wrong", "throttled"]
    frozen_clock.advance(600)
    assert [_guess(user, ATTACKER) for _ in range(11)] == ["wrong"] * 10 + ["throttled"]


def test_a_right_password_forgets_the_wrong_ones(user: User) -> None:
    for _ in range(3):
        assert [_guess(user, HOME) for _ in range(9)] == ["wrong"] * 9
        _enter(user, HOME)
    with read():
        keys = {row.key for row in LoginThrottle.select() if row.full_at}
    assert throttling._key(ACCOUNT_AND_ORIGIN, str(user.id), HOME.address_digest) not in keys


def test_right_passwords_are_never_throttled(user: User) -> None:
    for _ in range(ADDRESS.burst + 20):
        _enter(user, HOME)


def test_the_user_gets_in_from_elsewhere_while_someone_guesses(user: User) -> None:
    for number in range(ACCOUNT.burst + 10):
        _guess(user, Origin(f"198.51.100.{number}"))
    assert _guess(user, ATTACKER) == "wrong"
    began = time.monotonic()
    _enter(user, HOME)
    assert 0.1 <= time.monotonic() - began < 2
    began = time.monotonic()
    _enter(user, HOME)
    assert time.monotonic() - began < 0.1


def test_a_known_browser_gets_in_from_the_guessers_own_address(user: User) -> None:
    here = Origin(ATTACKER.address, DEVICE)
    _enter(user, here)
    for _ in range(300):
        _guess(user, ATTACKER)
        _guess(user, Origin(ATTACKER.address, "f" * 43))
        _guess(None, ATTACKER, name="nobody")
    assert _guess(user, ATTACKER) == "throttled"
    _enter(user, here)


def test_a_browser_that_is_known_has_a_bucket_and_not_a_free_pass(user: User) -> None:
    _enter(user, Origin(HOME.address, DEVICE))
    assert [_guess(user, Origin(ATTACKER.address, DEVICE)) for _ in range(11)][-2:] == ["wrong", "throttled"]


def test_an_invented_browser_is_no_new_origin(user: User) -> None:
    made = [_guess(user, Origin(ATTACKER.address, str(number) * 43)) for number in range(9)]
    assert made + [_guess(user, ATTACKER) for _ in range(2)] == ["wrong"] * 10 + ["throttled"]


def test_spraying_many_accounts_from_one_address_is_throttled(user: User) -> None:
    _enter(user, ATTACKER)
    sprayed = [_guess(None, ATTACKER, name=f"user{number}") for number in range(ADDRESS.burst + 50)]
    assert sprayed == ["wrong"] * ADDRESS.burst + ["throttled"] * 50
    _enter(user, ATTACKER)


def test_one_network_of_ipv6_is_one_address(user: User) -> None:
    made = [_guess(user, Origin(f"2001:db8:1:1::{number:x}")) for number in range(1, 12)]
    assert made == ["wrong"] * 10 + ["throttled"]
    assert _guess(user, Origin("2001:db8:1:2::1")) == "wrong"
    assert Origin("::ffff:192.0.2.1").address_digest == HOME.address_digest


def test_every_name_of_a_user_is_one_account(user: User) -> None:
    made = [_guess(user, ATTACKER, name=name) for name in ("ben@example.com", "BEN@example.com", "+49123") * 4]
    assert made == ["wrong"] * 10 + ["throttled"] * 2


def test_an_unknown_account_is_throttled_like_a_known_one(user: User) -> None:
    known = [_guess(user, ATTACKER) for _ in range(12)]
    unknown = [_guess(None, Origin("203.0.113.9"), name=name) for name in ("nobody", "NOBODY") * 6]
    assert known == unknown


def test_parallel_guesses_do_not_slip_through_together(user: User) -> None:
    outcomes = race(200, lambda: _guess(user, ATTACKER))
    assert outcomes.count("wrong") == ACCOUNT_AND_ORIGIN.burst
    assert outcomes.count("throttled") == 200 - ACCOUNT_AND_ORIGIN.burst


def test_many_right_passwords_at_once_all_pass(user: User) -> None:
    assert race(100, lambda: _enter(user, HOME)) == [None] * 100


def test_more_than_may_wait_are_told_when_to_come_again(user: User) -> None:
    turns = throttling._Turns(limit=2)
    going, done = threading.Event(), threading.Event()

    def take() -> str:
        try:
            with turns.turn("ben"):
                going.set()
                done.wait(10)
        except Unavailable as refused:
            return f"in {refused.retry_after_seconds} s"
        return "taken"

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(take)
        assert going.wait(10)
        others = [pool.submit(take) for _ in range(4)]
        wait(others, timeout=10, return_when="FIRST_COMPLETED")
        with turns.turn("cyn"):
            pass
        done.set()
        told = sorted([first.result(), *(other.result() for other in others)])
    assert told == ["in 2 s"] * 2 + ["taken"] * 3
    assert not turns._turns


def test_what_was_not_judged_is_no_guess(user: User) -> None:
    for _ in range(30):
        with pytest.raises(Unavailable), attempt(user.email, user, ATTACKER):
            raise Unavailable
    assert [_guess(user, ATTACKER) for _ in range(11)] == ["wrong"] * 10 + ["throttled"]


def test_an_origin_is_forgotten_after_ninety_days(user: User, frozen_clock: FrozenClock) -> None:
    _enter(user, Origin(HOME.address, DEVICE))
    with read():
        kept = {row.digest for row in LoginOrigin.select()}
    assert len(kept) == 2
    assert DEVICE not in str(kept)
    frozen_clock.advance(throttling.MEMORY.total_seconds())
    assert throttling._known_origins(user, Origin(HOME.address, DEVICE)) == frozenset()


def test_a_login_is_an_attempt(user: User) -> None:
    for _ in range(ACCOUNT_AND_ORIGIN.burst):
        with pytest.raises(InvalidCredentials):
            logins.verify_login(user.email, "wrong", ATTACKER)
    with pytest.raises(LoginThrottled):
        logins.verify_login(user.email, PASSWORD, ATTACKER)
    assert logins.verify_login(user.email, PASSWORD, HOME).user_id == user.id


def test_the_buckets_are_what_the_module_says() -> None:
    minute_ms = 60_000
    assert [minute_ms / bucket.interval_ms for bucket in (ACCOUNT_AND_ORIGIN, ADDRESS, ACCOUNT)] == [1, 10, 2]
