"""Passwords and the thread that hashes them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import gevent
import pytest

from core.identity import passwords
from core.identity.hashing import HashingQueue
from core.kernel import settings
from core.kernel.problems import Invalid, Unavailable
from tests.databases import read_settings


def test_hash_is_argon2id_of_the_declared_cost(tmp_path: Path) -> None:
    settings.install(read_settings(tmp_path))
    hashed = passwords.hash_password("password")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify_password(hashed, "password")
    assert not passwords.verify_password(hashed, "Password")


def test_no_password_matches_no_hash() -> None:
    assert not passwords.verify_password(None, "")


def test_nobodys_hash_costs_what_a_real_one_does() -> None:
    assert passwords._NOBODY.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("password", ["password1", "PASSWORD1", "1234567890"])
def test_common_password_is_refused_outside_dev(tmp_path: Path, password: str) -> None:
    settings.install(read_settings(tmp_path, profile="production"))
    with pytest.raises(Invalid):
        passwords.hash_password(password)
    passwords.check_unguessable("correct horse battery", "/password")
    settings.install(read_settings(tmp_path))
    passwords.check_unguessable(password, "/password")


@pytest.mark.parametrize(
    "password", ["Accord-2026!", "accordaccord", "ADMIN accord 1", "orion2026", "Orion.Admin.7", "BIGBEAR-2026"]
)
def test_words_of_this_service_make_no_password(tmp_path: Path, password: str) -> None:
    settings.install(read_settings(tmp_path, profile="production", password_words="orion, Big-Bear"))
    with pytest.raises(Invalid) as refused:
        passwords.hash_password(password)
    assert [error.rule for error in refused.value.errors] == ["context_word"]
    for free in ("accord with the big bear", "orionis 2026", "12345 67890 !?"):
        passwords.check_unguessable(free, "/password")


def test_queue_refuses_beyond_its_limit_and_runs_one_at_a_time() -> None:
    queue, running = HashingQueue(limit=3), []

    def work(number: int) -> int:
        running.append(number)
        assert len(running) == 1
        gevent.sleep(0.01)
        running.remove(number)
        return number

    greenlets = [gevent.spawn(queue.run, work, number) for number in range(3)]
    gevent.sleep(0)
    assert queue.is_full
    with pytest.raises(Unavailable) as refused:
        queue.run(work, 4)
    assert refused.value.retry_after_seconds == 2
    assert [greenlet.get(timeout=5) for greenlet in greenlets] == [0, 1, 2]
    assert not queue.is_full


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all threads of a process have one priority")
def test_requests_go_before_hashing() -> None:
    assert HashingQueue().run(os.nice, 0) > os.nice(0)


def test_queue_goes_on_when_a_function_fails() -> None:
    queue = HashingQueue(limit=1)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            queue.run(lambda: 1 // 0)
    assert queue.run(lambda: 5) == 5
