"""A small world for tests of core: an administrator, a member, and racing threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from core.identity import logins, passwords, users
from core.kernel.principal import ROOT_TENANT_ID
from core.system import setup
from models.tables.identity import User

PASSWORD = "correct horse battery"
PASSWORD_HASH = passwords._HASHER.hash(PASSWORD)

ResultT = TypeVar("ResultT")


def make_administrator(email: str = "ada@example.com") -> User:
    """Take the set-up door."""
    return setup.do_set_up(users.NewUser(email=email, password_hash=PASSWORD_HASH, username="Ada"))


def make_member(email: str = "ben@example.com") -> User:
    """Make a member of the root workspace."""
    return users.do_create_user(users.NewUser(email=email, password_hash=PASSWORD_HASH), ROOT_TENANT_ID)


def verified(user: User) -> logins.Verified:
    """Return what a right password proves."""
    return logins.Verified(user.id, PASSWORD_HASH)


def race(count: int, act: Callable[[], ResultT], *, threads: int = 20) -> list[ResultT | Exception]:
    """Call `act` count times on many threads that start together; refusals are returned, not raised."""
    together = threading.Barrier(threads)
    share = count // threads

    def run() -> list[ResultT | Exception]:
        together.wait()
        return [_outcome(act) for _ in range(share)]

    with ThreadPoolExecutor(threads) as pool:
        rounds = [pool.submit(run) for _ in range(threads)]
        return [outcome for done in rounds for outcome in done.result()]


def _outcome(act: Callable[[], ResultT]) -> ResultT | Exception:
    try:
        return act()
    except Exception as error:  # noqa: BLE001  # a race's refusals are its results
        return error
