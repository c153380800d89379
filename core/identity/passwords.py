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
_WORDS = ("accord", "admin", "administrator", "superadmin", "workspace", "tenant", "member", "password")
"""Words of this service; ACCORD_PASSWORD_WORDS adds those of the installation (ASVS 5.0, 6.1.2)."""
_COMMON_FILE = Path(__file__).parent / "common_passwords.txt"


def hash_password(password: str, *, pointer: str = "/password") -> str:
    """Check and hash a new password; slow, so never inside a transaction.

    Raises:
        Invalid: it is one that guessers try first (not asked in the dev profile).
        Unavailable: too many are hashing.
    """
    check_unguessable(password, pointer)
    return hashing.queue.run(_HASHER.hash, password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Say whether the password is the hashed one; as slow for None, which no password matches.

    Raises:
        Unavailable: too many are hashing.
    """
    matches = hashing.queue.run(_matches, password_hash or _NOBODY, password)
    return matches and password_hash is not None


def check_unguessable(password: str, pointer: str) -> None:
    """Refuse what everyone who guesses tries first, and what they try here; `pointer` names the member of the body.

    Raises:
        Invalid: it is on the list of common passwords, or nothing but words of this service with digits and signs.
    """
    if settings.current().is_dev:
        return
    if password.lower() in _common():
        raise _invalid("common_password", "This password is a common one.", pointer)
    if _consists_of_words(password.lower()):
        raise _invalid("context_word", "This password is made of words that are known here.", pointer)


def _consists_of_words(lowered: str) -> bool:
    """Say whether the letters are words one behind another; the ends of words are noted, so that no password takes long."""
    letters, words = (
        _letters(lowered),
        {_letters(word.lower()) for word in (*_WORDS, *settings.current().password_words)},
    )
    ends = {0}
    for at in range(len(letters)):
        if at in ends:
            ends |= {at + len(word) for word in words if letters.startswith(word, at)}
    return bool(letters) and len(letters) in ends


def _letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


def _invalid(rule: str, message: str, pointer: str) -> Invalid:
    violation = Violation(pointer=pointer, location="body", rule=rule, message=message)
    return Invalid("The password is too easy to guess.", errors=(violation,))


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerifyMismatchError:
        return False


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(_COMMON_FILE.read_text(encoding="utf-8").split("\n"))
