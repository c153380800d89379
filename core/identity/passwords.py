"""Passwords: Argon2id (19 MiB, two passes, one lane: OWASP's profile), and which ones are taken."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from core.identity import hashing
from core.kernel import settings
from core.kernel.problems import Invalid, Violation

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$QtbTophxwCpE1OmQfftDaA$UVphsMirvd2R9aGz4dqgxx7wExA3a5a///+69aWbEBc"
"""A hash of no one's password, so that an unknown user costs what a wrong password costs."""
_COMMON_FILE = Path(__file__).parent / "common_passwords.txt"


def hash_password(password: str, *, pointer: str = "/password") -> str:
    """Check and hash a new password; slow, so never inside a transaction.

    Raises:
        Invalid: it is one of the common ones (not asked in the dev profile).
        Unavailable: too many are hashing.
    """
    check_uncommon(password, pointer)
    return hashing.queue.run(_HASHER.hash, password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Say whether the password is the hashed one; as slow for None, which no password matches.

    Raises:
        Unavailable: too many are hashing.
    """
    matches = hashing.queue.run(_matches, password_hash or _NOBODY, password)
    return matches and password_hash is not None


def check_uncommon(password: str, pointer: str) -> None:
    """Refuse what is tried first by everyone who guesses; `pointer` says which member of the body it was.

    Raises:
        Invalid: it is on the list.
    """
    if not settings.current().is_dev and password.lower() in _common():
        violation = Violation(
            pointer=pointer, location="body", rule="common_password", message="This password is a common one."
        )
        raise Invalid("The password is too common.", errors=(violation,))


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(_COMMON_FILE.read_text(encoding="utf-8").split("\n"))
