"""Slow down guesses at passwords, without letting a guesser lock out whom the password belongs to.

Each attempt is charged before it is hashed, so that parallel guesses cannot slip through together, and is given back when
the password was right. Attempts on one account from one origin are taken one after the other, so that many right ones at
once are not refused for being many, and none of them takes more than one place in the queue of hashing. Three buckets (GCRA) fill with wrong ones:

- one account from one origin: 10, then one a minute; then 429 for that origin alone;
- one address, over all accounts: 100, then ten a minute; then 429 for accounts that never logged in from there;
- one account from everywhere: 30, then two a minute; then each attempt waits 3 s, but is never refused.

An origin is the address, or the cookie that a browser was given when its user logged in (OWASP's device cookies). Where a
user has logged in from within 90 days is remembered: there the second and third bucket do not count, and a known browser
has a first bucket of its own, which nobody else can fill.
"""

from __future__ import annotations

import ipaddress
import math
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import gevent
import msgspec

from core.identity import hashing, users
from core.kernel import clock
from core.kernel.ids import new_secret
from core.kernel.problems import RateLimited, Unavailable
from core.kernel.sealing import digest
from models.database import read, write_relaxed
from models.statements import Bound, Statement, run
from models.tables.identity import User
from models.tables.throttling import LoginOrigin, LoginThrottle

MEMORY = timedelta(days=90)
HOT_ACCOUNT_SECONDS = 3.0
_SEEN_ANEW = timedelta(days=1)
_DEVICE_CHARACTERS = 43
_FILL = Statement("""
    INSERT INTO login_throttles (key, full_at) VALUES (:key, :now + :one) ON CONFLICT (key) DO UPDATE
    SET full_at = CASE WHEN login_throttles.full_at > :now THEN login_throttles.full_at ELSE :now END + :one
    WHERE CASE WHEN login_throttles.full_at > :now THEN login_throttles.full_at ELSE :now END + :one <= :full RETURNING key
""")
_TAKE_OUT = Statement("UPDATE login_throttles SET full_at = full_at - :one WHERE key = :key")
_FORGET = Statement("DELETE FROM login_throttles WHERE key = :key")
_REMEMBER = Statement("""
    INSERT INTO login_origins (user_id, digest, seen_at) VALUES (:user, :digest, :now) ON CONFLICT (user_id, digest) DO UPDATE
    SET seen_at = :now WHERE login_origins.seen_at < :stale
""")


class LoginThrottled(RateLimited):
    code, title = "login_throttled", "Too many tries to log in"


class Bucket(msgspec.Struct, frozen=True):
    """Room for `burst` wrong passwords; one is forgotten every interval_ms."""

    kind: str
    burst: int
    interval_ms: int


ACCOUNT_AND_ORIGIN = Bucket("account and origin", 10, 60_000)
ADDRESS = Bucket("address", 100, 6_000)
ACCOUNT = Bucket("account", 30, 30_000)
BEGUN = Bucket("begun", 300, 1_000)
"""Logins by providers that one address begins: each is a row until it ends or ten minutes are over."""


class Origin(msgspec.Struct, frozen=True):
    """Where an attempt comes from. device: the cookie of a browser whose user has logged in by it, or None."""

    address: str
    device: str | None = None

    @property
    def address_digest(self) -> str:
        return digest(f"address:{_network(self.address)}")

    @property
    def device_digest(self) -> str | None:
        return digest(f"device:{self.device}") if self.device else None


class _Charge(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt took: the bucket that a right password empties, and those it is given back to."""

    own_key: str
    shared: tuple[tuple[Bucket, str], ...]
    is_hot: bool


def device_of(cookie: str | None) -> str:
    """Return the browser's cookie, or a new one where it has none."""
    is_ours = cookie is not None and len(cookie) == _DEVICE_CHARACTERS and cookie.isascii() and cookie.isprintable()
    return cookie if is_ours and cookie is not None else new_secret()


@contextmanager
def attempt(name: str, user: User | None, origin: Origin) -> Iterator[None]:
    """Hold one attempt to log in; leaving it without an exception says that the password was right.

    Raises:
        LoginThrottled: too many wrong ones before; with seconds to wait.
        NotFound: the user was deleted meanwhile.
    """
    known = _known_origins(user, origin)
    account = str(user.id) if user else f"name:{name.lower()}"
    own = origin.device_digest if origin.device_digest in known else origin.address_digest
    own_key = _key(ACCOUNT_AND_ORIGIN, account, own or "")
    with _turns.turn(own_key):
        charge = _do_charge(own_key, account, origin, known)
        if charge.is_hot:
            gevent.sleep(HOT_ACCOUNT_SECONDS)
        try:
            yield
        except Unavailable:
            _do_give_back(charge)  # nothing was guessed
            raise
        assert user is not None
        _do_trust(user, origin, charge)
    gevent.sleep(0)  # other requests pass, before what the login is for is done


def do_count_begun(address: str) -> None:
    """Count a login by a provider that an address begins.

    Raises:
        LoginThrottled: too many.
    """
    with write_relaxed():
        _fill_or_refuse(BEGUN, _key(BEGUN, Origin(address).address_digest))


class _Turns:
    """Lets attempts with one key pass one after the other, and no more than `limit` wait in all."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting = 0
        self._books = threading.Lock()
        self._turns: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def turn(self, key: str) -> Iterator[None]:
        """Hold the turn of a key.

        Raises:
            Unavailable: too many wait for theirs.
        """
        lock = self._enter(key)
        try:
            try:
                lock.acquire()
            finally:
                with self._books:
                    self._waiting -= 1
            try:
                yield
            finally:
                lock.release()
        finally:
            self._leave(key)

    def _enter(self, key: str) -> threading.Lock:
        with self._books:
            lock, count = self._turns.get(key) or (threading.Lock(), 0)
            if count and self._waiting >= self._limit:
                raise Unavailable("Too many logins at once.", retry_after_seconds=2)
            self._turns[key] = (lock, count + 1)
            self._waiting += 1
        return lock

    def _leave(self, key: str) -> None:
        with self._books:
            lock, count = self._turns.pop(key)
            if count > 1:
                self._turns[key] = (lock, count - 1)


_turns = _Turns(hashing.QUEUE_LIMIT)


def _known_origins(user: User | None, origin: Origin) -> frozenset[str]:
    """Return which of the attempt's digests the user has logged in from."""
    if user is None:
        return frozenset()
    digests = [row for row in (origin.address_digest, origin.device_digest) if row]
    with read():
        rows = LoginOrigin.select(LoginOrigin.digest).where(
            LoginOrigin.user == user, LoginOrigin.digest.in_(digests), LoginOrigin.seen_at > clock.now() - MEMORY
        )
        return frozenset(row.digest for row in rows)


def _do_charge(own_key: str, account: str, origin: Origin, known: frozenset[str]) -> _Charge:
    address_key, account_key = _key(ADDRESS, origin.address_digest), _key(ACCOUNT, account)
    with write_relaxed():
        _fill_or_refuse(ACCOUNT_AND_ORIGIN, own_key)
        if known:
            return _Charge(own_key=own_key, shared=(), is_hot=False)
        _fill_or_refuse(ADDRESS, address_key)
        is_hot = not _fill(ACCOUNT, account_key)
    shared = ((ADDRESS, address_key),) if is_hot else ((ADDRESS, address_key), (ACCOUNT, account_key))
    return _Charge(own_key=own_key, shared=shared, is_hot=is_hot)


def _do_give_back(charge: _Charge) -> None:
    with write_relaxed():
        run(_taken_out(((ACCOUNT_AND_ORIGIN, charge.own_key), *charge.shared)))


def _do_trust(user: User, origin: Origin, charge: _Charge) -> None:
    """Forget the wrong ones before a right one, and remember where it came from."""
    now = clock.now()
    digests = [row for row in (origin.address_digest, origin.device_digest) if row]
    seen = {"user": user.id, "now": clock.to_ms(now), "stale": clock.to_ms(now - _SEEN_ANEW)}
    with write_relaxed():
        users.hold_user(user.id)
        run(
            [
                _FORGET.bind(key=charge.own_key),
                *_taken_out(charge.shared),
                *(_REMEMBER.bind(digest=row, **seen) for row in digests),
            ]
        )


def _fill_or_refuse(bucket: Bucket, key: str) -> None:
    if not _fill(bucket, key):
        full_at = LoginThrottle.get_by_id(key).full_at
        wait_ms = clock.to_ms(full_at) + bucket.interval_ms - bucket.burst * bucket.interval_ms - clock.now_ms()
        raise LoginThrottled(retry_after_seconds=max(1, math.ceil(wait_ms / 1000)))


def _fill(bucket: Bucket, key: str) -> bool:
    """Put one into the bucket if it has room, in one statement, so that of two racing for the last place one gets it."""
    now_ms = clock.now_ms()
    full_ms = now_ms + bucket.burst * bucket.interval_ms
    return bool(_FILL.rows(key=key, now=now_ms, one=bucket.interval_ms, full=full_ms))


def _taken_out(places: Iterable[tuple[Bucket, str]]) -> list[Bound]:
    return [_TAKE_OUT.bind(key=key, one=bucket.interval_ms) for bucket, key in places]


def _key(bucket: Bucket, *parts: str) -> str:
    return digest("\0".join((bucket.kind, *parts)))


def _network(address: str) -> str:
    """Return what one caller holds of addresses: an IPv4 address, or a /64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
